"""The sigmoid belief network, which with a recognition network is the Helmholtz machine: causes that explain the data.

    p(x_l | x_{l+1}) = prod_i s(z_i)^x_i (1 - s(z_i))^(1 - x_i),   z = b_l + W_l x_{l+1}     (1)
    q(x_{l+1} | x_l) = prod_j s(y_j)^x_j (1 - s(y_j))^(1 - x_j),   y = c_{l+1} + R_{l+1} x_l (2)
    wake:  dW_l = (x_l - s(z)) x_{l+1}^T,   x_0 from the data, the others drawn by (2)       (3)
    sleep: dR_{l+1} = (x_{l+1} - s(y)) x_l^T,   all drawn by (1), from the top down          (4)
    log p(x_0) >= <log p(x_0, ..., x_L) - log q(x_1, ..., x_L | x_0)>                        (5)

x_0 is visible, x_1 to x_L are hidden; s(x) = 1 / (1 + exp(-x)). Units of a layer are independent given the layer above
(1), but dependent given the layer below. Wake-sleep learns by delta rules alone: generative weights learn to predict
the states that recognition infers from data (3), recognition weights the states that generated a fantasy (4). In a
small network hidden units can be inferred without (2). Exact inference ascends the likelihood itself; factorial
inference takes hidden units as independent and ascends the bound (5) of this q. Grey values in [0, 1] are taken as
probabilities of ones.

References:
    Neal (1992). Connectionist learning of belief networks.
    Dayan, Hinton, Neal, Zemel (1995). The Helmholtz machine.
    Hinton, Dayan, Frey, Neal (1995). The wake-sleep algorithm for unsupervised neural networks.
    Saul, Jaakkola, Jordan (1996). Mean field theory for sigmoid belief networks.

Departures:
    The visible biases begin at the mean of the data, unless the configuration says where.
    Both phases take one step after each batch of examples, where the paper alternates after each example.
    Factorial inference sums exactly over the states of neighbouring layers, where the paper of 1996 uses a bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch

from untaught.capability import (
    Activations,
    Decodes,
    Encodes,
    Filters,
    LatentVariable,
    LogLikelihood,
    Reconstructs,
    Samples,
    Scores,
)
from untaught.config import Count, Positive, configuration
from untaught.errors import ConfigError, SizeError
from untaught.layerwise.suited import in_patches, patches_told
from untaught.model import Batch, Example, Learner, Loss, Player, Smoke, Usual, View
from untaught.nn.belief.inference import Exact, Factorial, Inference, Recognition
from untaught.nn.belief.network import ENUMERABLE, BeliefNetwork, Units
from untaught.nn.energy.units import UNITS
from untaught.nn.named import chosen, weight_pictures
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape

DRAWS = 20
"""Draws from q over which the bound (5) is averaged where the likelihood cannot be summed."""


class SigmoidBelief(Learner, Encodes, Decodes, Reconstructs, Samples, Scores, LatentVariable, Activations, Filters):
    """A sigmoid belief network. Features, and latent variables, are the units of all hidden layers, the lowest first.

    Example:
        >>> network = SigmoidBelief(SigmoidBelief.Config(hidden=(8, 1)), (1, 4, 4))
        >>> network.encode(torch.zeros(5, 1, 4, 4)).shape, network.log_likelihood(torch.zeros(5, 1, 4, 4)).kind
        (torch.Size([5, 9]), 'exact')
    """

    def decode(self, features: Features) -> Examples:
        """Mean of the visible units given the first hidden layer, equation (1)."""
        first = features[:, : self.config.hidden[0]]
        return torch.sigmoid(self.generative.logits(0, first)).unflatten(1, self.shape)

    def encode(self, x: Examples) -> Features:
        """Mean of every hidden unit; under recognition each layer's given the means of the one below, equation (2)."""
        return torch.cat(self.inference.means(x.flatten(1)), 1)

    def _wake(self, visible: Units) -> Loss:
        """-log p of the data with what recognition drew; its gradient is the rule of equation (3)."""
        with torch.no_grad():
            hidden, density = self.inference.draw(visible)
        total = -self.generative.log_joint([visible, *hidden]).mean()
        return Loss(total, {"upper_bound_nats": (total + density.mean()).detach()})

    def _sleep(self, count: int) -> Loss:
        """-log q of the states that generated fantasies, summed over those of an example; its gradient is rule (4)."""
        assert isinstance(self.inference, Recognition)
        with torch.no_grad():
            fantasy = self.generative.sample(self.config.fantasies * count)
        surprise = -self.inference.log_density(fantasy).mean()
        return Loss(self.config.fantasies * surprise, {"surprise_nats": surprise.detach()})

    def _bound(self, visible: Units) -> PerExample:
        """One draw of the bound, equation (5)."""
        hidden, density = self.inference.draw(visible)
        return self.generative.log_joint([visible, *hidden]) - density

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Loss of the wake phase (3), of the sleep phase (4), or minus the likelihood or its bound (5)."""
        if player == "recognition":
            return self._sleep(len(batch.x))
        visible = batch.x.flatten(1)
        match self.inference:
            case Exact():
                total = -self.generative.log_likelihood(visible).mean()
                return Loss(total, {"upper_bound_nats": total.detach()})
            case Factorial() as factorial:
                with torch.no_grad():
                    means = factorial.means(visible)
                total = -factorial.bound(visible, means).mean()
                return Loss(total, {"upper_bound_nats": total.detach()})
            case _:
                return self._wake(visible)

    @configuration
    class Config:
        """Size and inference."""

        hidden: tuple[Count, ...] = (200, 100)
        """Units of each hidden layer, the one above the data first."""
        inference: Literal["recognition", "factorial", "exact"] = "recognition"
        """How hidden units are inferred: by recognition weights and wake-sleep, as if independent, or exactly."""
        sweeps: Count = 10
        """Sweeps of factorial inference, each of which updates every hidden unit once."""
        fantasies: Count = 1
        """Fantasies for each example: the more, the better recognition weights follow the generative ones."""
        initial_scale: Positive = 0.1
        """Standard deviation of the initial weights."""
        visible_bias: float | None = None
        """Initial visible biases, for example -4 if causes should turn pixels on; none takes the mean of the data."""
        hidden_bias: float = 0.0
        """Initial hidden biases of both networks; below 0 if causes should be rare."""

    known_shortfalls = {
        "reconstruction": "it learns a density: hidden units are drawn while it learns, and what they lose in noise "
        "no principal component loses",
        "features": "recognition follows generation only as far as dreams are like the data; shares of words are taken "
        "as probabilities of ones, and nearly all units are off in every document",
    }
    adapts = patches_told()

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Patches of few large pictures."""
        return in_patches(cls, [Usual()], example, sample)

    recipe = Recipe(optimiser=Optimiser(name="sgd", learning_rate=0.1), batch_size=100)
    view = View(binarise=True)
    monitor = "upper_bound_nats"
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the network.

        Raises:
            ConfigError: There is no hidden layer.
            SizeError: A hidden layer is too large for factorial or exact inference.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        if not config.hidden:
            raise ConfigError("hidden = (): a sigmoid belief network needs a hidden layer")
        units = (math.prod(self.shape), *config.hidden)
        self.generative = BeliefNetwork(units, config.initial_scale, config.hidden_bias)
        self.inference, self.players = self._inference(units)

    def prepare(self, sample: Batch) -> None:
        """Let the visible biases alone explain each unit's mean, unless they are to begin elsewhere.

        Raises:
            DataError: Values lie outside [0, 1], so they are not probabilities.
        """
        usual, asked = UNITS["bernoulli"].bias_for(sample.x.flatten(1)), self.config.visible_bias
        with torch.no_grad():
            self.generative.biases[0].copy_(usual if asked is None else torch.full_like(usual, asked))

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of the visible units given the hidden units' means."""
        return self.decode(self.encode(x))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw from the top down; the last step gives grey values, the means of (1), not draws."""
        with torch.no_grad():
            return self.decode(torch.cat(self.generative.sample(count)[1:], 1))

    def log_likelihood(self, x: Examples) -> LogLikelihood:
        """Log p(x_0), exact for binary values where no hidden layer has more than 12 units; else the bound (5)."""
        visible = x.flatten(1)
        if self.generative.enumerable:
            binary = bool(((visible == 0) | (visible == 1)).all())
            return LogLikelihood(self.generative.log_likelihood(visible), "exact" if binary else "lower bound")
        total = torch.stack([self._bound(visible) for _ in range(DRAWS)]).mean(0)
        return LogLikelihood(total, "lower bound")

    def log_joint(self, x: Examples, latent: Features) -> PerExample:
        """Log p(x_0, ..., x_L) in nats."""
        return self.generative.log_joint([x.flatten(1), *self._layers(latent)])

    def posterior_sample(self, x: Examples) -> tuple[Features, PerExample]:
        """Draw the hidden units from q, with log q in nats; exact inference draws from the true posterior."""
        hidden, density = self.inference.draw(x.flatten(1))
        return torch.cat(hidden, 1), density

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Features]:
        """Means of the layers `hidden.1`, `hidden.2` and so on."""
        known = {f"hidden.{n}": mean for n, mean in enumerate(self.inference.means(x.flatten(1)), 1)}
        return chosen(known, names)

    def filters(self) -> Images:
        """Generative weights of each unit of the first hidden layer; for vectors, pictures of one row."""
        return weight_pictures(self.generative.weights[0], self.shape)

    def _layers(self, latent: Features) -> Sequence[Units]:
        return latent.split(self.config.hidden, 1)

    def _inference(self, units: Sequence[int]) -> tuple[Inference, dict[str, Player]]:
        """The inference of hidden units, and the players that learn."""
        wakes, kind = {"generative": Player(("generative.",))}, self.config.inference
        if kind == "recognition":
            up = Recognition(units, self.config.initial_scale, self.config.hidden_bias)
            return up, {**wakes, "recognition": Player(("inference.",))}
        if not self.generative.enumerable:
            raise SizeError(
                f"{kind} inference sums over the states of hidden layers, and {max(units[1:])} units have too many;\n"
                f"it is possible up to {ENUMERABLE} units a layer; --inference recognition takes any size"
            )
        return Exact(self.generative) if kind == "exact" else Factorial(self.generative, self.config.sweeps), wakes

    smoke = Smoke(config=Config(hidden=(4, 2), initial_scale=0.5), shape=(1, 2, 3), binary=True)
    """Six visible and six hidden units: all 4,096 states can be summed."""
