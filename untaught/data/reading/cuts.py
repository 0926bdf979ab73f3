"""Cuts in video: where one shot ends and another begins.

With v_t frame t reduced to at most 32 x 18 values per channel, and d_t = mean |v_t - v_{t-1}|, frame t begins a new
shot where

    d_t >= 0.05   and   d_t >= 4 mean(d_{t-2}, d_{t-1}, d_{t+1}, d_{t+2})        (1)

as far as these frames exist: the change is large, and much larger than those around it. A camera that pans fast
changes every frame, and a flash changes two in a row, so neither is a cut. A dissolve is none either: each of its
frames follows from those before.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.data.part import Frames

LEAST = 0.05
"""Mean change of a value at a cut at least, of 1 from black to white."""
TIMES = 4.0
"""How many times the mean change around it."""
AROUND = 2
"""Changes that are looked at on each side."""
SMALL = (18, 32)
"""Height and width of the reduced frames."""
AT_ONCE = 64
"""Frames that are reduced at once."""


def reduced(frames: Tensor) -> Tensor:
    """Frames `(frame, channel, height, width)` as float32 in [0, 1], reduced by averaging."""
    size = min(SMALL[0], frames.shape[-2]), min(SMALL[1], frames.shape[-1])
    x = frames.float() / 255 if frames.dtype == torch.uint8 else frames.float()
    return F.adaptive_avg_pool2d(x, size)


def cuts_between(changes: Tensor) -> Tensor:
    """Where a new shot begins, by (1), from the change between each two frames.

    Example:
        >>> cuts_between(torch.tensor([0.01, 0.01, 0.3, 0.01, 0.01])).tolist()  # between frames 2 and 3
        [3]
        >>> cuts_between(torch.tensor([0.01, 0.3, 0.3, 0.01])).tolist()  # a flash of one frame
        []
    """
    if len(changes) < 2:  # nothing around to compare with
        return torch.zeros(0, dtype=torch.int64)
    filler = changes.new_full((AROUND,), torch.nan)
    windows = torch.cat([filler, changes, filler]).unfold(0, 2 * AROUND + 1, 1)
    around = torch.cat([windows[:, :AROUND], windows[:, AROUND + 1 :]], 1).nanmean(1)
    return ((changes >= LEAST) & (changes >= TIMES * around)).nonzero()[:, 0] + 1


def find_cuts(frames: Frames, first: Iterable[int], length: Iterable[int]) -> Tensor:
    """Numbers of the frames that begin a new shot inside a clip, ascending, int64 `(cut,)`.

    Frames that are on disk are decoded once.
    """
    found = [begin + cuts_between(_changes(frames, begin, count)) for begin, count in zip(first, length, strict=True)]
    return torch.cat(found) if found else torch.zeros(0, dtype=torch.int64)


def _changes(frames: Frames, first: int, length: int) -> Tensor:
    """Mean change between each two frames of a clip, `(length - 1,)`."""
    small = [reduced(frames.read(some)) for some in torch.arange(first, first + length).split(AT_ONCE)]
    return torch.cat(small).diff(dim=0).abs().mean((1, 2, 3))
