"""Networks of binary units in which any pair may be joined by a weight: energy, sweeps over the units, exact sums.

    E(s) = -1/2 s.W.s - b.s                                 (1)
    p(s_i = 1 | all others) = s((b_i + (W.s)_i) / T)        (2)
    m_i = s(b_i + (W.m)_i)                                  (3)

W is symmetric with a diagonal of zeros. A sweep visits each free unit once, and all units of a group at the same time,
since no two of them are joined. If units are drawn by (2), a sweep leaves exp(-E / T) invariant. If they are replaced
by their means, each update maximises the mean-field bound over the units of a group, and sweeps converge to (3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn.energy.all_states import all_states
from untaught.nn.noise import wide
from untaught.shapes import PerExample

BLOCK, FEW = 64, 512
"""Units whose fields are found by one product, as far as units outside the block decide them; of few units that are
visited, a product for each group takes less time."""

States = Float[Tensor, "chain unit"]
Pairs = Float[Tensor, "unit unit"]
"""<s_i s_j>, and on the diagonal <s_i>."""


class Network(NamedTuple):
    """Weights and biases."""

    weight: Float[Tensor, "unit unit"]
    bias: Float[Tensor, " unit"]

    def fields(self, state: States) -> States:
        """Logit of each unit at temperature 1, inside equation (2)."""
        return torch.addmm(self.bias, state, self.weight)

    def energy(self, state: States) -> PerExample:
        """Energy of each state, equation (1); of means, its mean over independent units."""
        return -(state * (state @ self.weight / 2 + self.bias)).sum(1)


def joined(visible: int, hidden: int, groups: int, visible_pairs: bool, hidden_pairs: bool) -> np.ndarray:
    """Which units of a Boltzmann machine are joined, `(unit, unit)`; every hidden unit is joined to every visible one.

    Args:
        visible: Visible units, in equal groups; only hidden units connect one group to another.
        hidden: Hidden units; they come last.
        groups: Groups of visible units.
        visible_pairs: Whether visible units of one group are joined.
        hidden_pairs: Whether hidden units are.

    Raises:
        ConfigError: There are no equal groups.
    """
    if visible % groups:
        raise ConfigError(f"{visible} visible units cannot be cut into {groups} equal groups")
    group = np.concatenate([np.arange(visible) * groups // visible, np.full(hidden, groups)])
    is_hidden, same = group == groups, group[:, None] == group
    within = same & np.where(is_hidden, hidden_pairs, visible_pairs)
    return ((is_hidden[:, None] ^ is_hidden) | within) & ~np.eye(len(group), dtype=bool)


class Order(nn.Module):
    """The order in which free units are visited: groups of units that are not joined to each other.

    Args:
        pairs: Which units are joined, `(unit, unit)`.
        free: Indices of the units that are visited; all others are clamped.
    """

    def __init__(self, pairs: np.ndarray, free: np.ndarray) -> None:
        super().__init__()
        group = np.full(len(pairs), -1)
        for unit in free:
            taken = set(group[pairs[unit]].tolist())
            group[unit] = next(number for number in range(len(free)) if number not in taken)
        held = np.nonzero(group < 0)[0]
        place = np.concatenate([free[np.argsort(group[free], kind="stable")], held])
        self.place = nn.Buffer(torch.from_numpy(place), persistent=False)
        self.back = nn.Buffer(torch.from_numpy(np.argsort(place)), persistent=False)
        self.blocks = _blocks(np.bincount(group[free]).tolist())


def _blocks(sizes: Sequence[int]) -> list[tuple[slice, list[tuple[slice, slice, slice]]]]:
    """Consecutive groups of at most `BLOCK` units together, or one group; its groups, in all units and in the block.

    Beside each stand the units of the block that come after it.

    Example:
        >>> [(group, rest) for _, group, rest in _blocks([512, 1, 2])[1][1]]
        [(slice(0, 1, None), slice(1, 3, None)), (slice(1, 3, None), slice(3, 3, None))]
    """
    most = BLOCK if sum(sizes) > FEW else 0
    gathered: list[list[int]] = []
    for size in sizes:
        if gathered and sum(gathered[-1]) + size <= most:
            gathered[-1].append(size)
        else:
            gathered.append([size])
    ends = [0, *accumulate(map(sum, gathered))]
    found: list[tuple[slice, list[tuple[slice, slice, slice]]]] = []
    for (begin, end), inside in zip(pairwise(ends), gathered, strict=True):
        at = [0, *accumulate(inside)]
        groups = [
            (slice(begin + one, begin + other), slice(one, other), slice(other, end - begin))
            for one, other in pairwise(at)
        ]
        found.append((slice(begin, end), groups))
    return found


@torch.no_grad()
def walk(
    network: Network, state: States, order: Order, temperatures: Sequence[float], draw: bool = True
) -> Iterator[States]:
    """States of all units after each sweep, one sweep at each temperature, by equation (2).

    Args:
        network: Weights and biases.
        state: Where the chains begin; units that the order does not visit stay as they are.
        order: Which units are visited.
        temperatures: T of each sweep.
        draw: Draw the units; else replace them by their means.
    """
    # Units are sorted by group, so that a group is a slice and needs no gather; each is a row, next to others of its
    # block. The fields of a block are one product, to which each of its groups then adds what it changed.
    weight, bias = network.weight[order.place[:, None], order.place], network.bias[order.place, None]
    state = state[:, order.place].T.contiguous()
    for temperature in temperatures:
        noise = temperature * logistic(state) if draw else state
        for block, groups in order.blocks:
            field = torch.addmm(bias[block], weight[block], state)
            if len(groups) == 1:
                state[block] = field > noise[block] if draw else torch.sigmoid(field / temperature)
                continue
            for unit, group, rest in groups:
                reached = field[group] > noise[unit] if draw else torch.sigmoid(field[group] / temperature)
                change = reached.to(state.dtype) - state[unit]
                field[rest] = torch.addmm(field[rest], weight[block, unit][rest], change)
                state[unit] = reached
        yield state.T[:, order.back]


def last(states: Iterator[States]) -> States:
    """The last of the states."""
    return deque(states, maxlen=1)[0]


def logistic(like: Tensor) -> Tensor:
    """Draw from the logistic distribution: x exceeds the draw with probability s(x).

    Example:
        >>> float((logistic(torch.zeros(10_000)) < 1).float().mean() - torch.sigmoid(torch.ones(()))) < 0.02
        True
    """
    uniform = torch.rand(like.shape, device=like.device, dtype=torch.float32)
    return torch.logit(uniform.to(wide(like).dtype))


def together(states: States) -> Pairs:
    """Mean over chains of products of two units, and on the diagonal of each unit."""
    return (states.T @ states / len(states)).diagonal_scatter(states.mean(0))


def exact_free(network: Network) -> Pairs:
    """<s_i s_j> under exp(-E) / Z, by a sum over all states."""
    states = all_states(len(network.bias), network.bias)
    probability = torch.softmax(-network.energy(states), 0)
    return (states * probability[:, None]).T @ states


def exact_clamped(network: Network, shown: Float[Tensor, "chain visible"]) -> tuple[Pairs, States]:
    """The same with the first units clamped to each row, mean over rows; and the means of all units for each row."""
    visible = shown.shape[1]
    hidden = Network(network.weight[visible:, visible:], network.bias[visible:])
    states = all_states(len(hidden.bias), shown)
    fields = shown @ network.weight[:visible, visible:]
    probability = torch.softmax(fields @ states.T - hidden.energy(states), 1)
    means = torch.cat([shown, probability @ states], 1)
    pairs = together(means)
    pairs[visible:, visible:] = (states * probability.mean(0)[:, None]).T @ states
    return pairs, means
