"""How many processor threads compute: chosen by trying.

The threads of a step wait for each other many times in it, and spin while they wait. Where another process takes a
core, one of them is late and the others spin: two threads on two cores then take a fifth of the steps that they take
alone, and fewer than one thread takes. So the number that is best depends on the model and on what else the machine
does. Each count is timed in turn, several times, and the medians are compared.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from statistics import median

import torch

TRIES = 3
"""Fewest steps by which a count is judged, after one that warms up."""
TRIED_SECONDS = 0.03
"""Steps shorter than a third of this are tried more often, up to `MOST_TRIES` times."""
MOST_TRIES = 30
REHEARSED_SECONDS = 2.0
"""Longest time, about, of all tries before the first step."""
FASTER = 0.85
"""A count takes another's place if its steps take less than this fraction of the other's."""
HOPELESS = 2.0
"""A count whose steps take this many times as long as another's is not tried again in the same trial."""
SLOWED = 1.5
"""If steps take this many times as long as at the last trial, something else has begun: the next trial is now."""
WORTH_TRYING_SECONDS, WORTH_TRYING_STEPS = 5.0, 20
"""A stage expected to be shorter than either keeps the number that torch was given."""
DEAR_SECONDS = 1.0
"""One step longer than this is enough to call a count hopeless; of shorter ones it takes two."""
SOONEST_SECONDS, LATEST_SECONDS = 5.0, 60.0
"""Time between two trials."""
SLOWED_SECONDS = 2.0
"""The same, where steps have slowed down."""
SHARE = 0.015
"""Share of the time that trials may lose, unless the next one would then be later than `LATEST_SECONDS`."""
MOST_SHARE = 0.1
"""Share that they never exceed, however late the next one is."""
WATCHED = 5
"""Last steps that are watched for a change of pace."""
SAMPLE = (512, 256)
"""Size of the layer that stands for work whose pace is not known: a millisecond or two on one core."""


class Trial:
    """Times several counts by turns, so that whatever else happens on the machine meets all of them.

    Args:
        counts: The numbers of threads; the first is the favoured one, which stays unless another is clearly faster.
            It is timed last in each turn: if it is very slow, that is known before it is tried again.
        tries: Steps of each, after one to warm up.
        known: Seconds of steps with the favoured number that were timed before; they only show whether it is hopeless.

    Example:
        >>> trial = Trial([2, 1], tries=3)
        >>> while not trial.over:
        ...     trial.note({1: 0.1, 2: 0.3}[trial.count])
        >>> trial.fastest
        1
    """

    def __init__(self, counts: Sequence[int], tries: int, known: Sequence[float] = ()) -> None:
        self.counts = tuple(counts)
        self.times: dict[int, list[float]] = {count: [] for count in counts}
        self._known = list(known)
        self._left = [count for _ in range(tries + 1) for count in (*counts[1:], counts[0])]

    @property
    def over(self) -> bool:
        """Whether every count has been timed."""
        return not self._left

    @property
    def count(self) -> int:
        """The number of threads of the next step."""
        return self._left[0]

    def note(self, seconds: float) -> None:
        """Record how long that step took."""
        self.times[self._left.pop(0)].append(seconds)
        best = min(map(self._so_far, self.counts))
        self._left = [count for count in self._left if self._at_least(count) <= HOPELESS * best]

    def _so_far(self, count: int) -> float:
        """What is known of a count's steps: their median, or the first alone."""
        times = self.times[count]
        return self.typical(count) if len(times) > 1 else min(times, default=math.inf)

    def _at_least(self, count: int) -> float:
        """The shortest of at least two steps, for one slow step may have any cause; or a single one that took long.

        A single one of the favoured count is enough only if it was warmed up.
        """
        favoured = count == self.counts[0]
        times = self.times[count] + (self._known if favoured else [])
        dear = min(self._known if favoured else times, default=0.0) > DEAR_SECONDS
        return min(times) if len(times) > 1 or dear else 0.0

    def typical(self, count: int) -> float:
        """Median seconds of a count's steps, without the first; infinite if there are none."""
        return median(self.times[count][1:] or [math.inf])

    @property
    def fastest(self) -> int:
        """The count with the shortest steps; the favoured one if none is clearly faster."""
        best = min(self.counts, key=self.typical)
        return best if self.typical(best) < FASTER * self.typical(self.counts[0]) else self.counts[0]

    @property
    def lost(self) -> float:
        """Seconds that the other counts took beyond what the fastest would have taken."""
        usual = self.typical(self.fastest)
        return sum(max(0.0, seconds - usual) for times in self.times.values() for seconds in times)


