"""Bring pictures to one size: the largest centred part of the wanted aspect, resized with antialiasing.

Nothing is stretched: what lies outside the wanted aspect is cut off on both sides alike.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from untaught.data.part import Frames, Part, WholeFrames
from untaught.errors import DataError

CHUNK = 256
"""Pictures resized at once."""


def fit(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring `(batch, channel, height, width)`, bytes or floats, to `size`, height and width.

    Example:
        >>> fit(torch.zeros(2, 3, 30, 50, dtype=torch.uint8), (16, 16)).shape
        torch.Size([2, 3, 16, 16])
    """
    height, width = x.shape[-2:]
    if (height, width) == size:
        return x
    scale = min(height / size[0], width / size[1])
    tall, wide = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (height - tall) // 2, (width - wide) // 2
    middle = x[..., top : top + tall, left : left + wide].contiguous()
    if size[1] == 1:
        column = _one_column(middle.float(), size[0])
        return (column if x.dtype.is_floating_point else column.round()).to(x.dtype)
    resized = interpolate(middle.float() if x.dtype == torch.float16 else middle, size, mode="bilinear", antialias=True)
    return resized.to(x.dtype)


def _one_column(x: Tensor, height: int) -> Tensor:
    """Bring floats to a width of one pixel, which torch 2.13 does wrongly: all rows alike, or an error.

    The weights are those of its antialiased bilinear filter: a triangle over the width.
    """
    width = x.shape[-1]
    weight = 1 - (torch.arange(width) + 0.5 - width / 2).abs() / width
    column = (x * (weight / weight.sum())).sum(-1, keepdim=True)
    if column.shape[-2] != height:
        column = interpolate(column.expand(-1, -1, -1, 2).contiguous(), (height, 2), mode="bilinear", antialias=True)
    return column[..., :1]


class ResizedFrames(Frames):
    """Frames that are resized when they are read."""

    def __init__(self, frames: Frames, size: tuple[int, int]) -> None:
        self.frames = frames
        self.size = size
        self.shape = (frames.shape[0], *size)
        self.dtype = frames.dtype
        self.count = frames.count

    def read(self, index: Tensor) -> Tensor:
        """Read, then resize."""
        return fit(self.frames.read(index.flatten()), self.size).view(*index.shape, *self.shape)


def resized(part: Part, size: tuple[int, int]) -> Part:
    """Resize a part: at once where it is in memory, else as it is read.

    Raises:
        DataError: The part holds vectors.
    """
    if len(part.shape) != 3:
        raise DataError(f"only pictures can be resized, and this source has vectors of {part.shape[0]} numbers")
    tensor = part.frames.in_memory
    if tensor is None:
        return replace(part, frames=ResizedFrames(part.frames, size))
    small = torch.empty(len(tensor), tensor.shape[1], *size, dtype=tensor.dtype)
    for target, chunk in zip(small.split(CHUNK), tensor.split(CHUNK), strict=True):
        target.copy_(fit(chunk, size))
    return replace(part, frames=WholeFrames(small))
