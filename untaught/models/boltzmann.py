"""The Boltzmann machine: visible and hidden units with arbitrary symmetric connections.

    E(s) = -sum_{i<j} w_ij s_i s_j - sum_i b_i s_i,   s = (v, h)                  (1)
    p(s_i = 1 | all others) = s((b_i + sum_j w_ij s_j) / T)                       (2)
    d log p(v) / dw_ij = <s_i s_j>_v - <s_i s_j>                                  (3)
    m_i = s(b_i + sum_j w_ij m_j)                                                 (4)
    log p(v) >= -E(v, m) - sum_i m_i log m_i + (1 - m_i) log(1 - m_i) - log Z     (5)
    E_t(s) = t E(s) - (1 - t) a.s                                                 (6)

Units are 0 or 1, w_ij = w_ji, w_ii = 0, s(x) = 1 / (1 + exp(-x)), and p(s) = exp(-E(s)) / Z. The gradient (3) is the
difference between two phases: visible units clamped to the data, and all units free. That of b_i has s_i in place of
s_i s_j. Co-occurrences in a phase are found in one of three ways. Gibbs: units are drawn by (2), sweep after sweep,
while the temperature T falls to 1; co-occurrences are counted over further sweeps at 1. Mean field: means of the free
units solve (4), and co-occurrences are their products. With visible units clamped, the bound (5), whose sum is over
hidden units, is stationary where (4) holds. Exact: a sum over all states. For annealing, (6) leads from independent
units to (1).

References:
    Hinton and Sejnowski (1983). Optimal perceptual inference.
    Ackley, Hinton and Sejnowski (1985). A learning algorithm for Boltzmann machines.
    Peterson and Anderson (1987). A mean field theory learning algorithm for neural networks.

Departures:
    A sweep visits units in a fixed order, unconnected ones at the same time; in 1985 the order was random.
    Visible biases begin at the logits of the data's mean. Temperatures are multiples of the last one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from untaught.capability import (
    Activations,
    Completes,
    Decodes,
    Encodes,
    Energy,
    Filters,
    LowerBound,
    Reconstructs,
    Samples,
    Side,
)
from untaught.config import Count, Fraction, NonNegative, Positive, configuration
from untaught.errors import SizeError
from untaught.layerwise.suited import in_patches, patches_told
from untaught.model import Batch, Example, Learner, Loss, Smoke, Usual, View
from untaught.nn.energy.contrastive import contrast
from untaught.nn.energy.pairwise import (
    Network,
    Order,
    Pairs,
    States,
    exact_clamped,
    exact_free,
    joined,
    last,
    together,
    walk,
)
from untaught.nn.energy.units import UNITS
from untaught.nn.named import chosen, weight_pictures
from untaught.nn.noise import bernoulli
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape

Shown = Float[Tensor, "chain visible"]
Way = Literal["gibbs", "mean-field", "exact"]
EXACT, PATCH = 20, 8
"""Units of the largest machine whose states are summed over; side of the patches of few large pictures."""


class Boltzmann(Learner, Encodes, Decodes, Reconstructs, Completes, Samples, LowerBound, Activations, Filters):
    """A Boltzmann machine; visible units are numbered first.

    Example:
        >>> machine = Boltzmann(Boltzmann.Config(hidden=3, groups=2), (16,))
        >>> machine.encode(torch.eye(8).repeat(1, 2)).shape
        torch.Size([8, 3])
    """

    def network(self) -> Network:
        """Weights as a symmetric matrix with a diagonal of zeros, and biases."""
        nothing = self.weight.new_zeros(len(self.bias), len(self.bias))
        upper = nothing.index_put(tuple(self.pairs), self.weight)
        return Network(upper + upper.T, self.bias)

    def _contrast(self, shown: Shown) -> Loss:
        """<E> clamped - <E> free with co-occurrences held fixed; its gradient is minus that of equation (3).

        Where steps are fixed it is the sign of that; the weight cost adds its own.
        """
        with torch.no_grad(), torch.autocast(shown.device.type, enabled=False):
            clamped, state = self.clamped_phase(shown)
            slopes = self.free_phase(len(shown)) - clamped
            slopes = slopes.sign() if self.config.fixed_steps else slopes
            logits = self.network().fields(state)[:, : self.visible]
            pseudo = F.binary_cross_entropy_with_logits(logits, shown, reduction="none").sum(1).mean()
        decaying = slopes[self.pairs[0], self.pairs[1]] + self.config.weight_cost * self.weight.detach()
        total = contrast(((self.weight, decaying), (self.bias, slopes.diagonal())))
        return Loss(total, {"pseudo_loss_nats": pseudo})

    def clamped_phase(self, shown: Shown) -> tuple[Pairs, States]:
        """Co-occurrences with the visible units clamped, and the last state of all units for each example."""
        if self.config.clamped == "exact":
            return exact_clamped(self.network(), shown)
        return self.settled(self.config.clamped, self.beginning(len(shown), shown), self.hidden_units)

    def free_phase(self, chains: int) -> Pairs:
        """Co-occurrences with all units free."""
        if self.config.free == "exact":
            return exact_free(self.network())
        return self.settled(self.config.free, self.beginning(chains), self.all_units)[0]

    def beginning(self, chains: int, shown: Shown | None = None) -> States:
        """Random states; where `shown` clamps the visible units, of the hidden ones only."""
        drawn = bernoulli(self.bias.new_full((chains, len(self.bias)), 0.5))
        return drawn if shown is None else torch.cat([shown, drawn[:, self.visible :]], 1)

    def settled(self, way: Way, state: States, order: Order) -> tuple[Pairs, States]:
        """Co-occurrences at equilibrium of the units in `order`, and the last states."""
        if way == "mean-field":
            state = self.mean_field(state, order)
            return together(state), state
        warm, sweeps = self.config.temperatures, self.config.gathering
        network = self.network()
        counts, walked = torch.zeros_like(network.weight), walk(network, state, order, (*warm, *(1.0,) * sweeps))
        for reached in islice(walked, len(warm), None):
            counts, state = counts + together(reached), reached
        return counts / sweeps, state

    def mean_field(self, state: States, order: Order) -> States:
        """Means that solve equation (4) for the units in `order`, starting from `state`."""
        temperatures = (*self.config.temperatures, *(1.0,) * self.config.mean_field_sweeps)
        with torch.no_grad():
            return last(walk(self.network(), state, order, temperatures, draw=False))

    def unnormalised_bound(self, x: Examples) -> PerExample:
        """The bound without log Z, in nats, at the means (4): equation (5)."""
        means = self.encode(x)
        entropy = -(torch.xlogy(means, means) + torch.xlogy(1 - means, 1 - means)).sum(1)
        return entropy - self.network().energy(torch.cat([x.flatten(1), means], 1))

    @configuration
    class Config:
        """Units, connections and learning rule."""

        hidden: Count = 50
        """Hidden units; each is connected to every visible one."""
        groups: Count = 1
        """Equal, consecutive groups of visible units; only hidden units connect one group to another."""
        visible_connections: bool = True
        """Connect visible units of one group to each other."""
        hidden_connections: bool = True
        """Connect hidden units to each other; without these and visible connections the machine is an RBM."""
        clamped: Way = "gibbs"
        """How co-occurrences are found while visible units are clamped to the data."""
        free: Way = "gibbs"
        """How co-occurrences are found while all units are free."""
        temperatures: tuple[Positive, ...] = (2.0, 2.0, 1.5, 1.5, 1.2, 1.2, 1.0, 1.0, 1.0, 1.0)
        """Temperature of each sweep towards equilibrium, from random states."""
        gathering: Count = 10
        """Sweeps at temperature 1 over which Gibbs sampling counts co-occurrences."""
        mean_field_sweeps: Count = 20
        """Sweeps at temperature 1 that solve equation (4)."""
        turned_off: Fraction = 0.0
        """Probability that a unit that is on in the data is clamped off; such noise keeps weights finite."""
        turned_on: Fraction = 0.0
        """Probability that a unit that is off in the data is clamped on."""
        fixed_steps: bool = False
        """Follow only the sign of each derivative, so that every weight moves by the same step."""
        weight_cost: NonNegative = 0.0
        """Decay of the weights: each step takes this times the learning rate off them, beside the step itself."""
        initial_scale: NonNegative = 0.01
        """Standard deviation of the initial weights."""
        sample_sweeps: Count = 100
        """Sweeps at temperature 1 from equilibrium to a sample."""
        recall: tuple[Positive, ...] = (2.0, 1.5, 1.2, 1.0, 0.8, 0.6, 0.5)
        """Temperatures through which missing units are filled in."""
        recall_sweeps: Count = 40
        """Sweeps at each recall temperature; missing units get their average over the sweeps at the last one."""

    known_shortfalls = {
        "reconstruction": "every unit is connected to all others and updated after them: pictures of a few hundred "
        "values or more make a handful of steps in a few minutes, and principal components are as many as its units",
        "features": "its fifty units add only what connections between pixels leave unexplained; large pictures make "
        "a handful of steps in a few minutes",
    }
    adapts = patches_told(PATCH)

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Patches of few large pictures."""
        return in_patches(cls, [Usual()], example, sample, PATCH)

    recipe = Recipe(optimiser=Optimiser(name="sgd", learning_rate=0.2), batch_size=100)
    view = View(binarise=True)
    monitor = "pseudo_loss_nats"
    differentiable = False  # sweeps of mean field replace states in place
    smoke = Smoke(
        Config(hidden=3, initial_scale=0.5, gathering=3, sample_sweeps=3, recall_sweeps=3, temperatures=(2.0,)),
        shape=(1, 2, 3), binary=True,
    )  # fmt: skip

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.visible = math.prod(self.shape)
        count = self.visible + config.hidden
        if "exact" in (config.clamped, config.free) and count > EXACT:
            told = f"'exact' sums over all states of the machine: {EXACT} units at most, and this one has {count}"
            raise SizeError(f"{told}\ntake 'gibbs' or 'mean-field', or fewer units")
        inside, units = (config.visible_connections, config.hidden_connections), np.arange(count)
        self.joined = joined(self.visible, config.hidden, config.groups, *inside)
        self.pairs = nn.Buffer(torch.from_numpy(np.stack(np.nonzero(np.triu(self.joined)))), persistent=False)
        self.weight = nn.Parameter(torch.randn(self.pairs.shape[1]) * config.initial_scale)
        self.bias = nn.Parameter(torch.zeros(count))
        self.base = nn.Buffer(torch.zeros(count))
        self.all_units = Order(self.joined, units)
        self.hidden_units = Order(self.joined, units[self.visible :])
        self.visible_units = Order(self.joined, units[: self.visible])

    def prepare(self, sample: Batch) -> None:
        """Let the biases alone explain each visible unit's mean; a DataError if values lie outside [0, 1]."""
        with torch.no_grad():
            self.base[: self.visible] = UNITS["bernoulli"].bias_for(sample.x.flatten(1))
            self.bias.copy_(self.base)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """The difference between the phases, with noise on the data."""
        return self._contrast(self.noisy(batch.x.flatten(1)))

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The difference between the phases, without noise on the data."""
        return self._contrast(batch.x.flatten(1))

    def noisy(self, data: Shown) -> Shown:
        """The data with some units turned off and some on."""
        if not (self.config.turned_off or self.config.turned_on):
            return data
        return bernoulli(data * (1 - self.config.turned_off) + (1 - data) * self.config.turned_on)

    def encode(self, x: Examples) -> Features:
        """Means (4) of the hidden units; iterations start at 1/2."""
        flat = x.flatten(1)
        state = torch.cat([flat, flat.new_full((flat.shape[0], self.config.hidden), 0.5)], 1)
        return self.mean_field(state, self.hidden_units)[:, self.visible :]

    def decode(self, features: Features) -> Examples:
        """Means (4) of the visible units; iterations start at 1/2."""
        state = torch.cat([features.new_full((features.shape[0], self.visible), 0.5), features], 1)
        return self.mean_field(state, self.visible_units)[:, : self.visible].unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Means of the visible units given the hidden units' means."""
        return self.decode(self.encode(x))

    def complete(self, x: Examples, known: Bool[Tensor, "*example"]) -> Examples:
        """Clamp known values, anneal all other units, and average over the sweeps at the last temperature."""
        held = torch.cat([known.flatten(), known.new_zeros(self.config.hidden)])
        order = Order(self.joined, np.nonzero(~held.cpu().numpy())[0]).to(x.device)
        shown = torch.cat([x.flatten(1), x.new_zeros(len(x), self.config.hidden)], 1)
        state = torch.where(held, shown, self.beginning(len(x)))
        sweeps = self.config.recall_sweeps
        temperatures = np.repeat(self.config.recall, sweeps).tolist()
        walked = walk(self.network(), state, order, temperatures)
        filled = sum(islice(walked, len(temperatures) - sweeps, None), torch.zeros_like(state)) / sweeps
        return torch.where(known, x, filled[:, : self.visible].unflatten(1, self.shape))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw visible units of `count` chains at equilibrium."""
        temperatures = (*self.config.temperatures, *(1.0,) * self.config.sample_sweeps)
        states = last(walk(self.network(), self.beginning(count), self.all_units, temperatures))
        return states[:, : self.visible].unflatten(1, self.shape)

    def machine(self) -> Energy:
        """The same machine with all units, hidden ones too, taken as visible."""
        return AllUnits(self.network(), self.base, self.all_units)

    def states_of(self, x: Examples) -> States:
        """Examples, and draws of the hidden units from their means (4) given these."""
        return bernoulli(torch.cat([x.flatten(1), self.encode(x)], 1))

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layer `hidden`: its means."""
        return chosen({"hidden": self.encode(x)}, names)

    def filters(self) -> Images:
        """Weights of each hidden unit to the visible ones; for vectors, pictures of one row."""
        return weight_pictures(self.network().weight[: self.visible, self.visible :], self.shape)


@dataclass(frozen=True)
class AllUnits(Energy):
    """A machine whose units are all taken as visible: nothing is summed out, so its energy is exact at any size."""

    network: Network
    base: Tensor
    order: Order

    def free_energy(self, visible: Tensor, temper: Scalar | float = 1.0) -> PerExample:
        """Energy of each state in nats, equation (6)."""
        return temper * self.network.energy(visible) - (1 - temper) * (visible @ self.base)

    def gibbs_step(self, visible: Tensor, temper: Scalar | float = 1.0) -> Tensor:
        """One sweep that leaves exp(-E_t) unchanged."""
        bias = temper * self.network.bias + (1 - temper) * self.base
        return last(walk(Network(temper * self.network.weight, bias), visible, self.order, (1.0,)))

    def base_rate(self) -> Tensor:
        """Biases a of equation (6): logits of the data's mean, and 0 for hidden units."""
        return self.base

    def base_partition(self) -> Scalar:
        """Log Z of (6) at t = 0."""
        return F.softplus(self.base).sum()

    def sides(self) -> Sequence[Side]:
        """All units together."""
        return (Side(len(self.base), self.free_energy),)
