"""Any source with its pictures inverted or turned: a second kind of the same things, for what learns from two kinds.

Black becomes white with `invert=true`; `turn=90` turns a quarter, to the left. Classes stay. A model that learns from
two sources without pairs must not find the same picture in both: `half=first` and `half=second` are every second
example of each part, beginning with the first or with the second. A folder stands behind the colon,
`altered:photos/?turn=180`; a named set is an option, `altered?of=digits&half=second&invert=true`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from untaught.config import configuration
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.source import Source, open_data
from untaught.errors import DataError


@configuration
class Options:
    """Of what, and how it is altered."""

    of: str = ""
    """A named set, in place of a path."""
    invert: bool = False
    """Make black white and white black."""
    turn: Literal["0", "90", "180", "270"] = "0"
    """Degrees by which pictures are turned to the left."""
    half: Literal["all", "first", "second"] = "all"
    """Which examples of each part: all, or every second, beginning with the first or with the second."""


def load(path: Path | None, options: Options) -> Source:
    """Open what stands behind the colon, and alter each of its parts."""
    if (path is None) == (not options.of):
        raise DataError("altered takes a path or a named set: altered:photos/?turn=90, altered?of=digits&invert=true")
    source = open_data(path or options.of)
    if len(source.shape) != 3:
        raise DataError(f"{source.spec} has vectors, and only pictures and video can be altered")
    parts = source.parts()
    train, validation, test = (_altered(part, options) for part in (parts.train, parts.validation, parts.test))
    return replace(source, spec="altered", train=train, validation=validation, test=test)


def altered(x: Tensor, options: Options) -> Tensor:
    """Frames `(..., channel, height, width)` in the type that they have.

    Example:
        >>> altered(torch.tensor([[[0.0, 0.25]]]), Options(invert=True, turn="90")).tolist()
        [[[0.75], [1.0]]]
    """
    white = 255 if x.dtype == torch.uint8 else 1
    inverted = white - x if options.invert else x
    return inverted.rot90(int(options.turn) // 90, (-2, -1)).contiguous()


class AlteredFrames(Frames):
    """Frames on disk, altered as they are read."""

    def __init__(self, frames: Frames, options: Options) -> None:
        self.frames, self.options = frames, options
        channels, height, width = frames.shape
        self.shape = (channels, width, height) if options.turn in ("90", "270") else (channels, height, width)
        self.dtype, self.count = frames.dtype, frames.count

    def read(self, index: Tensor) -> Tensor:
        """Read and alter."""
        return altered(self.frames.read(index), self.options)


def _altered(part: Part, options: Options) -> Part:
    if options.half != "all":
        part = part.clips(torch.arange(int(options.half == "second"), len(part), 2))
    held = part.frames.in_memory
    frames = AlteredFrames(part.frames, options) if held is None else WholeFrames(altered(held, options))
    return replace(part, frames=frames)
