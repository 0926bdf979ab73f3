"""An encoder from examples to codes and its mirrored decoder, dense or convolutional, chosen by name.

    code = E(x),   x' = D(code)     (1)

E ends in a linear layer unless its code is given an activation too, and D in a linear one: a model puts its own output
units on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn import convolution, dense
from untaught.nn.convolution import Activation
from untaught.nn.sizes import Layer, layers, sizes
from untaught.shapes import Features, Images, Shape

Network = Literal["auto", "dense", "convolution"]
LARGEST_DENSE = 4096
"""Numbers in an example up to which `auto` takes fully connected layers: 64 x 64 grey, or 32 x 32 in colour."""
DENSE = (1000, 500, 250)
"""Units of the layers that MNIST's network of 2006 had."""


@dataclass(frozen=True)
class Coders:
    """Describes an encoder and its decoder; `build` makes them.

    Example:
        >>> import torch
        >>> encoder, decoder = Coders((3, 40, 50), latent=7, network="convolution", hidden=(8, 16)).build()
        >>> code = encoder(torch.zeros(2, 3, 40, 50))
        >>> code.shape, decoder(code).shape
        (torch.Size([2, 7]), torch.Size([2, 3, 40, 50]))
    """

    shape: Shape
    """One example's shape."""
    latent: int
    """Numbers in a code."""
    network: Network = "auto"
    """Kind of the layers."""
    hidden: Sequence[int] | None = None
    """Width of each layer below the code: units of dense layers, maps of convolutions; none chooses."""
    kernel: int = 4
    """Side of the filters in pixels."""
    stride: int = 2
    """Step of the filters in pixels."""
    pool: int = 1
    """Side of the pooled windows."""
    activation: Activation = "relu"
    """What every hidden layer applies."""
    normalise: bool = False
    """Whether batch normalisation stands before each activation."""
    tied: bool = False
    """Whether the decoder uses the encoder's weights."""
    code: Activation = "linear"
    """What the layer of the code applies."""

    @property
    def convolutional(self) -> bool:
        """Whether the layers are convolutions."""
        return self.network == "convolution" or (
            self.network == "auto" and len(self.shape) == 3 and math.prod(self.shape) > LARGEST_DENSE
        )

    def build(self) -> tuple[nn.Module, nn.Module]:
        """Make the encoder, from examples to codes, and the decoder back.

        Raises:
            ConfigError: Convolutions are asked for where examples are vectors.
            SizeError: Pictures are too small for the convolutions; names the nearest size that is not.
        """
        if self.convolutional:
            encoder = ConvolutionEncoder(self)
            return encoder, ConvolutionDecoder(self, encoder)
        widths = (math.prod(self.shape), *(DENSE if self.hidden is None else self.hidden), self.latent)
        below = dense.Encoder(widths, self.activation, self.normalise, self.code)
        return below, dense.Decoder(widths, self.activation, self.normalise, below if self.tied else None, self.shape)

    def stack(self) -> tuple[Layer, ...]:
        """The convolutions; where widths are not given, as many as leave four pixels, doubling from 32 to 256 maps."""
        if len(self.shape) != 3:
            raise ConfigError(f"convolutions need pictures; examples are vectors of {self.shape[0]}: take dense layers")
        hidden = self.doubling() if self.hidden is None else self.hidden
        if not hidden:
            raise ConfigError("a convolutional network needs the maps of at least one layer; hidden is empty")
        return layers(hidden, (self.kernel,), (self.stride,), (self.pool,))

    def doubling(self) -> list[int]:
        """Maps of as many layers as leave a picture at least four pixels high and wide; at least one layer."""
        side, maps = min(self.shape[1:]), [32]
        shrink = max(self.stride * self.pool, 2)
        while side // shrink ** (len(maps) + 1) >= 4:
            maps.append(min(2 * maps[-1], 256))
        return maps


