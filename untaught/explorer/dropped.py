"""A picture of a person's own, as the run would have seen it: its size, channels and scale."""

from __future__ import annotations

import torch

from untaught.data.reading.picture import decode_bytes
from untaught.errors import DataError
from untaught.explorer.explored import Explored
from untaught.shapes import Images

BYTES, PIXELS = 2**23, 25_000_000
"""What a picture may have at most: 8 MiB as a file, 25 million pixels."""


def dropped_picture(explored: Explored, content: bytes, inverted: bool = False) -> Images:
    """Decode the bytes of a picture's file and bring it to the run's shape, `(1, channel, height, width)` in [0, 1].

    Raises:
        DataError: It is no picture, broken, or too large.
    """
    if not explored.is_pictures or explored.is_video:
        raise DataError("this run looks at no single pictures")
    if not content:
        raise DataError("the file is empty")
    x = decode_bytes(content, "the picture", PIXELS)[None].float() / 255
    height, width = explored.shape[-2:]
    frames = explored.run.source(1 - x if inverted else x, size=(height, width)).train.frames
    return frames.read(torch.tensor([0])).float()
