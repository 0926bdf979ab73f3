"""Softmax regression: the linear classifier, of pixels or of features.

    p(y | x) = exp(w_y.x + b_y) / sum_c exp(w_c.x + b_c)                     (1)
    loss = -log p(y | x) + cost / 2 sum_c |w_c|^2                            (2)

x is an example laid out as a vector, y its class; (2) is the mean over labelled examples, in nats.

References:
    Cox (1958). The regression analysis of binary sequences.
    Bridle (1990). Probabilistic interpretation of feedforward classification network outputs.

Departures:
    None.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from untaught.capability import Classifies, Filters
from untaught.config import Count, NonNegative, configuration
from untaught.layerwise.wide_range import STANDARDISED, standardised_outside
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe, Smoke, Stage, Stream, Usual
from untaught.nn.named import weight_pictures
from untaught.nn.noise import wide
from untaught.nn.targets import check_labels, class_losses, label_nats
from untaught.shapes import Examples, Features, Images, Scalar, Shape


class Softmax(Learner, Classifies, Filters):
    """Softmax regression.

    Example:
        >>> Softmax(Softmax.Config(classes=3), (1, 8, 8)).class_probabilities(torch.zeros(1, 1, 8, 8))
        tensor([[0.3333, 0.3333, 0.3333]], grad_fn=<SoftmaxBackward0>)
    """

    @configuration
    class Config:
        """Classes and weight decay."""

        classes: Count = 10
        """Classes."""
        weight_cost: NonNegative = 0.0
        """Decay of the weights, biases apart, equation (2)."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-2), batch_size=128)
    adapts = STANDARDISED
    monitor = "label_nats"
    smoke = Smoke(config=Config(classes=3, weight_cost=0.01), shape=(1, 3, 3), classes=3)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.weight = nn.Parameter(torch.zeros(math.prod(self.shape), config.classes))
        self.bias = nn.Parameter(torch.zeros(config.classes))

    def logits(self, x: Examples) -> Features:
        """Exponents of (1), `(batch, class)`."""
        return wide(x.flatten(1) @ self.weight) + self.bias

    def layer(self) -> nn.Linear:
        """The layer of which `logits` are the outputs."""
        linear = nn.Linear(self.weight.shape[0], self.weight.shape[1], device="meta")
        linear.weight, linear.bias = nn.Parameter(self.weight.detach().T), nn.Parameter(self.bias.detach())
        return linear

    def class_probabilities(self, x: Examples) -> Features:
        """Equation (1)."""
        return torch.softmax(self.logits(x), 1)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (2)."""
        logits = self.logits(batch.x)
        nats = label_nats(logits, batch.label)
        total = nats + self.config.weight_cost / 2 * self.weight.square().sum()
        return Loss(total, {"label_nats": nats.detach(), **class_losses(logits, batch.label)})

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Each value standardised where some lie outside [0, 1]."""
        return standardised_outside(example, sample)

    def filters(self) -> Images:
        """Weights of each class as a picture."""
        return weight_pictures(self.weight, self.shape)

    def stages(self) -> tuple[Stage]:
        """One, on labelled examples."""
        return (Stage("train", self, self.recipe, Stream(self.view, labelled=True)),)

    def prepare(self, sample: Batch) -> None:
        """Check the labels.

        Raises:
            DataError: There are no labels, or one is not below `classes`.
        """
        check_labels(sample.label, self.config.classes, needed=True)
