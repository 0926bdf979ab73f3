"""The importance-weighted autoencoder: a variational autoencoder with a tighter bound and one or more latent layers.

    p(x, h) = p(x|h_1) p(h_1|h_2) ... p(h_L),   q(h|x) = q(h_1|x) q(h_2|h_1) ...        (1)
    w_k = p(x, h^k) / q(h^k|x),   h^1, ..., h^K drawn from q(h|x)                       (2)
    L_K = < log 1/K sum_k w_k >,   L_1 <= L_2 <= ... <= log p(x)                        (3)
    gradient of L_K = < sum_k w_k / (sum_l w_l) d log w_k >                             (4)
                    = < 1/R sum_r d log w_{k_r} >,  k_r drawn by w_k / (sum_l w_l)      (5)

x is an example, h its latent layers, each normal given its neighbour: see `untaught.nn.latent.layers`. With K = 1 this
is the variational autoencoder. With more, q(h|x) need not be close to p(h|x) for the bound (3) to be tight: it is
enough that some of the draws are likely. The gradient (4) counts each draw by its share of the weight, and draws are
h = m + s e as there. With `resampled` draws the gradient is (5), see `untaught.nn.latent.resampling`: few of many draws
carry most of the weight, and the way back takes twice as long as the way there. A variational autoencoder with K draws
ascends the mean of log w_k instead, `objective=vae`.

References:
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders.

Departures:
    The learning rate falls on a cosine, where the paper has eight stages, each at a lower rate and three times as long.
    Gaussian outputs, which the paper lacks, and the offset with which outputs begin at the mean of the data.
    A sample is the mean of p(x|h_1), not a draw from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Decodes, Encodes, Filters, LatentVariable, Reconstructs, Samples
from untaught.config import Count, Positive, configuration
from untaught.errors import ConfigError
from untaught.layerwise.latent_outputs import BEGUN, DENSITIES, DensityLearner, Start, refuse_start
from untaught.model import Batch, Example, Loss, Optimiser, Recipe, Smoke
from untaught.nn import dense
from untaught.nn.coders import first_weights, layers_of
from untaught.nn.convolution import Activation
from untaught.nn.corrected import silence
from untaught.nn.latent.densities import OutputDensity, OutputKind, normal
from untaught.nn.latent.layers import DEPTH, Layer, PerRow, Stack
from untaught.nn.latent.linear_start import begin_linear, components, linear_beside
from untaught.nn.latent.resampling import resample
from untaught.nn.noise import wide
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape

PerDraw = Float[Tensor, "batch draw"]
PerTaken = Float[Tensor, "batch taken"]


class IWAE(DensityLearner, Encodes, Decodes, Reconstructs, Samples, LatentVariable, Filters):
    """An importance-weighted autoencoder. Latent variables are all layers, the lowest first; features are their means.

    Example:
        >>> model = IWAE(IWAE.Config(latent=(5, 2), hidden=(20, 10)), (1, 8, 8))
        >>> model.encode(torch.zeros(3, 1, 8, 8)).shape, model.log_weights(torch.zeros(3, 1, 8, 8), 4).shape
        (torch.Size([3, 7]), torch.Size([3, 4]))
    """

    def log_joint(self, x: Examples, latent: Features) -> PerExample:
        """Log p(x, h) in nats, equation (1)."""
        layers = latent.split(self.config.latent, 1)
        return self._log_density(x, layers[0]) + self.stack.log_prior(layers)

    def posterior_sample(self, x: Examples) -> tuple[Features, PerExample]:
        """Draw all layers from q(h|x), equation (1), with the log-density in nats."""
        latents, density = self.stack.infer(x.flatten(1))
        return torch.cat(latents, 1), density

    def log_weights(self, x: Examples, draws: int) -> PerDraw:
        """Logarithms of the weights, equation (2); the lowest network sees each example once."""
        return self._log_weights(x, *self.stack.infer(x.flatten(1), draws))

    def _log_weights(self, x: Examples, latents: Sequence[Layer], density: PerRow) -> PerDraw:
        """Equation (2) of draws, of which each example has equally many."""
        each = (len(x), len(density) // len(x))
        rest = self.stack.log_prior(latents) - density
        numbers = self._numbers(latents[0]).unflatten(0, each)
        return self.outputs.log_density(numbers, x.flatten(1)) + rest.unflatten(0, each)

    def bound(self, weights: PerDraw) -> PerExample:
        """One draw of the bound (3) in nats, of log-weights; its gradient is (4)."""
        return weights.logsumexp(1) - math.log(weights.shape[1])

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Minus the bound (3), or minus the mean of the log-weights (2); mean over examples."""
        latents, density = self.stack.infer(batch.x.flatten(1), self.config.samples)
        with torch.no_grad() if self.config.resampled else nullcontext():
            weights = self._log_weights(batch.x, latents, density)
        bound, single = self.bound(weights).mean(), weights.mean()
        total = -bound if self.config.objective == "iwae" else -single
        if self.config.resampled:
            some = self._resampled(batch.x, latents, density, weights, self.config.resampled).mean()
            total = total + (some.detach() - some)  # the bound's value, and the gradient (5)
        carrying = 1 / weights.detach().softmax(1).square().sum(1)
        parts = {"upper_bound_nats": -bound.detach(), "upper_bound_nats_of_one_draw": -single.detach()}
        return Loss(total, {**parts, "effective_samples": carrying.mean()})

    def _resampled(
        self, x: Examples, latents: Sequence[Layer], density: PerRow, weights: PerDraw, count: int
    ) -> PerTaken:
        """Log-weights of so many draws, chosen as in (5)."""
        first = torch.arange(len(x), device=weights.device) * weights.shape[1]
        rows = (first[:, None] + resample(weights.softmax(1), count)).flatten()
        return self._log_weights(x, [layer[rows] for layer in latents], density[rows])

    @configuration
    class Config:
        """Layers, the density of an example, and the bound."""

        latent: tuple[Count, ...] = (50,)
        """Units of each stochastic layer, the one above the data first."""
        hidden: tuple[Count, ...] = (200,)
        """Units of the two hidden layers below each stochastic layer, in both directions."""
        activation: Activation = "tanh"
        """Hidden units."""
        samples: Count = 5
        """Draws of the latent layers for each example: the k of the bound."""
        resampled: Count | None = None
        """Draws through which the gradient of the bound goes, chosen among all by their weight; none: all of them."""
        objective: Literal["iwae", "vae"] = "iwae"
        """What is ascended: the bound of all draws together, or the mean of the bounds of each."""
        output: OutputKind = "bernoulli"
        """Density of a value: Bernoulli, for which pixels are drawn as 0 or 1; Gaussian around any mean; or squashed,
        Gaussian around a mean within the range of the data."""
        deviation: Positive | None = None
        """Standard deviation of a Gaussian output; none learns one for each value, above 0.01."""
        start: Start = "random"
        """Where learning begins: at random weights; or at probabilistic principal components, linear maps with the
        networks beside them, which add nothing at first. For Gaussian and squashed outputs."""

    adapts = {**DENSITIES, **BEGUN}
    continuous = True
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=100)
    smoke = Smoke(config=Config(latent=(3, 2), hidden=(5, 4), samples=3), shape=(1, 4, 4), binary=True)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the networks.

        Raises:
            ConfigError: There is no stochastic layer, not one width for each, a deviation of Bernoulli outputs, or
                nothing to choose draws from.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        _check(config)
        values = math.prod(self.shape)
        self.outputs = OutputDensity(config.output, values, config.deviation)
        self.stack = Stack(values, config.latent, config.hidden, config.activation)
        widths = (config.latent[0], *[config.hidden[0]] * DEPTH, self.outputs.numbers * values)
        self.decoder: nn.Module = dense.Encoder(widths, config.activation)
        if config.start == "pca":
            refuse_start(config.output)
            self.stack.up[0] = linear_beside(self.stack.up[0], values, 2 * config.latent[0])
            self.decoder = linear_beside(self.decoder, config.latent[0], self.outputs.numbers * values)
            for network in self.stack.down:  # the lowest layer is standard normal at first, as (1) there assumes
                silence(layers_of(network)[-1])
        self.begins_solved = config.start == "pca"

    def prepare(self, sample: Batch) -> None:
        """Begin at independent values with the data's mean and variance, or at principal components.

        Raises:
            DataError: Values are not probabilities, under Bernoulli outputs.
        """
        super().prepare(sample)
        if self.config.start == "pca":
            below, latents = self.stack.up[0], self.config.latent[0]
            begin_linear(below, self.decoder, self.outputs, sample.x.flatten(1), latents)

    def encode(self, x: Examples) -> Features:
        """Mean of every layer, each given the mean of the one below."""
        return torch.cat(self.stack.means(x.flatten(1)), 1)

    def decode(self, features: Features) -> Examples:
        """Mean of p(x|h_1)."""
        return self.outputs.mean(self._numbers(features[:, : self.config.latent[0]])).unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of p(x|h_1) at the mean of q(h_1|x)."""
        return self.decode(self.encode(x))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw the layers from the top down, and decode.

        Raises:
            ConfigError: A label is given.
        """
        if label is not None:
            raise ConfigError(f"there is no class {label}; it learnt no classes")
        with torch.no_grad():
            top = normal(self.outputs.offset.new_zeros(count, self.config.latent[-1]))
            return self.decode(self.stack.prior_sample(top))

    def filters(self) -> Images:
        """Weights of the first layer; of what begins at components, these."""
        begun = components(self.stack.up[0], self.config.latent[0], self.shape)
        return first_weights(self.stack, self.shape) if begun is None else begun

    def _numbers(self, lowest: Features) -> Float[Tensor, "batch number"]:
        return wide(self.decoder(lowest))

    def _log_density(self, x: Examples, lowest: Features) -> PerExample:
        """Log p(x|h_1) in nats."""
        return self.outputs.log_density(self._numbers(lowest)[:, None], x.flatten(1))[:, 0]


def _check(config: IWAE.Config) -> None:
    """Raise ConfigError where layers have no width each, or there is nothing to choose draws from."""
    if not config.latent or len(config.latent) != len(config.hidden):
        raise ConfigError(
            f"latent has {len(config.latent)} layers and hidden {len(config.hidden)} widths; give one width for "
            "each of at least one stochastic layer: --latent 100 50 --hidden 200 100"
        )
    if config.resampled and config.objective == "vae":
        raise ConfigError("objective=vae counts all draws alike, so none are chosen: take fewer samples")
    if config.resampled and config.resampled >= config.samples:
        raise ConfigError(f"resampled={config.resampled} of {config.samples} draws leaves none out; take fewer")
