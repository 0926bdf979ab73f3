"""Layers of our own stacks as torch's, with the same weights: what a chain of layers is made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from untaught.nn import convolution, dense
from untaught.nn.coders import ConvolutionEncoder
from untaught.nn.convolution import ACTIVATIONS


class Evened(nn.Module):
    """The row and column of zeros that an even kernel needs before it."""

    def __init__(self, layer: convolution.Down) -> None:
        super().__init__()
        self.layer = layer.layer

    def forward(self, x: Tensor) -> Tensor:
        """Maps with what is missing at the lower right."""
        return convolution.evened(x, self.layer)


def plain(layer: nn.Module) -> list[nn.Module]:
    """A layer of `untaught.nn.dense` or `untaught.nn.convolution` in torch's own; any other as it is.

    Example:
        >>> plain(dense.Layer(4, 3, "relu"))
        [Linear(in_features=4, out_features=3, bias=True), ReLU()]
    """
    match layer:
        case dense.Encoder():
            return [nn.Flatten(), *(step for own in layer.chain for step in plain(own))]
        case ConvolutionEncoder():
            maps = [step for own in layer.maps.downs for step in plain(own)]
            return [*maps, nn.Flatten(), *plain(layer.code)]
        case dense.Layer():
            linear = nn.Linear(layer.weight.shape[1], layer.weight.shape[0], device="meta")
            linear.weight, linear.bias = layer.weight, layer.bias
            return [linear, *_after(layer.norm, layer.activate)]
        case convolution.Down():
            pooled = [nn.MaxPool2d(layer.layer.pool)] if layer.layer.pool > 1 else []
            return [Evened(layer), layer.convolution, *_after(layer.norm, layer.activate), *pooled]
        case _:
            return [layer]


def _after(norm: nn.Module, activate: object) -> list[nn.Module]:
    """Normalisation, if there is any, and the activation."""
    kinds: dict[object, type[nn.Module]] = {torch.relu: nn.ReLU, torch.sigmoid: nn.Sigmoid, torch.tanh: nn.Tanh}
    found = [] if isinstance(norm, nn.Identity) else [norm]
    return found if activate is ACTIVATIONS["linear"] else [*found, kinds[activate]()]
