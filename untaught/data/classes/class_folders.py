"""What the folders of a source say: which part a file belongs to, and which class it shows.

    train/cat/1.png  val/cat/2.png      folders of parts, classes below them; or cat/train/1.png
    cat/1.png  dog/2.png                folders of classes, at least two
    photos/cat/1.png  photos/dog/2.png  the same below a folder that holds everything

Folders are parts where one is called train or training, and another val, valid, validation, dev, test or testing. A
file beside the folders of classes has no class; where that is so of most files, folders are not classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.telling import counted, listed

PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
Place = tuple[str, ...]
"""The folders in which a file lies, from the source's own downwards."""


@dataclass(frozen=True)
class Arranged:
    """Files by part and by class."""

    part: tuple[str, ...]
    """The part that each file belongs to; empty where it belongs to none."""
    label: Tensor | None
    """The class of each file, int64 `(file,)`, -1 where it has none; None where there are no classes."""
    names: tuple[str, ...]
    """Names of the classes."""
    notes: tuple[str, ...] = ()
    """How the folders were taken, where it is not plain."""
    left_out: tuple[str, ...] = ()
    """Files that belong to no part, as paths below the folder."""
    holder: str = ""
    """The folder in which all files lie, where they have no classes: perhaps the only class of another source."""

    def kept(self, which: Sequence[bool]) -> Arranged:
        """The same of some files only."""
        part = tuple(one for one, kept in zip(self.part, which, strict=True) if kept)
        return replace(self, part=part, label=None if self.label is None else self.label[torch.tensor(which)])

    def divided(self, part: Part, per_file: Sequence[int] | None = None) -> dict[str, Part]:
        """The parts of a source, by name, where `part` has a clip for each file, or `per_file` clips for each."""
        count = torch.tensor([1] * len(self.part) if per_file is None else list(per_file))
        own = {name: torch.tensor([one == name for one in self.part]) for name in ("train", "validation", "test")}
        return {
            name: part.clips(which.repeat_interleave(count).nonzero()[:, 0])
            for name, which in own.items()
            if name == "train" or bool(which.any())
        }

    def source(self, source: Source, per_file: Sequence[int] | None = None) -> Source:
        """A source whose training part has all clips, divided, with the names of the classes."""
        parts = {} if set(self.part) == {"train"} else self.divided(source.train, per_file)
        notes, left_out = (*source.notes, *self.notes), (*source.left_out, *self.left_out)
        return replace(source, **parts, label_names=self.names, notes=notes, left_out=left_out, only_folder=self.holder)


def arranged(folder: Path, files: Sequence[Path]) -> Arranged:
    """Read the parts and the classes off the folders below `folder`."""
    places = [file.relative_to(folder).parts[:-1] if folder.is_dir() else () for file in files]
    inside = _without_wrappers(places)
    part, below, notes = _parts(inside)
    label, names, told = _classes(files, part, below)
    apart = tuple(str(file.relative_to(folder)) for file, one in zip(files, part, strict=True) if not one)
    lost = (f"left out {counted(len(apart), 'file')} of no part: {listed(apart)}",) if apart else ()
    depth = len(places[0]) - len(inside[0]) if places else 0
    holder = places[0][depth - 1] if depth and label is None else ""
    return Arranged(tuple(part), label, names, (*notes, *lost, *told), apart, holder)


def _without_wrappers(places: Sequence[Place]) -> list[Place]:
    """Places below the folders that hold all files."""
    below = list(places)
    while below and all(place and place[0] == below[0][0] for place in below):
        below = [place[1:] for place in below]
    return below


def _parts(places: Sequence[Place]) -> tuple[list[str], list[Place], list[str]]:
    """The part of each file, its place without that folder, and what is told; by default all are training files."""
    for depth in (0, 1):
        found = [PARTS.get(place[depth].lower(), "") if len(place) > depth else "" for place in places]
        whole = depth == 0 or all(found)
        if whole and "train" in found and {"validation", "test"} & set(found):
            below = [(*place[:depth], *place[depth + 1 :]) for place in places]
            return found, below, _of_parts(places, found, depth)
    return ["train"] * len(places), list(places), []


def _of_parts(places: Sequence[Place], found: Sequence[str], depth: int) -> list[str]:
    """What is said of folders that are parts."""
    pairs = sorted({(one, place[depth]) for place, one in zip(places, found, strict=True) if one})
    folders = {one: [name for own, name in pairs if own == one] for one in ("train", "validation", "test")}
    told = [
        f"{counted(found.count(one), 'file')} in {listed(names)} ({one})" for one, names in folders.items() if names
    ]
    return [f"folders are parts: {', '.join(told)}"]


def _classes(
    files: Sequence[Path], part: Sequence[str], below: Sequence[Place]
) -> tuple[Tensor | None, tuple[str, ...], list[str]]:
    """The class of each file, the names of the classes, and what is told."""
    of_file = [place[0] if place and one else "" for place, one in zip(below, part, strict=True)]
    names = tuple(sorted(set(of_file) - {""}))
    loose = [file for file, one, name in zip(files, part, of_file, strict=True) if one == "train" and not name]
    if len(names) < 2:
        return None, (), []
    if 2 * len(loose) > part.count("train"):
        told = (
            f"{len(loose):,} of {counted(part.count('train'), 'file')} in no sub-folder, so sub-folders are no classes"
        )
        return None, (), [told]
    number = {"": -1, **{name: position for position, name in enumerate(names)}}
    stray = f"{counted(len(loose), 'file')} in no folder of a class, without a label: "
    notes = [stray + listed([file.name for file in loose])] if loose else []
    return torch.tensor([number[name] for name in of_file]), names, notes
