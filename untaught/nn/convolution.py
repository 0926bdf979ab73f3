"""Stacks of convolutions and their mirrored decoders, for any frame size and channel count.

A layer of the encoder convolves, applies its activation f and keeps the maximum of each window of p x p values (1).
Its mirror in the decoder repeats each value p x p times and applies the adjoint of a convolution of the same kind (2),
with weights of its own or the encoder's (tied):

    y  = pool_p(f(W * x + b))                                                       (1)
    x' = f(W' *^T up_p(y') + b')            the bottom layer leaves f out           (2)

Convolution and pooling round sizes down (`untaught.nn.sizes`). The decoder is given the size of its output: at each
layer it repeats the last row of its input, or crops rows, so that (2) has exactly the input size of the encoder's
layer.

Maps of the encoder have their channels last in memory, where convolutions, pooling and their adjoints are fastest,
above all in bf16 on processors; values and shapes are the same.

References:
    Zeiler, Krishnan, Taylor, Fergus (2010). Deconvolutional networks (the adjoint as a layer).
    He, Zhang, Ren, Sun (2015). Delving deep into rectifiers. arXiv:1502.01852 (initial weights that preserve the
    variance).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn.sizes import Layer, Size, frame_size, sizes
from untaught.shapes import Images

Activation = Literal["relu", "sigmoid", "tanh", "linear"]

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "linear": lambda x: x,
}


def channels_last(maps: Tensor) -> Tensor:
    """Maps `(batch, map, height, width)` with their channels last in memory.

    Example:
        >>> channels_last(torch.zeros(1, 3, 4, 5)).stride()
        (60, 1, 15, 3)
    """
    return maps.contiguous(memory_format=torch.channels_last)


class Convolution(nn.Conv2d):
    """Torch's convolution, its maps with their channels last in memory; parameters keep their names.

    Example:
        >>> Convolution(1, 3, 1)(torch.zeros(1, 1, 4, 5)).stride()
        (60, 1, 15, 3)
    """

    def forward(self, input: Tensor) -> Tensor:
        """Maps of the input `(batch, channel, height, width)`."""
        return channels_last(super().forward(input))


def spread_(weight: Tensor, fan_in: float, activation: Activation) -> None:
    """Draw initial weights that preserve the variance: 2 / fan_in before a ReLU, which halves it, else 1 / fan_in."""
    gain = 2.0 if activation == "relu" else 1.0
    bound = math.sqrt(3 * gain / fan_in)
    nn.init.uniform_(weight, -bound, bound)


class Down(nn.Module):
    """One layer of the encoder, equation (1)."""

    def __init__(self, channels: int, layer: Layer, activation: Activation, normalise: bool) -> None:
        super().__init__()
        self.layer, self.activate = layer, ACTIVATIONS[activation]
        self.convolution = nn.Conv2d(channels, layer.filters, layer.kernel, layer.stride, layer.edge)
        self.norm: nn.Module = nn.BatchNorm2d(layer.filters) if normalise else nn.Identity()
        spread_(self.convolution.weight, channels * layer.kernel**2, activation)
        nn.init.zeros_(self.convolution.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """Maps `(batch, filters, height, width)`."""
        y = self.activate(self.norm(self.convolution(evened(x, self.layer))))
        return F.max_pool2d(y, self.layer.pool) if self.layer.pool > 1 else y


class Encoder(nn.Module):
    """A stack of convolutions, equation (1).

    Example:
        >>> from untaught.nn.sizes import layers
        >>> encoder = Encoder(3, layers((8, 16), strides=(2,)))
        >>> encoder(torch.zeros(5, 3, 27, 35)).shape
        torch.Size([5, 16, 7, 9])
    """

    def __init__(
        self, channels: int, stack: Sequence[Layer], activation: Activation = "relu", normalise: bool = False
    ) -> None:
        """Build the stack.

        Args:
            channels: Channels of the frames.
            stack: The layers, from the frame upwards.
            activation: Activation of every layer.
            normalise: Whether batch normalisation comes before each activation.
        """
        super().__init__()
        self.stack = tuple(stack)
        inputs = (channels, *(layer.filters for layer in stack))
        rows = zip(inputs, stack, strict=False)
        self.downs = tuple(Down(count, layer, activation, normalise) for count, layer in rows)
        self.layers = nn.ModuleList(self.downs)

    def forward(self, x: Images) -> Tensor:
        """Maps of the last layer, `(batch, filters, height, width)`."""
        return self.maps(x)[-1]

    def maps(self, x: Images) -> list[Tensor]:
        """Maps of every layer.

        Raises:
            SizeError: The frame is too small; the message names the nearest size that works.
        """
        sizes(self.stack, frame_size(x))
        found = [x]
        for layer in self.layers:
            found.append(channels_last(layer(found[-1])))
        return found[1:]


class Up(nn.Module):
    """One layer of the decoder, equation (2)."""

    def __init__(
        self, inputs: int, outputs: int, layer: Layer, activation: Activation, normalise: bool, tied: Down | None
    ) -> None:
        super().__init__()
        self.layer, self.activate = layer, ACTIVATIONS[activation]
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.norm: nn.Module = nn.BatchNorm2d(outputs) if normalise else nn.Identity()
        self._tied = [tied]  # in a list, so that the encoder's weights are not among the decoder's too
        if tied is None:
            self.weight = nn.Parameter(torch.empty(inputs, outputs, layer.kernel, layer.kernel))
            spread_(self.weight, inputs * (layer.kernel / layer.stride) ** 2, activation)

    def forward(self, x: Tensor, size: Size) -> Tensor:
        """Maps of the given height and width."""
        layer, tied = self.layer, self._tied[0]
        weight = self.weight if tied is None else tied.convolution.weight
        before = layer.convolved(size)
        if layer.pool > 1:
            x = F.interpolate(x, scale_factor=layer.pool, mode="nearest")
        x = _fitted(x, before)
        # Up to `stride` input sizes have this output size: the padding picks the wanted one.
        smallest = [(side - 1) * layer.stride - 2 * layer.edge + layer.kernel for side in before]
        extra = [max(wanted - side, 0) for wanted, side in zip(size, smallest, strict=True)]
        y = F.conv_transpose2d(x, weight, self.bias, layer.stride, layer.edge, extra)
        return self.activate(self.norm(y[..., : size[0], : size[1]]))


class Decoder(nn.Module):
    """The mirror of a stack of convolutions, equation (2).

    Example:
        >>> from untaught.nn.sizes import layers
        >>> stack = layers((8, 16), strides=(2,))
        >>> Decoder(3, stack)(torch.zeros(5, 16, 7, 9), (27, 35)).shape
        torch.Size([5, 3, 27, 35])
    """

    def __init__(
        self,
        channels: int,
        stack: Sequence[Layer],
        activation: Activation = "relu",
        normalise: bool = False,
        kernels: Sequence[int] = (),
        top: int | None = None,
        tied: Encoder | None = None,
        skips: bool = False,
    ) -> None:
        """Build the mirror.

        Args:
            channels: Channels of the frames.
            stack: The encoder's layers, from the frame upwards.
            activation: Activation of every layer but the bottom one, which is linear.
            normalise: Whether batch normalisation stands before each activation.
            kernels: Side of the filters at each layer, in the encoder's order; empty takes the encoder's.
            top: Maps that come in; none takes the filters of the encoder's last layer.
            tied: An encoder of the same layers, whose weights are used; only biases are then the decoder's own.
            skips: Whether each layer but the top one also takes the encoder's maps of the same size.

        Raises:
            ConfigError: `kernels` has neither one entry nor one for each layer, or tied weights cannot fit.
        """
        super().__init__()
        if tied is not None and (kernels or skips or top not in (None, stack[-1].filters)):
            raise ConfigError("tied weights leave no choice of the decoder's kernels or of its incoming maps")
        self.stack, self.skips = tuple(stack), skips
        filters = [layer.filters for layer in stack]
        below = [count * (1 + skips) for count in filters[:-1]]
        inputs, outputs = (*below, top or filters[-1]), (channels, *filters[:-1])
        downs = (None,) * len(filters) if tied is None else tied.downs
        self.layers = nn.ModuleList()
        for number, layer in enumerate(_with_kernels(self.stack, kernels)):
            kind, norm = (activation, normalise) if number else ("linear", False)
            self.layers.append(Up(inputs[number], outputs[number], layer, kind, norm, downs[number]))

    def forward(self, features: Tensor, size: Size, below: Sequence[Tensor] = ()) -> Images:
        """Frames of the given height and width.

        Args:
            features: Maps `(batch, top, height, width)`.
            size: Height and width of the frames.
            below: With `skips`, maps of every layer of the encoder but the last; without them zeros are taken.
        """
        reached = sizes(self.stack, size)
        for number in reversed(range(len(self.stack))):
            if self.skips and number + 1 < len(self.stack):
                # Not `zeros_like`: an export would hold zeros for as many examples as it was shown.
                beside = below[number] if below else features.detach().clamp(0, 0)
                features = torch.cat([features, beside], 1)
            features = self.layers[number](features, reached[number])
        return features


def _with_kernels(stack: tuple[Layer, ...], kernels: Sequence[int]) -> tuple[Layer, ...]:
    if not kernels:
        return stack
    if len(kernels) not in (1, len(stack)):
        raise ConfigError(f"{len(kernels)} decoder kernels for {len(stack)} layers; give one for each, or one")
    sides = kernels if len(kernels) > 1 else [*kernels] * len(stack)
    return tuple(replace(layer, kernel=side) for layer, side in zip(stack, sides, strict=True))


def evened(x: Tensor, layer: Layer) -> Tensor:
    """Add the one row or column of zeros that an even kernel under `same` needs beyond torch's symmetric padding."""
    if layer.padding != "same" or layer.kernel % 2 == 1:
        return x
    bottom, right = (int((side - 1) % layer.stride == 0) for side in frame_size(x))
    return F.pad(x, (0, right, 0, bottom)) if bottom or right else x


def _fitted(x: Tensor, size: Size) -> Tensor:
    """Crop rows and columns at the lower right, or repeat the last, until the size is reached."""
    x = x[..., : size[0], : size[1]]
    bottom, right = (wanted - own for wanted, own in zip(size, frame_size(x), strict=True))
    return F.pad(x, (0, right, 0, bottom), mode="replicate") if bottom or right else x
