"""The hashing autoencoder: short binary codes, by which similar examples are found quickly.

    p = s(E(x) + d n(x))                                                        (1)
    b = round(p),   db / dp = 1                                                 (2)
    y = g(D(b) + a)                                                             (3)
    squared error = sum_i (y_i - x_i)^2                                         (4)
    cross-entropy = -sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))               (5)
    words = -sum_i x_i log y_i                                                  (6)
    code = round(s(E(x))),   0 or 1                                             (7)

x is an example, p its code's units, b its code, y the reconstruction. E is a stack of fully connected layers or
convolutions that ends in a linear layer, D its mirror, s the logistic function. Two things make units binary while they
learn, alone or together. One is noise n(x) of deviation d, which is a function of the example and so the same in each
pass: to carry information in spite of it, a unit's input must be far from 0. The other is rounding (2), through which
the gradient passes unchanged; without rounding D sees p. The output units g are linear, or logistic under (4) or (5),
or a softmax over words under (6); the offset a makes y the mean of the data where D(b) is 0. The loss is the mean over
examples; (5) and (6), which are in nats, take pixels in [0, 1], or word frequencies, as probabilities. After training
there is no noise, and codes are (7).

References:
    Salakhutdinov, Hinton (2009). Semantic hashing.
    Krizhevsky, Hinton (2011). Using very deep autoencoders for content-based image retrieval.
    Bengio, Leonard, Courville (2013). Estimating or propagating gradients through stochastic neurons (2).

Departures:
    All layers learn together from random weights that preserve the variance, with ReLU units and Adam; the authors
    initialise logistic units from stacked restricted Boltzmann machines.
    Noise is computed from the example's values, not from its index: each augmented version of an example has noise of
    its own.
    With softmax outputs the encoder sees log(1 + n x) for n words in the dictionary, not counts.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from untaught.config import Flat, NonNegative, configuration
from untaught.layerwise.coded import Coded
from untaught.model import Batch, Loss, Optimiser, Recipe, Smoke
from untaught.nn.coders import Coders
from untaught.nn.fixed_noise import fixed_normal
from untaught.nn.noise import wide
from untaught.shapes import Examples, Features, Scalar


class HashingAutoencoder(Coded):
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

        coders: Flat[Coders] = Coders(latent=256)
        """The networks."""
        noise: NonNegative = 0.0
        """Standard deviation d of the noise added to the code units' inputs during training; 0 adds none. Where noise
        takes the place of rounding, 4 is usual."""
        rounding: bool = True
        """The decoder learns from bits, equation (2), not from probabilities."""
        output: Literal["linear", "clipped", "sigmoid", "bernoulli", "softmax"] = "sigmoid"
        """Output units: linear, clipped or logistic under squared error (4), logistic under cross-entropy (5), or
        softmax for documents (6). Logistic units give values from 0 to 1 or, under squared error, in the range of the
        training data."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    differentiable = False
    known_shortfalls = {
        "reconstruction": "its code has as many bits as principal components have numbers",
        "features": "a bit tells less than a number, and bits that are to give the picture back keep what takes many "
        "pixels, not what tells classes apart; large pictures make few steps in a few minutes",
    }
    smoke = Smoke(config=Config(coders=Coders(hidden=(16,), latent=8), noise=1.0), shape=(1, 4, 4))
    config: Config

    def noisy_code(self, x: Examples) -> Features:
        """The code that the decoder sees during training, equations (1) and (2)."""
        inputs = self._code_inputs(x)
        if self.config.noise:
            inputs = inputs + self.config.noise * fixed_normal(x, self.config.coders.latent).to(inputs.dtype)
        probability = torch.sigmoid(inputs)
        if not self.config.rounding:
            return probability
        return probability + ((inputs > 0).to(inputs.dtype) - probability).detach()

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Error (4), (5) or (6) of reconstructions (3) from noisy codes, mean over examples."""
        return Loss(*self.outputs.error(self.output_inputs(self.noisy_code(batch.x)), batch.x.flatten(1)))

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The same error from codes (7)."""
        return Loss(*self.outputs.error(self.output_inputs(self.encode(batch.x)), batch.x.flatten(1)))

    def encode(self, x: Examples) -> Features:
        """Give the code, equation (7)."""
        return (self._code_inputs(x) > 0).to(x.dtype)

    def codes(self, x: Examples) -> dict[str, Tensor]:
        """Probability (1) of each bit without noise, and the code (7)."""
        inputs = self._code_inputs(x)
        return {"probability": torch.sigmoid(inputs), "code": (inputs > 0).to(x.dtype)}

    def _code_inputs(self, x: Examples) -> Features:
        """Inputs of the code units without noise, in full precision."""
        return wide(self.encoder(self.seen(x))).flatten(1)
