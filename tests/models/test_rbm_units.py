"""The restricted Boltzmann machine with other units and other learning rules, against sums and integrals."""

from dataclasses import replace
from typing import Any

import oracles
import pytest
import torch
from torch import Tensor

from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.model import Batch, model_class
from untaught.models.rbm import RBM
from untaught.nn.energy.units import UNITS
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

HIDDEN = oracles.states(4)
START = torch.zeros(())


def machine(units: int = 3, **config: Any) -> RBM:
    """A machine in float64 whose parameters matter; no persistent chains unless asked for."""
    with seeded(1):
        own = replace(RBM.smoke.config, **{"persistent_chains": 0, "initial_scale": 0.7, **config})
        rbm = RBM(own, (units,)).double()
        with torch.no_grad():
            for name, value in (*rbm.named_parameters(), ("base", rbm.base)):
                if name != "weight":
                    value.copy_(0.5 * torch.randn(len(value)))
    return rbm


def data(units: int = 3, count: int = 6) -> Tensor:
    with seeded(2):
        return bernoulli(torch.full((count, units), 0.4)).double()


def gradient(rbm: RBM, x: Tensor, progress: float = 0.0) -> list[Tensor]:
    with seeded(3):
        total = rbm.loss(Batch.of(x), "model", torch.tensor(progress)).total
    return list(torch.autograd.grad(total, list(rbm.parameters())))


def grid(deviation: float) -> Tensor:
    """Points of one visible value, far enough out and fine enough for an integral."""
    return torch.linspace(-14, 14, 4001, dtype=torch.float64) * deviation


@pytest.mark.parametrize("temper", [0.0, 0.4, 1.0])
def test_gaussian_free_energy_integrates_to_the_sum_over_hidden_states(temper: float) -> None:
    rbm = machine(1, visible="gaussian", learn_deviation=True)
    assert rbm.log_deviation is not None
    x = grid(float(rbm.log_deviation.detach().exp()))[:, None]
    integral = torch.exp(-rbm.free_energy(x, temper)).sum() * (x[1, 0] - x[0, 0])
    sides = rbm.sides()
    assert [side.units for side in sides] == [4]
    expected = {0.0: rbm.base_partition(), 1.0: torch.logsumexp(-sides[0].free_energy(HIDDEN), 0)}
    if temper in expected:
        torch.testing.assert_close(integral.log(), expected[temper])
    with seeded(4):  # the kernel keeps that density's mean and variance
        start = x[torch.multinomial(torch.softmax(-rbm.free_energy(x, temper).detach(), 0), 100_000, True)]
        after = rbm.gibbs_step(start, temper)
    assert abs(float(after.mean() - start.mean())) < 5 * float(start.std()) / 100_000**0.5 * 2**0.5
    assert abs(float(after.std() / start.std()) - 1) < 0.01


def test_gaussian_gradient_is_that_of_the_energies_for_the_same_fantasies() -> None:
    rbm = machine(visible="gaussian", learn_deviation=True)
    with seeded(5):
        x = torch.randn(6, 3, dtype=torch.float64)
    found = gradient(rbm, x)
    with seeded(3):
        fantasy = rbm.gibbs(x).detach()
    assert rbm.log_deviation is not None

    def energy(states: Tensor) -> Tensor:
        hidden = rbm.hidden_given(states).detach()
        v = states / rbm.log_deviation.exp()
        inside = (v * v / 2 - v * rbm.visible_bias).sum(1) - hidden @ rbm.hidden_bias
        each = inside - torch.einsum("ni,ij,nj->n", v, rbm.weight, hidden)
        torch.testing.assert_close(rbm.energy(states, hidden), each)
        return each.mean()

    expected = torch.autograd.grad(energy(x) - energy(fantasy), list(rbm.parameters()))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_softmax_hidden_units_are_a_mixture() -> None:
    """p(v) is a sum of as many products of Bernoullis as there are hidden units."""
    rbm, states = machine(hidden_units="softmax"), oracles.states(3)
    logits = rbm.visible_bias[:, None] + rbm.weight
    on = torch.sigmoid(logits)
    share = torch.softmax(rbm.hidden_bias + torch.nn.functional.softplus(logits).sum(0), 0)
    p = sum(share[k] * (on[:, k] * states + (1 - on[:, k]) * (1 - states)).prod(1) for k in range(4))
    torch.testing.assert_close(torch.softmax(-rbm.free_energy(states), 0), p)


