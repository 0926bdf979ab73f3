"""Contact sheets of data: pictures with their classes or names below, and rows of frames of video.

Of stacks of optical flow the first is drawn in colours, with the wheel of directions at the beginning of each clip.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from untaught.data.part import Part
from untaught.data.reading.folder import IMAGES, VIDEO
from untaught.data.source import Source
from untaught.data.view import as_float
from untaught.errors import DataError
from untaught.evaluate.drawing.flow_colours import flow_colours, wheel
from untaught.evaluate.drawing.pictures import GAP, INK, PAPER, TEXT, Picture, colours, enlarged, mosaic, reduced
from untaught.legible import one_line

PICTURES, CLIPS, FRAMES, ROWS = 100, 10, 8, 4
"""Pictures on a sheet, clips, and frames in a row, at most; rows in all where clips are fewer."""
SIDE = 96
"""Shorter side of a tile, nearly."""


def contact_sheet(source: Source) -> Picture:
    """Evenly spaced pictures of the training part, or evenly spaced frames of some of its clips, a row for each.

    Raises:
        DataError: The source holds vectors.

    Example:
        >>> from untaught.data.reading.arrays import from_array
        >>> contact_sheet(from_array(torch.rand(5, 8, 8), label=[0, 1, 1, 0, 1])).shape[1:]
        (304, 3)
    """
    if len(source.shape) != 3:
        raise DataError(f"vectors of {source.shape[0]} numbers cannot be drawn; only pictures and video can")
    return _rows_of_clips(source) if source.is_video else _squares(source)


def _squares(source: Source) -> Picture:
    """Pictures in as many rows as columns, each above its class, or its file's name."""
    part = source.train
    shown = part.first[_spaced(len(part), PICTURES)]
    tiles = [
        _under(tile, _of_picture(source, int(frame)))
        for tile, frame in zip(_tiles(_read(part, shown)), shown, strict=True)
    ]
    columns = int(np.ceil(np.sqrt(len(tiles))))
    return mosaic([tiles[begin : begin + columns] for begin in range(0, len(tiles), columns)])


def _rows_of_clips(source: Source) -> Picture:
    """A row of frames for each clip, or several where clips are few, with its name below."""
    part, before = source.train, int(source.flow_bound is not None)
    clips = _spaced(len(part), CLIPS).tolist()
    rows, longest = max(1, ROWS // len(clips)), int(part.length.max()) + before
    strips: list[Picture] = []
    for clip in clips:
        first, length = int(part.first[clip]), int(part.length[clip])
        shown = _spaced(length, FRAMES * rows - before)
        tiles, told = _frames(source, first + shown)
        tiles += [np.full_like(tiles[0], PAPER)] * (min(FRAMES * rows, longest) - len(tiles))
        lines = [tiles[begin : begin + FRAMES] for begin in range(0, len(tiles), FRAMES)]
        strips.append(_under(mosaic(lines), _of_clip(part, first, length, len(shown)) + told))
    return mosaic([[strip] for strip in strips])


def _frames(source: Source, frames: Tensor) -> tuple[list[Picture], str]:
    """Tiles of a clip's frames, of flow behind the wheel, and what is to be said of their colours."""
    x = _read(source.train, frames)
    if source.flow_bound is None:
        return _tiles(x), ""
    moves = source.flow_bound * (2 * x[None, :, :2] - 1)
    coloured, longest = flow_colours(-moves)  # which takes flow to where a pixel comes from
    tiles = _tiles(torch.cat([wheel(*source.shape[1:]), coloured[0]]))
    return tiles, f"; the wheel shows which way, bright: {longest:.1f} pixels"


def _of_picture(source: Source, frame: int) -> str:
    """The class of a picture; where it has none, its file's name, or nothing."""
    label, names = int(source.train.label[frame]), source.label_names
    if label >= 0:
        return names[label] if label < len(names) else str(label)
    place = source.train.place_of(frame)
    return "" if place.file is None else Path(place.file).name


def _of_clip(part: Part, first: int, length: int, shown: int) -> str:
    """A clip's name, and which of its frames are shown."""
    place = part.place_of(first)
    frames_are_files = place.file is not None and Path(place.file).suffix.lower() in IMAGES - VIDEO
    named = f"row {place.row}" if place.file is None else "/".join(Path(place.file).parts[-1 - frames_are_files :])
    return f"{named}: {shown} of {length} frames" if shown < length else f"{named}: {length} frames"


def _spaced(count: int, most: int) -> Tensor:
    """Numbers below `count`, evenly spaced, the first and the last among them."""
    return torch.linspace(0, count - 1, min(count, most), dtype=torch.float64).round().long()


def _read(part: Part, frames: Tensor) -> Tensor:
    return as_float(part.frames.read(frames))


def _tiles(x: Tensor) -> list[Picture]:
    return [reduced(enlarged(picture, SIDE), SIDE) for picture in colours(x)]


def _under(tile: Picture, text: str) -> Picture:
    """A picture with one line below it, cut off where the picture ends."""
    height, width = tile.shape[:2]
    font = ImageFont.load_default(TEXT)
    sheet = Image.new("RGB", (width, height + TEXT + GAP), PAPER)
    sheet.paste(Image.fromarray(tile), (0, 0))
    ImageDraw.Draw(sheet).text((0, height + 1), _fitting(one_line(text), width, font.getlength), INK, font)
    return np.asarray(sheet)


def _fitting(text: str, width: int, length: Callable[[str], float]) -> str:
    """A text that is no longer than so many pixels."""
    if length(text) <= width:
        return text
    while text and length(text + "...") > width:
        text = text[:-1]
    return text + "..."
