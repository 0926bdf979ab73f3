"""How long a stage lasts, and when its loss is read, its held-out loss measured and its state saved."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import current_thread, main_thread
from typing import Any

DEFAULT_MINUTES = 10.0
"""Longest time of a training whose length is not set."""
RECORD_SECONDS = 1.0
CHECKPOINT_SECONDS = 30.0
VALIDATIONS = 40
"""Held-out measurements in a stage of known length."""
PATIENCE = 6
"""Held-out measurements without an improvement after which a training of no set length has stalled."""
GAIN = 1e-3
"""Relative fall of the held-out loss that counts as an improvement."""
VALIDATION_SHARE = 0.03
"""Largest share of the time for held-out measurements; estimated from steps if epochs are given, otherwise measured."""
ROUNDING = 1e-6
"""Of a step: a fraction such as 0.07 is not exact."""
PICTURE_SHARE = 0.1
"""Largest share of the time for pictures after the first ones, which show how long they take."""


@dataclass
class Clock:
    """Counts a stage's steps and seconds. If epochs are given, no decision that affects the weights depends on time.

    Args:
        steps_per_epoch: Steps in a pass over the data.
        epochs: Passes to make; None: the stage ends by time.
        minutes: Time to take; if neither is given, the stage ends at a stall or after ten minutes.
        share: Fraction of the whole training's default time that this stage may take.
        held_out_steps: Number of held-out examples, in steps.
        moments: Fractions of a stage of known length at which there is a record.
    """

    steps_per_epoch: float
    epochs: float | None = None
    minutes: float | None = None
    share: float = 1.0
    held_out_steps: float = 0.0
    moments: tuple[float, ...] = ()
    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    chosen: int | None = None
    measured: list[float] = field(default_factory=lambda: [])
    rate: float = 0.0
    _since: float = 0.0
    _began: int = 0
    _validated: float = 0.0
    _cost: float = 0.0
    _saved: float = 0.0
    _drawn: float = 0.0
    _drawing: float = 0.0

    @property
    def total(self) -> int | None:
        """Total number of steps, if epochs are given."""
        return None if self.epochs is None else max(1, math.ceil(self.epochs * self.steps_per_epoch))

    @property
    def limit(self) -> float:
        """Total number of seconds, if the stage ends by time."""
        return 60 * (DEFAULT_MINUTES * self.share if self.minutes is None else self.minutes)

    @property
    def progress(self) -> float:
        """Progress through the stage at the next step, from 0 to 1."""
        if self.total is not None:
            return min(self.step / self.total, 1.0)
        expected = self.seconds + (self.step - self._began) / self.rate if self.rate else self.seconds
        return min(expected / self.limit, 1.0)

    @property
    def over(self) -> bool:
        """Whether the stage has ended."""
        if self.total is not None:
            return self.step >= self.total
        return self.seconds >= self.limit or (self.minutes is None and self.stalled)

    @property
    def stalled(self) -> bool:
        """Whether the held-out loss has stopped falling: no improvement in the last measurements."""
        seen = self.measured
        if len(seen) <= PATIENCE:
            return False
        before = min(seen[:-PATIENCE])
        return min(seen[-PATIENCE:]) > before - GAIN * abs(before)

    @property
    def seconds_left(self) -> float:
        """Expected seconds to the end of the stage."""
        if self.total is not None:
            return max(self.total - self.step, 0) / self.rate if self.rate else math.nan
        return max(self.limit - self.seconds, 0.0)

    def segment(self) -> int:
        """Steps to take until the next record."""
        wanted = max(1, int(self.rate * RECORD_SECONDS)) if self.rate else 1
        if self.total is None:
            left = (self.limit - self.seconds) * self.rate
            return max(1, min(wanted, math.ceil(left))) if self.rate else 1
        asked = (math.ceil(moment * self.total - ROUNDING) - self.step for moment in self.moments)
        ends = (
            self.total - self.step,
            self.interval - self.step % self.interval,
            *(steps for steps in asked if steps > 0),
        )
        return max(1, min(wanted, *ends))

    @property
    def interval(self) -> int:
        """Steps between held-out measurements, if epochs are given."""
        assert self.total is not None
        # A held-out loss costs at most as much as a step; for an energy model, nearly as much.
        return math.ceil(max(self.total / VALIDATIONS, self.held_out_steps / VALIDATION_SHARE))

    def start(self) -> None:
        """Begin a segment."""
        self._since, self._began = time.perf_counter(), self.step

    def stop(self) -> None:
        """End a segment once the device has finished its work."""
        taken = time.perf_counter() - self._since
        self.seconds += taken
        latest = (self.step - self._began) / max(taken, 1e-9)
        # The first step includes warming up; later ones are smoothed, so that a segment lasts as long as intended.
        self.rate = latest if self._began == 0 or not self.rate else 0.5 * self.rate + 0.5 * latest
        self._began = self.step

    def validation_due(self) -> bool:
        """Whether the held-out loss is to be measured now."""
        if self.total is not None:
            return self.step % self.interval == 0 or self.over
        spaced = max(self.limit / VALIDATIONS, self._cost / VALIDATION_SHARE)
        whole_epoch = self.step >= self.steps_per_epoch or self.seconds > self.limit / 10
        return self.over or (whole_epoch and self.seconds - self._validated >= spaced)

    def validated(self, loss: float, cost: float, tolerance: float = 0.0, negligible: float = 0.0) -> bool:
        """Record a held-out loss and the time that it took; true if the weights of this step are preferred from now on.

        They are if the loss is the lowest so far, or exceeds the lowest by no more than a fraction of it and what is
        negligible. The cost is in seconds.
        """
        self.seconds += cost
        self._validated, self._cost = self.seconds, cost
        self.measured.append(loss)
        slack = tolerance * abs(self.best) + negligible if math.isfinite(self.best) else 0.0
        better = loss < self.best or (slack > 0 and loss <= self.best + slack)
        self.best = min(self.best, loss)
        if better:
            self.chosen = self.step
        return better

    def checkpoint_due(self, better: bool) -> bool:
        """Whether the state is to be saved now."""
        due = better or self.over or self.seconds - self._saved >= CHECKPOINT_SECONDS
        if due:
            self._saved = self.seconds
        return due

    def picture_due(self) -> bool:
        """Whether pictures are to be written now: after 1, 2, 4, 8 ... held-out measurements, if they are quick."""
        quick = self._drawn + self._drawing <= PICTURE_SHARE * self.seconds or not self._drawing
        return quick and (len(self.measured) & (len(self.measured) - 1)) == 0

    def drew(self, cost_seconds: float) -> None:
        """Count the time that pictures took."""
        self.seconds += cost_seconds
        self._drawn, self._drawing = self._drawn + cost_seconds, cost_seconds

    def state(self) -> dict[str, Any]:
        """What a resumed stage needs to know."""
        names = (
            "step",
            "seconds",
            "best",
            "chosen",
            "measured",
            "rate",
            "_validated",
            "_cost",
            "_saved",
            "_drawn",
            "_drawing",
        )
        return {name: getattr(self, name) for name in names}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        for name, value in state.items():
            setattr(self, name, value)


@contextmanager
def interrupt_deferred() -> Generator[list[Any], None, None]:
    """Record Ctrl-C instead of raising it, so that no step is left half done."""
    noted: list[Any] = []
    if current_thread() is not main_thread():
        yield noted
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