def test_pseudo_likelihood_is_the_mean_over_pixels_of_exact_conditionals() -> None:
    rbm, x = machine(6), data(6, 40_000)
    with seeded(6):
        found = float(rbm.held_out(Batch.of(x), "model").parts["pseudo_likelihood_nats"])
    joint = oracles.rbm_joint(rbm.weight, rbm.visible_bias, rbm.hidden_bias).sum(1).detach()
    each = torch.zeros(6, dtype=torch.float64)
    for i in range(6):
        other = x.clone()
        other[:, i] = 1 - other[:, i]
        here, there = (joint[oracles.state_numbers(v)] for v in (x, other))
        each[i] = -(here / (here + there)).log().mean()
    assert abs(found - float(each.sum())) < 0.05 * float(each.sum())
    assert float(each.max() / each.min()) > 1.2  # so that places count


@pytest.mark.parametrize(
    ("progress", "steps"), [(0.0, 1), (0.19, 1), (0.21, 2), (0.5, 3), (0.79, 4), (0.81, 5), (1.0, 5)]
)
def test_growing_steps(progress: float, steps: int) -> None:
    """Each number of steps has an equal part of the training."""
    grown = gradient(machine(gibbs_steps=5, growing=True), data(), progress)
    fixed = gradient(machine(gibbs_steps=steps), data())
    for ours, theirs in zip(grown, fixed, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_growing_steps_are_the_same_where_the_number_is_not_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    at_hand = gradient(machine(gibbs_steps=5, growing=True), data(), 0.5)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    for ours, theirs in zip(gradient(machine(gibbs_steps=5, growing=True), data(), 0.5), at_hand, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_weight_cost_falls_on_weights_alone() -> None:
    plain, costly = gradient(machine(), data()), gradient(machine(weight_cost=0.1), data())
    torch.testing.assert_close(costly[0] - plain[0], 0.1 * machine().weight.detach())
    assert torch.equal(costly[1], plain[1]) and torch.equal(costly[2], plain[2])


def test_sparsity_pulls_as_the_slope_of_the_cross_entropy() -> None:
    """By a unit's input the slope of -r log q - (1 - r) log(1 - q) is q - r, equation (7); for one example."""
    x, rbm = data(count=1), machine(sparsity=0.1, sparsity_cost=0.5)
    assert rbm.active is not None
    rbm.active.copy_(rbm.hidden_given(x)[0])  # a memory that agrees with the example
    plain, pulled = gradient(machine(), x), gradient(rbm, x)
    q = torch.sigmoid(x[0] @ rbm.weight + rbm.hidden_bias)
    penalty = -0.5 * (0.1 * q.log() + 0.9 * (1 - q).log()).sum()
    expected = torch.autograd.grad(penalty, [rbm.weight, rbm.hidden_bias])
    torch.testing.assert_close(pulled[0] - plain[0], expected[0])
    torch.testing.assert_close(pulled[2] - plain[2], expected[1])


def test_sparsity_goes_by_the_mean_over_the_last_batches() -> None:
    """The memory keeps nine tenths of what it was, and the pull on each bias is k (q - r)."""
    x, rbm, plain = data(count=5), machine(sparsity=0.3, sparsity_cost=0.5), machine()
    assert rbm.active is not None
    rbm.active.copy_(torch.tensor([0.9, 0.1, 0.5, 0.0])[: len(rbm.active)])
    q, seen = rbm.active.clone(), torch.sigmoid(x @ rbm.weight + rbm.hidden_bias).mean(0).detach()
    for _ in range(2):
        q = 0.9 * q + 0.1 * seen
        pulled = gradient(rbm, x)[2] - gradient(plain, x)[2]
        torch.testing.assert_close(rbm.active, q)
        torch.testing.assert_close(pulled, 0.5 * (q - 0.3))


def test_sparsity_is_reached() -> None:
    rbm = machine(6, hidden=4, sparsity=0.2, sparsity_cost=1.0)
    optimiser = torch.optim.SGD(rbm.parameters(), lr=0.2)
    for _ in range(300):
        optimiser.zero_grad()
        rbm.loss(Batch.of(data(6, 50)), "model", START).total.backward()
        optimiser.step()
    assert (rbm.hidden_given(data(6, 50)).mean(0) - 0.2).abs().max() < 0.05


def test_fantasies_of_tempered_chains_are_those_at_temperature_one() -> None:
    rbm = machine(persistent_chains=5, temperatures=4)
    with seeded(7):
        fantasy = rbm.fantasies(data(), START)
    assert rbm.chains.shape == (20, 3)
    assert torch.equal(fantasy, rbm.chains[15:])


@pytest.mark.parametrize("layer", ["visible", "hidden"])
def test_a_doubled_layer_counts_twice_for_the_other_and_has_no_energy(layer: str) -> None:
    rbm, plain, x, h = machine(doubled=layer), machine(), data(), HIDDEN[:6]
    twice = {"visible": (2, 1), "hidden": (1, 2)}[layer]
    torch.testing.assert_close(rbm.hidden_input(x), twice[0] * (x @ plain.weight) + plain.hidden_bias)
    torch.testing.assert_close(rbm.visible_input(h), twice[1] * (h @ plain.weight.T) + plain.visible_bias)
    with pytest.raises(ConfigError, match="doubled"):
        rbm.free_energy(x)
    assert rbm.monitor == "squared_error_per_image" and not rbm.sides()


def test_prepared_deviations_are_those_of_the_data() -> None:
    rbm = machine(visible="gaussian", learn_deviation=True)
    with seeded(9):
        x = torch.randn(200, 3).double() * torch.tensor([0.2, 1.0, 5.0]) + torch.tensor([1.0, 0.0, -3.0])
    rbm.prepare(Batch.of(x))
    assert rbm.log_deviation is not None
    deviation = (x - x.mean(0)).square().mean(0).sqrt()
    torch.testing.assert_close(rbm.log_deviation.exp().detach(), deviation)
    torch.testing.assert_close(rbm.visible_bias.detach(), (x / deviation).mean(0))


def test_sparsity_remembers_the_target_first() -> None:
    """So that nothing pulls before a unit's mean is known; the target is a fraction, not a number of units."""
    rbm = machine(sparsity=0.3)
    assert rbm.active is not None
    torch.testing.assert_close(rbm.active, torch.full_like(rbm.active, 0.3))


def test_units_choose_how_data_are_seen() -> None:
    assert RBM.view_of(RBM.Config()).binarise
    assert RBM.view_of(RBM.Config(visible="gaussian")) == View(standardise="pixel")


@pytest.mark.parametrize("name", ["boltzmann", "convolutional-rbm", "dbm", "rbm", "sigmoid-belief"])
def test_machines_of_binary_pixels_draw_them_in_every_stage(name: str) -> None:
    cls = model_class(name)
    model = cls(cls.Config(), (1, 16, 16))
    assert all(stage.stream.view.binarise for stage in model.stages())


@pytest.mark.parametrize("hidden_units", ["bernoulli", "relu"])
def test_gaussian_machines_learn_what_grey_pictures_are_made_of(hidden_units: str) -> None:
    """Two hidden causes, each a pattern with noise: the error of reconstruction falls to near the noise."""
    with seeded(8):
        causes = bernoulli(torch.full((500, 2), 0.5)).double()
        x = causes @ torch.tensor([[2.0, -2, 2, 0, 0, 0], [0, 0, 0, 2, 2, -2]]).double()
        x = x - x.mean(0) + 0.3 * torch.randn(500, 6)
        rbm = machine(6, visible="gaussian", hidden_units=hidden_units, initial_scale=0.1)
        rbm.prepare(Batch.of(x))
        optimiser = torch.optim.SGD(rbm.parameters(), lr=0.05, momentum=0.5)
        for _ in range(400):
            optimiser.zero_grad()
            rbm.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
    error = (rbm.reconstruct(x) - x).square().sum(1).mean()
    assert float(error) < 0.35 * float(x.square().sum(1).mean())


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"temperatures": 3, "persistent_chains": 0}, "persistent"),
        ({"temperatures": 3, "hidden_units": "relu", "persistent_chains": 5}, "energies"),
        ({"sparsity": 0.1, "hidden_units": "relu"}, "binary"),
        ({"visible": "gaussian", "hidden_units": "gaussian"}, "lower end"),
        ({"learn_deviation": True}, "visible=gaussian"),
    ],
)
def test_what_does_not_go_together_is_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        machine(**config)


def test_units_of_a_kind_are_those_of_the_table() -> None:
    assert machine(visible="softmax").visible_units is UNITS["softmax"]


@pytest.mark.parametrize(("layer", "kinds"), [(0, ("gaussian", "bernoulli")), (1, ("bernoulli", "gaussian"))])
def test_gaussian_units_of_either_layer_have_an_energy_of_their_own(layer: int, kinds: tuple[str, str]) -> None:
    rbm = machine(visible=kinds[0], hidden_units=kinds[1], learn_deviation=False)
    with seeded(5):
        states = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    v, h = (state if place == layer else (state > 0).double() for place, state in enumerate(states))
    linear = v @ rbm.visible_bias + h @ rbm.hidden_bias + torch.einsum("ni,ij,nj->n", v, rbm.weight, h)
    torch.testing.assert_close(rbm.energy(v, h), states[layer].square().sum(1) / 2 - linear)
