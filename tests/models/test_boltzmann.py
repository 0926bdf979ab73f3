"""The Boltzmann machine against sums over all of its states, written out unit by unit."""

from __future__ import annotations

import itertools
from dataclasses import replace

import oracles
import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch
from untaught.models.boltzmann import Boltzmann, Way
from untaught.nn.energy.pairwise import last, walk
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

SHAPE = (4,)
STATES, VISIBLE = oracles.states(7), oracles.states(4)
START = torch.zeros(())
WAYS: tuple[Way, ...] = ("gibbs", "mean-field", "exact")


def machine(scale: float = 0.8, **fields: object) -> Boltzmann:
    """Four visible units in two groups and three hidden ones, with weights that matter, in float64."""
    config = replace(Boltzmann.smoke.config, hidden=3, groups=2, initial_scale=scale, **fields)
    with seeded(1):
        boltzmann = Boltzmann(config, SHAPE).double()
        with torch.no_grad():
            boltzmann.bias.copy_(torch.randn(7))
            boltzmann.base.copy_(torch.randn(7))
    return boltzmann


def energies(boltzmann: Boltzmann) -> Tensor:
    """Energy of all 128 states by a sum over pairs; keeps the graph of autograd."""
    energy = -(STATES @ boltzmann.bias)
    for weight, i, j in zip(boltzmann.weight, *boltzmann.pairs.tolist(), strict=True):
        energy = energy - weight * STATES[:, i] * STATES[:, j]
    return energy


def log_likelihood(boltzmann: Boltzmann, x: Tensor) -> Tensor:
    """Log-likelihood of each example, hidden units summed out."""
    logits = -energies(boltzmann)
    each = torch.logsumexp(logits.unflatten(0, (16, 8)), 1) - torch.logsumexp(logits, 0)
    return each[oracles.state_numbers(x)]


def data(count: int = 9) -> Tensor:
    with seeded(2):
        return bernoulli(torch.full((count, *SHAPE), 0.4)).double()


def gradients(boltzmann: Boltzmann, total: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(total, (boltzmann.weight, boltzmann.bias))


def test_units_are_joined_as_asked() -> None:
    visible, hidden = {(0, 1), (2, 3)}, {(4, 5), (4, 6), (5, 6)}
    across = set(itertools.product(range(4), range(4, 7)))
    for inside, among in itertools.product((True, False), repeat=2):
        found = machine(visible_connections=inside, hidden_connections=among)
        expected = across | (visible if inside else set()) | (hidden if among else set())
        assert set(zip(*found.pairs.tolist(), strict=True)) == expected
        weight = found.network().weight
        assert torch.equal(weight, weight.T) and not weight.diagonal().any()
        assert {tuple(pair) for pair in weight.nonzero().tolist() if pair[0] < pair[1]} == expected


def sizes(boltzmann: Boltzmann) -> list[int]:
    """How many units are visited at the same time."""
    return [group.stop - group.start for _, groups in boltzmann.all_units.blocks for group, *_ in groups]


def test_units_that_are_not_joined_are_visited_at_once() -> None:
    assert sizes(machine()) == [2, 2, 1, 1, 1]
    assert machine().all_units.place.tolist() == [0, 2, 1, 3, 4, 5, 6]
    assert sizes(machine(visible_connections=False, hidden_connections=False)) == [4, 3]


def test_energy_is_the_sum_over_pairs_and_units() -> None:
    boltzmann = machine()
    torch.testing.assert_close(boltzmann.network().energy(STATES), energies(boltzmann))


def test_exact_gradient_is_that_of_the_likelihood() -> None:
    boltzmann, x = machine(clamped="exact", free="exact"), data()
    found = gradients(boltzmann, boltzmann.loss(Batch.of(x), "model", START).total)
    expected = gradients(boltzmann, -log_likelihood(boltzmann, x).mean())
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gibbs_gradient_is_the_exact_one_up_to_chance() -> None:
    """20,000 chains of 12 sweeps, of which each counts as one draw at least."""
    x = data().repeat(2_000, 1)
    exact = machine(clamped="exact", free="exact")
    expected = gradients(exact, exact.loss(Batch.of(x), "model", START).total)
    drawn = machine(temperatures=(2.0, 1.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), gathering=4)
    with seeded(3):
        found = gradients(drawn, drawn.loss(Batch.of(x), "model", START).total)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours - theirs).abs().max() < 4 * (2 * 0.25 / len(x)) ** 0.5


