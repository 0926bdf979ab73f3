"""Many cases, one after another: how many there were, and what was wrong."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from fuzz.commands import EVERYTHING, Kinds, case
from fuzz.estimating import estimator_faults
from fuzz.judge import faults_of

ESTIMATORS_EVERY = 5
"""One case in so many is an estimator's."""


@dataclass(frozen=True)
class Judged:
    """One case, and what was wrong with it; nothing where all was right."""

    number: int
    told: str
    """The command, or the call."""
    wrong: list[str]
    seconds: float


def judge(number: int, kinds: Kinds = EVERYTHING, keep: bool = False) -> Judged:
    """Draw a case and run it; with `keep`, the folder that it was given in stays, and is told."""
    began = time.monotonic()
    if kinds is EVERYTHING and number % ESTIMATORS_EVERY == 0:
        told, wrong = estimator_faults(number)
        return Judged(number, told, wrong, time.monotonic() - began)
    folder = Path(mkdtemp(prefix=f"untaught-fuzz-{number}-"))
    try:
        drawn = case(number, folder, kinds)
        told = f"{f'cd {folder}; ' if keep else ''}untaught {' '.join(map(repr, drawn.words))}"
        wrong = faults_of(drawn)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return Judged(number, told, wrong, time.monotonic() - began)


def campaign(first: int, goes_on: Callable[[int], bool], kinds: Kinds = EVERYTHING) -> Iterator[Judged]:
    """Cases from a number on, for as long as is wanted; `goes_on` takes how many there were."""
    done = 0
    while goes_on(done):
        yield judge(first + done, kinds)
        done += 1
