"""Rows that are yet to be run: in which order, and how long they take together.

The longest go first, a row counting with all that begin from it, so that the last ones to end are short. A row waits
for those that it begins from.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from untaught.experiments.paper import Budget, Experiment
from untaught.experiments.records import Records, seconds_of

Key: TypeAlias = tuple[str, str, int]
"""Paper, experiment and seed."""
LONGEST: Mapping[Budget, float] = {"smoke": 0.5, "cpu": 10.0, "hour": 90.0, "full": 10.0}
"""Minutes that a row of a budget takes at most, where nothing better is known."""


@dataclass(frozen=True)
class Job:
    """One row that is to be run."""

    key: Key
    minutes: float
    """How long its training is expected to take."""
    after: frozenset[Key] = frozenset()
    """Rows that must have ended before."""

    @property
    def name(self) -> str:
        """As it is printed."""
        paper, experiment, seed = self.key
        return f"{paper}, {experiment}, seed {seed}"


def jobs(
    records: Records, budget: Budget, names: Iterable[str], seeds: int | None = None, again: bool = False
) -> list[Job]:
    """Rows of a paper that are not recorded, or all of them; a row that another begins from is among them by its name.

    Args:
        records: Of one paper.
        budget: The budget.
        names: Experiments.
        seeds: How many of each; by default as many as the paper says.
        again: Whether to take recorded rows too.
    """
    experiments = records.paper.experiments
    wanted = {
        (records.name, name, seed)
        for name in names
        for seed in _seeds(records, budget, name, seeds, again)
    }  # fmt: skip
    return [
        Job(
            (paper, name, seed),
            expected_minutes(records, name, budget),
            frozenset((paper, base, seed) for base in experiments[name][budget].bases) & wanted,
        )
        for paper, name, seed in sorted(wanted)
    ]


def _seeds(records: Records, budget: Budget, name: str, seeds: int | None, again: bool) -> Iterable[int]:
    if again:
        return range(seeds or records.paper.experiments[name][budget].seeds)
    return records.missing(name, budget, seeds)


def expected_minutes(records: Records, name: str, budget: Budget) -> float:
    """Minutes that a row's training takes: as many as it is given, as an earlier one took, or the most it may."""
    experiment: Experiment = records.paper.experiments[name][budget]
    if experiment.training is None:
        return 0.0
    if experiment.training.minutes is not None:
        return experiment.training.minutes
    before = [seconds_of(record["trained"]) for record in records.of(name, budget)]
    return max(before) / 60 if before else LONGEST[budget]


def weights(waiting: Sequence[Job]) -> dict[Key, float]:
    """For each row the minutes of the longest chain of rows that begins with it."""
    followers: dict[Key, list[Job]] = {}
    for job in waiting:
        for key in job.after:
            followers.setdefault(key, []).append(job)

    def chain(job: Job) -> float:
        return job.minutes + max((chain(other) for other in followers.get(job.key, [])), default=0.0)

    return {job.key: chain(job) for job in waiting}


def next_job(waiting: Sequence[Job], not_ended: Iterable[Key]) -> Job | None:
    """The row to begin now: of those that wait for none, the one with the longest chain."""
    pending, order = set(not_ended), weights(waiting)
    ready = [job for job in waiting if not job.after & pending]
    return max(ready, key=lambda job: order[job.key], default=None)


def minutes_left(waiting: Sequence[Job], running: Sequence[float], count: int) -> float:
    """Minutes until all rows have ended, `count` at a time, if each takes as long as expected.

    Args:
        waiting: Rows that have not begun.
        running: Minutes that each of the others still takes.
        count: Rows that are trained at the same time.

    Example:
        >>> minutes_left([Job(("p", "a", 0), 3.0), Job(("p", "b", 0), 2.0)], [1.0], 2)
        3.0
    """
    ends = sorted(max(0.0, own) for own in running)
    ends = [0.0] * (count - len(ends)) + ends
    heapq.heapify(ends)
    for job in sorted(waiting, key=lambda job: -job.minutes):
        heapq.heapreplace(ends, ends[0] + job.minutes)
    return max(ends, default=0.0)
