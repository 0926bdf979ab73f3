"""A folder of pictures, or one picture: jpg, png, webp, bmp, gif, tif and the like.

Sub-folders are classes when every picture lies in one and there are at least two. `picture.py` says how one file is
decoded; of an animation the first frame is taken. The source is grey, one channel, when every picture is; else it has
red, green and blue. Pictures of different sizes are brought to one, a square that nearly all of them cover: of at most
512 pixels where they are few, and of at most 64 where they are many, unless another size is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from untaught.config import configuration
from untaught.data.origin import Origin
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.reading.folder import IMAGES, attempt, classes_of, files_of, refuse
from untaught.data.reading.picture import decode, to_channels, upright_size
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.errors import DataError
from untaught.shapes import Shape

FEW = 500
"""Pictures of many sizes below which they are kept large."""
LARGE, SMALL = 512, 64
"""Sides of few and of many pictures at most."""
COVER = 0.1
"""Part of the pictures that may be smaller than the size that is chosen."""


@configuration
class Options:
    """How pictures are read."""

    grey: bool = False
    """Take the luminance of coloured pictures."""


class ImageFiles(Frames):
    """Pictures that are decoded when they are read, by several threads."""

    def __init__(self, files: Sequence[Path], shape: Shape) -> None:
        self.files = tuple(files)
        self.shape = shape
        self.dtype = torch.uint8
        self.count = len(self.files)

    def read(self, index: Tensor) -> Tensor:
        """Decode pictures by number.

        Raises:
            DataError: A file has gone or changed since the source was opened.
        """
        wanted = [self.files[number] for number in index.flatten().tolist()]
        size = (self.shape[1], self.shape[2])
        pictures, broken = attempt(lambda file: to_channels(decode(file, size), self.shape[0]), set(wanted))
        for problem in broken.values():
            raise problem
        x = torch.empty(len(wanted), *self.shape, dtype=torch.uint8)
        for target, file in zip(x, wanted, strict=True):
            target.copy_(pictures[file])
        return x.view(*index.shape, *self.shape)


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open a folder of pictures: in memory where they fit into it, else read file by file.

    Every picture is decoded once, so that a broken one is found now and not hours later.

    Raises:
        DataError: A picture is broken, or all are.
    """
    files = files_of(path, IMAGES)
    sizes, broken = attempt(upright_size, files)
    refuse(path, broken, len(files), reading)
    size = reading.size or chosen_size(list(sizes.values()))
    store = _store(len(sizes), size, options.grey, reading.memory)
    coloured, more = _decode_all(list(sizes), size, options.grey, store)
    broken = {**broken, **more}
    refuse(path, broken, len(files), reading)
    channels = 3 if any(coloured.values()) else 1
    good = list(coloured)
    frames = ImageFiles(good, (channels, *size)) if store is None else _in_memory(store, list(sizes), good, channels)
    label, names = classes_of(path, good)
    brought = size if reading.size is None and len(set(sizes.values())) > 1 else None
    part = replace(Part.over(frames, label=label), origin=Origin.of_pictures(good))
    return Source(str(path), part, label_names=names, skipped=tuple(map(str, broken)), chosen_size=brought)


def chosen_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The size of all pictures; where they differ, that of a square that nearly all of them cover.

    Example:
        >>> chosen_size([(30, 40)] * 3), chosen_size([(480, 640), (1200, 800), (300, 333)])
        ((30, 40), (300, 300))
    """
    if len(set(sizes)) == 1:
        return sizes[0]
    shorter = sorted(min(size) for size in sizes)
    side = min(shorter[int(COVER * len(shorter))], LARGE if len(sizes) < FEW else SMALL)
    return side, side


def _store(count: int, size: tuple[int, int], grey: bool, memory: int) -> Tensor | None:
    """Make room for all pictures, or for none where they do not fit."""
    shape = (count, 1 if grey else 3, *size)
    return torch.empty(shape, dtype=torch.uint8) if torch.Size(shape).numel() <= memory else None


def _decode_all(
    files: Sequence[Path], size: tuple[int, int], grey: bool, store: Tensor | None
) -> tuple[dict[Path, bool], dict[Path, DataError]]:
    """Decode every picture into its place, if there is one; gives which are coloured, and what is wrong with others."""
    place = {file: number for number, file in enumerate(files)}

    def one(file: Path) -> bool:
        picture = to_channels(decode(file, size), 1) if grey else decode(file, size)
        if store is not None:
            store[place[file]] = picture
        return len(picture) == 3

    return attempt(one, files)


def _in_memory(store: Tensor, files: Sequence[Path], good: Sequence[Path], channels: int) -> WholeFrames:
    """Keep the channels that are needed, and the pictures that are not broken."""
    if len(good) < len(files):
        left = set(good)
        store = store[torch.tensor([file in left for file in files])]
    return WholeFrames(store[:, :channels].contiguous())
