"""The autoencoder: short codes from which examples can be made again.

    z = E(x)                                                                    (1)
    y = g(D(z) + a)                                                             (2)
    squared error = sum_i (y_i - x_i)^2                                         (3)
    cross-entropy = -sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))               (4)

x is an example, z its code, y the reconstruction. E is a stack of fully connected layers or convolutions that ends in a
linear layer, D its mirror. The output units g are linear, or logistic and span the range of the data; a is what makes y
the mean of the data where D(z) is 0, and is set once, before training. The loss is the mean over examples of (3), or of
(4) in nats, where pixels in [0, 1] are taken as probabilities of ones.

References:
    Rumelhart, Hinton, Williams (1986). Learning internal representations by error propagation.
    Baldi, Hornik (1989). Neural networks and principal component analysis (what linear layers learn).
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks.
    Masci, Meier, Ciresan, Schmidhuber (2011). Stacked convolutional auto-encoders.

Departures:
    All layers learn together from random weights that keep the variance, with ReLU units and Adam. In 2006 stacked
    restricted Boltzmann machines gave logistic units their first weights, and conjugate gradients trained them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.config import Count, configuration
from untaught.errors import ConfigError, DataError
from untaught.model import (
    Activations,
    Batch,
    Decodes,
    Encodes,
    Filters,
    Learner,
    Loss,
    Optimiser,
    Recipe,
    Reconstructs,
    Smoke,
)
from untaught.nn.coders import Coders, first_weights, outputs
from untaught.nn.named import chosen
from untaught.nn.noise import wide
from untaught.shapes import Examples, Features, Images, Scalar, Shape

CLEAR = 0.01
"""How far from certainty the output units begin: nearer, a logistic unit hardly learns."""


class Autoencoder(Learner, Encodes, Decodes, Reconstructs, Activations, Filters):
    """An encoder, a code, a decoder.

    Example:
        >>> model = Autoencoder(Autoencoder.Config(hidden=(20,), latent=5), (1, 8, 8))
        >>> x = torch.zeros(3, 1, 8, 8)
        >>> model.encode(x).shape, model.reconstruct(x).shape
        (torch.Size([3, 5]), torch.Size([3, 1, 8, 8]))
    """

    @configuration
    class Config:
        """The networks and the error."""

        latent: Count = 30
        """Numbers in a code."""
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
        """Side of the windows of which a convolution keeps the highest value; 1 keeps all."""
        activation: Literal["relu", "sigmoid", "tanh", "linear"] = "relu"
        """Hidden units."""
        normalise: bool = False
        """Batch normalisation before each hidden layer's activation."""
        tied: bool = False
        """The decoder uses the encoder's weights, transposed."""
        output: Literal["linear", "sigmoid", "bernoulli"] = "sigmoid"
        """Output units: linear or logistic under squared error (3), or logistic under cross-entropy (4). Logistic units
        give values from 0 to 1, or under squared error as far as the training data go beyond."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    monitor = "total"
    smoke = Smoke(config=Config(hidden=(5, 4), latent=2), shape=(1, 4, 4))
    config: Config

    def __init__(
        self, config: Config, shape: Shape, encoder: nn.Module | None = None, decoder: nn.Module | None = None
    ) -> None:
        """Build the networks, or take the caller's own.

        Args:
            config: What is built.
            shape: One example's shape.
            encoder: From a batch of examples to `latent` numbers each, instead of the one that `config` describes.
            decoder: From `latent` numbers each to a batch of examples, before output units.

        Raises:
            ConfigError: A network of the caller's own does not fit, or weights cannot be tied to it.
            SizeError: The examples are too small for the convolutions.
        """
        super().__init__()
        self.config, self.shape = config, shape
        if config.tied and (encoder is not None or decoder is not None):
            raise ConfigError("weights can be tied only where both networks are built here; leave tied out")
        if encoder is None or decoder is None:
            ours = self._coders().build()
            encoder = ours[0] if encoder is None else encoder
            decoder = ours[1] if decoder is None else decoder
        self.encoder, self.decoder = encoder, decoder
        self.offset = nn.Buffer(torch.zeros(shape))
        self.low, self.high = nn.Buffer(torch.zeros(())), nn.Buffer(torch.ones(()))
        self._check_shapes()

    def encode(self, x: Examples) -> Features:
        """Give the code, equation (1)."""
        return self.encoder(x).flatten(1)

    def decode(self, features: Features) -> Examples:
        """Make the example that a code describes, equation (2)."""
        return self._units(self._inputs(features))

    def reconstruct(self, x: Examples) -> Examples:
        """Give each example back through its code, equations (1) and (2)."""
        return self.decode(self.encode(x))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared error (3) or cross-entropy (4), mean over examples."""
        inputs = self._inputs(self.encode(batch.x))
        error = (self._units(inputs) - batch.x).square().sum() / len(batch.x)
        parts = {"squared_error_per_image": error.detach()}
        if self.config.output != "bernoulli":
            return Loss(error, parts)
        nats = F.binary_cross_entropy_with_logits(inputs, batch.x, reduction="sum") / len(batch.x)
        return Loss(nats, {"reconstruction_nats": nats.detach(), **parts})

    def prepare(self, sample: Batch) -> None:
        """Find the range of the output units, and what they need to give the mean of the data.

        Raises:
            DataError: Values outside [0, 1] under cross-entropy: they are no probabilities.
        """
        low, high = sample.x.aminmax()
        if self.config.output == "bernoulli" and (float(low) < 0 or float(high) > 1):
            raise DataError(
                f"values run from {float(low):.3g} to {float(high):.3g}, but cross-entropy needs 0 to 1;\n"
                "rescale the data, or take squared error: output=sigmoid"
            )
        self.low.copy_(low.clamp_max(0))
        self.high.copy_(high.clamp_min(1))
        mean = sample.x.mean(0)
        if self.config.output != "linear":
            mean = torch.logit((mean - self.low) / (self.high - self.low), eps=CLEAR)
        self.offset.copy_(mean)

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Every layer: `encoder.1`, ..., `code`, `decoder.1`, ...; the reconstruction is none of them.

        Raises:
            ConfigError: There is no layer of one of the names.
        """
        below, code = outputs(self.encoder, x), self.encode(x)
        above = outputs(self.decoder, code)
        found = {f"encoder.{number}": value for number, value in enumerate(below[:-1], 1)} | {"code": code}
        found |= {f"decoder.{number}": value for number, value in enumerate(above[:-1], 1)}
        return chosen(found, names)

    def filters(self) -> Images:
        """Weights of the first layer."""
        return first_weights(self.encoder, self.shape)

    def _inputs(self, features: Features) -> Examples:
        """Inputs of the output units, in full precision."""
        return wide(self.decoder(features)).reshape(-1, *self.shape) + self.offset

    def _units(self, inputs: Examples) -> Examples:
        if self.config.output == "linear":
            return inputs
        return self.low + (self.high - self.low) * torch.sigmoid(inputs)

    def _coders(self) -> Coders:
        c = self.config
        return Coders(
            self.shape, c.latent, c.network, c.hidden, c.kernel, c.stride, c.pool, c.activation, c.normalise, c.tied
        )

    def _check_shapes(self) -> None:
        """Try the networks on an empty picture, for they may be the caller's own."""
        modes = self.encoder.training, self.decoder.training
        self.eval()
        with torch.no_grad():
            code = self.encode(torch.zeros(1, *self.shape))
            if code.shape[1] != self.config.latent:
                raise ConfigError(f"the encoder gives {code.shape[1]} numbers, but latent is {self.config.latent}")
            made = self.decoder(code)
        if made.numel() != code.new_empty(self.shape).numel():
            raise ConfigError(f"the decoder gives {tuple(made.shape[1:])} for examples of {self.shape}")
        self.encoder.train(modes[0])
        self.decoder.train(modes[1])
        self.train()
