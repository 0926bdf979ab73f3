"""A Boltzmann machine of several layers, with weights between neighbouring layers only.

    E(s0, ..., sn) = -sum_k b_k.s_k - sum_k s_k.W_k.s_{k+1}                       (1)
    p(s_k,i = 1 | neighbours) = s(b_k,i + (s_{k-1}.W_{k-1})_i + (W_k.s_{k+1})_i)  (2)
    m_k = the right-hand side of (2), of means m instead of states, m_0 = x       (3)
    log p(x) >= -E(x, m_1, ..., m_n) + H(m_1) + ... + H(m_n) - log Z              (4)
    u_k = s(c_k + u_{k-1}.W_k + m_{k+1}.A_k), u_0 = x                             (5)

s0 are visible units and s1 to sn hidden layers, all binary; s(x) = 1 / (1 + exp(-x)). Layers of one parity are not
connected, so given the others they are independent, and a Gibbs step draws the even layers and then the odd ones by
(2). In this way the machine is a restricted Boltzmann machine, with odd layers on one side and even ones on the other.
(3) is the mean-field posterior, found by sweeps from below; H is the entropy, and no update of a layer lowers (4). A
network (5) with an output layer is initialised with copies of the weights.

References:
    Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.nn.noise import bernoulli, wide
from untaught.shapes import PerExample, Scalar

Layer = Float[Tensor, "batch unit"]
Other = Float[Tensor, "batch other"]
Layers = list[Tensor]
"""States or means of every layer from the visible one up, each `(batch, unit)`."""


class DeepMachine(nn.Module):
    """Weights and biases of all layers.

    Args:
        sizes: Units of each layer, visible ones first.
        scale: Standard deviation of the initial weights.
    """

    def __init__(self, sizes: Sequence[int], scale: float) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.weights = nn.ParameterList(torch.randn(below, above) * scale for below, above in pairwise(sizes))
        self.biases = nn.ParameterList(torch.zeros(size) for size in sizes)

    def layer_input(self, k: int, states: Sequence[Tensor | None]) -> Layer:
        """Logit of layer k given its neighbours, inside equation (2); a neighbour that is None contributes nothing."""
        below = states[k - 1] if k > 0 else None
        above = states[k + 1] if k < len(self.weights) else None
        logit = self.biases[k]
        if below is not None:
            logit = logit + wide(below @ self.weights[k - 1])
        if above is not None:
            logit = logit + wide(above @ self.weights[k].T)
        return logit

    def mean_field(self, x: Layer, sweeps: int) -> Layers:
        """Visible units as they are, and the hidden layers' means (3) after some sweeps from below.

        In the first sweep each layer below the top counts the one beneath it twice, since the one above is not known
        yet.
        """
        means: Layers = [x]
        for k, weight in enumerate(self.weights, 1):
            twice = 2 if k < len(self.weights) else 1
            means.append(torch.sigmoid(twice * wide(means[-1] @ weight) + self.biases[k]))
        seen = wide(x @ self.weights[0]) + self.biases[1]  # stays the same
        for _ in range(sweeps):
            for k in range(1, len(means)):
                logit = seen if k == 1 else wide(means[k - 1] @ self.weights[k - 1]) + self.biases[k]
                above = wide(means[k + 1] @ self.weights[k].T) if k + 1 < len(means) else 0
                means[k] = torch.sigmoid(logit + above)
        return means

    def given(self, side: Layer, parity: int) -> Other:
        """Means (2) of all layers of the other parity, concatenated, given the concatenated layers of one parity."""
        states = self._apart(side, parity)
        return torch.cat([torch.sigmoid(self.layer_input(k, states)) for k in range(1 - parity, len(states), 2)], 1)

    def gibbs(self, odd: Layer) -> Layer:
        """Draw the even layers given the odd ones, and then the odd ones given the even."""
        return bernoulli(self.given(bernoulli(self.given(odd, 1)), 0))

    def completed(self, odd: Layer) -> Layers:
        """Every layer: the given odd ones, split, and the means of the even ones."""
        pairs = zip(self._apart(odd, 1), self._apart(self.given(odd, 1), 0), strict=True)
        return [state for pair in pairs for state in pair if state is not None]

    def energy(self, states: Sequence[Tensor]) -> PerExample:
        """Equation (1) in nats; of means, its mean over independent units."""
        total = -states[0] @ self.biases[0]
        for k, weight in enumerate(self.weights):
            total = total - ((states[k] @ weight + self.biases[k + 1]) * states[k + 1]).sum(1)
        return total

    def unnormalised_bound(self, x: Layer, sweeps: int) -> PerExample:
        """The bound (4) without log Z, in nats, after some sweeps of mean field."""
        means = self.mean_field(x, sweeps)
        entropy = [torch.special.entr(m).sum(1) + torch.special.entr(1 - m).sum(1) for m in means[1:]]
        return torch.stack(entropy).sum(0) - self.energy(means)

    def pseudo_likelihood(self, x: Layer, sweeps: int, places: int) -> Scalar:
        """-sum_i log p(x_i | all others) in nats, from a few random i of each row, by differences of the bound (4)."""
        total = torch.zeros((), device=x.device, dtype=x.dtype)
        for _ in range(places):
            place = (torch.rand(len(x), 1, device=x.device) * x.shape[1]).long()
            on, off = (self.unnormalised_bound(x.scatter(1, place, value), sweeps) for value in (1.0, 0.0))
            total += (F.softplus(on - off) - x.gather(1, place)[:, 0] * (on - off)).mean()
        return total * x.shape[1] / places

    def slopes(self, states: Sequence[Tensor]) -> list[Tensor]:
        """Derivatives of -E with respect to every weight matrix, then every bias; means over rows."""
        # In full precision, because the two terms of the difference nearly cancel.
        with torch.autocast(states[0].device.type, enabled=False):
            products = [(below / len(below)).T @ above for below, above in pairwise(states)]
            return products + [state.mean(0) for state in states]

    def two_sided(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights and biases of the same machine seen as two layers: even ones visible, odd ones hidden."""
        odd, even = self.sizes[1::2], self.sizes[0::2]
        blocks = [[self.biases[0].new_zeros(rows, columns) for columns in even] for rows in odd]
        for k, weight in enumerate(self.weights):
            blocks[k // 2][(k + 1) // 2] = weight if k % 2 else weight.T
        weight = torch.cat([torch.cat(row, 1) for row in blocks]).T
        return weight, torch.cat(list(self.biases)[0::2]), torch.cat(list(self.biases)[1::2])

    def _apart(self, side: Layer, parity: int) -> list[Tensor | None]:
        layers = iter(side.split(self.sizes[parity::2], 1))
        return [next(layers) if k % 2 == parity else None for k in range(len(self.sizes))]


class MeanFieldNetwork(nn.Module):
    """The network (5). Its input is the visible units and the means from the second hidden layer on, concatenated.

    Args:
        sizes: Units of each layer, visible ones first.
        classes: Classes.
    """

    def __init__(self, sizes: Sequence[int], classes: int) -> None:
        super().__init__()
        self.seen = sizes[0], *sizes[2:]
        self.up = nn.ParameterList(torch.randn(below, above) / below**0.5 for below, above in pairwise(sizes))
        self.down = nn.ParameterList(torch.randn(above, below) / above**0.5 for below, above in pairwise(sizes[1:]))
        self.biases = nn.ParameterList(torch.zeros(size) for size in sizes[1:])
        self.output = nn.Linear(sizes[-1], classes)

    def begin(self, deep: DeepMachine) -> None:
        """Copy the machine's weights; the output stays as it is."""
        given = [*deep.weights, *(weight.T for weight in list(deep.weights)[1:]), *list(deep.biases)[1:]]
        with torch.no_grad():
            for own, value in zip((*self.up, *self.down, *self.biases), given, strict=True):
                own.copy_(value)

    def forward(self, seen: Layer) -> Float[Tensor, "batch class"]:
        """Logit of each class."""
        below, *means = seen.split(self.seen, 1)
        for k, (weight, bias) in enumerate(zip(self.up, self.biases, strict=True)):
            above = wide(means[k] @ self.down[k]) if k < len(means) else 0
            below = torch.sigmoid(wide(below @ weight) + above + bias)
        return wide(self.output(below))
