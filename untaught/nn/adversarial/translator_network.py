"""A network from pictures to pictures of the same size: down, blocks that add to what they are given, and up again.

    h_0 = r(n(W_0 * (2 x - 1))), then the same with strides of 2             (1)
    h_k = h_(k-1) + n(W'_k * r(n(W_k * h_(k-1))))                            (2)
    y = s(W * u + w + k(x)),   u from the last h by r(n(W'' * enlarged))     (3)
    k(x) = a (4 x - 2),   a x where s is none,   or 0 without a shortcut     (4)

n normalises each map of each picture by its own mean and deviation, r is the rectifier, s the logistic function or
none. Maps are enlarged to the sizes that they had on the way down, so that pictures may have any size and any channels.

With the shortcut (4), beside which W is small at first, a network begins by giving back about what it is given, since
s(4 x - 2) is near x, or with a = -1 the negative of it. Without one it must first learn to make pictures at all.

References:
    Johnson, Alahi, Fei-Fei (2016). Perceptual losses for real-time style transfer and super-resolution. ECCV.
    Ulyanov, Vedaldi, Lempitsky (2016). Instance normalization: the missing ingredient for fast stylization.

Departures:
    Maps are enlarged by repeating values before a convolution, in place of convolutions with strides of a half, which
    leave a checkered pattern. Zeros around maps in place of mirrored values: by them a unit can tell where it is.
    The shortcut.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.errors import SizeError
from untaught.nn.convolution import spread_
from untaught.nn.noise import wide
from untaught.shapes import Images, Shape

LEFT, MOST = 8, 2
"""Shorter side of maps that halving leaves, and how often they are halved, at most."""
SMALLEST = 4
"""Shorter side of the smallest pictures."""
WIDE = 7
"""Side of the filters of the first and of the last layer; of the others 3."""
BESIDE = 0.1
"""Deviation of what the last layer adds to the shortcut at first."""


def halvings_of(shape: Shape) -> int:
    """How often pictures are halved by default.

    Example:
        >>> [halvings_of((1, side, side)) for side in (8, 28, 32, 256)]
        [0, 1, 2, 2]
    """
    shorter = min(shape[1:])
    return next(count for count in range(MOST, -1, -1) if count == 0 or shorter >= LEFT << count)


def refuse_small(shape: Shape, halvings: int) -> None:
    """Refuse pictures of which halving would leave less than two pixels a side.

    Raises:
        SizeError: They are too small; the message names the nearest size that works.
    """
    least = max(SMALLEST, 2 << halvings)
    if min(shape[1:]) < least:
        height, width = (max(side, least) for side in shape[1:])
        raise SizeError(
            f"pictures of {shape[1]}x{shape[2]} are too small to translate; the nearest size that works is "
            f"{height}x{width}"
        )


class TranslatorNetwork(nn.Module):
    """Turns pictures into others, equations (1) to (4).

    Example:
        >>> network = TranslatorNetwork((3, 30, 41), maps=4, blocks=1)
        >>> network(torch.rand(2, 3, 30, 41)).shape, network(torch.rand(2, 3, 17, 8)).shape
        (torch.Size([2, 3, 30, 41]), torch.Size([2, 3, 17, 8]))
    """

    def __init__(
        self,
        shape: Shape,
        maps: int,
        blocks: int,
        halvings: int | None = None,
        output: Literal["sigmoid", "linear"] = "sigmoid",
        shortcut: bool = True,
    ) -> None:
        """Build the network.

        Args:
            shape: One picture's.
            maps: Of the first layer; halving doubles them.
            blocks: Of equation (2).
            halvings: How often maps are halved; none takes `halvings_of`.
            output: Whether values lie between 0 and 1 or may be any numbers.
            shortcut: Whether what is translated is added before the output, equation (4).

        Raises:
            SizeError: Pictures are too small.
        """
        super().__init__()
        halvings = halvings_of(shape) if halvings is None else halvings
        refuse_small(shape, halvings)
        self.output, self.shortcut = output, shortcut
        self.sign = nn.Buffer(torch.ones(()))
        widths = [maps << count for count in range(halvings + 1)]
        self.first = _Normalised(shape[0], maps, WIDE)
        self.down = nn.ModuleList(_Normalised(below, 2 * below, stride=2) for below in widths[:-1])
        self.blocks = nn.ModuleList(_Block(widths[-1]) for _ in range(blocks))
        self.up = nn.ModuleList(_Normalised(2 * below, below) for below in widths[-2::-1])
        self.last = nn.Conv2d(maps, shape[0], WIDE, padding=WIDE // 2)
        spread_(self.last.weight, maps * WIDE**2, "linear")
        if shortcut:
            self.last.weight.data.mul_(BESIDE)
        nn.init.zeros_(self.last.get_parameter("bias"))

    def forward(self, x: Images) -> Images:
        """Pictures of the same size, in full precision."""
        centred = 2 * x - 1 if self.output == "sigmoid" else x
        h: Tensor = torch.relu(self.first(centred))
        sizes: list[torch.Size] = []
        for layer in self.down:
            sizes.append(h.shape[-2:])
            h = torch.relu(layer(h))
        for block in self.blocks:
            h = block(h)
        for layer, size in zip(self.up, reversed(sizes), strict=True):
            h = torch.relu(layer(F.interpolate(h, size=list(size), mode="nearest")))
        y = wide(self.last(h))
        if self.shortcut:
            y = y + self.sign * (2 * centred if self.output == "sigmoid" else centred)
        return torch.sigmoid(y) if self.output == "sigmoid" else y


class _Normalised(nn.Module):
    """A convolution whose maps are normalised, each by its own mean and deviation."""

    def __init__(self, below: int, above: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        # A bias would be taken away again with the mean.
        self.convolution = nn.Conv2d(below, above, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.InstanceNorm2d(above)
        spread_(self.convolution.weight, below * kernel**2, "relu")

    def forward(self, x: Tensor) -> Tensor:
        """Normalised maps."""
        return self.norm(self.convolution(x))


class _Block(nn.Module):
    """Equation (2)."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.inner, self.outer = _Normalised(maps, maps), _Normalised(maps, maps)

    def forward(self, h: Tensor) -> Tensor:
        """Maps with what two convolutions add."""
        return h + self.outer(torch.relu(self.inner(h)))
