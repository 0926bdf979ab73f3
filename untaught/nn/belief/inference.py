"""Three ways to infer the hidden units of a sigmoid belief network from the visible ones.

    q(x_{l+1} | x_l) = prod_j s(y_j)^x_j (1 - s(y_j))^(1 - x_j),   y = c_{l+1} + R_{l+1} x_l    (1)
    m_j = s(<log p>_{m_j = 1} - <log p>_{m_j = 0})                                              (2)
    p(x_1, ..., x_L | x_0) = prod_l p(x_{l+1} | x_l)                                            (3)

A recognition network (1) has weights of its own and goes up once. Factorial inference takes all hidden units as
independent given the visible ones. It sets one mean m_j after the other to (2), which is optimal while the others are
fixed; <log p> is `BeliefNetwork.mean_log_joint`. Exact inference (3) sums over the states of two layers at once.

Causes of the same effect are independent a priori, but dependent once the effect is observed: one explains the other
away. (3) takes this into account. (1) represents such dependence between layers, but not within a layer given the one
below; (2) cannot represent it at all.

References:
    Pearl (1988). Probabilistic reasoning in intelligent systems (explaining away).
    Hinton, Dayan, Frey, Neal (1995). The wake-sleep algorithm for unsupervised neural networks.
    Saul, Jaakkola, Jordan (1996). Mean field theory for sigmoid belief networks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from untaught.nn.belief.network import BeliefNetwork, Units, log_bernoulli
from untaught.nn.noise import bernoulli, wide
from untaught.shapes import PerExample


class Inference(ABC):
    """A distribution over hidden units given visible ones."""

    @abstractmethod
    def means(self, visible: Units) -> list[Units]:
        """Mean of every hidden unit, layer by layer from the first; deterministic."""

    @abstractmethod
    def draw(self, visible: Units) -> tuple[list[Units], PerExample]:
        """Draw the hidden layers; also gives the log-probability of the draw in nats."""


class Recognition(nn.Module, Inference):
    """A recognition network, equation (1).

    Example:
        >>> hidden, density = Recognition((6, 3, 2)).draw(torch.zeros(5, 6))
        >>> [layer.shape[1] for layer in hidden], density.shape
        ([3, 2], torch.Size([5]))
    """

    def __init__(self, units: Sequence[int], scale: float = 0.1, bias: float = 0.0) -> None:
        """Draw the weights.

        Args:
            units: Units of each layer, the visible one first.
            scale: Standard deviation of the weights.
            bias: Bias of every unit.
        """
        super().__init__()
        self.weights = nn.ParameterList([scale * torch.randn(above, below) for below, above in pairwise(units)])
        self.biases = nn.ParameterList([torch.full((count,), bias) for count in units[1:]])

    def logits(self, layer: int, below: Units) -> Units:
        """Logit y of each unit of layer `layer` + 1 given the layer below it."""
        return wide(below @ self.weights[layer].T) + self.biases[layer]

    def means(self, visible: Units) -> list[Units]:
        """Means of each layer, given the means of the one below."""
        layers = [visible]
        for layer in range(len(self.weights)):
            layers.append(torch.sigmoid(self.logits(layer, layers[-1])))
        return layers[1:]

    def draw(self, visible: Units) -> tuple[list[Units], PerExample]:
        """Draw each layer given the draw of the one below."""
        layers = [visible]
        for layer in range(len(self.weights)):
            layers.append(bernoulli(torch.sigmoid(self.logits(layer, layers[-1]))))
        return layers[1:], self.log_density(layers)

    def log_density(self, layers: Sequence[Units]) -> PerExample:
        """Log-probability in nats of the hidden layers given the visible one, which is the first."""
        pairs = enumerate(pairwise(layers))
        return torch.stack([log_bernoulli(above, self.logits(layer, below)) for layer, (below, above) in pairs]).sum(0)


class Factorial(Inference):
    """Independent hidden units, equation (2)."""

    def __init__(self, network: BeliefNetwork, sweeps: int) -> None:
        """Infer the hidden units of a network.

        Args:
            network: The network; all of its hidden layers must be enumerable.
            sweeps: How often every hidden unit is updated.
        """
        self.network, self.sweeps = network, sweeps

    def means(self, visible: Units) -> list[Units]:
        """Means after coordinate ascent, starting from the prior means; no update lowers the bound."""
        above = range(1, len(self.network.units))
        prior = [self.network.marginal(layer).exp() @ self.network.states(layer) for layer in above]
        layers = [visible, *(mean.expand(len(visible), -1) for mean in prior)]
        for _ in range(self.sweeps):
            for layer in above:
                for unit in range(self.network.units[layer]):
                    layers[layer] = self._set(layers, layer, unit)
        return layers[1:]

    def draw(self, visible: Units) -> tuple[list[Units], PerExample]:
        """Draw every unit independently."""
        means = self.means(visible)
        hidden = [bernoulli(mean) for mean in means]
        return hidden, torch.stack([_log_chance(x, mean) for x, mean in zip(hidden, means, strict=True)]).sum(0)

    def bound(self, visible: Units, means: Sequence[Units]) -> PerExample:
        """Lower bound on log p(x_0) in nats: <log p> plus the entropy of independent units with these means."""
        entropy = torch.stack([torch.special.entr(m).sum(1) + torch.special.entr(1 - m).sum(1) for m in means]).sum(0)
        return self.network.mean_log_joint([visible, *means]) + entropy

    def _set(self, layers: list[Units], layer: int, unit: int) -> Units:
        """A layer's means after one unit's is updated by equation (2)."""
        here = torch.arange(self.network.units[layer], device=layers[layer].device) == unit
        off, on = (
            self.network.mean_log_joint([*layers[:layer], torch.where(here, x, layers[layer]), *layers[layer + 1 :]])
            for x in layers[layer].new_tensor([0.0, 1.0])
        )
        return torch.where(here, torch.sigmoid(on - off)[:, None], layers[layer])


class Exact(Inference):
    """The true posterior, equation (3)."""

    def __init__(self, network: BeliefNetwork) -> None:
        """Infer the hidden units of a network, all of whose hidden layers must be enumerable."""
        self.network = network

    def means(self, visible: Units) -> list[Units]:
        """Posterior means, from the posterior distributions of the layers, from below."""
        chance = self.network.posterior(0, visible)
        means = [chance @ self.network.states(1)]
        for layer in range(1, len(self.network.weights)):
            chance = chance @ self.network.posterior(layer)
            means.append(chance @ self.network.states(layer + 1))
        return means

    def draw(self, visible: Units) -> tuple[list[Units], PerExample]:
        """Draw each layer from its posterior given the draw of the one below."""
        layers, density = [visible], torch.zeros_like(visible[:, 0])
        for layer in range(len(self.network.weights)):
            chance = self.network.posterior(layer, layers[-1])
            drawn = torch.multinomial(chance, 1)
            layers.append(self.network.states(layer + 1)[drawn[:, 0]])
            density = density + chance.gather(1, drawn)[:, 0].log()
        return layers[1:], density


def _log_chance(x: Tensor, mean: Tensor) -> PerExample:
    """Log-probability of independent units with these means."""
    return torch.where(x.bool(), mean, 1 - mean).log().sum(1)
