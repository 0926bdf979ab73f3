"""Pictures and video with another number of channels: grey widened to colour, colour narrowed to grey.

Grey stands in each of red, green and blue; of colours the luminance is taken, ITU-R 601's 0.299 red + 0.587 green +
0.114 blue. A channel of transparency, the last of 2 or 4, is laid on white where it is not wanted, and is opaque where
there was none.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.source import Source

LUMINANCE = (0.299, 0.587, 0.114)
KNOWN = (1, 2, 3, 4)
"""Numbers of channels that can be turned into one another."""
CHUNK = 256
"""Frames that are turned at once."""


def to_channels(x: Tensor, channels: int) -> Tensor:
    """Frames `(..., channel, height, width)` with another number of channels, in the type that they have.

    Example:
        >>> to_channels(torch.full((2, 3, 4, 4), 7, dtype=torch.uint8), 1).unique().tolist()
        [7]
    """
    there = x.shape[-3]
    if there == channels:
        return x
    white = 255.0 if x.dtype == torch.uint8 else 1.0
    colours, alpha = (x[..., :-1, :, :], x[..., -1:, :, :]) if there % 2 == 0 else (x, None)
    if alpha is not None and channels % 2 == 1:
        opaque = alpha.float() / white
        colours = _as_stored(colours.float() * opaque + white * (1 - opaque), x.dtype)
    wanted = 1 if channels < 3 else 3
    if colours.shape[-3] == 1 and wanted == 3:
        colours = colours.expand(*colours.shape[:-3], 3, *colours.shape[-2:])
    elif colours.shape[-3] == 3 and wanted == 1:
        weights = torch.tensor(LUMINANCE, device=x.device)[:, None, None]
        colours = _as_stored((colours.float() * weights).sum(-3, keepdim=True), x.dtype)
    if channels % 2 == 1:
        return colours
    return torch.cat([colours, torch.full_like(colours[..., :1, :, :], white) if alpha is None else alpha], -3)


class FramesOfChannels(Frames):
    """Frames whose channels are turned when they are read."""

    def __init__(self, frames: Frames, channels: int) -> None:
        self.frames = frames
        self.shape = (channels, *frames.shape[1:])
        self.dtype = frames.dtype
        self.count = frames.count

    def read(self, index: Tensor) -> Tensor:
        """Read, then turn."""
        return to_channels(self.frames.read(index), self.shape[0])


def with_channels(source: Source, channels: int) -> Source:
    """A source of pictures or video with another number of channels, and a note of it.

    A source that has them, of vectors, or of other numbers of channels than 1 to 4, stays as it is.
    """
    there = source.shape[0]
    if len(source.shape) != 3 or there == channels or not {there, channels} <= set(KNOWN):
        return source
    parts = {name: _turned(part, channels) for name, part in source.all_parts().items()}
    return replace(source, **parts, notes=(*source.notes, _told(source.spec, there, channels)))


def _turned(part: Part, channels: int) -> Part:
    tensor = part.frames.in_memory
    if tensor is None:
        return replace(part, frames=FramesOfChannels(part.frames, channels))
    if tensor.shape[1] == 1 and channels == 3:
        return replace(part, frames=WholeFrames(tensor.expand(-1, 3, -1, -1)))  # a view: nothing is copied
    turned = torch.empty(len(tensor), channels, *tensor.shape[2:], dtype=tensor.dtype)
    for target, chunk in zip(turned.split(CHUNK), tensor.split(CHUNK), strict=True):
        target.copy_(to_channels(chunk, channels))
    return replace(part, frames=WholeFrames(turned))


def _as_stored(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x.round().clamp(0, 255).to(dtype) if dtype == torch.uint8 else x.to(dtype)


def _told(spec: str, there: int, channels: int) -> str:
    if there < 3 <= channels:
        return f"{spec} is grey, and the run saw {channels} channels: grey is widened, the same in red, green and blue"
    if channels < 3 <= there:
        return f"{spec} has {there} channels, and the run saw {channels}: colour is narrowed to its luminance"
    return f"{spec} has {there} channels, and the run saw {channels}: the one of transparency is turned"
