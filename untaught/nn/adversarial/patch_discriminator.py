"""A discriminator that judges every part of a picture by itself: convolutions to a map of logits.

    d = W * l(n(W_k * ... l(W_1 * (2 x - 1))))                               (1)

l is a leaky rectifier, n normalises each map of each picture by its own mean and deviation. Layers halve the picture
as long as 4 pixels are left, three times at most; one more does not. At 64 pixels a side and more a logit sees a patch
of 70 x 70, as published; in small pictures it sees all of it.

References:
    Isola, Zhu, Zhou, Efros (2017). Image-to-image translation with conditional adversarial networks. CVPR.
"""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.nn import convolution
from untaught.nn.noise import wide
from untaught.nn.sizes import Layer
from untaught.shapes import Images, Shape

Verdicts = Float[Tensor, "batch row column"]
KERNEL, SLOPE = 4, 0.2
LEFT, MOST, WIDEST = 4, 3, 8
"""Shorter side that halving leaves, how often it is done at most, and how many times the first layer's maps."""


class PatchDiscriminator(nn.Module):
    """Judges pictures, equation (1).

    Example:
        >>> import torch
        >>> PatchDiscriminator((3, 30, 41), maps=4)(torch.rand(2, 3, 30, 41)).shape
        torch.Size([2, 4, 6])
    """

    def __init__(self, shape: Shape, maps: int, centred: bool = True) -> None:
        """Build the network.

        Args:
            shape: One picture's.
            maps: Of the first layer; each further one doubles them.
            centred: Whether values lie between 0 and 1, and are shifted to lie around 0.
        """
        super().__init__()
        self.centred = centred
        self.layers = nn.ModuleList()
        below, halvings = shape[0], _halvings(min(shape[1:]))
        for number in range(halvings + 1):
            layer = Layer(maps * min(1 << number, WIDEST), KERNEL, 2 if number < halvings else 1)
            self.layers.append(_layer(below, layer, normalised=number > 0))
            below = layer.filters
        self.last = convolution.Down(below, Layer(1, KERNEL), "linear", normalise=False)

    def forward(self, x: Images) -> Verdicts:
        """A logit for each place, in full precision."""
        shown: Tensor = 2 * x - 1 if self.centred else x
        for layer in self.layers:
            shown = layer(shown)
        return wide(self.last(shown))[:, 0]


def _halvings(side: int) -> int:
    """How often a side is halved, rounded up, so that enough is left."""
    count = 0
    while count < MOST and -(-side // 2) >= LEFT:
        side, count = -(-side // 2), count + 1
    return count


def _layer(below: int, layer: Layer, normalised: bool) -> convolution.Down:
    down = convolution.Down(below, layer, "relu", normalise=False)
    down.activate = _leaky
    if normalised:
        down.norm = nn.InstanceNorm2d(layer.filters)
        down.convolution.register_parameter("bias", None)  # it would be taken away again with the mean
    return down


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)
