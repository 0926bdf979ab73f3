"""What to try where a model is no better than the trivial answer, from what its training shows.

few steps       it took few steps: more time, or smaller pictures
still falling   the held-out loss fell by 1 % or more in the last third of the measurements: more time
memorised       the loss is far lower on what it trains on than on held-out data: more data, or less room to memorise
nothing learnt  the held-out loss fell by less than 2 % in all: another learning rate, another system
else            it learnt what it could: more weights, another system
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from untaught.runs.settings import Settings

FEW_STEPS = 300
FALLING, LEARNT = 0.01, 0.02
"""Falls of the held-out loss, relative to its first value or, near 0, to the size of what it fell from."""
MEMORISED = 0.6
"""Part of the held-out loss below which the loss in training is far lower."""
RECENT = 5
"""Records whose losses are averaged: each is the mean of about a second."""
LARGE = 48
"""Sides of pictures above which smaller ones make a training much quicker."""
MORE = (1, 2, 5, 10, 20, 30, 60, 120, 240)
"""Minutes that are proposed."""
LONGER = 3
"""How many times as long a training is proposed at least."""


@dataclass(frozen=True)
class Course:
    """The course of a training's last stage."""

    steps: int
    minutes: float
    epochs: float
    held_out: tuple[float, ...]
    """The first part of the loss that is measured on held-out data, in order."""
    training: float
    """The same part on what it trains on, at the end."""

    @property
    def fell(self) -> float:
        """By how much of itself the held-out loss fell in all."""
        return _fall(self.held_out[:1], self.held_out[1:])

    @property
    def fell_lately(self) -> float:
        """The same in the last third of the measurements."""
        last = max(1, len(self.held_out) // 3)
        return _fall(self.held_out[:-last], self.held_out[-last:])

    @property
    def memorised(self) -> bool:
        """Whether it does far better on what it trains on."""
        best = min(self.held_out, default=math.nan)
        return 0 <= self.training < MEMORISED * best


def course_of(records: Sequence[Mapping[str, Any]]) -> Course | None:
    """What a run's records say; None where no held-out loss was measured."""
    own = [record for record in records if record["stage"] == records[-1]["stage"]]
    part = _part(own)
    held_out = tuple(float(record["held_out"][part]) for record in own if part in (record.get("held_out") or {}))
    training = [float(record["losses"][part]) for record in own if part in (record.get("losses") or {})][-RECENT:]
    if not held_out:
        return None
    end = own[-1]
    mean = sum(training) / len(training) if training else math.nan
    return Course(int(end["step"]), float(end["seconds"]) / 60, float(end["epoch"]), held_out, mean)


def advice(course: Course | None, settings: Settings) -> list[str]:
    """What to try, the most promising first: a flag or two, and why."""
    if course is None:
        return ["another system: `untaught models`"]
    if course.steps < FEW_STEPS:
        return [f"{_longer(course, settings)} (it took only {_steps(course.steps)})", *_smaller(settings)]
    if course.memorised:
        return _less_room(settings)
    if course.fell_lately >= FALLING:
        return [f"{_longer(course, settings)} (its error was still falling)"]
    if course.fell < LEARNT:
        return ["--learning-rate ten times lower, or higher (next to nothing was learnt)", _another()]
    return ["a larger network (its error had stopped falling)", _another()]


def _fall(before: Sequence[float], after: Sequence[float]) -> float:
    if not before or not after:
        return 0.0
    return (min(before) - min(after)) / max(abs(min(before)), 1e-12)


def _part(records: Sequence[Mapping[str, Any]]) -> str:
    """The first part of the loss that is known on held-out data; the total where there is no other."""
    names = dict.fromkeys(name for record in records for name in record.get("held_out") or {})
    return next((name for name in names if name != "total"), "total")


def _longer(course: Course, settings: Settings) -> str:
    """A flag for a longer training, in the unit in which the user gave its length."""
    if settings.training.epochs is not None and settings.training.minutes is None:
        return f"--epochs {max(1, math.ceil(LONGER * course.epochs)):g}"
    wanted = course.minutes * max(LONGER, FEW_STEPS / course.steps)
    return f"--minutes {next((minutes for minutes in MORE if minutes >= wanted), math.ceil(wanted))}"


def _steps(count: int) -> str:
    return f"{count:,} step" if count == 1 else f"{count:,} steps"


def _smaller(settings: Settings) -> list[str]:
    sides = settings.shape[1:] if len(settings.shape) == 3 else ()
    if not sides or min(sides) <= LARGE or settings.view.patch is not None:
        return []
    return [f"a smaller --size, {max(32, min(sides) // 2)} (its steps are quicker)"]


def _less_room(settings: Settings) -> list[str]:
    """More data, or changes that make few data last."""
    tries = ["more data (it memorised what it was trained on)"]
    sides = settings.shape[1:] if len(settings.shape) == 3 else ()
    if sides and settings.view.patch is None and min(sides) > LARGE:
        tries.append(f"--patch {max(16, 8 * (min(sides) // 16))} (many squares where pictures are few)")
    if sides and "mirror" not in settings.view.augment:
        tries.append("--augment mirror, where left and right make no difference")
    if isinstance(latent := settings.config.get("latent"), int) and latent > 1:
        tries.append(f"--latent {max(1, latent // 2)} (less room to memorise)")
    return tries


def _another() -> str:
    return "another system: `untaught models`"
