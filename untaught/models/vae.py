"""The variational autoencoder: a density of examples with latent causes, and an encoder that infers these.

    p(z) = N(0, 1),   p(x|z) with parameters D(z)                                  (1)
    q(z|x) = N(m, s^2),   m and log s^2 = E(x)                                     (2)
    z = m + s e,   e normal                                                        (3)
    KL = sum_j KL_j,   KL_j = (m_j^2 + s_j^2 - 1 - log s_j^2) / 2                  (4)
    log p(x) >= <log p(x|z)> - KL                                                  (5)
    loss = -<log p(x|z)> + w beta sum_j max(KL_j, free)                            (6)
    log p(x) >= < log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x) >                       (7)

x is an example, z its latents, E and D are networks. p(x|z) is Bernoulli, or Gaussian with a mean and a variance for
each value; see `untaught.nn.latent.densities`. The draw (3) lets the gradient pass through z, so that encoder and
decoder ascend the bound (5) together. What the bound lacks is the divergence of q(z|x) from the true p(z|x). In the
loss (6), KL_j is a mean over the batch; the weight w rises from 0 to 1 over the first part of the training, and a
latent may cost `free` nats without being pushed to the prior. With beta = 1, w = 1 and nothing free, minus the loss is
(5). The more draws, the closer (7) is to log p(x). All of this may be given a class y: p(x|z, y), q(z|x, y). Some
labels are hidden during training, so that the network also knows what to do without one.

References:
    Kingma, Welling (2014). Auto-encoding variational Bayes.
    Rezende, Mohamed, Wierstra (2014). Stochastic backpropagation and approximate inference in deep generative models.
    Higgins et al. (2017). beta-VAE: learning basic visual concepts with a constrained variational framework.
    Bowman et al. (2016). Generating sentences from a continuous space (the weight that rises).
    Kingma et al. (2016). Improved variational inference with inverse autoregressive flow (free bits).
    Sohn, Lee, Yan (2015). Learning structured output representation using deep conditional generative models.

Departures:
    Trained by Adam, with ReLU units, and no prior on the weights.
    A sample is the mean of p(x|z), not a draw from it: pictures without noise.
    Where nothing is said, Gaussian outputs begin at probabilistic principal components (`start=pca`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.capability import Activations, Decodes, Encodes, Filters, LatentVariable, Reconstructs, Samples
from untaught.config import Flat, Fraction, NonNegative, Positive, Whole, configuration
from untaught.errors import ConfigError
from untaught.layerwise.latent_outputs import BEGUN, DENSITIES, DensityLearner, Start, refuse_start
from untaught.model import Batch, Example, Loss, Optimiser, Recipe, Smoke
from untaught.nn.coders import first_weights, layers_of, outputs
from untaught.nn.latent.densities import (
    OutputDensity,
    OutputKind,
    divergence,
    normal,
    normal_log_density,
    standard_log_density,
)
from untaught.nn.latent.linear_start import begin_linear, components, linear_beside
from untaught.nn.latent.stochastic import Moments, Networks
from untaught.nn.named import chosen
from untaught.nn.noise import bernoulli
from untaught.nn.targets import check_labels
from untaught.shapes import Examples, Features, Images, Labels, PerExample, Scalar, Shape

PerDraw = Float[Tensor, "batch draw"]


class VAE(DensityLearner, Encodes, Decodes, Reconstructs, Samples, LatentVariable, Activations, Filters):
    """An encoder to a density of latents, and a decoder back.

    Example:
        >>> model = VAE(VAE.Config(latent=5, hidden=(20,)), (1, 8, 8))
        >>> model.encode(torch.zeros(3, 1, 8, 8)).shape, model.sample(4).shape
        (torch.Size([3, 5]), torch.Size([4, 1, 8, 8]))
    """

    def decode(self, features: Features) -> Examples:
        """Mean of p(x|z), equation (1), where no class is known."""
        return self.decoded(features)

    def decoded(self, latent: Features, label: Labels | None = None) -> Examples:
        """Mean of p(x|z, y), equation (1)."""
        return self.outputs.mean(self.decoder(latent, label)).unflatten(1, self.shape)

    def posterior(self, x: Examples, label: Labels | None = None) -> Moments:
        """Mean and log-variance of q(z|x, y), equation (2)."""
        return self.encoder(x, label)

    def drawn(self, moments: Moments) -> Features:
        """One draw from q(z|x), equation (3)."""
        mean, log_variance = moments
        return mean + (0.5 * log_variance).exp() * normal(mean)

    def divergences(self, moments: Moments) -> Features:
        """KL_j of each example and latent in nats, equation (4)."""
        return divergence(*moments)

    def bound(self, x: Examples, label: Labels | None = None) -> PerExample:
        """One draw of the bound (5) for each example, the divergence exactly, in nats."""
        moments = self.posterior(x, label)
        return self._log_density(x, self.drawn(moments), label) - self.divergences(moments).sum(1)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (6), mean over examples."""
        label = self._partly_hidden(batch.label) if self.config.classes else None
        moments = self.posterior(batch.x, label)
        error = -self._log_density(batch.x, self.drawn(moments), label).mean()
        each = self.divergences(moments).mean(0)
        rise = self.config.kl_warm_up
        weight = self.config.beta * ((progress / rise).clamp(max=1.0) if rise else 1.0)
        total = error + weight * each.clamp_min(self.config.free_bits).sum()
        parts = {"upper_bound_nats": error + each.sum(), "reconstruction_nats": error, "kl_nats": each.sum()}
        return Loss(total, {name: part.detach() for name, part in parts.items()})

    def log_weights(self, x: Examples, draws: int) -> PerDraw:
        """Logarithms of the terms of the sum (7); each example is encoded once."""
        mean, log_variance = (part[:, None].expand(-1, draws, -1) for part in self.posterior(x))
        noise = normal(mean)
        latent = mean + (0.5 * log_variance).exp() * noise
        density = standard_log_density(noise) - 0.5 * log_variance.sum(-1)
        numbers = self.decoder(latent.flatten(0, 1)).unflatten(0, (len(x), draws))
        return self.outputs.log_density(numbers, x.flatten(1)) + standard_log_density(latent) - density

    @configuration
    class Config:
        """The networks, the density of an example, and the weight of the divergence."""

        networks: Flat[Networks] = Networks()
        """The networks."""
        output: OutputKind = "bernoulli"
        """Density of a value: Bernoulli, for which pixels are drawn as 0 or 1; Gaussian around any mean; or squashed,
        Gaussian around a mean within the range of the data."""
        deviation: Positive | None = None
        """Standard deviation of a Gaussian output; none learns one for each value, above 0.01."""
        start: Start = "random"
        """Where learning begins: at random weights; or at probabilistic principal components, linear maps with the
        networks beside them, which add nothing at first. For Gaussian and squashed outputs."""
        beta: NonNegative = 1.0
        """Weight of the divergence (4) in the loss; above 1 latents become more independent and say less."""
        kl_warm_up: Fraction = 0.0
        """Fraction of the training over which the divergence's weight rises from 0."""
        free_bits: NonNegative = 0.0
        """Nats that each latent may cost on average without being pushed to the prior."""
        classes: Whole = 0
        """Classes of the label that both networks are given; 0: no label."""
        hidden_labels: Fraction = 0.1
        """Fraction of labels that are hidden in each step, so that the model is also one of examples without label."""

    continuous = True
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    adapts = {**DENSITIES, **BEGUN}
    of_classes = True
    smoke = Smoke(config=Config(networks=Networks(latent=2, hidden=(5,))), shape=(1, 4, 4), binary=True)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the networks.

        Raises:
            ConfigError: A fixed deviation or a start at components is asked for with Bernoulli outputs, or convolutions
                where examples are vectors.
            SizeError: The examples are too small for the convolutions.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.outputs = OutputDensity(config.output, math.prod(self.shape), config.deviation)
        networks = config.networks.build(self.shape, self.outputs.numbers, config.classes)
        self.encoder, self.decoder = networks
        if config.start == "pca":
            refuse_start(config.output)
            latents, values = config.networks.latent, math.prod(self.shape)
            seen = self.encoder.seen(torch.zeros(1, *self.shape)).numel()
            self.encoder.network = linear_beside(self.encoder.network, seen, 2 * latents)
            numbers = self.outputs.numbers * values
            self.decoder.network = linear_beside(self.decoder.network, latents + config.classes, numbers)
        self.begins_solved = config.start == "pca"

    def prepare(self, sample: Batch) -> None:
        """Begin at independent values with the data's mean and variance, or at principal components.

        Raises:
            DataError: Values are not probabilities, under Bernoulli outputs; or labels are missing or too high.
        """
        super().prepare(sample)
        if self.config.start == "pca":
            below, above, latents = self.encoder.network, self.decoder.network, self.config.networks.latent
            begin_linear(below, above, self.outputs, sample.x.flatten(1), latents)
        if self.config.classes:
            check_labels(sample.label, self.config.classes, needed=True)

    def encode(self, x: Examples) -> Features:
        """Mean of q(z|x)."""
        return self.posterior(x)[0]

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of p(x|z) at the mean of q(z|x)."""
        return self.decode(self.encode(x))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Decode draws from the prior, of one class if a label is given.

        Raises:
            ConfigError: There is no such class.
        """
        if label is not None and not 0 <= label < self.config.classes:
            known = f"classes are 0 to {self.config.classes - 1}" if self.config.classes else "it learnt no classes"
            raise ConfigError(f"there is no class {label}; {known}")
        with torch.no_grad():
            like = self.outputs.offset.new_zeros(count, self.config.networks.latent)
            wanted = None if label is None else torch.full((count,), label, device=like.device)
            return self.decoded(normal(like), wanted)

    def log_joint(self, x: Examples, latent: Features) -> PerExample:
        """Log p(x, z) in nats."""
        return self._log_density(x, latent) + standard_log_density(latent)

    def posterior_sample(self, x: Examples) -> tuple[Features, PerExample]:
        """Draw z from q(z|x), with its log-density in nats."""
        moments = self.posterior(x)
        latent = self.drawn(moments)
        return latent, normal_log_density(latent, *moments)

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Every layer: `encoder.1`, ..., `mean` and `log_variance` of the latents, `decoder.1`, ...

        Raises:
            ConfigError: There is no layer of one of the names.
        """
        mean, log_variance = self.posterior(x)
        below = outputs(self.encoder.network, self.encoder.seen(x))[:-1]
        above = outputs(self.decoder.network, self.decoder.seen(mean))[:-1]
        found = {f"encoder.{number}": value for number, value in enumerate(below, 1)}
        found |= {"mean": mean, "log_variance": log_variance}
        return chosen(found | {f"decoder.{number}": value for number, value in enumerate(above, 1)}, names)

    def filters(self) -> Images:
        """Weights of the first layer, without those of the classes; of what begins at components, these."""
        begun = components(self.encoder.network, self.config.networks.latent, self.shape)
        if begun is not None:
            return begun
        if self.encoder.planes or not self.config.classes:
            return first_weights(self.encoder.network, self.shape)[:, : self.shape[0]]
        weight = layers_of(self.encoder.network)[0].get_parameter("weight").detach()[:, : -self.config.classes]
        return weight.unflatten(1, self.shape if len(self.shape) == 3 else (1, 1, *self.shape))

    def _log_density(self, x: Examples, latent: Features, label: Labels | None = None) -> PerExample:
        """Log p(x|z, y) in nats."""
        return self.outputs.log_density(self.decoder(latent, label)[:, None], x.flatten(1))[:, 0]

    def _partly_hidden(self, label: Labels) -> Labels:
        """Labels, some of which are hidden anew each time."""
        hides = torch.full(label.shape, self.config.hidden_labels, device=label.device)
        return label.masked_fill(bernoulli(hides) > 0, -1)
