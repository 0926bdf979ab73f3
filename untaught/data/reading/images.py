"""A folder of pictures, or one picture: jpg, png, webp, bmp, gif, tif and the like.

`class_folders.py` says what sub-folders are, `picture.py` how one file is decoded, `scale.py` which value is white.
Every page of a TIFF and every frame of an animation is a picture of its own. The source is grey, one channel, when
every picture is; else it has red, green and blue. Pictures of different sizes are brought to one, a square that nearly
all of them cover: of at most 512 pixels where they are few, and of at most 64 where they are many, unless another size
is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from untaught.config import configuration
from untaught.data.channels import to_channels
from untaught.data.classes.class_folders import arranged
from untaught.data.origin import Origin
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.reading.folder import IMAGES, attempt, files_of, left_out_of, refuse
from untaught.data.reading.picture import DEEP, Decoded, White, decode_pages, upright_size, upright_sizes
from untaught.data.scale import BYTE, Finite, Scale, Values, decided, dim
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.data.telling import counted, listed
from untaught.errors import DataError
from untaught.shapes import Shape

FEW = 500
"""Pictures of many sizes below which they are kept large."""
LARGE, SMALL = 512, 64
"""Sides of few and of many pictures at most."""
COVER = 0.1
"""Part of the pictures that may be smaller than the size that is chosen."""
Pages = Mapping[Path, Sequence[int]]
"""Numbers of the pages that are read of each file."""


@configuration
class Options:
    """How pictures are read."""

    grey: bool = False
    """Take the luminance of coloured pictures."""
    scale: Finite | None = None
    """The value that is white: 4095 for 12 bits in files of 16. By default 255 of 8 bits, 65535 of 16, or less where
    no picture has a value of more than 31."""
    pages: Literal["all", "first"] = "all"
    """Take every page of a TIFF and every frame of an animation, or the first alone."""


@dataclass(frozen=True)
class Found:
    """What was found while all pictures were decoded."""

    coloured: bool
    byte: int
    """The highest value of 8 bits."""
    deep: int
    """The highest of more bits."""


class ImageFiles(Frames):
    """Pictures that are decoded when they are read, by several threads."""

    def __init__(self, pages: Pages, shape: Shape, white: White | None = None) -> None:
        self.pictures = tuple((file, number) for file, numbers in pages.items() for number in numbers)
        self.shape = shape
        self.dtype = torch.uint8
        self.count = len(self.pictures)
        self.white = white or White()

    def read(self, index: Tensor) -> Tensor:
        """Decode pictures by number.

        Raises:
            DataError: A file has gone or changed since the source was opened.
        """
        wanted = [self.pictures[number] for number in index.flatten().tolist()]
        numbers: dict[Path, list[int]] = {}
        for file, number in sorted(set(wanted)):
            numbers.setdefault(file, []).append(number)
        size = (self.shape[1], self.shape[2])
        pictures, broken = attempt(lambda file: decode_pages(file, numbers[file], size, self.white), list(numbers))
        for problem in broken.values():
            raise problem
        x = torch.empty(len(wanted), *self.shape, dtype=torch.uint8)
        for target, (file, number) in zip(x, wanted, strict=True):
            target.copy_(to_channels(pictures[file][numbers[file].index(number)].x, self.shape[0]))
        return x.view(*index.shape, *self.shape)


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open a folder of pictures: in memory where they fit into it, else read file by file.

    Every picture is decoded once, so that a broken one is found now and not hours later.

    Raises:
        DataError: A picture is broken, or all are.
    """
    every_file = files_of(path, IMAGES)
    before = arranged(path, every_file)
    files = [file for file, part in zip(every_file, before.part, strict=True) if part]
    sizes, broken = attempt(upright_sizes if options.pages == "all" else _sizes_if_known, files)
    refuse(path, broken, len(files), reading)
    pages = {file: list(own) if options.pages == "all" else [0] for file, own in sizes.items()}
    every = [sizes[file][number] for file, numbers in pages.items() for number in numbers]
    size = reading.size or chosen_size(every)
    read = _Reader(pages, size, options, reading)
    frames, more = read.frames(path)
    broken = {**broken, **more}
    refuse(path, broken, len(files), reading)
    good = {file: numbers for file, numbers in pages.items() if file not in more}
    brought = size if reading.size is None and len(set(every)) > 1 else None
    count = [len(numbers) for numbers in good.values()]
    folders = replace(arranged(path, list(good)), notes=before.notes, left_out=before.left_out)
    label = None if folders.label is None else folders.label.repeat_interleave(torch.tensor(count))
    part = replace(Part.over(frames, label=label), origin=_origin(good, count))
    others = left_out_of(path, every_file)
    notes = (*_of_sizes(every), *read.notes, *_of_pages(sizes, pages), *_of_others(others))
    skipped = tuple(map(str, broken))
    source = Source(
        str(path), part, skipped=skipped, chosen_size=brought, scale=read.scale, left_out=others, notes=notes
    )
    return folders.source(source, count)


