"""Stacks of fully connected layers and their mirrors.

A layer multiplies by weights W and applies its activation f (1). Its mirror, on the way back, multiplies by weights V
of its own, or tied, by the transpose of W (2). The last layer of a stack, a code or an example, leaves f out:

    y  = f(W x + b)                (1)
    x' = f(V y' + c),   V = Wᵀ     (2)

References:
    He, Zhang, Ren, Sun (2015). Delving deep into rectifiers. arXiv:1502.01852 (initial weights).
    Ioffe, Szegedy (2015). Batch normalization. arXiv:1502.03167.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.nn.convolution import ACTIVATIONS, Activation, spread_
from untaught.shapes import Examples, Features, Shape, Vectors

Units = Float[Tensor, "batch unit"]


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that uses its running averages for a batch of one example, which has no variance."""

    def forward(self, input: Vectors) -> Vectors:
        """Normalise each unit over the batch."""
        if len(input) > 1:
            return super().forward(input)
        return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class Layer(nn.Module):
    """One fully connected layer: equation (1), or with `tied` (2)."""

    def __init__(
        self, inputs: int, outputs: int, activation: Activation, normalise: bool = False, tied: Layer | None = None
    ) -> None:
        super().__init__()
        self.activate = ACTIVATIONS[activation]
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.norm: nn.Module = BatchNorm(outputs) if normalise else nn.Identity()
        self._tied = [tied]  # in a list, so that the encoder's weights are not among the decoder's too
        if tied is None:
            self.weight = nn.Parameter(torch.empty(outputs, inputs))
            spread_(self.weight, inputs, activation)

    def forward(self, x: Vectors) -> Units:
        """Values of the layer's units."""
        tied = self._tied[0]
        weight = self.weight if tied is None else tied.weight.T
        return self.activate(self.norm(F.linear(x, weight, self.bias)))


class Encoder(nn.Module):
    """A stack of fully connected layers from an example to a code, which is linear by default.

    Example:
        >>> Encoder((64, 20, 5))(torch.zeros(3, 1, 8, 8)).shape
        torch.Size([3, 5])
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: Activation = "relu",
        normalise: bool = False,
        code: Activation = "linear",
    ) -> None:
        """Build the stack.

        Args:
            widths: Numbers in an example, units of each hidden layer, numbers in a code.
            activation: Activation of every hidden layer.
            normalise: Whether batch normalisation comes before each hidden layer's activation.
            code: Activation of the code layer.
        """
        super().__init__()
        self.chain = _chain(widths, activation, normalise, (), code)
        self.layers = nn.ModuleList(self.chain)

    def forward(self, x: Tensor) -> Features:
        """Codes of examples of any shape."""
        x = x.flatten(1)
        for layer in self.layers:
            x = layer(x)
        return x


class Decoder(nn.Module):
    """The mirror of a stack of fully connected layers; its last layer is linear.

    Example:
        >>> encoder = Encoder((64, 20, 5))
        >>> decoder = Decoder((64, 20, 5), tied=encoder)
        >>> decoder(torch.zeros(3, 5)).shape, len(list(decoder.parameters()))
        (torch.Size([3, 64]), 2)
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: Activation = "relu",
        normalise: bool = False,
        tied: Encoder | None = None,
        shape: Shape | None = None,
    ) -> None:
        """Build the mirror.

        Args:
            widths: The encoder's widths, in the encoder's order.
            activation: Activation of every hidden layer.
            normalise: Whether batch normalisation comes before each activation.
            tied: An encoder of the same widths, whose weights are used; only biases are then the decoder's own.
            shape: Shape of an example; a vector by default.
        """
        super().__init__()
        self.shape = shape or (widths[0],)
        self.chain = _chain(widths[::-1], activation, normalise, () if tied is None else tied.chain[::-1])
        self.layers = nn.ModuleList(self.chain)

    def forward(self, features: Features) -> Examples:
        """Examples that the codes describe."""
        for layer in self.layers:
            features = layer(features)
        return features.unflatten(1, self.shape)


def _chain(
    widths: Sequence[int], activation: Activation, normalise: bool, tied: Sequence[Layer], last: Activation = "linear"
) -> tuple[Layer, ...]:
    """Layers between neighbouring widths, the last one of its own kind; `tied` are those whose weights they use."""
    pairs = list(pairwise(widths))
    chain: list[Layer] = []
    for number, (inputs, outputs) in enumerate(pairs):
        hidden = number < len(pairs) - 1
        kind: Activation = activation if hidden else last
        chain.append(Layer(inputs, outputs, kind, normalise and hidden, tied[number] if tied else None))
    return tuple(chain)
