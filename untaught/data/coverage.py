"""What of a part no example covers: clips that are shorter than a window, and frames behind the last whole one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from untaught.data.batches import window
from untaught.data.part import Part
from untaught.data.view import View

NAMED = 3
"""Clips that are named; the others are only counted."""


def too_short(part: Part, view: View) -> list[int]:
    """Numbers of the clips that hold no window.

    Example:
        >>> import torch
        >>> part = Part.over(Part.of(torch.zeros(9, 1, 4, 4)).frames, torch.tensor([2, 6, 1]))
        >>> too_short(part, View(frames=4))
        [0, 2]
    """
    frames = window(part, view)
    return [] if frames is None else (part.length < frames).nonzero()[:, 0].tolist()


def uncovered(part: Part, view: View, remedy: bool = False) -> list[str]:
    """Lines that say which clips are left out, and whether windows are shorter than was asked for.

    Args:
        part: The examples.
        view: How they are cut.
        remedy: Whether to name the number of frames that would take all clips.
    """
    frames, asked = window(part, view), view.frames
    if frames is None or asked is None:
        return []
    short, shortest = too_short(part, view), int(part.length.min())
    told: list[str] = []
    if frames < asked:
        told.append(f"no clip has {_frames(asked)}, so windows have {frames}")
    if short:
        advice = f"; --frames {shortest} takes all" if remedy and shortest > 1 else ""
        names = ", ".join(_names(part, short[:NAMED]))
        more = f" and {len(short) - NAMED} more" if len(short) > NAMED else ""
        have = f"{len(short)} of {len(part)} clips have fewer than {_frames(frames)} and are left out"
        told.append(f"{have}: {names}{more}{advice}")
    return told


def behind_the_last(part: Part, view: View) -> int:
    """Frames at the ends of clips that fill no window, where windows do not overlap."""
    frames = window(part, view)
    if frames is None:
        return 0
    long = part.length[part.length >= frames]
    return int((long % frames).sum())


def _names(part: Part, clips: Sequence[int]) -> list[str]:
    """Names of clips: the file's, with the time where it begins later; or the row."""
    places = [part.place_of(int(part.first[clip])) for clip in clips]
    return [
        str(place)
        if place.file is None
        else Path(place.file).name + (f" at {place.seconds:.1f} s" if place.seconds else "")
        for place in places
    ]


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
