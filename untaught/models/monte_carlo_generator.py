"""The naive generator: the likelihood as a mean over random latents, without an encoder.

    p(x) = < p(x|z) >,   z from p(z) = N(0, 1)                                  (1)
    log p(x) >= < log 1/K sum_k p(x|z_k) >,   z_1, ..., z_K from p(z)           (2)
    effective samples = (sum_k p(x|z_k))^2 / sum_k p(x|z_k)^2                   (3)

x is an example, z its latents, p(x|z) given by a network D(z). The loss is minus the bound (2), and one set of draws
serves all examples of a batch. Nearly all z say nothing of a given x: a single draw has nearly all the weight, and (3)
is near 1. So the gradient comes from few pairs of examples and draws, and the bound is loose. An encoder that proposes
z for each x is what makes the same network learn: see `untaught.models.vae`. This system is here to show that.

References:
    Kingma, Welling (2014). Auto-encoding variational Bayes (sections 1 and 2.1: why the integral is intractable).
    Doersch (2016). Tutorial on variational autoencoders (section 2: how many draws it would take).

Departures:
    None.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.capability import Generates, LatentVariable, Samples
from untaught.config import Count, Flat, Positive, configuration
from untaught.errors import ConfigError
from untaught.layerwise.latent_outputs import DensityLearner
from untaught.model import Batch, Example, Loss, Optimiser, Recipe, Smoke
from untaught.nn.latent.densities import OutputDensity, OutputKind, normal, standard_log_density
from untaught.nn.latent.stochastic import Networks
from untaught.shapes import Examples, Features, PerExample, Scalar, Shape

PerDraw = Float[Tensor, "batch draw"]


class MonteCarloGenerator(DensityLearner, Samples, Generates, LatentVariable):
    """A decoder of random latents. Its approximate posterior is the prior.

    Example:
        >>> config = MonteCarloGenerator.Config(networks=Networks(latent=2, hidden=(8,)))
        >>> model = MonteCarloGenerator(config, (1, 8, 8))
        >>> model.sample(3).shape, model.log_weights(torch.zeros(2, 1, 8, 8), 7).shape
        (torch.Size([3, 1, 8, 8]), torch.Size([2, 7]))
    """

    def prior_sample(self, count: int) -> Features:
        """Draw latents from the prior, equation (1)."""
        return normal(self.outputs.offset.new_zeros(count, self.config.networks.latent))

    def log_weights(self, x: Examples, draws: int) -> PerDraw:
        """Log p(x|z_k) of draws that all examples share, inside equation (2)."""
        numbers = self.decoder(self.prior_sample(draws))
        return self.outputs.log_density_of_each(numbers, x.flatten(1))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Minus the bound (2), mean over examples; beside it equation (3)."""
        weights = self.log_weights(batch.x, self.config.samples)
        bound = weights.logsumexp(1) - math.log(self.config.samples)
        carrying = 1 / weights.detach().softmax(1).square().sum(1)
        total = -bound.mean()
        return Loss(total, {"upper_bound_nats": total.detach(), "effective_samples": carrying.mean()})

    @configuration
    class Config:
        """The network, the density of an example, and how many draws."""

        networks: Flat[Networks] = Networks()
        """The decoder, which is the mirror of a variational autoencoder's encoder."""
        samples: Count = 500
        """Draws of latents in each step: the K of the bound."""
        output: OutputKind = "bernoulli"
        """Density of a value: Bernoulli, for which pixels are drawn as 0 or 1; Gaussian around any mean; or squashed,
        Gaussian around a mean within the range of the data."""
        deviation: Positive | None = None
        """Standard deviation of a Gaussian output; none learns one for each value, above 0.01."""

    continuous = True
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    smoke = Smoke(config=Config(networks=Networks(latent=2, hidden=(5,)), samples=20), shape=(1, 4, 4), binary=True)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the network, or raise ConfigError where Bernoulli outputs are given a deviation."""
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.outputs = OutputDensity(config.output, math.prod(self.shape), config.deviation)
        _, self.decoder = config.networks.build(self.shape, self.outputs.numbers)

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Means of p(x|z) for draws from the prior.

        Raises:
            ConfigError: A label is given.
        """
        with torch.no_grad():
            return self.generate(self.prior_codes(count, label))

    def prior_codes(self, count: int, label: int | None = None) -> Features:
        """Draws of the latents.

        Raises:
            ConfigError: A label is given.
        """
        if label is not None:
            raise ConfigError(f"there is no class {label}; it learnt no classes")
        return self.prior_sample(count)

    def generate(self, codes: Features) -> Examples:
        """Mean of p(x|z)."""
        return self.outputs.mean(self.decoder(codes)).unflatten(1, self.shape)

    def log_joint(self, x: Examples, latent: Features) -> PerExample:
        """Log p(x, z) in nats."""
        likelihood = self.outputs.log_density(self.decoder(latent)[:, None], x.flatten(1))[:, 0]
        return likelihood + standard_log_density(latent)

    def posterior_sample(self, x: Examples) -> tuple[Features, PerExample]:
        """Draw from the prior, whatever the example, with the log-density in nats."""
        latent = self.prior_sample(len(x))
        return latent, standard_log_density(latent)
