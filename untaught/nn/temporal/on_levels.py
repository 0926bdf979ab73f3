"""Convolutional recurrences on several levels of a convolutional network (GRU-RCN).

x_l,t are the network's maps at level l and time t, h_l,t the state of that level's own recurrence, down pools maps to
the size of the level above:

    h_l,t = GRU_l(x_l,t, h_l,t-1)                               (1)
    h_l,t = GRU_l((x_l,t, down h_l-1,t), h_l,t-1)               (2)     `stacked`, above the lowest level

Fine maps change fast and coarse ones slowly; each level remembers its own. With one level, (1) is an ordinary ConvGRU.

References:
    Ballas, Yao, Pal, Courville (2016). Delving deeper into convolutional networks for learning video representations.
    arXiv:1511.06432.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.nn.temporal.recurrent import ConvGRU, State


class OnLevels(nn.ModuleList):
    """A ConvGRU on each level. Any frame size.

    Example:
        >>> fine, coarse = torch.zeros(4, 2, 3, 10, 12), torch.zeros(4, 2, 5, 5, 6)
        >>> states = OnLevels((3, 5), (6, 8), 3)([fine, coarse])
        >>> len(states), [tuple(h.shape) for h in states[-1]]
        (4, [(2, 8, 5, 6), (2, 6, 10, 12)])
    """

    remembers: ClassVar[bool] = True

    def __init__(self, inputs: Sequence[int], maps: Sequence[int], kernel: int, stacked: bool = False) -> None:
        """Build the recurrences.

        Args:
            inputs: Maps of the network at each level, the lowest first.
            maps: Maps of each recurrence.
            kernel: Side of their filters.
            stacked: Whether a recurrence also sees the state of the one below, equation (2).
        """
        below = (0, *maps[:-1]) if stacked else (0,) * len(maps)
        super().__init__(
            ConvGRU(count + more, own, kernel) for count, more, own in zip(inputs, below, maps, strict=True)
        )
        self.stacked = stacked

    def forward(self, levels: Sequence[Tensor], state: State | None = None) -> list[State]:
        """Run over time.

        Args:
            levels: Maps of each level `(time, batch, map, height, width)`, the lowest first.
            state: Where to begin; none begins at zero.

        Returns:
            The states after each time, that of the highest level first.
        """
        found: list[Tensor] = []
        for number, (core, level) in enumerate(zip(self.children(), levels, strict=True)):
            seen = torch.cat([level, _down(found[-1], level)], 2) if self.stacked and found else level
            own = core(seen, None if state is None else (state[-1 - number],))
            found.append(torch.stack([after[0] for after in own]))
        return list(zip(*(states.unbind(0) for states in reversed(found)), strict=True))


def _down(states: Tensor, above: Tensor) -> Tensor:
    """States of the level below, pooled to the size of the maps above."""
    pooled = F.adaptive_avg_pool2d(states.flatten(0, 1), (above.shape[-2], above.shape[-1]))
    return pooled.unflatten(0, above.shape[:2])
