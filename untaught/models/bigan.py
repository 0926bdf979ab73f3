"""Bidirectional generative adversarial network: a game that also learns to encode.

    x' = G(z)                                                                (1)
    z' = E(x),   or with a stochastic encoder   z' = m(x) + s(x) e           (2)
    D(x, z) = s(W H(x, z) + w)                                               (3)
    L_D = -<log D(x, z')> - <log(1 - D(x', z))>                              (4)
    L_EG = -<log(1 - D(x, z'))> - <log D(x', z)>                             (5)
    x ~ G(E(x))                                                              (6)

x is an example, z a vector drawn from the prior, e normal noise, s in (3) the logistic function. The discriminator
tells pairs of an example and its code from pairs of a made one and the vector that it was made from. Encoder and
generator are one player, which makes the two kinds of pairs alike. Where they are, E and G are each other's inverse,
although neither ever sees the other's output. With a stochastic encoder this is adversarially learned inference (ALI).

References:
    Donahue, Krahenbuhl, Darrell (2017). Adversarial feature learning. ICLR.
    Dumoulin, Belghazi, Poole, Mastropietro, Lamb, Arjovsky, Courville (2017). Adversarially learned inference. ICLR.

Departures:
    Networks are those of `gan`; the encoder is the mirror of the generator. Noise is added to what the discriminator
    sees, without which it is soon sure of all pairs. The weights that are kept are running averages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from untaught.capability import Activations, Decodes, Encodes, Filters, Reconstructs, Samples
from untaught.config import Count, Flat, configuration
from untaught.errors import ConfigError
from untaught.layerwise.wide_range import LINEAR, linear_outside
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Player, Recipe, Smoke, Usual
from untaught.nn.adversarial.adversaries import DENSE, Adversaries
from untaught.nn.adversarial.discriminator_network import Discriminator
from untaught.nn.adversarial.energy_distance import LATER, energy_distance
from untaught.nn.adversarial.generator_network import Generator
from untaught.nn.adversarial.verdicts import telling_apart, told_right, value
from untaught.nn.coders import Coders, first_weights, outputs
from untaught.nn.latent.densities import normal
from untaught.nn.named import chosen
from untaught.nn.noise import wide
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape


class BiGAN(Learner, Encodes, Decodes, Reconstructs, Samples, Activations, Filters):
    """An encoder and a generator against a discriminator of pairs.

    Example:
        >>> model = BiGAN(BiGAN.Config(latent=5), (1, 8, 8))
        >>> x = torch.rand(3, 1, 8, 8)
        >>> model.encode(x).shape, model.reconstruct(x).shape
        (torch.Size([3, 5]), torch.Size([3, 1, 8, 8]))
    """

    def decode(self, features: Features) -> Examples:
        """What the generator makes of codes, equation (1)."""
        return self.generator(features)

    def encode(self, x: Examples) -> Features:
        """The code of each example, or its mean, equation (2)."""
        return wide(self.encoder(self._centred(x)))[:, : self.config.networks.latent]

    def coded(self, x: Examples) -> Features:
        """The code of each example, drawn where the encoder is stochastic, equation (2)."""
        codes = wide(self.encoder(self._centred(x)))
        if self.config.inference == "deterministic":
            return codes
        mean, log_variance = codes.chunk(2, 1)
        return mean + (0.5 * log_variance).exp() * normal(mean)

    def judged(self, x: Examples, latent: Features) -> PerExample:
        """The logit of D for each pair, equation (3)."""
        return self.discriminator(x, latent)[:, 0]

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (4) or (5)."""
        if player == "both":
            real, made = self._both(*self._pairs(batch.x))
            nats = telling_apart(made, real)  # with the kinds exchanged
            return Loss(nats, {"fooling_nats": nats.detach()})
        with torch.no_grad():
            pairs = self._pairs(batch.x)
        real, made = self._both(*pairs)
        told = {"value_nats": value(real, made).detach(), "discriminator_accuracy": told_right(real, made).detach()}
        return Loss(telling_apart(real, made), told)

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The losses on held-out examples, the energy distance of samples from these, and the error of (6)."""
        loss = self.loss(batch, player, torch.ones((), device=batch.x.device))
        if player == "discriminator":
            return loss
        with torch.no_grad():
            apart = energy_distance(batch.x, self.decode(self.generator.prior(len(batch.x))))
            error = (self.reconstruct(batch.x) - batch.x).square().flatten(1).sum(1).mean()
        return Loss(loss.total, {**loss.parts, "energy_distance": apart, "squared_error_per_image": error})

    def reconstruct(self, x: Examples) -> Examples:
        """What is made of the code of each example, equation (6)."""
        return self.decode(self.encode(x))

    def _pairs(self, x: Examples) -> tuple[tuple[Examples, Features], tuple[Examples, Features]]:
        """Pairs of examples and their codes, and of made ones and what they were made from."""
        latent = self.generator.prior(len(x))
        return (x, self.coded(x)), (self.decode(latent), latent)

    def _both(self, real: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> Iterator[PerExample]:
        """Logits of pairs of both kinds."""
        return (logits[:, 0] for logits in self.discriminator.of_each(real, made))

    def _centred(self, x: Examples) -> Examples:
        """Values around 0, as the discriminator sees them."""
        return 2 * x - 1 if self.config.networks.output == "sigmoid" else x

    @configuration
    class Config:
        """The networks, and the encoder."""

        networks: Flat[Adversaries] = Adversaries(
            latent=50, prior="uniform", network="dense", generator_norm="batch", noise=(0.1,)
        )
        """Generator and discriminator; the encoder has the generator's layers."""
        inference: Literal["deterministic", "stochastic"] = "deterministic"
        """Whether the encoder gives a code, or a mean and a variance of it as in ALI."""
        updates: Count = 1
        """Updates of the discriminator in each step."""

    known_shortfalls = {
        "reconstruction": "it never sees the error of a reconstruction, which need only be of the same kind, not the "
        "same pixel by pixel",
        "features": "codes say what the generator can draw, which need not be what a linear classifier could use",
    }
    adapts = LINEAR
    monitor = "energy_distance"
    tolerance = LATER
    recipe = Recipe(optimiser=Optimiser(learning_rate=5e-4, betas=(0.5, 0.99)), batch_size=64, average=0.995)
    smoke = Smoke(
        config=Config(
            networks=Adversaries(latent=3, generator=(24,), discriminator=(24, 24), minibatch=2, reference=3)
        ),
        shape=(1, 4, 4),
    )
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the three networks.

        Raises:
            ConfigError: Convolutions are asked for where examples are vectors, or lists differ in length.
            SizeError: Pictures are too small for the convolutions.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.generator = Generator(config.networks, self.shape)
        self.discriminator = Discriminator(config.networks, self.shape, config.networks.latent)
        self.encoder = self._mirror()
        self.players = {
            "discriminator": Player(("discriminator.",), updates=config.updates),
            "both": Player(("encoder.", "generator.")),
        }

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear outputs and standardised values where some lie outside [0, 1]."""
        return linear_outside(example, sample)

    def prepare(self, sample: Batch) -> None:
        """Look at the range of values, and take the first examples for what normalises."""
        self.generator.look(sample.x.flatten(1))
        some = sample.x[: self.config.networks.reference]
        with torch.no_grad():
            self.discriminator.take(some, self.generator.prior(len(some)))
        self.generator.take()

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw from the generator.

        Raises:
            ConfigError: A label is given.
        """
        if label is not None:
            raise ConfigError(f"there is no class {label}; it learnt no classes")
        return self.generator.drawn(count)

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Layers of the encoder, `encoder.1`, ..., and the `code`.

        Raises:
            ConfigError: There is no layer of one of the names.
        """
        below = outputs(self.encoder, self._centred(x))[:-1]
        found = {f"encoder.{number}": value for number, value in enumerate(below, 1)}
        return chosen(found | {"code": self.encode(x)}, names)

    def filters(self) -> Images:
        """Weights of the encoder's first layer."""
        return first_weights(self.encoder, self.shape)

    def _mirror(self) -> torch.nn.Module:
        """The encoder: the generator's layers the other way round."""
        networks, planes = self.config.networks, self.generator.planes
        coders = Coders(
            latent=networks.latent * (1 + (self.config.inference == "stochastic")),
            network="convolution" if planes else "dense",
            hidden=networks.generator if planes else networks.generator or DENSE,
            kernel=networks.kernel,
            stride=networks.stride,
            normalise=self.generator.norm == "batch",
        )
        return coders.build(self.shape)[0]
