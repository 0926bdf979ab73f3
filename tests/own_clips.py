"""UCF101 and KTH in miniature, with folders and files named as theirs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from numbered_video import write

FRAMES, SIDE = 8, 16
ACTIONS = ("Archery", "Bowling")


def made_ucf101(folder: Path, groups: Iterable[int] = (1, 8, 15, 22, 25)) -> Path:
    """A clip of every group of two classes, below a folder of its own as in the archive."""
    for action in ACTIONS:
        place = folder / "UCF-101" / action
        place.mkdir(parents=True)
        for group in groups:
            write(place / f"v_{action}_g{group:02d}_c01.avi", "mpeg4", "yuv420p", FRAMES, size=(SIDE, SIDE))
    return folder


def made_kth(folder: Path, people: Iterable[int] = (11, 12, 19, 22)) -> Path:
    """A clip of several people for two actions."""
    for action in ("boxing", "walking"):
        (folder / action).mkdir(parents=True)
        for person in people:
            file = folder / action / f"person{person:02d}_{action}_d1_uncomp.avi"
            write(file, "mpeg4", "yuv420p", FRAMES, size=(SIDE, SIDE))
    return folder


MADE = {"ucf101": made_ucf101, "kth": made_kth}