def test_fixed_steps_keep_the_sign_alone() -> None:
    x, ways = data(), {"clamped": "exact", "free": "exact"}
    follow, fixed = machine(**ways), machine(**ways, fixed_steps=True)
    for slope, step in zip(
        *(gradients(own, own.loss(Batch.of(x), "model", START).total) for own in (follow, fixed)), strict=True
    ):
        assert torch.equal(step, slope.sign())


@pytest.mark.parametrize("fixed", [False, True])
def test_weights_decay_beside_the_step(fixed: bool) -> None:
    """The cost adds the gradient of half their squares, times itself; biases do not decay."""
    x, ways = data(), {"clamped": "exact", "free": "exact", "fixed_steps": fixed}
    free, costly = machine(**ways), machine(**ways, weight_cost=0.3)
    without, with_cost = (gradients(own, own.loss(Batch.of(x), "model", START).total) for own in (free, costly))
    (by_weight,) = torch.autograd.grad(0.3 / 2 * costly.weight.square().sum(), costly.weight)
    torch.testing.assert_close(with_cost[0], without[0] + by_weight)
    torch.testing.assert_close(with_cost[1], without[1])


def far(found: Tensor, expected: Tensor) -> Tensor:
    """Frequencies of all 128 states against their probabilities, in standard errors."""
    frequency = torch.bincount(oracles.state_numbers(found), minlength=128) / len(found)
    return (frequency - expected) / oracles.standard_error(expected, len(found))


@pytest.mark.parametrize("temper", [0.0, 0.4, 1.0])
def test_sweeps_leave_the_tempered_distribution_unchanged(temper: float) -> None:
    boltzmann = machine()
    expected = torch.softmax(-temper * energies(boltzmann) + (1 - temper) * (STATES @ boltzmann.base), 0).detach()
    all_units = boltzmann.machine()
    torch.testing.assert_close(torch.softmax(-all_units.free_energy(STATES, temper), 0), expected)
    with seeded(4):
        start = STATES[torch.multinomial(expected, 40_000, replacement=True)]
        found = far(all_units.gibbs_step(start, temper), expected)
    assert found.abs().max() < 4.5
    assert found.square().mean() < 1.6


def test_a_sweep_from_one_state_follows_the_conditionals() -> None:
    """Each group of units that are not joined in turn, its probabilities from ratios of joint sums."""
    boltzmann = machine()
    joint = torch.softmax(-energies(boltzmann), 0).detach()
    reached = torch.zeros(128, dtype=torch.float64)
    reached[77] = 1
    for group in ([0, 2], [1, 3], [4], [5], [6]):
        others = [unit for unit in range(7) if unit not in group]
        same = (STATES[:, None, others] == STATES[None][:, :, others]).all(2).double()
        reached = reached @ (same * joint / (same @ joint)[:, None])
    with seeded(5):
        found = far(boltzmann.machine().gibbs_step(STATES[77].expand(40_000, -1), 1.0), reached.clamp_min(1e-12))
    assert found[reached > 1e-4].abs().max() < 4.5


def test_base_partition_is_the_sum_at_temperature_zero() -> None:
    all_units = machine().machine()
    torch.testing.assert_close(all_units.base_partition(), torch.logsumexp(STATES @ all_units.base_rate(), 0))
    (side,) = all_units.sides()
    assert side.units == 7
    torch.testing.assert_close(side.free_energy(STATES), energies(machine()))


def test_mean_field_solves_its_equations() -> None:
    boltzmann = machine(mean_field_sweeps=100)
    means = boltzmann.encode(VISIBLE)
    weight, bias = boltzmann.network()
    field = VISIBLE @ weight[:4, 4:] + means @ weight[4:, 4:] + bias[4:]
    torch.testing.assert_close(means, torch.sigmoid(field))
    assert means.min() > 0 and means.max() < 1 and means.std() > 0.1


