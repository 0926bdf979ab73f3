"""The two networks of a game, dense or convolutional, chosen by name.

Convolutional ones are those of the DCGAN: no pooling, strides instead; batch normalisation in both but for the first
layer of the discriminator, whose units are leaky. Pictures may have any size and any channels.

References:
    Radford, Metz, Chintala (2016). Unsupervised representation learning with deep convolutional generative adversarial
    networks. ICLR.
    Goodfellow, Warde-Farley, Mirza, Courville, Bengio (2013). Maxout networks.
    Salimans, Kingma (2016). Weight normalization.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from untaught.config import Count, Fraction, NonNegative, Whole, configuration
from untaught.errors import ConfigError
from untaught.nn.coders import Coders
from untaught.nn.sizes import Layer
from untaught.shapes import Shape

DENSE = (512, 256)
"""Units of each hidden layer of both networks."""
SMALLEST = 16
"""Shorter side of the smallest pictures for which `auto` takes convolutions."""
Norm: TypeAlias = Literal["auto", "none", "batch", "virtual"]
JudgingNorm: TypeAlias = Literal["auto", "none", "batch", "virtual", "weight"]
Units: TypeAlias = Literal["leaky", "relu", "maxout"]


@configuration
class Adversaries:
    """A generator and a discriminator."""

    latent: Count = 64
    """Numbers that the generator sees."""
    prior: Literal["normal", "uniform"] = "normal"
    """How these are drawn: normal, or uniform from -1 to 1."""
    network: Literal["auto", "dense", "convolution"] = "auto"
    """Kind of the layers; auto takes convolutions for pictures of at least 16 x 16."""
    generator: tuple[Count, ...] | None = None
    """Units (dense) or maps (convolution) of each hidden layer of the generator, the one next to the example first;
    none takes 512, 256 units, or 32, 64 and so on up to 256 maps in as many layers as leave 4 x 4."""
    discriminator: tuple[Count, ...] | None = None
    """The same of the discriminator."""
    kernel: Count = 4
    """Side of a convolution's filters in pixels."""
    stride: Count = 2
    """Step of a convolution's filters in pixels."""
    output: Literal["sigmoid", "linear"] = "sigmoid"
    """Output units of the generator: within the range of the data, or any numbers."""
    start: Literal["random", "mean"] = "random"
    """Where outputs of a dense generator begin: anywhere, or at each value's mean over the data, so that pixels that
    are always dark stay so."""
    generator_norm: Norm = "auto"
    """Normalisation of the generator's hidden layers: by the batch, by a fixed batch (virtual) or none; auto takes the
    batch for convolutions."""
    discriminator_norm: JudgingNorm = "auto"
    """That of the discriminator's but the first: by the batch, by a fixed batch or none; or of the weights of all its
    layers, whose lengths the first examples settle (weight); auto takes the batch for convolutions."""
    discriminator_units: Units = "leaky"
    """Hidden units of the discriminator; maxout takes the largest of five linear ones, in dense layers."""
    dropout: tuple[Fraction, ...] = (0.0,)
    """Fraction of a layer's inputs that the discriminator does not see while it learns: one for each hidden layer and
    one for the output, or one for all."""
    noise: tuple[NonNegative, ...] = (0.0,)
    """Deviation of normal noise that is added to these inputs, likewise."""
    minibatch: Whole = 0
    """Features by which the discriminator compares each example with the others of its batch."""
    reference: Count = 64
    """Examples in the fixed batch of virtual normalisation."""

    def convolutional(self, shape: Shape) -> bool:
        """Whether the layers are convolutions.

        Raises:
            ConfigError: They are asked for where examples are vectors.
        """
        if self.network == "convolution" and len(shape) != 3:
            raise ConfigError(f"convolutions need pictures; examples are vectors of {shape[0]}: take dense layers")
        return self.network == "convolution" or (
            self.network == "auto" and len(shape) == 3 and min(shape[1:]) >= SMALLEST
        )

    def norms(self, shape: Shape) -> tuple[Norm, JudgingNorm]:
        """Normalisation of the generator and of the discriminator."""
        auto = "batch" if self.convolutional(shape) else "none"
        of_generator, of_discriminator = self.generator_norm, self.discriminator_norm
        return (
            auto if of_generator == "auto" else of_generator,
            auto if of_discriminator == "auto" else of_discriminator,
        )

    def stack(self, shape: Shape, hidden: tuple[int, ...] | None) -> tuple[Layer, ...]:
        """Convolutions with these maps, or with as many layers as leave a picture of at least 4 x 4."""
        return Coders(network="convolution", hidden=hidden, kernel=self.kernel, stride=self.stride).stack(shape)

    def widths(self, shape: Shape, hidden: tuple[int, ...] | None) -> tuple[int, ...]:
        """Numbers in an example, then units of each dense hidden layer."""
        return (math.prod(shape), *(DENSE if hidden is None else hidden))
