"""A deep machine of 6, 3 and 4 units, and one of 3, 2, 3 and 2, against sums over all of their states."""

import itertools

import oracles
import pytest
import torch
from torch import Tensor

from untaught.nn.energy.deep_machine import DeepMachine, MeanFieldNetwork
from untaught.randomness import seeded

SIZES = [(6, 3, 4), (3, 2, 3, 2)]
EVERY = pytest.mark.parametrize("sizes", SIZES)


def machine(sizes: tuple[int, ...], scale: float = 0.8) -> DeepMachine:
    """A machine with weights and biases that matter, in float64."""
    with seeded(1):
        deep = DeepMachine(sizes, scale).double()
        with torch.no_grad():
            for bias in deep.biases:
                bias.copy_(torch.randn(len(bias)))
    return deep


def every_state(sizes: tuple[int, ...]) -> list[Tensor]:
    """All states, the layers apart."""
    return list(oracles.states(sum(sizes)).split(sizes, 1))


def log_joint(deep: DeepMachine) -> Tensor:
    """Minus the energy of all states, by explicit sums over pairs of units; keeps the graph."""
    states = every_state(deep.sizes)
    minus = torch.zeros(len(states[0]), dtype=torch.float64)
    for bias, layer in zip(deep.biases, states, strict=True):
        for i in range(len(bias)):
            minus = minus + bias[i] * layer[:, i]
    for k, weight in enumerate(deep.weights):
        for i, j in itertools.product(*(range(size) for size in weight.shape)):
            minus = minus + weight[i, j] * states[k][:, i] * states[k + 1][:, j]
    return minus


def exact(deep: DeepMachine) -> Tensor:
    return torch.softmax(log_joint(deep).detach(), 0)


def beside(states: list[Tensor], parity: int) -> Tensor:
    return torch.cat(states[parity::2], 1)


def marginal(p: Tensor, side: Tensor) -> Tensor:
    """Probability of each state of some units."""
    return torch.zeros(2 ** side.shape[1], dtype=p.dtype).index_add(0, oracles.state_numbers(side), p)


def visible_log_likelihood(deep: DeepMachine) -> Tensor:
    """Log p(x) of all visible states; keeps the graph."""
    minus = log_joint(deep)
    by_visible = torch.logsumexp(minus.view(2 ** deep.sizes[0], -1), 1)
    return by_visible - torch.logsumexp(minus, 0)


@EVERY
def test_energy_is_the_sum_over_pairs(sizes: tuple[int, ...]) -> None:
    deep = machine(sizes)
    torch.testing.assert_close(deep.energy(every_state(sizes)), -log_joint(deep))


@EVERY
@pytest.mark.parametrize("parity", [0, 1])
def test_conditionals_are_ratios_of_joint_sums(sizes: tuple[int, ...], parity: int) -> None:
    deep = machine(sizes)
    p, states = exact(deep), every_state(sizes)
    given, other = beside(states, parity), beside(states, 1 - parity)
    number = oracles.state_numbers(given)
    sums = torch.zeros(2 ** given.shape[1], other.shape[1], dtype=torch.float64).index_add(
        0, number, p[:, None] * other
    )
    expected = sums / marginal(p, given)[:, None]
    torch.testing.assert_close(deep.given(oracles.states(given.shape[1]), parity), expected)


@EVERY
def test_gibbs_step_from_one_state_is_the_exact_kernel(sizes: tuple[int, ...]) -> None:
    """The kernel from sums over the joint alone: it keeps the marginal, and steps from one state follow it."""
    deep, draws = machine(sizes), 40_000
    p, states = exact(deep), every_state(sizes)
    odd, even = oracles.state_numbers(beside(states, 1)), oracles.state_numbers(beside(states, 0))
    joint = torch.zeros(int(odd.max()) + 1, int(even.max()) + 1, dtype=torch.float64)
    joint[odd, even] = p
    kernel = oracles.gibbs_kernel(joint)
    torch.testing.assert_close(joint.sum(1) @ kernel, joint.sum(1))
    start = oracles.states(sum(sizes[1::2]))[5]
    with seeded(2):
        after = deep.gibbs(start.expand(draws, -1))
    found = torch.bincount(oracles.state_numbers(after), minlength=len(joint)) / draws
    far = (found - kernel[5]) / oracles.standard_error(kernel[5], draws)
    assert far.abs().max() < 4.5


@EVERY
def test_completed_layers_stand_in_order(sizes: tuple[int, ...]) -> None:
    deep = machine(sizes)
    odd = oracles.states(sum(sizes[1::2]))
    layers = deep.completed(odd)
    assert [layer.shape[1] for layer in layers] == list(sizes)
    assert torch.equal(beside(layers, 1), odd)
    assert torch.equal(beside(layers, 0), deep.given(odd, 1))


