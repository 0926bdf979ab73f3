"""The restricted Boltzmann machine against sums over all of its states."""

from dataclasses import replace

import oracles
import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.model import Batch, Example
from untaught.models.rbm import RBM
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

SHAPE = (1, 2, 3)
VISIBLE = oracles.states(6)
HIDDEN = oracles.states(4)
START = torch.zeros(())


def machine(chains: int = 0, steps: int = 1, scale: float = 0.8) -> RBM:
    """A machine with weights, biases and base rate that matter, in float64."""
    with seeded(1):
        config = replace(RBM.smoke.config, persistent_chains=chains, gibbs_steps=steps, initial_scale=scale)
        rbm = RBM(config, SHAPE).double()
        with torch.no_grad():
            for vector in (rbm.visible_bias, rbm.hidden_bias, rbm.base):
                vector.copy_(torch.randn(len(vector)))
            rbm.chains.copy_(bernoulli(torch.full_like(rbm.chains, 0.5)))
    return rbm


def joint(rbm: RBM) -> Tensor:
    return oracles.rbm_joint(rbm.weight, rbm.visible_bias, rbm.hidden_bias).detach()


def two_sided() -> RBM:
    """A machine in which each state is as likely as its opposite: all that there is to learn is dependence."""
    rbm = machine(scale=1.5)
    with torch.no_grad():
        rbm.visible_bias.copy_(-rbm.weight.sum(1) / 2)
        rbm.hidden_bias.copy_(-rbm.weight.sum(0) / 2)
    return rbm


def data(count: int = 7) -> Tensor:
    with seeded(2):
        return bernoulli(torch.full((count, *SHAPE), 0.4)).double()