class _Reader:
    """Decodes all pictures, again where their values turn out to mean something else than they usually do."""

    def __init__(self, pages: Pages, size: tuple[int, int], options: Options, reading: Reading) -> None:
        self.pages, self.size, self.options, self.reading = pages, size, options, reading
        self.scale: float | None = None
        self.notes: list[str] = []

    def frames(self, path: Path) -> tuple[Frames, dict[Path, DataError]]:
        """All pictures, and what is wrong with files that are broken."""
        asked = self.options.scale
        white = White() if asked is None else White.asked(asked)
        store = _store(sum(map(len, self.pages.values())), self.size, self.options.grey, self.reading.memory)
        found, broken = self._decoded(store, white)
        if asked is None and found:
            white, before = self._white(found, path), white
            if white != before:
                found, broken = self._decoded(store, white)
        bytes_there = any(one.byte for one in found.values())
        self.scale = asked or (white.byte if bytes_there else white.deep if white.deep != DEEP else None)
        channels = 3 if any(one.coloured for one in found.values()) else 1
        good = {file: numbers for file, numbers in self.pages.items() if file in found}
        if store is None:
            return ImageFiles(good, (channels, *self.size), white), broken
        return _in_memory(store, self.pages, good, channels), broken

    def _white(self, found: Mapping[Path, Found], path: Path) -> White:
        """Which value is white, from the highest that there are, and what is said of it."""
        byte, deep = (max(values) for values in zip(*((one.byte, one.deep) for one in found.values()), strict=True))
        own = self._decided(byte, str(path)) if byte else Scale(BYTE)
        of_deep = self._of_deep(deep, str(path)) if deep else Scale(DEEP)
        self.notes = [note for note in (own.told, of_deep.told) if note]
        return White(own.one, of_deep.one)

    def _decided(self, high: int, name: str) -> Scale:
        """White of whole numbers up to 255."""
        held = self.reading.scale
        return decided(Values(0, high, whole=True), True, name, None, held if held and held <= BYTE else None)

    def _of_deep(self, high: int, name: str) -> Scale:
        """White of whole numbers of 16 bits: that of the run, of all 16, or of 8 where all would be black otherwise."""
        held = self.reading.scale
        if held and held > BYTE and high <= held:
            return Scale(held)
        if high > BYTE:
            return Scale(DEEP, dim(high, DEEP, name))
        own, all_bits = self._decided(high, name), f"?scale={DEEP} takes them as they are, all black"
        return replace(own, told=f"{name}: values of 16 bits run to {high}; {own.one:g} is white, {all_bits}")

    def _decoded(self, store: Tensor | None, white: White) -> tuple[dict[Path, Found], dict[Path, DataError]]:
        """Decode every picture into its place, if there is one."""
        begins = dict(zip(self.pages, accumulate(map(len, self.pages.values()), initial=0), strict=False))

        def one(file: Path) -> Found:
            pictures = decode_pages(file, self.pages[file], self.size, white)
            shown = [to_channels(picture.x, 1) if self.options.grey else picture.x for picture in pictures]
            if store is not None:
                for number, picture in enumerate(shown, begins[file]):
                    store[number] = picture
            return _found(shown, pictures)

        return attempt(one, list(self.pages))


def _sizes_if_known(file: Path) -> dict[int, tuple[int, int]]:
    """Sizes of all pages, or of the first alone where a later one cannot be read."""
    first = upright_size(file)
    try:
        return upright_sizes(file)
    except DataError:
        return {0: first}


def _found(shown: Sequence[Tensor], pictures: Sequence[Decoded]) -> Found:
    coloured = any(len(picture) == 3 for picture in shown)
    return Found(coloured, max(one.byte for one in pictures), max(one.deep for one in pictures))


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


def _in_memory(store: Tensor, pages: Pages, good: Pages, channels: int) -> WholeFrames:
    """Keep the channels that are needed, and the pictures that are not broken."""
    if len(good) < len(pages):
        store = store[torch.tensor([file in good for file, numbers in pages.items() for _ in numbers])]
    return WholeFrames(store[:, :channels].contiguous())


def _origin(good: Pages, count: Sequence[int]) -> Origin:
    """The files, the number of each one's first picture, and the pages of those that have several."""
    pages = [number + 1 if len(numbers) > 1 else None for numbers in good.values() for number in numbers]
    first = list(accumulate(count, initial=0))[:-1]
    return Origin(tuple(map(str, good)), first, pages=pages if any(pages) else None)


def _of_pages(sizes: Mapping[Path, Mapping[int, tuple[int, int]]], pages: Pages) -> list[str]:
    """What is said of files with several pictures."""
    several = [file.name for file, own in sizes.items() if len(own) > 1]
    if not several:
        return []
    there = sum(len(own) for own in sizes.values() if len(own) > 1)
    taken = sum(len(pages[file]) for file, own in sizes.items() if len(own) > 1)
    what = f"{counted(len(several), 'file')} of several pages or frames, {there:,} in all: {listed(several)}"
    if taken < there:
        return [f"{what}; the first of each is read, {there - taken:,} are left out"]
    return [f"{what}; each is a picture, ?pages=first takes the first alone"]


def _of_sizes(every: Sequence[tuple[int, int]]) -> list[str]:
    """What is said where pictures are of several sizes."""
    if len(set(every)) < 2:
        return []
    heights, widths = zip(*every, strict=True)
    sides = f"heights {min(heights)} to {max(heights)}, widths {min(widths)} to {max(widths)}"
    return [f"pictures of {len(set(every))} sizes: {sides}"]


def _of_others(others: Sequence[str]) -> list[str]:
    return (
        [f"left out {counted(len(others), 'file')}, no pictures that can be read: {listed(others)}"] if others else []
    )
