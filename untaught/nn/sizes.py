"""The layers of a stack of convolutions, and how they change height and width.

A k x k convolution with stride s turns n rows into, rounded down:

    full  (n + k - 2) / s + 1         same  (n - 1) / s + 1         valid  (n - k) / s + 1         (1)

Pooling by p divides their number by p, also rounded down, so that rows can be lost at the lower edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from untaught.errors import ConfigError, SizeError

Padding = Literal["full", "same", "valid"]
Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class Layer:
    """One convolution and what follows it.

    Example:
        >>> Layer(filters=32, kernel=3, padding="full", pool=2).output((30, 30))
        (16, 16)
    """

    filters: int
    """Maps that it gives."""
    kernel: int = 3
    """Side of the filters in pixels."""
    stride: int = 1
    """Step of the filters in pixels."""
    pool: int = 1
    """Side of the pooled windows; 1 pools nothing."""
    padding: Padding = "same"
    """How far filters reach over the edge: by all but one pixel, by half, or not at all."""

    @property
    def edge(self) -> int:
        """Zeros on each side of the input."""
        return {"full": self.kernel - 1, "same": (self.kernel - 1) // 2, "valid": 0}[self.padding]

    def convolved(self, size: Size) -> Size:
        """Height and width after the convolution, equation (1); below 1 where nothing is left."""
        reach = {"full": self.kernel - 2, "same": -1, "valid": -self.kernel}[self.padding]
        return (size[0] + reach) // self.stride + 1, (size[1] + reach) // self.stride + 1

    def output(self, size: Size) -> Size:
        """Height and width after convolution and pooling."""
        height, width = self.convolved(size)
        return height // self.pool, width // self.pool

    def __str__(self) -> str:
        return f"{self.filters}@{self.kernel}x{self.kernel} {self.padding}, stride {self.stride}, pool {self.pool}"


def layers(
    filters: Sequence[int],
    kernels: Sequence[int] = (3,),
    strides: Sequence[int] = (1,),
    pools: Sequence[int] = (1,),
    paddings: Sequence[Padding] = ("same",),
) -> tuple[Layer, ...]:
    """Describe a stack: one entry for each layer, or one entry for all.

    Example:
        >>> [layer.kernel for layer in layers((32, 64), kernels=(5,))]
        [5, 5]

    Raises:
        ConfigError: A list has neither one entry nor one for each layer.
    """
    lists = {"kernels": kernels, "strides": strides, "pools": pools, "paddings": paddings}
    for name, values in lists.items():
        if len(values) not in (1, len(filters)):
            raise ConfigError(f"{name} has {len(values)} entries for {len(filters)} layers; give one for each, or one")
    every = [values if len(values) > 1 else [*values] * len(filters) for values in lists.values()]
    return tuple(Layer(*row) for row in zip(filters, *every, strict=True))


def frame_size(x: Tensor) -> Size:
    """Height and width of pictures as plain numbers, also while an export records what is computed.

    Example:
        >>> import torch
        >>> frame_size(torch.zeros(2, 3, 24, 32))
        (24, 32)
    """
    return int(x.shape[-2]), int(x.shape[-1])


def sizes(stack: Sequence[Layer], size: Size) -> tuple[Size, ...]:
    """Height and width before each layer, and after the last.

    Raises:
        SizeError: Nothing is left of a frame of that size; the message names the nearest size that works.
    """
    steps = _sizes(stack, size)
    if min(steps[-1]) < 1:
        first = next(number for number, after in enumerate(steps) if min(after) < 1)
        height, width = (_enough(stack, side) for side in size)
        raise SizeError(
            f"a frame of {size[0]}x{size[1]} is too small: layer {first} ({stack[first - 1]}) leaves nothing of it;\n"
            f"the nearest size that works is {height}x{width}"
        )
    return steps


def _sizes(stack: Sequence[Layer], size: Size) -> tuple[Size, ...]:
    steps = [size]
    for layer in stack:
        # A side of size 0 must stay 0: padding in a layer above would make rows out of nothing.
        steps.append(layer.output(steps[-1]) if min(steps[-1]) > 0 else (0, 0))
    return tuple(steps)


def _enough(stack: Sequence[Layer], side: int) -> int:
    """The smallest side from `side` up for which the last layer has at least one pixel."""
    while min(_sizes(stack, (side, side))[-1]) < 1:
        side += 1
    return side
