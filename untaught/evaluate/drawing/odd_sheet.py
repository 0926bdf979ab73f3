"""The most and the least unusual examples on one sheet: each picture, what the model made of it, and where they differ.

All maps of where they differ have one scale, which stands at the foot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from untaught.evaluate.drawing.pictures import INK, PAPER, Picture, colours, text_width
from untaught.evaluate.quantity import significant

WIDE, HIGH = 140, 200
"""Pixels that a picture is enlarged or reduced to at most."""
SQUARE = 2
"""Where a pixel is enlarged so many times it is drawn as a square, below that pictures are interpolated."""
ACROSS = 10
"""Pictures in a row."""
GAP, LINE = 8, 19
SMALL, TITLE = 13, 17
QUIET = (154, 160, 166)
LEAST = 1e-4
"""The scale of the maps ends here at least, so that rounding errors do not glow."""


@dataclass(frozen=True)
class Tile:
    """One example."""

    picture: Tensor
    """`(channel, height, width)`."""
    made: Tensor | None
    """What the model gave back or predicted, of the same shape."""
    where: Tensor | None
    """How much each place adds to the score, `(height, width)`."""
    told: Sequence[str]
    """Lines below it."""


def odd_sheet(
    title: str,
    groups: Mapping[str, Sequence[Tile]],
    made: str = "given back",
    where: str = "squared difference",
    unit: str = "channels added; pixels run from 0 to 1",
) -> Picture:
    """Draw groups of examples under their names.

    Args:
        title: A line above all.
        groups: Examples by the name of their group.
        made: What the model did to make the second picture of an example.
        where: What the third one shows.
        unit: Of that.
    """
    maps = [tile.where.flatten() for group in groups.values() for tile in group if tile.where is not None]
    top = max([LEAST, *(float(one.quantile(0.999)) for one in maps)])
    rows = ("picture", made, where) if maps else ("picture",)
    left = 2 * GAP + max(text_width(row) for row in (*rows, f"{where}   0"))
    across = min(ACROSS, max(len(group) for group in groups.values()))
    foot = _unit_told(top, unit)
    least = max(2 * GAP + _letters(title, TITLE), left + 2 * WIDE + 2 * GAP + _letters(foot, SMALL) if maps else 0)
    width = max(left + across * (WIDE + GAP), least)
    bands = [_heading(title, width, TITLE)]
    for name, group in groups.items():
        bands.append(_heading(name, width, SMALL + 2))
        bands += [_band(group[some : some + across], rows, left, width, top) for some in range(0, len(group), across)]
    return np.concatenate([*bands, *([_scale(left, width, where, foot)] if maps else [])])


def _heading(text: str, width: int, size: int) -> Picture:
    sheet = Image.new("RGB", (width, size + 3 * GAP), PAPER)
    ImageDraw.Draw(sheet).text((GAP, sheet.height - GAP), text, INK, lettering(size), anchor="ls")
    return np.asarray(sheet)


def _band(tiles: Sequence[Tile], rows: Sequence[str], left: int, width: int, top: float) -> Picture:
    """Tiles side by side, each a column of pictures with lines of text below."""
    columns = [[_fitted(picture) for picture in _pictures(tile, len(rows), top)] for tile in tiles]
    high, wide = columns[0][0].shape[:2]
    lines = max(len(tile.told) for tile in tiles)
    sheet = Image.new("RGB", (width, len(rows) * (high + GAP) + lines * LINE + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), lettering(SMALL)
    for row, name in enumerate(rows):
        draw.text((left - GAP, row * (high + GAP) + high // 2), name, QUIET, font, anchor="rm")
    for number, (tile, column) in enumerate(zip(tiles, columns, strict=True)):
        x = left + number * (WIDE + GAP)
        for row, picture in enumerate(column):
            sheet.paste(Image.fromarray(picture), (x + (WIDE - wide) // 2, row * (high + GAP)))
        for line, text in enumerate(tile.told):
            place = (x + WIDE // 2, len(rows) * (high + GAP) + line * LINE)
            draw.text(place, _shortened(text, font), INK if line == 0 else QUIET, font, anchor="ma")
    return np.asarray(sheet)


def _pictures(tile: Tile, rows: int, top: float) -> list[Picture]:
    pictures = colours(tile.picture[None])
    if tile.made is not None and tile.where is not None:
        heat = matplotlib.colormaps["inferno"]((tile.where / top).clamp(0, 1).numpy())[..., :3]
        pictures += [*colours(tile.made[None]), (255 * heat).round().astype(np.uint8)]
    return pictures + [np.full_like(pictures[0], 48)] * (rows - len(pictures))


def _fitted(picture: Picture) -> Picture:
    """The picture at the size of its place; few pixels stay squares."""
    height, width = picture.shape[:2]
    times = min(WIDE / width, HIGH / height)
    if times >= SQUARE:
        return picture.repeat(int(times), 0).repeat(int(times), 1)
    size = (max(1, round(width * times)), max(1, round(height * times)))
    how = Image.Resampling.BOX if times < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(picture).resize(size, how))


def _shortened(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """A text that fits below a picture: its beginning is left out, since names of files differ at their end."""
    shown = text
    while font.getlength(shown) > WIDE and len(text) > 1:
        text = text[1:]
        shown = f"…{text}"
    return shown


def lettering(size: int) -> ImageFont.FreeTypeFont:
    """Matplotlib's own letters: names of files may be Greek or Cyrillic, which those of Pillow lack."""
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def _letters(text: str, size: int) -> int:
    """Pixels that a text of some height takes."""
    return math.ceil(lettering(size).getlength(text))


def _unit_told(top: float, unit: str) -> str:
    return f"{significant(top)} or more, {unit}"


def _scale(left: int, width: int, where: str, foot: str) -> Picture:
    """What the colours of the maps mean."""
    sheet = Image.new("RGB", (width, LINE + 3 * GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), lettering(SMALL)
    ramp = matplotlib.colormaps["inferno"](torch.linspace(0, 1, 2 * WIDE).numpy())[None, :, :3]
    middle = sheet.height // 2
    draw.text((left - GAP, middle), f"{where}   0", QUIET, font, anchor="rm")
    sheet.paste(Image.fromarray((255 * ramp).round().astype(np.uint8).repeat(LINE, 0)), (left, middle - LINE // 2))
    draw.text((left + 2 * WIDE + GAP, middle), foot, QUIET, font, anchor="lm")
    return np.asarray(sheet)
