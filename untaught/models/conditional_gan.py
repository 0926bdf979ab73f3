"""Conditional generative adversarial network: samples of a class that is asked for.

    x' = G(z, y)                                                             (1)
    h = H(x),   D(x, y) = s(w h + v_y h + b_y)                               (2)
    L_D = -<t log D(x, y) + (1 - t) log(1 - D(x, y))> - <log(1 - D(x', y))>  (3)
    L_G = -<log D(x', y)>                                                    (4)

x is an example with the class y, z a vector of noise, s the logistic function, t = 1 - smoothing. The generator is
given the class, one-hot, beside the noise. The discriminator has weights v_y for each class and tells pairs of an
example and its class from pairs of a made one and the class that it was made for, so that what is made must look like
an example of that class. In each step made ones have the classes of the batch. Networks are those of `gan`.

References:
    Mirza, Osindero (2014). Conditional generative adversarial nets. arXiv:1411.1784.
    Miyato, Koyama (2018). cGANs with projection discriminator. ICLR (how the class enters the discriminator).

Departures:
    The discriminator's class enters by (2); in the paper of 2014 it is an input with layers of its own. As an input, a
    class was hardly heeded after a thousand updates.
    Convolutions where pictures are of 16 x 16 pixels or more. Adam instead of gradient descent, leaky units instead of
    maxout by default.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from untaught.capability import Encodes, Filters
from untaught.config import Count, Flat, Fraction, configuration
from untaught.layerwise.from_noise import FromNoise
from untaught.layerwise.wide_range import LINEAR, linear_outside
from untaught.model import Batch, Example, Loss, Optimiser, Player, Recipe, Smoke, Stage, Stream, Usual
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.discriminator_network import Discriminator
from untaught.nn.adversarial.energy_distance import LATER, energy_distance
from untaught.nn.adversarial.generator_network import Generator
from untaught.nn.adversarial.verdicts import fooling, telling_apart, told_right, value
from untaught.nn.latent.stochastic import one_hot, with_classes
from untaught.nn.targets import check_labels
from untaught.shapes import Examples, Features, Images, Labels, PerExample, Scalar, Shape


class ConditionalGAN(FromNoise, Encodes, Filters):
    """A generator that is given a class, against a discriminator that knows it.

    Example:
        >>> model = ConditionalGAN(ConditionalGAN.Config(classes=3), (1, 8, 8))
        >>> model.sample(5, label=2).shape
        torch.Size([5, 1, 8, 8])
    """

    def made(self, label: Labels) -> Examples:
        """A sample of each class, equation (1)."""
        latent = self.generator.prior(len(label))
        return self.generator(latent, one_hot(label, self.config.classes, latent))

    def encode(self, x: Examples) -> Features:
        """The discriminator's last hidden layer h, equation (2); of convolutions all layers, pooled to 4 x 4."""
        return self.discriminator.described(x)

    def judged(self, x: Examples, label: Labels) -> PerExample:
        """The logit of D for each example and class, equation (2)."""
        return self._of_class(self.discriminator(x), label)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (3) or (4)."""
        if player == "generator":
            nats = fooling(self.judged(self.made(batch.label), batch.label))
            return Loss(nats, {"fooling_nats": nats.detach()})
        with torch.no_grad():
            made = self.made(batch.label)
        both = self.discriminator.of_each((batch.x,), (made,))
        real, false = (self._of_class(logits, batch.label) for logits in both)
        right = told_right(real, false).detach()
        told = {"value_nats": value(real, false).detach(), "discriminator_accuracy": right}
        return Loss(telling_apart(real, false, self.config.smoothing), told)

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The losses on held-out examples, and the energy distance of samples, with their classes, from these."""
        loss = self.loss(batch, player, torch.ones((), device=batch.x.device))
        if player == "discriminator":
            return loss
        with torch.no_grad():
            classes = one_hot(batch.label, self.config.classes, batch.x)
            pairs = [torch.cat([x.flatten(1), classes], 1) for x in (batch.x, self.made(batch.label))]
            apart = energy_distance(pairs[0], pairs[1])
        return Loss(loss.total, {**loss.parts, "energy_distance": apart})

    def _of_class(self, logits: Features, label: Labels) -> PerExample:
        """The logit of D from what all examples share and what each class has of its own."""
        return logits[:, 0] + (one_hot(label, self.config.classes, logits) * logits[:, 1:]).sum(1)

    @configuration
    class Config:
        """The networks, and the classes."""

        networks: Flat[Adversaries] = Adversaries()
        """Both networks."""
        classes: Count = 10
        """Classes."""
        smoothing: Fraction = 0.0
        """Probability by which targets of examples are lowered, equation (3): 0.1 for one-sided label smoothing."""
        updates: Count = 1
        """Updates of the discriminator in each step."""

    known_shortfalls = {
        "features": "a discriminator need only see what a generator gets wrong; features are a by-product",
    }
    adapts = LINEAR
    monitor = "energy_distance"
    tolerance = LATER
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3, betas=(0.5, 0.99)), batch_size=64, average=0.995)
    of_classes = True
    smoke = Smoke(
        config=Config(
            networks=Adversaries(latent=3, generator=(24,), discriminator=(24, 24), minibatch=2, reference=3), classes=3
        ),
        shape=(1, 4, 4),
        classes=3,
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
        self.generator = Generator(config.networks, self.shape, config.classes)
        self.discriminator = Discriminator(config.networks, self.shape, outputs=1 + config.classes)
        self.players = {
            "discriminator": Player(("discriminator.",), updates=config.updates),
            "generator": Player(("generator.",)),
        }

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear outputs and standardised values where some lie outside [0, 1]."""
        return linear_outside(example, sample)

    def stages(self) -> Sequence[Stage]:
        """One, on labelled examples."""
        return (Stage("train", self, self.recipe, Stream(self.view, labelled=True)),)

    def prepare(self, sample: Batch) -> None:
        """Check the labels, look at the range of values, and take the first examples for what normalises.

        Raises:
            DataError: There are no labels, or one is beyond `classes`.
        """
        check_labels(sample.label, self.config.classes, needed=True)
        self.generator.look(sample.x.flatten(1))
        self.discriminator.take(sample.x)
        self.generator.take(one_hot(sample.label, self.config.classes, sample.x))

    def prior_codes(self, count: int, label: int | None = None) -> Features:
        """Draws of z, each with a class, one-hot, beside it: the class that is given, else classes drawn evenly.

        Raises:
            ConfigError: There is no such class.
        """
        return with_classes(self.generator.prior(count), self.config.classes, label)

    def filters(self) -> Images:
        """Weights of the discriminator's first layer."""
        return self.discriminator.first_weights(self.shape)
