"""Networks between examples and continuous latents, dense or convolutional, on a label if there is one.

    mean m(x), log s(x)^2 = E(x, y),   outputs = D(z, y)     (1)

The class y is one-hot, and all 0 where it is not known. Fully connected layers see it beside the values; convolutions
as further channels, each 1 throughout where its class is meant. D sees it beside the latents.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.config import Count, configuration
from untaught.errors import ConfigError
from untaught.nn.coders import Coders
from untaught.nn.convolution import Activation
from untaught.nn.noise import wide
from untaught.shapes import Examples, Features, Labels, Shape

Moments = tuple[Features, Features]
"""Mean and log-variance of each latent."""


@configuration
class Networks:
    """An encoder that gives a mean and a variance of each latent, and a decoder; `build` makes them.

    Example:
        >>> below, above = Networks(latent=3, hidden=(8,)).build((1, 4, 4), numbers=2)
        >>> mean, log_variance = below(torch.zeros(5, 1, 4, 4))
        >>> mean.shape, above(mean).shape
        (torch.Size([5, 3]), torch.Size([5, 32]))
    """

    latent: Count = 20
    """Latent variables."""
    network: Literal["auto", "dense", "convolution"] = "auto"
    """Kind of the layers; auto takes convolutions for pictures of more than 4,096 numbers."""
    hidden: tuple[Count, ...] | None = None
    """Units (dense) or maps (convolution) of each layer below the latents; none takes 1000, 500, 250 units, or 32, 64
    and so on up to 256 maps in as many layers as leave a picture of at least 4 x 4."""
    kernel: Count = 4
    """Side of a convolution's filters in pixels."""
    stride: Count = 2
    """Step of a convolution's filters in pixels."""
    activation: Activation = "relu"
    """Hidden units."""
    normalise: bool = False
    """Batch normalisation before each hidden layer's activation."""

    def build(self, shape: Shape, numbers: int = 1, classes: int = 0) -> tuple[StochasticEncoder, LatentDecoder]:
        """Make both networks.

        Args:
            shape: One example's shape.
            numbers: Outputs of the decoder for each value of an example.
            classes: Classes of the label that both see; 0: none.

        Raises:
            ConfigError: Convolutions are asked for where examples are vectors.
            SizeError: Pictures are too small for the convolutions; the message names the nearest size that works.
        """
        coders = Coders(
            network="convolution" if self._coders.convolutional(shape) else "dense",
            hidden=self.hidden,
            kernel=self.kernel,
            stride=self.stride,
            activation=self.activation,
            normalise=self.normalise,
        )
        planes = len(shape) == 3 and coders.network == "convolution"
        seen = (shape[0] + classes, *shape[1:]) if planes else (torch.Size(shape).numel() + classes,)
        below, _ = replace(coders, latent=2 * self.latent).build(seen)
        _, above = replace(coders, latent=self.latent + classes).build((numbers * shape[0], *shape[1:]))
        return StochasticEncoder(below, classes, planes), LatentDecoder(above, classes)

    @property
    def _coders(self) -> Coders:
        return Coders(network=self.network)


class StochasticEncoder(nn.Module):
    """Mean and log-variance of each latent given an example, equation (1)."""

    def __init__(self, network: nn.Module, classes: int, planes: bool) -> None:
        super().__init__()
        self.network, self.classes, self.planes = network, classes, planes

    def seen(self, x: Examples, label: Labels | None = None) -> Tensor:
        """An example with its class beside it."""
        x = x if self.planes else x.flatten(1)
        if not self.classes:
            return x
        known = one_hot(label, self.classes, x)
        return torch.cat([x, known[:, :, None, None].expand(-1, -1, *x.shape[2:]) if self.planes else known], 1)

    def forward(self, x: Examples, label: Labels | None = None) -> Moments:
        """Mean and log-variance, in full precision."""
        mean, log_variance = wide(self.network(self.seen(x, label))).chunk(2, 1)
        return mean, log_variance


class LatentDecoder(nn.Module):
    """Outputs given latents, equation (1)."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        super().__init__()
        self.network, self.classes = network, classes

    def seen(self, latent: Features, label: Labels | None = None) -> Float[Tensor, "batch input"]:
        """Latents with the class beside them."""
        return torch.cat([latent, one_hot(label, self.classes, latent)], 1) if self.classes else latent

    def forward(self, latent: Features, label: Labels | None = None) -> Float[Tensor, "batch number"]:
        """Outputs, in full precision."""
        return self.of_codes(self.seen(latent, label))

    def of_codes(self, seen: Float[Tensor, "batch input"]) -> Float[Tensor, "batch number"]:
        """The same, given what `seen` gives."""
        return wide(self.network(seen)).flatten(1)


def with_classes(latent: Features, classes: int, label: int | None = None) -> Float[Tensor, "batch code"]:
    """Latents, each with a class, one-hot, beside it: the class that is given, else classes drawn evenly.

    Example:
        >>> with_classes(torch.zeros(2, 1), 3, 1).tolist()
        [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0]]

    Raises:
        ConfigError: There is no such class.
    """
    if label is not None and not 0 <= label < classes:
        raise ConfigError(f"there is no class {label}; classes are 0 to {classes - 1}")
    drawn = torch.randint(classes, (len(latent),), device=latent.device)
    label_of_each = drawn if label is None else torch.full_like(drawn, label)
    return torch.cat([latent, one_hot(label_of_each, classes, latent)], 1)


def one_hot(label: Labels | None, classes: int, like: Tensor) -> Features:
    """A row for each example, all 0 where the class is not known.

    Example:
        >>> one_hot(torch.tensor([1, -1]), 2, torch.zeros(2)).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    if label is None:
        return like.new_zeros(like.shape[0], classes)
    return (F.one_hot(label.clamp_min(0), classes) * (label >= 0)[:, None]).to(like.dtype)
