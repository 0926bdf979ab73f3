"""Blocks of pairwise networks against the definition, unit by unit; the machine's own tests have the distributions."""

import itertools

import numpy as np
import oracles
import pytest
import torch

from untaught.nn.energy import pairwise
from untaught.nn.energy.all_states import all_states
from untaught.nn.energy.pairwise import Network, Order, exact_clamped, exact_free, last, together, walk
from untaught.randomness import seeded


def network(units: int = 5) -> Network:
    with seeded(0):
        upper = torch.randn(units, units, dtype=torch.float64).triu(1)
        return Network(upper + upper.T, torch.randn(units, dtype=torch.float64))


def order(free: list[int], units: int = 5) -> Order:
    return Order(~np.eye(units, dtype=bool), np.array(free))


def test_states_are_all_and_in_order() -> None:
    assert torch.equal(all_states(4, torch.zeros((), dtype=torch.float64)), oracles.states(4))


def test_held_units_stay() -> None:
    start = oracles.states(5)
    with seeded(1):
        reached = last(walk(network(), start, order([1, 3]), (1.0, 1.0)))
    assert torch.equal(reached[:, [0, 2, 4]], start[:, [0, 2, 4]])
    assert not torch.equal(reached, start) and torch.equal(start, oracles.states(5))


def test_a_sweep_of_means_is_one_unit_after_another() -> None:
    weight, bias = network()
    expected = torch.full((3, 5), 0.3, dtype=torch.float64)
    found = last(walk(network(), expected, order([4, 0, 2]), (1.5,), draw=False))
    for unit in (4, 0, 2):
        expected[:, unit] = torch.sigmoid((bias[unit] + expected @ weight[:, unit]) / 1.5)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("draw", [False, True])
@pytest.mark.parametrize("few", [3, 0])
def test_blocks_of_units_are_visited_as_one_after_another(
    monkeypatch: pytest.MonkeyPatch, draw: bool, few: int
) -> None:
    """Nine units of which 0 and 1, and 2 and 5, are not joined; two are held; a block has at most four."""
    monkeypatch.setattr(pairwise, "BLOCK", 4)
    monkeypatch.setattr(pairwise, "FEW", few)
    joined = ~np.eye(9, dtype=bool)
    for one, other in ((0, 1), (2, 5)):
        joined[one, other] = joined[other, one] = False
    own = Network(network(9).weight * torch.from_numpy(joined), network(9).bias)
    held, free = [4, 7], [0, 1, 2, 3, 5, 6, 8]
    visits = Order(joined, np.array(free))
    assert max(len(groups) for _, groups in visits.blocks) > 1
    start = oracles.states(9)[::5]
    with seeded(3):
        found = last(walk(own, start, visits, (1.5, 1.0), draw=draw))
    with seeded(3):
        expected, place = start.clone(), visits.place.tolist()
        for temperature in (1.5, 1.0):
            noise = temperature * pairwise.logistic(expected.T)
            for row in [row for row, unit in enumerate(place) if unit in free]:
                field = own.bias[place[row]] + expected @ own.weight[:, place[row]]
                reached = field > noise[row] if draw else torch.sigmoid(field / temperature)
                expected[:, place[row]] = reached.double()
    torch.testing.assert_close(found, expected)
    assert torch.equal(found[:, held], start[:, held]) and not torch.equal(found, start)


def test_cold_sweeps_never_go_up() -> None:
    own, state = network(), oracles.states(5)
    with seeded(2):
        for reached in walk(own, state, order([0, 1, 2, 3, 4]), (1e-6,) * 3):
            assert (own.energy(reached) <= own.energy(state) + 1e-9).all()
            state = reached


def test_cooccurrences_are_means_of_products() -> None:
    state = torch.rand(7, 3, dtype=torch.float64)
    found = together(state)
    for i, j in itertools.product(range(3), repeat=2):
        expected = state[:, i].mean() if i == j else (state[:, i] * state[:, j]).mean()
        torch.testing.assert_close(found[i, j], expected)


def test_exact_cooccurrences_are_sums_over_states() -> None:
    own, states = network(), oracles.states(5)
    weights = torch.exp(-own.energy(states))
    torch.testing.assert_close(exact_free(own), torch.einsum("s,si,sj->ij", weights / weights.sum(), states, states))
    shown = oracles.states(2)[[1, 3, 3]]
    expected = torch.zeros(5, 5, dtype=torch.float64)
    for row in shown:
        like = weights * (states[:, :2] == row).all(1)
        expected += torch.einsum("s,si,sj->ij", like / like.sum(), states, states) / 3
    pairs, means = exact_clamped(own, shown)
    torch.testing.assert_close(pairs, expected)
    torch.testing.assert_close(means.mean(0), expected.diagonal())
