"""Generative adversarial network: a generator that learns to pass for data, and a discriminator that learns to tell.

    x' = G(z)                                                                (1)
    h = H(x),   D(x) = s(W [h, o(h)] + w)                                    (2)
    L_D = -<t log D(x) + (1 - t) log(1 - D(x))> - <log(1 - D(x'))>           (3)
    L_G = -<log D(x')>   or, minimax,   <log(1 - D(x'))>                     (4)
    V = <log D(x)> + <log(1 - D(x'))>                                        (5)
    L + averaging sum |w - mean w|^2                                         (6)

x is an example, z a vector of noise, s the logistic function, t = 1 - smoothing. With p the density of examples and q
that of x', the best discriminator is D = p / (p + q), and V is then twice the Jensen-Shannon divergence of p and q less
log 4: -log 4 where the generator has learnt p. Networks are dense, or the convolutional ones of the DCGAN
(`untaught.nn.adversarial`). Of the further techniques, o(h) compares the examples of a batch (`minibatch`), (6) draws
each player's weights to their mean so far (`averaging`), and a layer may be normalised by a fixed batch.

Features are h, the discriminator's last hidden layer, or, of a convolutional one, all layers, each pooled to 4 x 4. The
weights that are kept are the last ones whose samples are about as near to held-out examples as those of the best, by
the energy distance between the two sets.

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio (2014). Generative adversarial nets.
    NIPS.
    Radford, Metz, Chintala (2016). Unsupervised representation learning with deep convolutional generative adversarial
    networks. ICLR.
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs. NIPS.

Departures:
    Adam instead of gradient descent with momentum, a falling learning rate, leaky units instead of maxout by default.
    The weights that are kept are running averages over the last few hundred updates.
    (6) is the same for both players; the paper gives no weight.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from untaught.capability import Encodes, Filters
from untaught.config import Count, Flat, Fraction, NonNegative, configuration
from untaught.errors import ConfigError
from untaught.layerwise.from_noise import FromNoise
from untaught.layerwise.suited import CONVOLVED, in_patches, patches_told
from untaught.layerwise.wide_range import LINEAR, linear_outside
from untaught.model import Batch, Example, Loss, Optimiser, Player, Recipe, Smoke, Usual
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.discriminator_network import Discriminator
from untaught.nn.adversarial.energy_distance import LATER, energy_distance
from untaught.nn.adversarial.generator_network import Generator
from untaught.nn.adversarial.parameter_history import ParameterHistory
from untaught.nn.adversarial.verdicts import fooling, telling_apart, told_right, value
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape


class GAN(FromNoise, Encodes, Filters):
    """A generator against a discriminator.

    Example:
        >>> model = GAN(GAN.Config(latent=5), (3, 20, 31))
        >>> model.sample(2).shape, model.judged(torch.rand(4, 3, 20, 31)).shape
        (torch.Size([2, 3, 20, 31]), torch.Size([4]))
    """

    def made(self, count: int) -> Examples:
        """As many samples, equation (1)."""
        return self.generator(self.generator.prior(count))

    def encode(self, x: Examples) -> Features:
        """The discriminator's last hidden layer h, equation (2); of convolutions all layers, pooled to 4 x 4."""
        return self.discriminator.described(x)

    def judged(self, x: Examples) -> PerExample:
        """The logit of D for each example, equation (2)."""
        return self.discriminator(x)[:, 0]

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (3) or (4), with (6)."""
        if player == "generator":
            nats = fooling(self.judged(self.made(len(batch.x))), self.config.objective)
            return Loss(nats + self._apart(player), {"fooling_nats": nats.detach()})
        with torch.no_grad():
            made = self.made(len(batch.x))
        real, false = (logits[:, 0] for logits in self.discriminator.of_each((batch.x,), (made,)))
        total = telling_apart(real, false, self.config.smoothing) + self._apart(player)
        right = told_right(real, false).detach()
        return Loss(total, {"value_nats": value(real, false).detach(), "discriminator_accuracy": right})

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The losses and the value (5) on held-out examples, and the energy distance of samples from these."""
        loss = self.loss(batch, player, torch.ones((), device=batch.x.device))
        if player == "discriminator":
            return loss
        with torch.no_grad():
            apart = energy_distance(batch.x, self.made(len(batch.x)))
        return Loss(loss.total, {**loss.parts, "energy_distance": apart})

    def _apart(self, player: str) -> Scalar | float:
        """The penalty (6)."""
        if not self.config.averaging:
            return 0.0
        network, history = self.get_submodule(player), self.get_submodule(f"histories.{player}")
        assert isinstance(history, ParameterHistory)
        return self.config.averaging * history.penalty(network)

    @configuration
    class Config:
        """The networks, and the game."""

        networks: Flat[Adversaries] = Adversaries()
        """Both networks."""
        objective: Literal["non-saturating", "minimax"] = "non-saturating"
        """Loss (4) of the generator."""
        smoothing: Fraction = 0.0
        """Probability by which targets of examples are lowered, equation (3): 0.1 for one-sided label smoothing."""
        averaging: NonNegative = 0.0
        """Weight of historical averaging, equation (6)."""
        updates: Count = 1
        """Updates of the discriminator in each step."""

    known_shortfalls = {
        "features": "a discriminator need only see what a generator gets wrong; features are a by-product",
    }
    adapts = {**LINEAR, **patches_told(CONVOLVED)}
    monitor = "energy_distance"
    tolerance = LATER
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3, betas=(0.5, 0.99)), batch_size=64, average=0.995)
    smoke = Smoke(
        config=Config(
            networks=Adversaries(latent=3, generator=(24,), discriminator=(24, 24), minibatch=2, reference=3),
            averaging=0.1,
        ),
        shape=(1, 4, 4),
    )
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build both networks.

        Raises:
            ConfigError: Convolutions are asked for where examples are vectors, or lists differ in length.
            SizeError: Pictures are too small for the convolutions.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.generator = Generator(config.networks, self.shape)
        self.discriminator = Discriminator(config.networks, self.shape)
        both = {"discriminator": self.discriminator, "generator": self.generator}
        self.histories = nn.ModuleDict(
            {name: ParameterHistory(network) for name, network in both.items()} if config.averaging else {}
        )
        self.players = {
            "discriminator": Player(("discriminator.",), updates=config.updates),
            "generator": Player(("generator.",)),
        }

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear outputs and standardised values where some lie outside [0, 1]; patches of few large pictures."""
        found = linear_outside(example, sample)
        return in_patches(cls, [found, Usual()] if found.config else [found], example, sample, CONVOLVED)

    def prepare(self, sample: Batch) -> None:
        """Look at the range of values, and take the first examples for what normalises."""
        self.generator.look(sample.x.flatten(1))
        self.discriminator.take(sample.x)
        self.generator.take()

    def prior_codes(self, count: int, label: int | None = None) -> Features:
        """Draws of z.

        Raises:
            ConfigError: A label is given.
        """
        if label is not None:
            raise ConfigError(f"there is no class {label}; it learnt no classes")
        return self.generator.prior(count)

    def filters(self) -> Images:
        """Weights of the discriminator's first layer."""
        return self.discriminator.first_weights(self.shape)