@pytest.mark.parametrize("scale", [0.3, 1.5])
def test_the_bound_is_below_the_likelihood(scale: float) -> None:
    boltzmann = machine(scale)
    partition = torch.logsumexp(-energies(boltzmann), 0)
    bound, exact = boltzmann.unnormalised_bound(VISIBLE) - partition, log_likelihood(boltzmann, VISIBLE)
    assert (bound < exact).all()
    if scale < 1:
        assert (exact - bound).max() < 0.05  # hidden units that hardly depend on each other


def test_the_bound_is_exact_without_hidden_connections() -> None:
    boltzmann = machine(hidden_connections=False)
    partition = torch.logsumexp(-energies(boltzmann), 0)
    torch.testing.assert_close(
        boltzmann.unnormalised_bound(VISIBLE) - partition, log_likelihood(boltzmann, VISIBLE), rtol=1e-6, atol=1e-6
    )


def test_samples_follow_the_distribution() -> None:
    boltzmann = machine(sample_sweeps=20)
    expected = torch.softmax(-energies(boltzmann), 0).detach() @ STATES[:, :4]
    with seeded(6):
        samples = boltzmann.sample(20_000)
    assert ((samples.mean(0) - expected) / oracles.standard_error(expected, 20_000)).abs().max() < 4


def test_completion_draws_what_is_likely_beside_what_is_known() -> None:
    boltzmann, known = machine(recall=(2.0, 1.0), recall_sweeps=20), torch.tensor([True, True, False, False])
    joint = torch.softmax(-energies(boltzmann), 0).detach()
    with seeded(7):
        found = boltzmann.complete(VISIBLE[8:12].repeat(500, 1), known)
    assert torch.equal(found[:, :2], torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(2000, -1))
    like = (STATES[:, 0] == 1) & (STATES[:, 1] == 0)
    expected = (joint[like] @ STATES[like])[2:4] / joint[like].sum()
    assert ((found[:, 2:].mean(0) - expected) / (found[:, 2:].std(0) / 2000**0.5)).abs().max() < 4


def test_clamped_units_are_noisy_only_while_it_learns() -> None:
    boltzmann, x = machine(turned_off=0.15, turned_on=0.05), data(20_000)
    with seeded(8):
        shown = boltzmann.noisy(x)
    assert float(shown[x == 1].mean()) == pytest.approx(0.85, abs=0.01)
    assert float(shown[x == 0].mean()) == pytest.approx(0.05, abs=0.01)
    exact: dict[str, Way] = {"clamped": "exact", "free": "exact"}
    noisy, plain = machine(turned_off=0.5, turned_on=0.5, **exact), machine(**exact)
    batch = Batch.of(x[:50])
    learnt = plain.loss(batch, "model", START).total
    torch.testing.assert_close(noisy.held_out(batch, "model").total, learnt)
    with seeded(8):
        assert not torch.isclose(noisy.loss(batch, "model", START).total, learnt)


@pytest.mark.parametrize("clamped", WAYS)
def test_every_way_learns_that_units_agree(clamped: Way) -> None:
    """Two visible units that are always equal, in different groups: only hidden units can know."""
    config = replace(Boltzmann.smoke.config, hidden=2, groups=2, clamped=clamped, free="exact", initial_scale=0.3)
    with seeded(9):
        boltzmann = Boltzmann(config, (2,)).double()
        x = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64).repeat(20, 1)
        optimiser = torch.optim.SGD(boltzmann.parameters(), lr=2.0, momentum=0.5)
        for _ in range(80):
            optimiser.zero_grad()
            boltzmann.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
    states = oracles.states(4)
    joint = torch.softmax(-boltzmann.network().energy(states), 0)
    assert joint[states[:, 0] == states[:, 1]].sum() > 0.9


