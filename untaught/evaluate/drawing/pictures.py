"""Pictures that a person can read: contact sheets, pairs, filters, film strips and films of predictions.

A picture is bytes `(height, width, 3)`, a film `(time, height, width, 3)`. Small pictures are enlarged by a whole
number of times without smoothing, so that a pixel stays a square. Values outside [0, 1] are shown as 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from untaught.errors import DataError
from untaught.evaluate.drawing.flow_colours import Flows, flow_colours, wheel
from untaught.shapes import Examples, Images, Video

Picture = np.ndarray[Any, np.dtype[np.uint8]]
"""Bytes `(height, width, 3)`."""
Film = np.ndarray[Any, np.dtype[np.uint8]]
"""Bytes `(time, height, width, 3)`."""

PAPER, INK = (32, 33, 36), (232, 234, 237)
GAP = 4
TEXT = 15
"""Height of letters in pixels."""
PAIR, WIDE = 256, 1100
"""Shorter side of a picture beside its reconstruction, and width of a row of them, in pixels at most."""
SCALES = (1, 2, 4, 8, 16)
"""By how much a difference is brightened at most, so that it is seen."""


def colours(images: Examples) -> list[Picture]:
    """Each image as bytes: one channel as grey, two or more than four as their mean, the fourth of four left out."""
    if images.ndim != 4:
        raise DataError(f"vectors of {images[0].numel()} numbers cannot be drawn; only pictures and video can")
    channels = images.shape[1]
    shown = images[:, :3] if channels in (3, 4) else images.float().mean(1, keepdim=True).expand(-1, 3, -1, -1)
    found = (shown.detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
    return list(found.numpy())


def grid(x: Images | Video, columns: int | None = None, side: int = 64) -> Picture | Film:
    """A contact sheet of images, or a film in which all clips run at once; as square as can be.

    Example:
        >>> grid(torch.rand(5, 1, 8, 8)).shape
        (140, 208, 3)
    """
    columns = columns or math.ceil(math.sqrt(len(x)))
    if x.ndim == 5:
        return np.stack([grid(frame, columns, side) for frame in x.unbind(1)])
    tiles = [enlarged(picture, side) for picture in colours(x)]
    return mosaic([tiles[row : row + columns] for row in range(0, len(tiles), columns)])


def pairs(original: Images | Video, given: Images | Video, most: int = 12, side: int = 64) -> Picture | Film:
    """Originals above a model's reconstructions, large ones in several rows; for video, a film."""
    return stacked([("original", original), ("reconstruction", given)], most, side)


