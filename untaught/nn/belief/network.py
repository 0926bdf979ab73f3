"""The sigmoid belief network: layers of binary units, each given by the one above, and sums over all of their states.

    p(x_l | x_{l+1}) = prod_i s(z_i)^x_i (1 - s(z_i))^(1 - x_i),   z = b_l + W_l x_{l+1}     (1)
    log p(x_0, ..., x_L) = sum_l log p(x_l | x_{l+1}),   z = b_L at the top                 (2)
    p(x_l) = sum over states of x_{l+1} of p(x_l | x_{l+1}) p(x_{l+1})                      (3)
    p(x_{l+1} | x_l) = p(x_l | x_{l+1}) p(x_{l+1}) / p(x_l)                                 (4)
    <log p> = sum_l sum_i m_i <z_i> - <log(1 + exp(z_i))>,   m_i = <x_i>                    (5)

x_0 is visible, x_1 to x_L are hidden, L the top layer; s(x) = 1 / (1 + exp(-x)). Going down by (3) and up by (4), a
layer at a time, sums over all hidden states at the cost of sums over two neighbouring layers. (5) is the mean of (2)
under units that are independent with means m; its last term is a sum over the states of the layer above.

References:
    Neal (1992). Connectionist learning of belief networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.nn.energy.all_states import all_states
from untaught.nn.noise import bernoulli, wide
from untaught.shapes import PerExample

Units = Float[Tensor, "batch _"]
States = Float[Tensor, "state _"]
Table = Float[Tensor, "batch state"]

ENUMERABLE = 12
"""Most units of a hidden layer that is summed over: two such layers have 16 million pairs of states."""


class BeliefNetwork(nn.Module):
    """A sigmoid belief network, equations (1) and (2).

    Example:
        >>> network = BeliefNetwork((6, 3, 2))
        >>> [layer.shape[1] for layer in network.sample(5)], network.marginal(1).shape
        ([6, 3, 2], torch.Size([8]))
    """

    def __init__(self, units: Sequence[int], scale: float = 0.1, hidden_bias: float = 0.0) -> None:
        """Draw the weights; the visible biases are zero.

        Args:
            units: Units of each layer, the visible one first.
            scale: Standard deviation of the weights.
            hidden_bias: Bias of every hidden unit.
        """
        super().__init__()
        self.units = tuple(units)
        self.weights = nn.ParameterList([scale * torch.randn(below, above) for below, above in pairwise(units)])
        self.biases = nn.ParameterList(
            [torch.full((count,), hidden_bias * (layer > 0)) for layer, count in enumerate(units)]
        )

    @property
    def enumerable(self) -> bool:
        """Whether every hidden layer is small enough for sums over its states."""
        return max(self.units[1:]) <= ENUMERABLE

    def logits(self, layer: int, above: Units | None = None) -> Float[Tensor, "_ _"]:
        """Logit z of each unit of a layer given the layer above, equation (1); the top layer's `(1, unit)`."""
        if layer == len(self.weights):
            return self.biases[layer][None]
        assert above is not None
        return wide(above @ self.weights[layer].T) + self.biases[layer]

    def log_joint(self, layers: Sequence[Units]) -> PerExample:
        """Log p(x_0, ..., x_L) in nats, equation (2), of layers from the visible one up."""
        above = [*layers[1:], None]
        pairs = enumerate(zip(layers, above, strict=True))
        return torch.stack([log_bernoulli(x, self.logits(layer, up)) for layer, (x, up) in pairs]).sum(0)

    def sample(self, count: int) -> list[Units]:
        """Draw every layer from the top down, equation (1); the visible one first."""
        top = len(self.weights)
        layers = [bernoulli(torch.sigmoid(self.logits(top)).expand(count, -1))]
        for layer in reversed(range(top)):
            layers.insert(0, bernoulli(torch.sigmoid(self.logits(layer, layers[0]))))
        return layers

    def states(self, layer: int) -> States:
        """Every state of a layer's units."""
        return all_states(self.units[layer], self.biases[layer])

    def conditional(self, layer: int, x: Units | None = None) -> Table:
        """Log p(x_l | x_{l+1}) in nats of examples, or of all states, for every state of the layer above."""
        x = self.states(layer) if x is None else x
        logits = self.logits(layer, self.states(layer + 1))
        return x @ logits.T - F.softplus(logits).sum(1)

    def marginal(self, layer: int) -> Float[Tensor, " state"]:
        """Log p(x_l) in nats of every state of a layer, from the top down by equation (3)."""
        if layer == len(self.weights):
            return log_bernoulli(self.states(layer), self.logits(layer))
        return torch.logsumexp(self.conditional(layer) + self.marginal(layer + 1), 1)

    def log_likelihood(self, visible: Units) -> PerExample:
        """Log p(x_0) in nats, equation (3). For grey values, a lower bound on its mean over their binarisations."""
        return torch.logsumexp(self.conditional(0, visible) + self.marginal(1), 1)

    def posterior(self, layer: int, below: Units | None = None) -> Table:
        """p(x_{l+1} | x_l) of every state of the layer above, for examples or all states of a layer; equation (4)."""
        return torch.softmax(self.conditional(layer, below) + self.marginal(layer + 1), 1)

    def mean_log_joint(self, means: Sequence[Units]) -> PerExample:
        """<log p(x_0, ..., x_L)> in nats under independent units with these means, equation (5)."""
        total = log_bernoulli(means[-1], self.logits(len(self.weights)))
        for layer, (mean, above) in enumerate(pairwise(means)):
            chance = independent(self.states(layer + 1), above)
            softplus = chance @ F.softplus(self.logits(layer, self.states(layer + 1))).sum(1)
            total = total + (mean * self.logits(layer, above)).sum(1) - softplus
        return total


def log_bernoulli(x: Units, logits: Float[Tensor, "_ _"]) -> PerExample:
    """Log-probability in nats of units that are independent given their logits, `(batch, unit)` or `(1, unit)`."""
    return (x * logits - F.softplus(logits)).sum(-1)


def independent(states: States, means: Units) -> Table:
    """Probability of each state under units that are independent with each example's means."""
    return torch.where(states.bool(), means[:, None], 1 - means[:, None]).prod(2)
