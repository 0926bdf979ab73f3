"""A density of examples with a class and continuous latents, learnt from examples of which few have a label.

    p(x, y, z) = p(x|y, z) p(y) p(z),   p(y) uniform, p(z) = N(0, 1)                        (1)
    q(y, z|x) = q(y|x) q(z|x, y)                                                            (2)
    L(x, y) = log p(y) + <log p(x|y, z)> - KL(q(z|x, y) || p(z))                            (3)
    U(x) = sum_y q(y|x) (L(x, y) - log q(y|x))                                              (4)
    loss = -mean (L(x, y) if y is known else U(x)) - alpha mean log q(y|x)                  (5)

U is a bound on log p(x) of an example without label; its sum over classes is exact. The first mean of (5) is over a
batch of all examples, in which those with a label are as rare as they are in the data. The second mean is over labelled
examples alone, for in the first q(y|x) learns nothing from them.

References:
    Kingma, Rezende, Mohamed, Welling (2014). Semi-supervised learning with deep generative models.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.capability import Classifies
from untaught.config import Count, Flat, NonNegative, configuration
from untaught.layerwise.semi_supervised import labelled_of
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe, Smoke
from untaught.nn import dense
from untaught.nn.latent.densities import OutputDensity, OutputKind, divergence, normal
from untaught.nn.latent.stochastic import Networks
from untaught.nn.noise import wide
from untaught.nn.targets import check_labels, class_losses, label_nats
from untaught.shapes import Examples, Features, Labels, PerExample, Scalar, Shape

PerClass = Float[Tensor, "batch class"]


class ClassLatents(Learner, Classifies):
    """Two encoders, to a class and to latents, and a decoder from both.

    Example:
        >>> model = ClassLatents(ClassLatents.Config(classes=3), (20,))
        >>> model.class_probabilities(torch.zeros(5, 20)).shape
        torch.Size([5, 3])
    """

    @configuration
    class Config:
        """The networks, and the weight of labels."""

        networks: Flat[Networks] = Networks(latent=50, hidden=(500,), network="dense")
        """The networks; the one from examples to classes has the same hidden layers."""
        classes: Count = 10
        """Classes."""
        alpha: NonNegative = 10.0
        """Weight of the classification of labelled examples in the loss (5)."""
        output: OutputKind = "gaussian"
        """Density of a value."""

    monitor = "wrong_class_probability"
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=100)
    smoke = Smoke(config=Config(networks=Networks(latent=2, hidden=(5,)), classes=3), shape=(4,), classes=3)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        own, values = config.networks, math.prod(self.shape)
        self.outputs = OutputDensity(config.output, values)
        self.encoder, self.decoder = own.build((values,), self.outputs.numbers, config.classes)
        self.classifier = dense.Encoder((values, *(own.hidden or ()), config.classes), own.activation)

    def bound(self, x: Examples, label: Labels) -> PerExample:
        """L(x, y) of one draw, equation (3), in nats."""
        flat = x.flatten(1)
        mean, log_variance = self.encoder(flat, label)
        latent = mean + (0.5 * log_variance).exp() * normal(mean)
        numbers = self.decoder(latent, label)[:, None]
        return (
            self.outputs.log_density(numbers, flat)[:, 0]
            - divergence(mean, log_variance).sum(1)
            - math.log(self.config.classes)
        )

    def bounds(self, x: Examples) -> PerClass:
        """L(x, y) of every class, equation (3)."""
        label = torch.arange(self.config.classes, device=x.device).repeat(len(x))
        each = self.bound(x.flatten(1).repeat_interleave(self.config.classes, 0), label)
        return each.unflatten(0, (len(x), self.config.classes))

    def unlabelled_bound(self, x: Examples, bounds: PerClass) -> PerExample:
        """U(x), equation (4), in nats, given the bounds of every class."""
        log_q = torch.log_softmax(self.class_logits(x), 1)
        return (log_q.exp() * (bounds - log_q)).sum(1)

    def class_logits(self, x: Examples) -> Features:
        """Logits of q(y|x), inside equation (2)."""
        return wide(self.classifier(x))

    def class_probabilities(self, x: Examples) -> Features:
        """q(y|x), inside equation (2)."""
        return torch.softmax(self.class_logits(x), 1)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (5); where a step draws no labelled examples of their own, those of the batch that have a label."""
        bounds, label = self.bounds(batch.x), batch.label[:, None]
        of_label = bounds.gather(1, label.clamp_min(0))[:, 0]
        bound = torch.where(label[:, 0] >= 0, of_label, self.unlabelled_bound(batch.x, bounds)).mean()
        known = labelled_of(batch)
        logits = self.class_logits(known.x)
        nats = label_nats(logits, known.label)
        parts = {"upper_bound_nats": -bound.detach(), "label_nats": nats.detach()}
        return Loss(self.config.alpha * nats - bound, parts | class_losses(logits, known.label))

    def prepare(self, sample: Batch) -> None:
        """Begin at the data's mean and variance, and check the labels.

        Raises:
            DataError: There are no labels, or one is beyond `classes`.
        """
        self.outputs.look(sample.x.flatten(1))
        check_labels(sample.label, self.config.classes, needed=True)
