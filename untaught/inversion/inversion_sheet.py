"""The picture of an inversion: a row for each layer, a column for each way back, the same pictures in every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from untaught.evaluate.drawing.pictures import GAP, PAPER, Picture, colours, enlarged, mosaic, reduced
from untaught.inversion.ways_back import WAYS, Way
from untaught.shapes import Images

SHOWN, SIDE = 3, 84
"""Pictures in a cell, and their shorter sides on the screen."""
FOOT = "Below the first pooling there are no switches: both mirrors are one."


def inversion_sheet(x: Images, back: Mapping[str, Mapping[Way, Images]], same: Sequence[str] = ()) -> Picture:
    """Draw it.

    Args:
        x: The pictures.
        back: What came back of them, by layer and way.
        same: Layers with no pooling below.
    """
    original = _cell(x)
    rows = [[original, *(_cell(ways[way]) for way in WAYS)] for ways in back.values()]
    return mosaic(rows, list(back), ["input", *WAYS.values()], FOOT if same else "")


def _cell(images: Images) -> Picture:
    """Some pictures side by side."""
    tiles = [_sized(picture) for picture in colours(images[:SHOWN])]
    gap = np.full((tiles[0].shape[0], GAP // 2, 3), PAPER, dtype=np.uint8)
    parts = [part for tile in tiles for part in (gap, tile)]
    return np.concatenate(parts[1:], 1)


def _sized(picture: Picture) -> Picture:
    return reduced(picture, SIDE) if min(picture.shape[:2]) > SIDE else enlarged(picture, SIDE)