def gradients(rbm: RBM, total: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(total, (rbm.weight, rbm.visible_bias, rbm.hidden_bias))


def test_free_energy_is_the_sum_over_hidden_states() -> None:
    rbm = machine()
    energy = oracles.rbm_energy(VISIBLE, HIDDEN, rbm.weight, rbm.visible_bias, rbm.hidden_bias)
    torch.testing.assert_close(rbm.free_energy(VISIBLE), -torch.logsumexp(-energy, 1))
    pairs = rbm.energy(VISIBLE.repeat_interleave(16, 0), HIDDEN.repeat(64, 1))
    torch.testing.assert_close(pairs.view(64, 16), energy)


def test_conditionals_are_ratios_of_joint_sums() -> None:
    rbm = machine()
    p = joint(rbm)
    on_hidden = (p @ HIDDEN) / p.sum(1, keepdim=True)
    on_visible = (p.T @ VISIBLE) / p.sum(0)[:, None]
    torch.testing.assert_close(rbm.hidden_given(VISIBLE), on_hidden)
    torch.testing.assert_close(rbm.visible_given(HIDDEN), on_visible)


@pytest.mark.parametrize("steps", [1, 3])
def test_gradient_is_contrastive_divergence_for_the_same_draws(steps: int) -> None:
    rbm, x = machine(steps=steps), data()
    with seeded(3):
        total = rbm.loss(Batch.of(x), "model", START).total
    found = gradients(rbm, total)
    sigmoid, w, b, c = torch.sigmoid, rbm.weight.detach(), rbm.visible_bias.detach(), rbm.hidden_bias.detach()
    with seeded(3):
        visible = x.flatten(1)
        for _ in range(steps):
            hidden = (torch.rand(7, 4) < sigmoid(visible @ w + c)).double()
            visible = (torch.rand(7, 6) < sigmoid(hidden @ w.T + b)).double()
    outer = torch.zeros_like(w)
    for v, negative in zip(x.flatten(1), visible, strict=True):
        outer += torch.outer(negative, sigmoid(negative @ w + c)) - torch.outer(v, sigmoid(v @ w + c))
    torch.testing.assert_close(found[0], outer / 7)
    torch.testing.assert_close(found[1], visible.mean(0) - x.flatten(1).mean(0))
    torch.testing.assert_close(found[2], (sigmoid(visible @ w + c) - sigmoid(x.flatten(1) @ w + c)).mean(0))


def test_value_is_the_difference_of_energies() -> None:
    """With hidden means, E is linear in h: checked against the energy of each pair on its own."""
    rbm, x = machine(), data()
    with seeded(3):
        total = rbm.loss(Batch.of(x), "model", START).total
    with seeded(3):
        negative = rbm.gibbs(x.flatten(1))
    expected = torch.zeros((), dtype=torch.float64)
    for sign, states in ((1, x.flatten(1)), (-1, negative)):
        for v in states[:, None]:
            h = rbm.hidden_given(v)
            expected += sign * oracles.rbm_energy(v, h, rbm.weight, rbm.visible_bias, rbm.hidden_bias)[0, 0] / 7
    torch.testing.assert_close(total, expected)


def test_gradient_is_that_of_the_likelihood_when_fantasies_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """The means over fantasies are replaced by exact ones over all 64 states."""
    rbm, x = machine(), data()
    p = joint(rbm).sum(1)
    negative = rbm.hidden_given(VISIBLE).detach()

    def slopes(data: Tensor, active: Tensor, fantasy: Tensor, imagined: Tensor) -> tuple[Tensor, ...]:
        exact = ((VISIBLE * p[:, None]).T @ negative, p @ VISIBLE, p @ negative)
        seen = (data.T @ active / len(data), data.mean(0), active.mean(0))
        return tuple(minus - plus for minus, plus in zip(exact, seen, strict=True))

    monkeypatch.setattr("untaught.models.rbm.energy_slopes", slopes)
    found = gradients(rbm, rbm.loss(Batch.of(x), "model", START).total)
    rows = oracles.state_numbers(x.flatten(1))
    likelihood = oracles.rbm_joint(rbm.weight, rbm.visible_bias, rbm.hidden_bias).sum(1)[rows].log().mean()
    for ours, theirs in zip(found, gradients(rbm, -likelihood), strict=True):
        torch.testing.assert_close(ours, theirs)


def frequencies_after(rbm: RBM, start: Tensor, temper: float, draws: int = 40_000) -> Tensor:
    """How often each visible state stands after one step from states drawn from `start`."""
    with seeded(4):
        first = VISIBLE[torch.multinomial(start, draws, replacement=True)]
        after = rbm.gibbs_step(first, temper)
    return torch.bincount(oracles.state_numbers(after), minlength=64) / draws


def test_gibbs_kernel_leaves_the_exact_distribution_unchanged() -> None:
    rbm = machine()
    p = joint(rbm)
    torch.testing.assert_close(p.sum(1) @ oracles.gibbs_kernel(p), p.sum(1))
    far = (frequencies_after(rbm, p.sum(1), 1.0) - p.sum(1)) / oracles.standard_error(p.sum(1), 40_000)
    assert far.abs().max() < 4.5  # of 64 normal deviates, once in 2,000 seeds
    assert far.square().mean() < 1.8


def test_gibbs_kernel_from_one_state_is_the_exact_one() -> None:
    """From one state, so that a kernel that forgets where it was would be seen."""
    rbm = machine()
    start = torch.zeros(64, dtype=torch.float64)
    start[37] = 1
    expected = oracles.gibbs_kernel(joint(rbm))[37]
    far = (frequencies_after(rbm, start, 1.0) - expected) / oracles.standard_error(expected, 40_000)
    assert far.abs().max() < 4.5


@pytest.mark.parametrize("temper", [0.0, 0.3, 0.7])
def test_tempered_steps_leave_the_tempered_distribution_unchanged(temper: float) -> None:
    rbm = machine()
    p = torch.softmax(-rbm.free_energy(VISIBLE, temper).detach(), 0)
    far = (frequencies_after(rbm, p, temper) - p) / oracles.standard_error(p, 40_000)
    assert far.abs().max() < 4.5


def test_at_temperature_zero_only_the_base_rate_is_left() -> None:
    rbm = machine()
    on = torch.sigmoid(rbm.base_rate())
    independent = (on * VISIBLE + (1 - on) * (1 - VISIBLE)).prod(1)
    torch.testing.assert_close(torch.softmax(-rbm.free_energy(VISIBLE, 0.0).detach(), 0), independent)
    torch.testing.assert_close(torch.softmax(-rbm.free_energy(VISIBLE, 1.0).detach(), 0), joint(rbm).sum(1))


def test_samples_follow_the_distribution() -> None:
    """The mean of the samples' grey values is the exact mean of the visible units."""
    rbm = machine(scale=0.5)
    rbm.config = replace(rbm.config, sample_steps=30)
    with seeded(5):
        samples = rbm.sample(20_000).flatten(1)
    exact = joint(rbm).sum(1) @ VISIBLE
    far = (samples.mean(0) - exact) / (samples.std(0) / 20_000**0.5)
    assert far.abs().max() < 4


def test_persistent_chains_go_on_where_they_ended() -> None:
    rbm, x = machine(chains=5, steps=2), Batch.of(data())
    expected = rbm.chains.clone()
    for seed in (6, 7):
        with seeded(seed):
            rbm.loss(x, "model", START)
        with seeded(seed):
            expected = rbm.gibbs(rbm.gibbs(expected))
        assert torch.equal(rbm.chains, expected)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_short_batches_and_chains_are_averaged_each_over_its_own_rows(count: int) -> None:
    rbm, x = machine(chains=5), data(count)
    with seeded(6):
        found = gradients(rbm, rbm.loss(Batch.of(x), "model", START).total)
    fantasy, flat = rbm.chains, x.flatten(1)
    expected = (fantasy.T @ rbm.encode(fantasy)) / 5 - (flat.T @ rbm.encode(x)) / count
    torch.testing.assert_close(found[0], expected)
    torch.testing.assert_close(found[1], fantasy.mean(0) - flat.mean(0))


def test_prepared_biases_give_the_mean_of_the_data() -> None:
    rbm = RBM(RBM.smoke.config, SHAPE)
    x = data(1000).float()
    x[:, :, 0, 0] = 0
    rbm.prepare(Batch.of(x))
    assert torch.isfinite(rbm.visible_bias).all()
    torch.testing.assert_close(torch.sigmoid(rbm.base_rate()), x.flatten(1).mean(0), rtol=0, atol=2e-3)
    assert torch.equal(rbm.base, rbm.visible_bias)


def test_chains_begin_at_draws_from_the_base_rates() -> None:
    with seeded(11):
        rbm = RBM(replace(RBM.smoke.config, persistent_chains=20_000), SHAPE).double()
        rbm.prepare(Batch.of(VISIBLE[[1, 3, 7, 7, 15, 15, 31, 31]].unflatten(1, SHAPE)))
    on = (VISIBLE[[1, 3, 7, 7, 15, 15, 31, 31]].sum(0) + 1) / 10
    assert rbm.chains.unique().tolist() == [0, 1]
    assert ((rbm.chains.mean(0) - on) / oracles.standard_error(on, 20_000)).abs().max() < 4.5
    together = rbm.chains.T @ rbm.chains / 20_000 - torch.outer(on, on)
    assert (together - together.diag().diag()).abs().max() < 4.5 * 0.25 / 20_000**0.5  # each unit on its own


def test_samples_of_one_step_begin_at_the_base_rates() -> None:
    """One step from independent units is not yet the machine's distribution, but known exactly."""
    rbm = machine()
    rbm.config = replace(rbm.config, sample_steps=1)
    on = torch.sigmoid(rbm.base_rate())
    begin = (on * VISIBLE + (1 - on) * (1 - VISIBLE)).prod(1)
    exact = begin @ oracles.gibbs_kernel(joint(rbm)) @ VISIBLE
    with seeded(12):
        found = rbm.sample(20_000).flatten(1)
    assert ((found.mean(0) - exact) / (found.std(0) / 20_000**0.5)).abs().max() < 4
    assert ((exact - joint(rbm).sum(1) @ VISIBLE).abs() / (found.std(0) / 20_000**0.5)).max() > 8


def test_error_of_reconstruction_is_the_sum_over_pixels_after_one_step() -> None:
    rbm, x = machine(), data()
    with seeded(13):
        found = rbm.loss(Batch.of(x), "model", START).parts["squared_error_per_image"]
    with seeded(13):
        hidden = bernoulli(torch.sigmoid(x.flatten(1) @ rbm.weight + rbm.hidden_bias))
    mean = torch.sigmoid(hidden @ rbm.weight.T + rbm.visible_bias)
    torch.testing.assert_close(found, sum((a - b).square().sum() for a, b in zip(x.flatten(1), mean, strict=True)) / 7)


@pytest.mark.parametrize("place", range(6))
def test_pseudo_likelihood_looks_at_every_place_alike(place: int) -> None:
    """Without weights and with one surprising unit: log 2 for each other unit, 4.02 for that one."""
    rbm, rows = machine(), 20_000
    with torch.no_grad():
        rbm.weight.zero_()
        rbm.visible_bias.zero_()[place] = -4.0
    with seeded(14):
        few, many = (rbm.pseudo_likelihood(torch.ones(rows, 6).double(), places).detach() for places in (1, 8))
    surprise = torch.tensor([4.0]).exp().log1p().item()
    exact, spread = 5 * 0.693147 + surprise, 6 * (surprise - 0.693147) * 5**0.5 / 6 / rows**0.5
    assert abs(few.item() - exact) < 4.5 * spread and abs(many.item() - exact) < 4.5 * spread / 8**0.5


def test_pseudo_likelihood_is_that_of_units_given_all_others() -> None:
    """Of all states, against free energies of a state and of it with one unit turned; over half a million draws."""
    rbm, turned = machine(), VISIBLE[:, None] - (2 * VISIBLE - 1)[:, None] * torch.eye(6)
    higher = rbm.free_energy(turned.flatten(0, 1)).unflatten(0, (64, 6)) - rbm.free_energy(VISIBLE)[:, None]
    expected = float(torch.nn.functional.softplus(-higher).sum(1).mean().detach())
    with seeded(4):
        found = float(rbm.pseudo_likelihood(VISIBLE.repeat(1000, 1), 8).detach())
    assert found == pytest.approx(expected, rel=0.005)


def test_held_out_pseudo_likelihood_is_a_mean_over_eight_places() -> None:
    """So its spread is smaller than that of one place by the root of eight."""
    rbm, x = machine(), data(1)
    with seeded(15):
        many = torch.stack([rbm.held_out(Batch.of(x), "model").parts["pseudo_likelihood_nats"] for _ in range(80)])
        single = torch.stack([rbm.pseudo_likelihood(x.flatten(1), 1).detach() for _ in range(300)])
    assert many.std().item() == pytest.approx(single.std().item() / 8**0.5, rel=0.25)


def test_settings_are_those_of_the_guide() -> None:
    """Weights of deviation 0.01 (its section 8), final momentum 0.9 (9), at a Gaussian layer a far lower rate (13)."""
    assert RBM.Config().initial_scale == 0.01
    assert RBM.recipe.optimiser.momentum == 0.9
    assert RBM.recipe.batch_size == RBM.Config().persistent_chains == 100
    bright = Batch.of(3 * torch.rand(300, 1, 4, 4))
    slow = RBM.usual(Example((1, 4, 4)), bright).recipe
    assert slow is not None and slow.optimiser.learning_rate == 0.001
    assert slow.optimiser.learning_rate < RBM.recipe.optimiser.learning_rate < 0.05


@pytest.mark.parametrize("value", [-0.5, 1.2])
def test_values_that_are_no_probabilities_are_refused(value: float) -> None:
    x = data().float()
    x[0, 0, 0, 0] = value
    with pytest.raises(DataError, match=str(value)):
        RBM(RBM.smoke.config, SHAPE).prepare(Batch.of(x))


def test_float64_agrees_with_float32_on_the_same_draws() -> None:
    double, single, x = machine(chains=3), machine(chains=3).float(), data()
    for step in range(5):
        with seeded(step):
            wide = double.loss(Batch.of(x), "model", START).total
        with seeded(step):
            narrow = single.loss(Batch.of(x.float()), "model", START).total
        torch.testing.assert_close(narrow.double(), wide, rtol=1e-5, atol=1e-5)


def test_draws_under_autocast_come_from_full_precision_probabilities() -> None:
    """With weights of zero, bf16 arithmetic changes nothing: the draws and the gradient are those of float32."""
    rbm, x = machine(scale=0.8).float(), Batch.of(data().float())
    with torch.no_grad():
        rbm.weight.zero_()
    totals: list[Tensor] = []
    for enabled in (False, True):
        with seeded(8), torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            totals.append(gradients(rbm, rbm.loss(x, "model", START).total)[0])
    assert torch.equal(*totals)


def test_bernoulli_draws_are_unbiased_for_small_probabilities() -> None:
    with seeded(9):
        rate = bernoulli(torch.full((2_000_000,), 0.001)).mean()
    assert abs(float(rate) - 0.001) < 4 * (0.001 / 2_000_000) ** 0.5


@pytest.mark.parametrize(("chains", "steps"), [pytest.param(0, 3, marks=pytest.mark.slow), (100, 1)])
def test_training_recovers_a_machine_from_its_samples(chains: int, steps: int) -> None:
    """Of the exact divergence from the data's distribution less than a sixth is left, most of it the sample's own."""
    truth = joint(two_sided()).sum(1)
    with seeded(10):
        config = replace(RBM.smoke.config, persistent_chains=chains, gibbs_steps=steps, initial_scale=0.1)
        rbm = RBM(config, SHAPE).double()
        optimiser = torch.optim.SGD(rbm.parameters(), lr=0.2)
        slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, 1200)
        x = VISIBLE[torch.multinomial(truth, 1000, replacement=True)].unflatten(1, SHAPE)
        rbm.prepare(Batch.of(x))
        before = (truth * (truth / joint(rbm).sum(1)).log()).sum()
        for _ in range(1200):
            optimiser.zero_grad()
            rbm.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
            slower.step()
    after = (truth * (truth / joint(rbm).sum(1)).log()).sum()
    assert before > 0.4  # without weights
    assert after < before / 6


def test_filters_are_the_weights_as_pictures() -> None:
    rbm = machine()
    assert rbm.filters().shape == (4, *SHAPE)
    torch.testing.assert_close(rbm.filters()[2, 0, 1, 0], rbm.weight[3, 2].detach())
    assert RBM(RBM.smoke.config, (9,)).filters().shape == (4, 1, 1, 9)


def test_unknown_layer_is_named() -> None:
    with pytest.raises(ConfigError, match="'visble'; there are: hidden"):
        machine().activations(data(), ["visble"])


def test_held_out_is_taken_at_the_end_of_the_schedule() -> None:
    """Where the number of Gibbs steps grows, it is all of them from the first measurement on."""
    rbm, batch = machine(steps=20), Batch.of(data(50))
    rbm.config = replace(rbm.config, growing=True)

    def total(progress: float) -> Tensor:
        with seeded(4):
            return rbm.loss(batch, "model", torch.tensor(progress)).total

    # The pseudo-likelihood draws before the fantasies do, so it is left out.
    rbm.monitor = "squared_error_per_image"
    with seeded(4):
        held = rbm.held_out(batch, "model").total
    torch.testing.assert_close(held, total(1.0))
    assert not torch.isclose(held, total(0.0))
