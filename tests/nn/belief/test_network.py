"""Sigmoid belief networks against sums over every state of every unit, one after the other."""

import itertools
import math
from functools import cache

import pytest
import torch
from torch import Tensor

from tests.oracles import standard_error, state_numbers, states
from untaught.nn.belief.network import BeliefNetwork, independent
from untaught.nn.energy.all_states import all_states
from untaught.randomness import seeded

UNITS = (4, 3, 2, 2)


def network(units: tuple[int, ...] = UNITS, scale: float = 1.5) -> BeliefNetwork:
    """A network with weights and biases that matter, in float64."""
    with seeded(1):
        made = BeliefNetwork(units, scale).double()
        with torch.no_grad():
            for bias in made.biases:
                bias.copy_(torch.randn(len(bias)))
    return made


@torch.no_grad()
def slow_joint(made: BeliefNetwork) -> Tensor:
    """Probability of every state of all units, visible first, by products over single units."""
    chances: list[float] = []
    weights, biases = [one.tolist() for one in made.weights], [one.tolist() for one in made.biases]
    for row in itertools.product((0.0, 1.0), repeat=sum(made.units)):
        layers = [part.tolist() for part in torch.tensor(row).split(made.units)]
        chance = 1.0
        for layer, values in enumerate(layers):
            for i, value in enumerate(values):
                z = biases[layer][i]
                if layer + 1 < len(layers):
                    z += sum(weights[layer][i][j] * on for j, on in enumerate(layers[layer + 1]))
                on = 1 / (1 + math.exp(-z))
                chance *= on if value else 1 - on
        chances.append(chance)
    return torch.tensor(chances, dtype=torch.float64).view([2**count for count in made.units])


@cache
def joint() -> Tensor:
    """That of the network above."""
    return slow_joint(network())


def test_joint_is_a_product_over_units() -> None:
    made = network()
    layers = list(states(sum(UNITS)).split(UNITS, 1))
    torch.testing.assert_close(made.log_joint(layers).exp(), joint().flatten())


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_marginals_are_sums_over_all_other_layers(layer: int) -> None:
    made = network()
    others = [other for other in range(4) if other != layer]
    torch.testing.assert_close(made.marginal(layer).exp(), joint().sum(others))


def test_likelihood_of_a_batch_is_that_of_its_states() -> None:
    made, x = network(), states(4)[[3, 3, 9]]
    torch.testing.assert_close(made.log_likelihood(x), joint().sum((1, 2, 3)).log()[[3, 3, 9]])


def test_grey_values_bound_the_mean_over_what_they_stand_for() -> None:
    made, grey = network(), torch.tensor([[0.5, 0.2, 1.0, 0.0]], dtype=torch.float64)
    mean = independent(states(4), grey) @ made.log_likelihood(states(4))
    assert made.log_likelihood(grey) < mean
    torch.testing.assert_close(independent(states(4), grey).sum(1), torch.ones(1).double())


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_posteriors_are_ratios_of_sums(layer: int) -> None:
    made = network()
    pair = joint().sum([other for other in range(4) if other not in (layer, layer + 1)])
    torch.testing.assert_close(made.posterior(layer), pair / pair.sum(1, keepdim=True))


def test_mean_of_the_joint_is_the_sum_over_states() -> None:
    made = network()
    with seeded(2):
        means = [torch.rand(1, count).double() for count in UNITS]
    chance = independent(states(sum(UNITS)), torch.cat(means, 1))[0]
    expected = (chance * joint().flatten().log()).sum()
    torch.testing.assert_close(made.mean_log_joint(means)[0], expected)


def test_certain_means_give_the_joint_itself() -> None:
    made = network()
    layers = list(states(sum(UNITS)).split(UNITS, 1))
    torch.testing.assert_close(made.mean_log_joint(layers), made.log_joint(layers))


def test_samples_follow_the_marginals() -> None:
    made, count = network(), 40_000
    with seeded(3):
        layers = made.sample(count)
    for layer, drawn in enumerate(layers):
        expected = made.marginal(layer).exp().detach()
        rate = torch.bincount(state_numbers(drawn), minlength=len(expected)) / count
        far = (rate - expected) / standard_error(expected, count)
        assert far.abs().max() < 4.5


def test_states_are_all_and_in_order() -> None:
    assert torch.equal(all_states(4, torch.zeros((), dtype=torch.float64)), states(4))


def test_a_network_says_whether_its_states_can_be_summed() -> None:
    assert BeliefNetwork((784, 12, 12)).enumerable
    assert not BeliefNetwork((4, 3, 13)).enumerable
