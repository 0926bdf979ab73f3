"""A part of a clip: from one moment to another, and of that every n-th frame.

A moment is a time, `10s`, `1m30s`, `1:30`, `0:01:30.5`, `500ms`, counted from the first frame, or a whole number, which
counts frames from 0. The frame shown at the first moment belongs to the part, that at the last does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.errors import ConfigError

SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
ROUNDING = 1e-6
"""Seconds by which times may be off, being fractions."""


@dataclass(frozen=True)
class Moment:
    """A frame's number, or a time in seconds."""

    text: str
    frame: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Excerpt:
    """Which frames of each clip are read."""

    begin: Moment | None = None
    end: Moment | None = None
    every: int = 1

    def of(self, seconds: NDArray[np.float64]) -> range:
        """Numbers of the frames of a clip whose frames are shown at these times, ascending from 0.

        Example:
            >>> excerpt("1s", "3s", 2).of(np.arange(100) / 25)
            range(25, 75, 2)
        """
        start = 0 if self.begin is None else _at(self.begin, seconds)
        stop = len(seconds) if self.end is None else _at(self.end, seconds)
        return range(start, max(start, stop), self.every)

    @property
    def timed(self) -> bool:
        """Whether an end of it is a time."""
        return any(end is not None and end.seconds is not None for end in (self.begin, self.end))

    @property
    def whole(self) -> bool:
        """Whether it is all of a clip, but for frames that are left out by turns."""
        return self.begin is None and self.end is None

    def __str__(self) -> str:
        """`from 10s to 1m`."""
        told = [f"{name} {end.text}" for name, end in (("from", self.begin), ("to", self.end)) if end is not None]
        return " ".join(told)


def excerpt(begin: str | None, end: str | None, every: int) -> Excerpt:
    """Read the options `from`, `to` and `every`.

    Raises:
        ConfigError: One is no moment, or the second is not later than the first.
    """
    first, last = _moment("from", begin), _moment("to", end)
    if first is not None and last is not None and not _is_later(last, first):
        raise ConfigError(f"to = {end!r} is not later than from = {begin!r}")
    return Excerpt(first, last, every)


def _moment(name: str, text: str | None) -> Moment | None:
    if text is None:
        return None
    plain = text.strip().lower()
    if re.fullmatch(r"\d+f?", plain):
        return Moment(text, frame=int(plain.rstrip("f")))
    clock = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)", plain)
    if clock:
        hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return Moment(text, seconds=3600 * hours + 60 * minutes + seconds)
    if re.fullmatch(r"(?:\d+(?:\.\d*)?(?:h|ms|m|s))+", plain):
        pieces = re.findall(r"(\d+(?:\.\d*)?)(h|ms|m|s)", plain)
        return Moment(text, seconds=sum(float(number) * SECONDS[unit] for number, unit in pieces))
    raise ConfigError(f"{name} = {text!r}: give a time such as 10s, 1m30s or 1:30, or the number of a frame")


def _at(moment: Moment, seconds: NDArray[np.float64]) -> int:
    """Number of the first frame at a moment or after it."""
    if moment.frame is not None:
        return min(moment.frame, len(seconds))
    assert moment.seconds is not None
    return int(np.searchsorted(seconds, moment.seconds - ROUNDING))


def _is_later(last: Moment, first: Moment) -> bool:
    """Whether it is; unknown, and so not refused, of a time and a number."""
    if last.frame is not None and first.frame is not None:
        return last.frame > first.frame
    return last.seconds is None or first.seconds is None or last.seconds > first.seconds