@EVERY
def test_mean_field_is_a_fixed_point_and_its_bound_grows_with_sweeps(sizes: tuple[int, ...]) -> None:
    deep = machine(sizes)
    x = oracles.states(sizes[0])
    means = deep.mean_field(x, 500)
    for k in range(1, len(sizes)):
        torch.testing.assert_close(means[k], torch.sigmoid(deep.layer_input(k, means)))
    bounds = torch.stack([deep.unnormalised_bound(x, sweeps) for sweeps in (0, 1, 2, 3, 10, 500)])
    assert (bounds.diff(dim=0) >= -1e-12).all()
    assert bounds[-1].mean() > bounds[0].mean() + 1e-3


@EVERY
def test_bound_is_below_the_likelihood_and_misses_it_by_the_divergence(sizes: tuple[int, ...]) -> None:
    """What is missing is the divergence of the mean-field posterior from the exact one, summed state by state."""
    deep = machine(sizes)
    x, hidden = oracles.states(sizes[0]), sum(sizes[1:])
    bound = deep.unnormalised_bound(x, 10) - torch.logsumexp(log_joint(deep), 0)
    q, states = torch.cat(deep.mean_field(x, 10)[1:], 1)[:, None], oracles.states(hidden)
    log_q = (states * q.log() + (1 - states) * (1 - q).log()).sum(2)
    posterior = torch.log_softmax(log_joint(deep).view(len(x), -1), 1)
    divergence = (log_q.exp() * (log_q - posterior)).sum(1)
    likelihood = visible_log_likelihood(deep)
    torch.testing.assert_close(likelihood - bound, divergence)
    assert (bound < likelihood).all()


def test_bound_is_tight_where_hidden_layers_do_not_touch() -> None:
    deep = machine((6, 3, 4))
    with torch.no_grad():
        deep.weights[1].zero_()
    bound = deep.unnormalised_bound(oracles.states(6), 2) - torch.logsumexp(log_joint(deep), 0)
    torch.testing.assert_close(bound, visible_log_likelihood(deep))


@EVERY
def test_slopes_are_derivatives_of_the_exact_bound(sizes: tuple[int, ...]) -> None:
    """With exact means over all states in place of fantasies, (means - fantasies) is the gradient of the bound."""
    deep = machine(sizes)
    x = oracles.states(sizes[0])[[1, 3, 6]]
    own = (*deep.weights, *deep.biases)
    with torch.no_grad():
        means = deep.mean_field(x, 500)
    bound = (-deep.energy(means)).mean() - torch.logsumexp(log_joint(deep), 0)  # the entropy holds no parameter
    p, states = exact(deep), every_state(sizes)
    weighted = [p.sqrt()[:, None] * layer * len(p) ** 0.5 for layer in states]
    products = deep.slopes(weighted)[: len(deep.weights)]
    fantasies = [*products, *(p @ layer for layer in states)]
    for mine, seen, theirs in zip(fantasies, deep.slopes(means), torch.autograd.grad(bound, own), strict=True):
        torch.testing.assert_close(seen - mine, theirs)


@EVERY
def test_two_sided_machine_has_the_same_sums(sizes: tuple[int, ...]) -> None:
    deep = machine(sizes)
    log_z = torch.logsumexp(log_joint(deep), 0)
    weight, even, odd = deep.two_sided()
    energy = oracles.rbm_energy(oracles.states(len(even)), oracles.states(len(odd)), weight, even, odd)
    torch.testing.assert_close(torch.logsumexp(-energy.flatten(), 0), log_z)
    on_even = torch.exp(torch.logsumexp(-energy, 1) - log_z)
    torch.testing.assert_close(on_even, marginal(exact(deep), beside(every_state(sizes), 0)))


def test_pseudo_likelihood_is_exact_where_the_bound_is() -> None:
    deep = machine((6, 3, 4))
    with torch.no_grad():
        deep.weights[1].zero_()
    x = oracles.states(6)[37]
    likelihood = visible_log_likelihood(deep).detach()
    flipped = torch.stack([(x - unit).abs() for unit in torch.eye(6, dtype=torch.float64)])
    others = likelihood[oracles.state_numbers(flipped)]
    expected = -torch.nn.functional.logsigmoid(likelihood[37] - others).sum()
    with seeded(3):
        found = deep.pseudo_likelihood(x.expand(20_000, 6), 1, 1)
    assert abs(float((found - expected).detach())) < 0.05  # four standard errors of the choice of units


def test_network_begins_as_the_machine() -> None:
    """With the machine's own weights its layers are the next sweep of mean field."""
    deep = machine((3, 2, 3, 2))
    network = MeanFieldNetwork(deep.sizes, 4).double()
    network.begin(deep)
    means = deep.mean_field(oracles.states(3), 500)
    found = network(torch.cat([means[0], *means[2:]], 1))
    torch.testing.assert_close(found, network.output(means[-1]))