def stacked(sets: Sequence[tuple[str, Images | Video]], most: int = 12, side: int = 64) -> Picture | Film:
    """Sets of pictures that belong together, one above the other, each under its name; for video, a film.

    Example:
        >>> stacked([("before", torch.rand(3, 1, 8, 8)), ("after", torch.rand(3, 1, 8, 8))]).shape[0]
        140
    """
    if sets[0][1].ndim == 5:
        frames = zip(*(x[:most].unbind(1) for _, x in sets), strict=True)
        return np.stack(
            [stacked([(name, x) for (name, _), x in zip(sets, own, strict=True)], most, side) for own in frames]
        )
    lines = [[reduced(enlarged(picture, side), PAIR) for picture in colours(x[:most])] for _, x in sets]
    across = max(1, WIDE // lines[0][0].shape[1])
    starts = range(0, len(lines[0]), across)
    rows = [line[start : start + across] for start in starts for line in lines]
    return mosaic(rows, tuple(name for name, _ in sets) * len(starts))


def filter_grid(filters: Images, most: int = 144, side: int = 48) -> Picture:
    """Weights of each unit, scaled by its own largest: grey is 0, white the largest, black minus the largest."""
    kept = filters[:most].detach().float().cpu()
    largest = kept.abs().flatten(1).amax(1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return grid(0.5 + 0.5 * kept / largest, side=side)


@dataclass(frozen=True)
class Prediction:
    """Some clips: context frames, the model's predictions, and the true next frames."""

    given: Video
    predicted: Float[Tensor, "batch predicted channel height width"]
    known: Float[Tensor, "batch known channel height width"]
    """As many true frames as there are; perhaps none."""
    flow: Flows | None = None
    """By which flow each predicted frame was moved out of the one before, where the model says."""

    def columns(self) -> dict[str, list[Tensor | None]]:
        """Frames of each column of a film, or row of a strip, by what is written on it; None where there are none."""
        given, predicted = list(self.given.unbind(1)), list(self.predicted.unbind(1))
        if self.known.shape[1] == 0:
            return {"given, then predicted": [*given, *predicted], **self._motion()}
        known = list(self.known.unbind(1))[: len(predicted)]
        difference, scale = self.difference(len(known))
        blank: list[Tensor | None] = [None] * len(given)
        missing: list[Tensor | None] = [None] * (len(predicted) - len(known))
        named = "error" if scale == 1 else f"error x {scale}"
        return {
            "true": [*given, *known, *missing],
            "predicted": [*blank, *predicted],
            named: [*blank, *difference, *missing],
            **self._motion(),
        }

    def _motion(self) -> dict[str, list[Tensor | None]]:
        """The flow in colours, with the wheel of directions before it; nothing where there is none."""
        if self.flow is None:
            return {}
        coloured, longest = flow_colours(self.flow)
        count, watched = len(self.given), self.given.shape[1]
        directions = wheel(*self.given.shape[-2:]).expand(count, -1, -1, -1)
        return {f"motion, bright: {longest:.1f} pixels": [*[None] * (watched - 1), directions, *coloured.unbind(1)]}

    def difference(self, frames: int) -> tuple[list[Tensor], int]:
        """|true - predicted| in false colour, and how many times it was brightened: nearly all stays below white."""
        error = (self.known[:, :frames] - self.predicted[:, :frames]).abs().mean(2).cpu()
        most = float(error.flatten().sort().values[int(0.999 * (error.numel() - 1))])
        scale = max(scale for scale in SCALES if scale == 1 or scale * most <= 1)
        import matplotlib  # takes a third of a second, and few pictures need it

        heat = matplotlib.colormaps["inferno"]((error * scale).clamp(0, 1).numpy())[..., :3]
        return list(torch.from_numpy(heat).permute(0, 1, 4, 2, 3).unbind(1)), scale


def prediction_film(clips: Prediction, most: int = 3, side: int = 140, before: int | None = None) -> Film:
    """A film: one row for each clip, true beside predicted beside their difference.

    Args:
        clips: What was given, predicted and true.
        most: Clips that are shown.
        side: Shorter side of a frame, nearly.
        before: How many of the frames that were given are shown before the first predicted one; all by default.
    """
    columns = clips.columns()
    watched, ahead = clips.given.shape[1], clips.predicted.shape[1]
    side = max(side, 420 // (len(columns) * min(most, len(clips.given))))
    told = [f"given frame {t + 1} of {watched}" for t in range(watched)]
    told += [f"predicted, {t + 1} ahead of what was given" for t in range(ahead)]
    film: list[Picture] = []
    for time, line in list(enumerate(told))[0 if before is None else max(0, watched - before) :]:
        tiles = [_tiles(frames[time], clips.given, most, side) for frames in columns.values()]
        rows = [list(row) for row in zip(*tiles, strict=True)]
        film.append(mosaic(rows, (), tuple(columns), line, max(map(text_width, told))))
    return np.stack(film)


def prediction_strip(clips: Prediction, side: int = 90, most: int = 8) -> Picture:
    """One clip as a strip: the last context frames and the first predicted ones, in order."""
    watched = clips.given.shape[1]
    times = [*range(max(0, watched - 2), watched), *range(watched, watched + clips.predicted.shape[1])][: most + 2]
    names = tuple(f"given {t + 1}" if t < watched else f"+{t - watched + 1}" for t in times)
    tiles = {
        name: [_tiles(frames[t], clips.given, 1, side)[0] for t in times] for name, frames in clips.columns().items()
    }
    return mosaic([[reduced(tile, side) for tile in row] for row in tiles.values()], tuple(tiles), names)


def _tiles(frames: Tensor | None, like: Video, most: int, side: int) -> list[Picture]:
    """One frame of the first clips, enlarged; blank tiles of the same size where there is none."""
    if frames is not None:
        return [enlarged(picture, side) for picture in colours(frames[:most])]
    return [np.full_like(enlarged(picture, side), 48) for picture in colours(like[:most, 0])]


def enlarged(picture: Picture, side: int) -> Picture:
    """Repeat pixels until the shorter side is nearly `side`; a picture that is larger stays as it is."""
    times = max(1, round(side / min(picture.shape[:2])))
    return picture.repeat(times, 0).repeat(times, 1)


def reduced(picture: Picture, side: int) -> Picture:
    """Average pixels until the shorter side is `side`; a picture that is smaller stays as it is."""
    height, width = picture.shape[:2]
    times = side / min(height, width)
    if times >= 1:
        return picture
    size = (round(width * times), round(height * times))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def text_width(text: str) -> int:
    """Pixels that a line of text takes."""
    return math.ceil(ImageFont.load_default(TEXT).getlength(text))


def mosaic(
    rows: Sequence[Sequence[Picture]],
    row_names: Sequence[str] = (),
    column_names: Sequence[str] = (),
    foot: str = "",
    least_width: int = 0,
) -> Picture:
    """Lay equal tiles out in rows, names beside and above, a line below, on a sheet at least that many pixels wide."""
    height, width = rows[0][0].shape[:2]
    font = ImageFont.load_default(TEXT)
    left = GAP + max((text_width(name) + 2 * GAP for name in row_names), default=0)
    line = TEXT + 2 * GAP
    top = GAP + (line if column_names else 0)
    count = max(len(row) for row in rows)
    wide = left + max(count * (width + GAP), GAP + max(least_width, text_width(foot)))
    sheet = Image.new("RGB", (wide, top + len(rows) * (height + GAP) + (line if foot else 0)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        y = top + number * (height + GAP)
        for column, tile in enumerate(row):
            sheet.paste(Image.fromarray(tile), (left + column * (width + GAP), y))
        if row_names:
            draw.text((2 * GAP, y + height // 2), row_names[number], INK, font, anchor="lm")
    for column, name in enumerate(column_names):
        draw.text((left + column * (width + GAP) + width // 2, GAP), name, INK, font, anchor="ma")
    draw.text((left, sheet.height - GAP), foot, INK, font, anchor="ld")
    return np.asarray(sheet)
