"""The way back by enlarging: each step doubles height and width, then convolves, whatever was pooled and where.

    h' = phi(W * double(h))                                                      (1)

double repeats every value in a square of 2x2, W are filters of 5x5, phi a leaky ReLU of slope 0.2. Vectors first go
through a fully connected layer, whose output becomes maps of about 4x4. The last layer is linear. On maps that are
smaller than 3x3, filters are no larger than what they can see.

References:
    Dosovitskiy, Brox (2016). Inverting visual representations with convolutional networks. CVPR.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from untaught.shapes import Images, Shape

MOST, LEAST = 128, 16
"""Maps of a layer."""
SLOPE = 0.2


class UpConvolution(nn.Module):
    """From what a layer gives to a picture.

    Args:
        given: Shape of what the layer gives of an example.
        shape: Shape of the picture.

    Example:
        >>> import torch
        >>> UpConvolution((7,), (3, 20, 30))(torch.zeros(2, 7)).shape
        torch.Size([2, 3, 20, 30])
    """

    def __init__(self, given: Shape, shape: Shape) -> None:
        super().__init__()
        self.size = (shape[1], shape[2])
        self.entry, maps, size = self._entry(given)
        layers: list[nn.Module] = [*self._layer(maps, maps := min(MOST, max(LEAST, maps)), size)]
        while size[0] < self.size[0] or size[1] < self.size[1]:
            doubled = (min(2 * size[0], self.size[0]), min(2 * size[1], self.size[1]))
            layers += [nn.Upsample(doubled), *self._layer(maps, maps := max(LEAST, maps // 2), doubled)]
            size = doubled
        self.layers = nn.Sequential(*layers, nn.Conv2d(maps, shape[0], 5, padding=2))

    def forward(self, x: Tensor) -> Images:
        """Pictures, from what a layer gives of them; equation (1) for every layer."""
        made = self.layers(self.entry(x))
        return made if made.shape[2:] == self.size else F.interpolate(made, self.size)

    def _entry(self, given: Shape) -> tuple[nn.Module, int, tuple[int, int]]:
        """Maps as they are; of a vector a fully connected layer, and what it gives as maps."""
        if len(given) == 3:
            return nn.Identity(), given[0], (given[1], given[2])
        size = (math.ceil(self.size[0] / 8), math.ceil(self.size[1] / 8))
        maps = 64
        dense = nn.Linear(math.prod(given), maps * size[0] * size[1])
        return nn.Sequential(nn.Flatten(), dense, nn.LeakyReLU(SLOPE), nn.Unflatten(1, (maps, *size))), maps, size

    @staticmethod
    def _layer(inputs: int, outputs: int, size: tuple[int, int]) -> tuple[nn.Module, nn.Module]:
        # oneDNN's bfloat16 gradient of filters that reach beyond all padding is whatever stood in the memory.
        height, width = (min(5, 2 * side - 1) for side in size)
        convolution = nn.Conv2d(inputs, outputs, (height, width), padding=(height // 2, width // 2))
        nn.init.kaiming_normal_(convolution.weight, SLOPE)
        return convolution, nn.LeakyReLU(SLOPE)
