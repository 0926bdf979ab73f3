"""An encoder from examples to codes and its mirrored decoder, dense or convolutional, chosen by name.

    code = E(x),   x' = D(code)     (1)

E ends in a linear layer, unless the code is given an activation. D ends in a linear layer, and a model puts its own
output units on top. Both can begin at principal components (`untaught.nn.corrected`): then they are networks beside
linear maps.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from untaught.config import Count, configuration
from untaught.errors import ConfigError
from untaught.nn import convolution, dense
from untaught.nn.convolution import Activation
from untaught.nn.corrected import Beside, CorrectedDecoder, CorrectedEncoder, silence
from untaught.nn.sizes import Layer, layers, sizes
from untaught.shapes import Features, Images, Shape

LARGEST_DENSE = 4096
"""Largest example, in numbers, for which `auto` takes fully connected layers: 64 x 64 grey, or 32 x 32 in colour."""
DENSE = (1000, 500, 250)
"""Units of the layers of the 2006 network for MNIST."""


@configuration
class Coders:
    """An encoder and its mirror; `build` makes them.

    Example:
        >>> import torch
        >>> encoder, decoder = Coders(latent=7, network="convolution", hidden=(8, 16)).build((3, 40, 50))
        >>> code = encoder(torch.zeros(2, 3, 40, 50))
        >>> code.shape, decoder(code).shape
        (torch.Size([2, 7]), torch.Size([2, 3, 40, 50]))
    """

    latent: Count = 30
    """Numbers in a code; bits, where codes are binary."""
    network: Literal["auto", "dense", "convolution"] = "auto"
    """Kind of the layers; auto takes convolutions for pictures of more than 4,096 numbers."""
    hidden: tuple[Count, ...] | None = None
    """Units (dense) or maps (convolution) of each layer below the code; none takes 1000, 500, 250 units, or 32, 64
    and so on up to 256 maps in as many layers as leave a picture of at least 4 x 4."""
    kernel: Count = 4
    """Side of a convolution's filters in pixels."""
    stride: Count = 2
    """Step of a convolution's filters in pixels."""
    pool: Count = 1
    """Side of the max-pooling windows after each convolution; 1 pools nothing."""
    activation: Activation = "relu"
    """Hidden units."""
    normalise: bool = False
    """Batch normalisation before each hidden layer's activation."""
    tied: bool = False
    """The decoder uses the encoder's weights, transposed."""
    start: Literal["random", "pca"] = "random"
    """Where learning begins: at random weights; or at principal components, linear maps with the layers beside them,
    whose correction is 0 at first. Needs linear output units."""

    @property
    def units(self) -> tuple[int, ...]:
        """Units of each dense layer below the code."""
        return DENSE if self.hidden is None else self.hidden

    def convolutional(self, shape: Shape) -> bool:
        """Whether the layers are convolutions."""
        return self.network == "convolution" or (
            self.network == "auto" and len(shape) == 3 and math.prod(shape) > LARGEST_DENSE
        )

    def build(self, shape: Shape, code: Activation = "linear") -> tuple[nn.Module, nn.Module]:
        """Make the encoder, from examples to codes, and the decoder back.

        Args:
            shape: One example's shape.
            code: Activation of the code layer.

        Raises:
            ConfigError: Convolutions are asked for where examples are vectors.
            SizeError: Pictures are too small for the convolutions; the message names the nearest size that works.
        """
        if self.start == "pca":
            return self._corrected(shape, code)
        if self.convolutional(shape):
            encoder = ConvolutionEncoder(self, shape, code)
            return encoder, ConvolutionDecoder(self, shape, encoder)
        widths = (math.prod(shape), *self.units, self.latent)
        below = dense.Encoder(widths, self.activation, self.normalise, code)
        return below, dense.Decoder(widths, self.activation, self.normalise, below if self.tied else None, shape)

    def _corrected(self, shape: Shape, code: Activation) -> tuple[nn.Module, nn.Module]:
        """Linear maps, and the networks beside them."""
        if self.tied or code != "linear":
            raise ConfigError("what begins at principal components has a linear code and no tied weights: start=random")
        below, above = replace(self, start="random").build(shape)
        silence(layers_of(below)[-1])
        silence(layers_of(above)[-1])
        return CorrectedEncoder(below, shape, self.latent), CorrectedDecoder(above, shape, self.latent)

    def stack(self, shape: Shape) -> tuple[Layer, ...]:
        """The convolutions; where widths are not given, as many as leave four pixels, doubling from 32 to 256 maps."""
        if len(shape) != 3:
            raise ConfigError(f"convolutions need pictures; examples are vectors of {shape[0]}: take dense layers")
        hidden = self.doubling(min(shape[1:])) if self.hidden is None else self.hidden
        if not hidden:
            raise ConfigError("a convolutional network needs the maps of at least one layer; hidden is empty")
        return layers(hidden, (self.kernel,), (self.stride,), (self.pool,))

    def doubling(self, side: int) -> list[int]:
        """Maps of as many layers as leave a picture at least four pixels high and wide; at least one layer."""
        maps, shrink = [32], max(self.stride * self.pool, 2)
        while side // shrink ** (len(maps) + 1) >= 4:
            maps.append(min(2 * maps[-1], 256))
        return maps


class ConvolutionEncoder(nn.Module):
    """Convolutions, then a linear layer: the encoder of equation (1) for pictures."""

    def __init__(self, coders: Coders, shape: Shape, code: Activation) -> None:
        super().__init__()
        stack = coders.stack(shape)
        self.top = (stack[-1].filters, *sizes(stack, (shape[1], shape[2]))[-1])
        self.maps = convolution.Encoder(shape[0], stack, coders.activation, coders.normalise)
        self.code = dense.Layer(math.prod(self.top), coders.latent, code)

    def forward(self, x: Images) -> Features:
        """Codes of pictures."""
        return self.code(self.maps(x).flatten(1))


class ConvolutionDecoder(nn.Module):
    """The mirror of `ConvolutionEncoder`."""

    def __init__(self, coders: Coders, shape: Shape, encoder: ConvolutionEncoder) -> None:
        super().__init__()
        activation, normalise = coders.activation, coders.normalise
        self.top, self.size = encoder.top, (shape[1], shape[2])
        code, maps = (encoder.code, encoder.maps) if coders.tied else (None, None)
        self.code = dense.Layer(coders.latent, math.prod(self.top), activation, normalise, code)
        self.maps = convolution.Decoder(shape[0], encoder.maps.stack, activation, normalise, tied=maps)

    def forward(self, features: Features) -> Images:
        """Pictures that the codes describe."""
        return self.maps(self.code(features).unflatten(1, self.top), self.size)


def layers_of(network: nn.Module) -> list[nn.Module]:
    """The layers of an encoder or decoder in the order in which they act; for a caller's own network, its children."""
    match network:
        case CorrectedEncoder() | CorrectedDecoder() | Beside():
            return layers_of(network.network)
        case ConvolutionEncoder():
            return [*network.maps.layers, network.code]
        case ConvolutionDecoder():
            return [network.code, *reversed(network.maps.layers)]
        case dense.Encoder() | dense.Decoder():
            return list(network.layers)
        case _:
            return list(network.children()) or [network]


def outputs(network: nn.Module, x: Tensor) -> list[Tensor]:
    """Output of each of `layers_of(network)` on `x`; layers whose output is not a single tensor are left out."""
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
    """Weights of the first layer that has any, as pictures; for vectors, of one row.

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
        ConfigError: Their outputs do not have the size of a code, or of an example.
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
