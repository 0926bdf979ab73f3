"""The hashing autoencoder: codes of a few bits, by which similar examples are found again at once.

    p = s(E(x) + d n(x))                                                        (1)
    b = round(p),   db / dp = 1                                                 (2)
    y = g(D(b) + a)                                                             (3)
    squared error = sum_i (y_i - x_i)^2                                         (4)
    cross-entropy = -sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))               (5)
    words = -sum_i x_i log y_i                                                  (6)
    code = round(s(E(x))),   0 or 1                                             (7)

x is an example, p its code's units, b its code, y the reconstruction. E is a stack of fully connected layers or
convolutions that ends in a linear layer, D its mirror, s the logistic function. Two things make units binary while they
learn, alone or together. Noise n(x) of deviation d, which belongs to the example and is the same in each pass: to say
anything through it a unit's input must be far from 0. And rounding (2), through which the gradient goes as if it were
not there; without it D sees p. The output units g are linear, or logistic under (4) or (5), or a softmax over words
under (6); a is what makes y the mean of the data where D(b) is 0. The loss is the mean over examples, where pixels in
[0, 1], or word probabilities, are taken as such by (5) and (6), in nats. In use there is no noise, and codes are (7).

References:
    Salakhutdinov, Hinton (2009). Semantic hashing.
    Krizhevsky, Hinton (2011). Using very deep autoencoders for content-based image retrieval.
    Bengio, Leonard, Courville (2013). Estimating or propagating gradients through stochastic neurons (2).

Departures:
    All layers learn together from random weights that keep the variance, with ReLU units and Adam; the authors' first
    weights are those of stacked restricted Boltzmann machines, on logistic units.
    Noise follows from the example's values, not from its number: of an example that is mirrored or drawn anew while
    training, each form has noise of its own.
    With softmax outputs the encoder sees log(1 + n x) for n words in the dictionary, not counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Decodes, Encodes, Filters, Reconstructs
from untaught.config import Count, NonNegative, configuration
from untaught.errors import ConfigError
from untaught.model import Batch, Learner, Loss, Optimiser, Recipe, Smoke
from untaught.nn.coders import Coders, first_weights, outputs, refuse_misfit
from untaught.nn.fixed_noise import fixed_normal
from untaught.nn.named import chosen
from untaught.nn.noise import wide
from untaught.nn.outputs import OutputUnits
from untaught.shapes import Examples, Features, Images, Scalar, Shape

Values = Float[Tensor, "batch value"]


class HashingAutoencoder(Learner, Encodes, Decodes, Reconstructs, Activations, Filters):
    """An encoder, a code of bits, a decoder.

    Example:
        >>> model = HashingAutoencoder(HashingAutoencoder.Config(hidden=(20,), latent=5), (1, 8, 8))
        >>> x = torch.rand(30, 1, 8, 8)
        >>> model.encode(x).shape, model.encode(x).unique().tolist()
        (torch.Size([30, 5]), [0.0, 1.0])
    """

    @configuration
    class Config:
        """The networks, the error, and what makes codes binary."""

        latent: Count = 256
        """Bits in a code."""
        noise: NonNegative = 0.0
        """Deviation d of the noise that is added to the code units' inputs while they learn; 0 adds none. Where it
        takes the place of rounding, 4 is usual."""
        rounding: bool = True
        """The decoder learns from bits, equation (2), not from probabilities."""
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
        output: Literal["linear", "sigmoid", "bernoulli", "softmax"] = "sigmoid"
        """Output units: linear or logistic under squared error (4), logistic under cross-entropy (5), or softmax for
        documents (6). Logistic units give values from 0 to 1, or under squared error as far as the training data go."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    monitor = "total"
    smoke = Smoke(config=Config(hidden=(16,), latent=8, noise=1.0), shape=(1, 4, 4))
    config: Config

    def __init__(
        self, config: Config, shape: Shape, encoder: nn.Module | None = None, decoder: nn.Module | None = None
    ) -> None:
        """Build the networks, or take the caller's own.

        Args:
            config: What is built.
            shape: One example's shape.
            encoder: From a batch of examples to `latent` inputs of code units each, instead of the one described.
            decoder: From `latent` bits each to a batch of examples, before output units.

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
        self.outputs = OutputUnits(config.output)
        refuse_misfit(self.encoder, self.decoder, shape, config.latent)

    def encode(self, x: Examples) -> Features:
        """Give the code, equation (7)."""
        return (self._code_inputs(x) > 0).to(x.dtype)

    def decode(self, features: Features) -> Examples:
        """Make the example that a code describes, equation (3)."""
        return self.outputs(self._inputs(features)).unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Give each example back through its bits."""
        return self.decode(self.encode(x))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared error (4) or cross-entropy (5), (6), mean over examples; of held-out examples, through codes (7)."""
        code = self.noisy_code(batch.x) if self.training else self.encode(batch.x)
        return Loss(*self.outputs.error(self._inputs(code), batch.x.flatten(1)))

    def noisy_code(self, x: Examples) -> Features:
        """What the decoder learns from, equations (1) and (2)."""
        inputs = self._code_inputs(x)
        if self.config.noise:
            inputs = inputs + self.config.noise * fixed_normal(x, self.config.latent).to(inputs.dtype)
        probability = torch.sigmoid(inputs)
        if not self.config.rounding:
            return probability
        return probability + ((inputs > 0).to(inputs.dtype) - probability).detach()

    def prepare(self, sample: Batch) -> None:
        """Find the range of the output units, and what they need to give the mean of the data.

        Raises:
            DataError: Values are no probabilities, under cross-entropy.
        """
        values = sample.x.flatten(1)
        self.outputs.look(values)
        self.offset.copy_(self.outputs.inputs_for(values.mean(0)).view(self.shape))

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Every layer: `encoder.1`, ..., `probability`, `code`, `decoder.1`, ...; the reconstruction is none of them.

        Raises:
            ConfigError: There is no layer of one of the names.
        """
        inputs = self._code_inputs(x)
        code = (inputs > 0).to(x.dtype)
        below, above = outputs(self.encoder, self._seen(x)), outputs(self.decoder, code)
        found = {f"encoder.{number}": value for number, value in enumerate(below[:-1], 1)}
        found |= {"probability": torch.sigmoid(inputs), "code": code}
        found |= {f"decoder.{number}": value for number, value in enumerate(above[:-1], 1)}
        return chosen(found, names)

    def filters(self) -> Images:
        """Weights of the first layer."""
        return first_weights(self.encoder, self.shape)

    def _seen(self, x: Examples) -> Examples:
        """What the encoder sees."""
        return torch.log1p(x * x[0].numel()) if self.config.output == "softmax" else x

    def _code_inputs(self, x: Examples) -> Features:
        """Inputs of the code units without noise, in full precision."""
        return wide(self.encoder(self._seen(x))).flatten(1)

    def _inputs(self, features: Features) -> Values:
        """Inputs of the output units, in full precision."""
        return wide(self.decoder(features)).flatten(1) + self.offset.flatten()

    def _coders(self) -> Coders:
        c = self.config
        return Coders(
            self.shape, c.latent, c.network, c.hidden, c.kernel, c.stride, c.pool, c.activation, c.normalise, c.tied
        )