class Threads:
    """The number of threads of a stage's steps.

    Args:
        count: The number at first.
        most: The largest number that may be tried: what torch was given.
        chosen: Whether the number is given, or stored, and must stay.
        clock: Seconds; a test has its own.
    """

    def __init__(self, count: int, most: int, chosen: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        self.count, self.most, self.chosen = count, most, chosen or most == 1
        self._clock = clock
        self._again = False
        self._trial: Trial | None = None
        self._recent: deque[float] = deque(maxlen=WATCHED)
        self._usual, self._since, self._wait = math.inf, clock(), SOONEST_SECONDS

    def worth_trying(self, expected: float, steps: int | None) -> bool:
        """Whether a stage of so many seconds and steps, if they are known, is long enough for a trial to pay."""
        enough = steps is None or steps >= WORTH_TRYING_STEPS
        return not self.chosen and enough and expected >= WORTH_TRYING_SECONDS

    def choose(self, step_seconds: Callable[[], float], seconds: float) -> float:
        """Try all that torch was given, its half, its quarter ... down to one, before the first step.

        Args:
            step_seconds: Computes a step that changes nothing, and gives the seconds that it took.
            seconds: What such a step took before.

        Returns:
            The seconds of a step with the chosen number.
        """
        first, *smaller = halves(self.most)
        affordable = int(REHEARSED_SECONDS / (seconds * (1 + len(smaller))))
        trial = Trial([first, *reversed(smaller)], max(1, min(affordable, _tries(seconds))), [seconds])
        while not trial.over:
            torch.set_num_threads(trial.count)
            trial.note(step_seconds())
        self._settle(trial)
        return self._usual

    def try_again(self) -> None:
        """From now on, try other numbers now and then on steps of the training."""
        self._again = not self.chosen
        self._since = self._clock()

    @contextmanager
    def step(self) -> Generator[None]:
        """A step of the training: with the chosen number of threads, or with another one if a trial is under way."""
        if not self._again:
            yield
            return
        if self._trial is not None:
            torch.set_num_threads(self._trial.count)
        began = self._clock()
        yield
        taken = self._clock() - began
        torch.set_num_threads(self.count)
        self._note(taken)

    def _note(self, seconds: float) -> None:
        if self._trial is None:
            self._recent.append(seconds)
            if self._due():
                self._trial = Trial(self._neighbours(), _tries(median(self._recent)), self._recent)
            return
        self._trial.note(seconds)
        if self._trial.over:
            self._settle(self._trial)

    def _settle(self, trial: Trial) -> None:
        """Keep the fastest; the more the trial lost, the later is the next one."""
        self.count, self._usual = trial.fastest, trial.typical(trial.fastest)
        torch.set_num_threads(self.count)
        latest = max(LATEST_SECONDS, trial.lost / MOST_SHARE)
        self._wait = max(SOONEST_SECONDS, min(trial.lost / SHARE, latest))
        self._since, self._trial = self._clock(), None
        self._recent.clear()

    def _due(self) -> bool:
        waited = self._clock() - self._since
        slowed = len(self._recent) == WATCHED and median(self._recent) > SLOWED * self._usual
        return waited >= self._wait or (slowed and waited >= SLOWED_SECONDS)

    def _neighbours(self) -> list[int]:
        """The current number, and the next smaller and larger one of those that may be tried."""
        counts = sorted({*halves(self.most), self.count})
        place = counts.index(self.count)
        return [self.count, *counts[max(0, place - 1) : place], *counts[place + 1 : place + 2]]


@contextmanager
def as_many_as_help() -> Generator[None]:
    """Compute with the number of threads that is the fastest at present for a layer of a network; then as before.

    It is tried in a tenth of a second, or up to a second where other processes are in the way. Of the number that torch
    has at the moment, it takes all, half, a quarter ... or one; so whoever has set one keeps it.
    """
    most = torch.get_num_threads()
    try:
        if most > 1:
            Threads(most, most, chosen=False).choose(_sample_seconds, _sample_seconds())
        yield
    finally:
        torch.set_num_threads(most)


def _sample_seconds() -> float:
    """Seconds of a few layers of a network, one after the other."""
    rows, units = SAMPLE
    x, weight = torch.zeros(rows, units), torch.zeros(units, units)
    began = time.perf_counter()
    for _ in range(8):
        x = torch.tanh(x @ weight)
    return time.perf_counter() - began


def halves(most: int) -> list[int]:
    """A number, its half, its quarter ... down to one.

    Example:
        >>> halves(12)
        [12, 6, 3, 1]
    """
    return [most, *halves(most // 2)] if most > 1 else [1]


def _tries(seconds: float) -> int:
    """How often a count is tried if a step takes so many seconds."""
    return max(TRIES, min(math.ceil(TRIED_SECONDS / max(seconds, 1e-6)), MOST_TRIES))