def test_bad_input_is_refused() -> None:
    with pytest.raises(SizeError, match="20 units at most, and this one has 21"):
        Boltzmann(Boltzmann.Config(hidden=5, free="exact"), (16,))
    with pytest.raises(ConfigError, match="5 visible units cannot be cut into 2 equal groups"):
        Boltzmann(Boltzmann.Config(groups=2), (5,))
    with pytest.raises(DataError, match=r"1\.4"):
        machine().prepare(Batch.of(data() * 1.4))
    with pytest.raises(ConfigError, match="'visble'; there are: hidden"):
        machine().activations(data(), ["visble"])


def test_settings_are_those_of_1985() -> None:
    """Annealing 2 at 20, 2 at 15, 2 at 12 and 4 at 10, then ten sweeps of counting; temperatures over the last one."""
    assert Boltzmann.Config().temperatures == tuple(t / 10 for t in (20, 20, 15, 15, 12, 12, 10, 10, 10, 10))
    assert Boltzmann.Config().gathering == 10
    falling = Boltzmann.Config().recall
    assert list(falling) == sorted(falling, reverse=True) and falling[-1] < 1


def frozen(**fields: object) -> Boltzmann:
    """A machine so certain at temperature 1 that a sweep draws what it must, and at a million flips coins."""
    boltzmann = machine(**fields)
    with torch.no_grad():
        boltzmann.weight.zero_()
        boltzmann.bias.copy_(torch.tensor([60.0, -60, 60, -60, 60, 60, -60]))
    return boltzmann


def test_only_sweeps_at_temperature_one_are_counted() -> None:
    """Sweeps at a million are nothing but coins; counted, they would be seen."""
    boltzmann, on = frozen(temperatures=(1e6, 1e6), gathering=2), torch.tensor([1.0, 0, 1, 0, 1, 1, 0]).double()
    with seeded(10):
        free, clamped = boltzmann.free_phase(50), boltzmann.clamped_phase(VISIBLE)[0]
    torch.testing.assert_close(free, torch.outer(on, on))
    shown = torch.cat([VISIBLE, on[4:].expand(16, -1)], 1)
    torch.testing.assert_close(clamped, (shown.T @ shown / 16).diagonal_scatter(shown.mean(0)))


@pytest.mark.parametrize("warm", [(), (1.0, 1.0, 1.0)])
def test_a_sample_is_so_many_sweeps_from_coins(warm: tuple[float, ...]) -> None:
    """From fair coins by the exact kernel of a sweep, which few sweeps have not yet taken to equilibrium."""
    boltzmann, draws = machine(1.5, temperatures=warm, sample_sweeps=1), 40_000
    joint = torch.softmax(-energies(boltzmann), 0).detach()
    reached = torch.full((128,), 1 / 128, dtype=torch.float64)
    for _ in range(len(warm) + 1):
        for group in ([0, 2], [1, 3], [4], [5], [6]):
            others = [unit for unit in range(7) if unit not in group]
            same = (STATES[:, None, others] == STATES[None][:, :, others]).all(2).double()
            reached = reached @ (same * joint / (same @ joint)[:, None])
    exact = reached @ STATES[:, :4]
    with seeded(11):
        found = boltzmann.sample(draws)
    assert ((found.mean(0) - exact) / oracles.standard_error(exact, draws)).abs().max() < 4.5


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_sweeps_at_a_temperature_keep_its_distribution(temperature: float) -> None:
    boltzmann = machine()
    expected = torch.softmax(-energies(boltzmann) / temperature, 0).detach()
    with seeded(12):
        start = STATES[torch.multinomial(expected, 40_000, replacement=True)]
        found = far(last(walk(boltzmann.network(), start, boltzmann.all_units, (temperature,))), expected)
    assert found.abs().max() < 4.5


def test_means_at_a_temperature_solve_its_equations() -> None:
    boltzmann, temperature = machine(), 2.5
    weight, bias = boltzmann.network()
    start = torch.full((1, 7), 0.5).double()
    (means,) = last(walk(boltzmann.network(), start, boltzmann.all_units, (temperature,) * 200, draw=False))
    torch.testing.assert_close(means, torch.sigmoid((means @ weight + bias) / temperature).detach())


