"""Max pooling that says what it took and where, and four ways back.

    what_w   = max_{p in w} x_p                                                  (1)
    where_w  = argmax_{p in w} x_p                                               (2)
    known    y_p = mean of what_w over windows w with where_w = p, else 0        (3)
    fixed    y_p = what_w for the window w whose middle, or corner, p is, else 0 (4)
    averaged y_p = sum_{w: p in w} what_w / (number of places of a window)       (5)
    upsampled y_p = mean of what_w over windows w that p lies in                 (6)

x are maps, w one of the windows that pooling moves over them, p a place. The switches (2) are whole numbers, so no
gradient flows into them; what (1) has the gradient of a maximum. (5) is (4) with the mean over all places that a fixed
switch could name. Where windows do not overlap the mean in (3) is over one window. Each way is made of operations
that ONNX has: a scatter for (3) and (4), a transposed convolution for (5) and (6).

References:
    Zeiler, Fergus (2014). Visualizing and understanding convolutional networks (unpooling with known switches).
    Zhao, Mathieu, Goroshin, LeCun (2015). Stacked what-where auto-encoders. arXiv:1506.02351.
    Zhang, Lee, Lee (2016). Augmenting supervised neural networks with unsupervised objectives for large-scale image
    classification (fixed and known switches; the division where windows overlap).
    Dosovitskiy, Brox (2016). Inverting visual representations with convolutional networks (fixed upsampling).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

Maps = Float[Tensor, "batch map height width"]
Pooled = Float[Tensor, "batch map above across"]
Switches = Int[Tensor, "batch map above across"]
Size = tuple[int, int]
Unpooling = Literal["known", "fixed", "averaged", "upsampled"]
Place = Literal["centre", "corner"]


class WhatWhere(NamedTuple):
    """What was taken of each window, and from which place of its map: row times the map's width plus column."""

    what: Pooled
    where: Switches


@dataclass(frozen=True)
class Window:
    """A square that moves over maps."""

    side: int = 2
    """Places in each direction."""
    stride: int = 2
    """Places from one window to the next."""
    padding: int = 0
    """Rows and columns outside the map, of which none is taken."""

    def pool(self, x: Maps) -> WhatWhere:
        """Equations (1) and (2).

        Example:
            >>> what, where = Window().pool(torch.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]))
            >>> what.item(), where.item()
            (4.0, 2)
        """
        return WhatWhere(*F.max_pool2d(x, self.side, self.stride, self.padding, return_indices=True))

    def known(self, what: Pooled, where: Switches, size: Size) -> Maps:
        """Put everything back to where it was taken from, equation (3)."""
        put = scattered(what, where, size)
        if self.stride >= self.side:
            return put
        return put / scattered(torch.ones_like(what), where, size).clamp_min(1)

    def fixed(self, what: Pooled, size: Size, place: Place = "centre") -> Maps:
        """Put everything to the same place of its window, equation (4)."""
        offset = (self.side // 2 if place == "centre" else 0) - self.padding
        rows, columns = (
            (torch.arange(count, device=what.device) * self.stride + offset).clamp(0, length - 1)
            for count, length in zip(what.shape[2:], size, strict=True)
        )
        return scattered(what, (rows[:, None] * size[1] + columns).expand(what.shape), size)

    def averaged(self, what: Pooled, size: Size) -> Maps:
        """Spread everything evenly over its window, equation (5)."""
        return self._spread(what, size) / self.side**2

    def upsampled(self, what: Pooled, size: Size) -> Maps:
        """Repeat everything at all places of its window, equation (6)."""
        spread = self._spread(what, size)
        if self.stride >= self.side:
            return spread
        return spread / self._spread(torch.ones_like(what[:1, :1]), size).clamp_min(1)

    def unpool(self, what: Pooled, size: Size, way: Unpooling, where: Switches | None = None) -> Maps:
        """Go back in one of the four ways.

        Args:
            what: What was taken of each window.
            size: Height and width of the maps before pooling.
            way: With `known`, the switches must be given; the others need none.
            where: The switches.

        Raises:
            ValueError: Switches are needed and not given.
        """
        if way == "known":
            if where is None:
                raise ValueError("known switches must be given")
            return self.known(what, where, size)
        return {"fixed": self.fixed, "averaged": self.averaged, "upsampled": self.upsampled}[way](what, size)

    def _spread(self, what: Pooled, size: Size) -> Maps:
        """Sum over the windows that a place lies in; places in none have 0."""
        ones = what.new_ones(what.shape[1], 1, self.side, self.side)
        spread = F.conv_transpose2d(what, ones, stride=self.stride, groups=what.shape[1])
        before = self.padding  # negative numbers of rows and columns crop
        below, right = (length + before - side for length, side in zip(size, spread.shape[2:], strict=True))
        return F.pad(spread, (-before, right, -before, below))


def scattered(values: Pooled, where: Switches, size: Size) -> Maps:
    """Maps of zeros with values added at given places.

    Example:
        >>> scattered(torch.ones(1, 1, 1, 2), torch.tensor([[[[0, 3]]]]), (2, 2)).flatten().tolist()
        [1.0, 0.0, 0.0, 1.0]
    """
    flat = values.new_zeros(*values.shape[:2], size[0] * size[1])
    return flat.scatter_add(2, where.flatten(2), values.flatten(2)).unflatten(2, size)
