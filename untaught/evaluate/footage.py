"""Clips of video in memory, in [0, 1], end to end in one tensor: what measures of prediction read.

A frame is known by its row. Everything that happens in time is arithmetic on rows: what comes before row s is at
s - 1, s - 2, ... as far as the first row of its clip.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.view import View, cut
from untaught.randomness import seeded
from untaught.shapes import Images, Video

LONGEST = 100
"""Frames of one clip; a longer one is read as several."""
VALUES = 2**27
"""Numbers in memory at most: half a gigabyte."""


@dataclass(frozen=True)
class Footage:
    """Clips end to end."""

    frames: Images
    """Every clip's frames, `(row, channel, height, width)`."""
    first: Tensor
    """Row of each clip's first frame, int64 `(clip,)`."""
    length: Tensor
    """Frames of each clip, int64 `(clip,)`."""

    def rows(self, skip: int) -> Tensor:
        """Rows of all frames but the first `skip` of each clip."""
        return torch.cat([torch.arange(a + skip, a + max(n, skip)) for a, n in self._spans()])

    def clip_of(self, rows: Tensor) -> Tensor:
        """Number of the clip that each row belongs to."""
        return torch.searchsorted(self.first, rows, right=True) - 1

    def given(self, rows: Tensor, most: int) -> Tensor:
        """How many frames of the clip stand before each row, at most `most`."""
        return (rows - self.first[self.clip_of(rows)]).clamp_max(most)

    def before(self, rows: Tensor, count: int) -> Video:
        """The `count` frames before each row, oldest first."""
        return self.frames[rows[:, None] + torch.arange(-count, 0)]

    def after(self, rows: Tensor, count: int) -> Video:
        """The `count` frames from each row on."""
        return self.frames[rows[:, None] + torch.arange(count)]

    def _spans(self) -> list[tuple[int, int]]:
        return list(zip(self.first.tolist(), self.length.tolist(), strict=True))


def footage(part: Part, view: View, most_frames: int, seed: int = 0) -> Footage:
    """Read evenly spaced clips of a part, `most_frames` frames in all or as many as fit; at least one clip.

    A clip of more than 100 frames is taken as several, in order. Clips of one frame, which predict nothing, are
    left out. A view with a patch gives the same square of all frames of a clip.
    """
    first, length = _pieces(part)
    values = torch.Size(part.shape).numel()
    room = min(most_frames, VALUES // values)
    count = max(1, min(len(first), int(room / float(length.float().mean()))))
    chosen = torch.linspace(0, len(first) - 1, count).round().long()
    clips: list[Tensor] = []
    with seeded(seed):
        for start, frames in zip(first[chosen].tolist(), length[chosen].tolist(), strict=True):
            raw = part.frames.read(torch.arange(start, start + frames)).cpu()
            clips.append(cut(raw[None], view, None, training=False)[0])
    lengths = length[chosen]
    return Footage(torch.cat(clips), lengths.cumsum(0) - lengths, lengths)


def _pieces(part: Part) -> tuple[Tensor, Tensor]:
    """First frame and length of every piece of at most 100 frames, and at least two."""
    starts: list[int] = []
    lengths: list[int] = []
    for first, length in zip(part.first.tolist(), part.length.tolist(), strict=True):
        for offset in range(0, length - 1, LONGEST):
            starts.append(first + offset)
            lengths.append(min(LONGEST, length - offset))
    return torch.tensor(starts), torch.tensor(lengths)