class ConvolutionEncoder(nn.Module):
    """Convolutions, then a linear layer: the encoder of equation (1) for pictures."""

    def __init__(self, coders: Coders) -> None:
        super().__init__()
        stack = coders.stack()
        self.top = (stack[-1].filters, *sizes(stack, (coders.shape[1], coders.shape[2]))[-1])
        self.maps = convolution.Encoder(coders.shape[0], stack, coders.activation, coders.normalise)
        self.code = dense.Layer(math.prod(self.top), coders.latent, coders.code)

    def forward(self, x: Images) -> Features:
        """Codes of pictures."""
        return self.code(self.maps(x).flatten(1))


class ConvolutionDecoder(nn.Module):
    """The mirror of `ConvolutionEncoder`."""

    def __init__(self, coders: Coders, encoder: ConvolutionEncoder) -> None:
        super().__init__()
        activation, normalise = coders.activation, coders.normalise
        self.top, self.size = encoder.top, (coders.shape[1], coders.shape[2])
        code, maps = (encoder.code, encoder.maps) if coders.tied else (None, None)
        self.code = dense.Layer(coders.latent, math.prod(self.top), activation, normalise, code)
        self.maps = convolution.Decoder(coders.shape[0], encoder.maps.stack, activation, normalise, tied=maps)

    def forward(self, features: Features) -> Images:
        """Pictures that the codes describe."""
        return self.maps(self.code(features).unflatten(1, self.top), self.size)


def layers_of(network: nn.Module) -> list[nn.Module]:
    """The layers of an encoder or decoder in the order in which they act; of a caller's own network, its children."""
    match network:
        case ConvolutionEncoder():
            return [*network.maps.layers, network.code]
        case ConvolutionDecoder():
            return [network.code, *reversed(network.maps.layers)]
        case dense.Encoder() | dense.Decoder():
            return list(network.layers)
        case _:
            return list(network.children()) or [network]


def outputs(network: nn.Module, x: Tensor) -> list[Tensor]:
    """What each of `layers_of(network)` gives on `x`; layers that give no single tensor are left out."""
    found: dict[int, Tensor] = {}

    def keep(layer: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            found[id(layer)] = output

    order = layers_of(network)
    hooks = [layer.register_forward_hook(keep) for layer in order]
    try:
        network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return [found[id(layer)] for layer in order if id(layer) in found]


def first_weights(network: nn.Module, shape: Shape) -> Images:
    """Weights of the first layer that has any, as pictures; those of a layer on vectors have one row.

    Raises:
        ConfigError: A caller's own network begins with neither a convolution nor a fully connected layer.
    """
    weight = next((value.detach() for value in network.parameters() if value.ndim in (2, 4)), None)
    if weight is None:
        raise ConfigError(
            "the encoder has neither a convolution nor a fully connected layer whose weights could be shown"
        )
    if weight.ndim == 4:
        return weight
    picture = shape if len(shape) == 3 and math.prod(shape) == weight.shape[1] else (1, 1, weight.shape[1])
    return weight.unflatten(1, picture)


def refuse_misfit(encoder: nn.Module, decoder: nn.Module, shape: Shape, latent: int) -> None:
    """Try networks, which may be a caller's own, on an empty picture; they stay as they are.

    Raises:
        ConfigError: They give other numbers than they should.
    """
    training = [module for network in (encoder, decoder) for module in network.modules() if module.training]
    encoder.eval()
    decoder.eval()
    try:
        with torch.no_grad():
            code = encoder(torch.zeros(1, *shape)).flatten(1)
            if code.shape[1] != latent:
                raise ConfigError(f"the encoder gives {code.shape[1]} numbers, but latent is {latent}")
            made = decoder(code)
            if made.numel() != math.prod(shape):
                raise ConfigError(f"the decoder gives {tuple(made.shape[1:])} for examples of {shape}")
    finally:
        for module in training:
            module.training = True