def test_answers_are_averaged_over_the_last_temperature() -> None:
    """At a million every answer is a coin, at the last temperature certain; one unit is a coin there too."""
    boltzmann, known = frozen(recall=(1e6, 1.0), recall_sweeps=25), torch.tensor([True, True, False, False])
    with torch.no_grad():
        boltzmann.bias[3] = 0.0
    with seeded(13):
        found = boltzmann.complete(torch.zeros(400, 4).double(), known)
    assert (found[:, 2] == 1).all()
    assert ((25 * found[:, 3]).round() - 25 * found[:, 3]).abs().max() < 1e-9
    assert found[:, 3].std().item() == pytest.approx(0.5 / 25**0.5, rel=0.15)


def test_chains_are_as_many_as_examples() -> None:
    """Co-occurrences of free units spread as those of so many independent chains do."""
    boltzmann = machine(temperatures=(1.0,), gathering=1)
    with torch.no_grad():
        boltzmann.weight.zero_()
        boltzmann.bias.zero_()
    with seeded(14):
        means = torch.stack([boltzmann.free_phase(100).diagonal() for _ in range(60)])
    assert means.std().item() == pytest.approx(0.5 / 100**0.5, rel=0.15)


def test_pseudo_likelihood_is_that_of_the_states_which_are_reached() -> None:
    """-sum_i log p(v_i | all others) with the hidden units' means, by exact inference."""
    boltzmann, x = machine(clamped="exact", free="exact"), data()
    found = boltzmann.loss(Batch.of(x), "model", START).parts["pseudo_loss_nats"]
    weight, bias = boltzmann.network()
    joint = torch.softmax(-energies(boltzmann), 0).view(16, 8)
    hidden = (joint / joint.sum(1, keepdim=True))[oracles.state_numbers(x)] @ STATES[:8, 4:]
    logits = x @ weight[:4, :4] + hidden @ weight[4:, :4] + bias[:4]
    exact = -torch.nn.functional.logsigmoid(logits * (2 * x - 1)).sum(1).mean()
    torch.testing.assert_close(found, exact.detach())


def test_decoding_solves_the_equations_of_the_visible_units() -> None:
    boltzmann = machine(0.5, mean_field_sweeps=200)
    weight, bias = boltzmann.network()
    hidden = torch.rand(5, 3, generator=torch.Generator().manual_seed(0)).double()
    means = boltzmann.decode(hidden)
    torch.testing.assert_close(means, torch.sigmoid(means @ weight[:4, :4] + hidden @ weight[4:, :4] + bias[:4]))
    assert torch.equal(boltzmann.reconstruct(data()), boltzmann.decode(boltzmann.encode(data())))


def test_states_of_examples_are_draws_from_the_means() -> None:
    boltzmann, draws = machine(), 20_000
    with seeded(15):
        found = boltzmann.states_of(VISIBLE[[5]].expand(draws, -1))
    exact = boltzmann.encode(VISIBLE[[5]])[0].detach()
    assert torch.equal(found[:, :4], VISIBLE[[5]].expand(draws, -1)) and found.unique().tolist() == [0, 1]
    assert ((found[:, 4:].mean(0) - exact) / oracles.standard_error(exact, draws)).abs().max() < 4.5


def test_prepared_biases_give_the_mean_of_the_data() -> None:
    boltzmann, x = machine(), data(500)
    boltzmann.prepare(Batch.of(x))
    torch.testing.assert_close(torch.sigmoid(boltzmann.bias[:4]).detach(), (x.sum(0) + 1) / 502)
    assert torch.equal(boltzmann.base, boltzmann.bias)


def test_mean_field_is_annealed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It settles at the temperatures of sampling, and then sweeps at 1."""
    boltzmann, walked = machine(temperatures=(4.0, 2.0), mean_field_sweeps=3), list[object]()

    def watched(*given: object, **how: object) -> object:
        walked.append((given[3], how))
        return walk(*given, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("untaught.models.boltzmann.walk", watched)
    boltzmann.encode(VISIBLE)
    assert walked == [((4.0, 2.0, 1.0, 1.0, 1.0), {"draw": False})]
