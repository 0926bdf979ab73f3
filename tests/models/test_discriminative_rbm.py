"""The restricted Boltzmann machine with a label against sums over all of its states, of which there are 3,072."""

from dataclasses import replace
from typing import Any

import oracles
import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.discriminative_rbm import DiscriminativeRBM, statistics
from untaught.nn.energy.units import UNITS
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

SHAPE = (1, 2, 3)
VISIBLE = oracles.states(6)
HIDDEN = oracles.states(4)
CLASSES = torch.eye(3, dtype=torch.float64)
START = torch.zeros(())
SAME = torch.arange(64)


def machine(**chosen: Any) -> DiscriminativeRBM:
    """A machine with weights, biases and base rate that matter, in float64."""
    usual = {"alpha": 0.3, "unlabelled": 0.0, "sparsity": 0.0, "initial_scale": 0.8}
    with seeded(1):
        rbm = DiscriminativeRBM(replace(DiscriminativeRBM.smoke.config, **{**usual, **chosen}), SHAPE).double()
        with torch.no_grad():
            for vector in (rbm.visible_bias, rbm.hidden_bias, rbm.label_bias, rbm.base):
                vector.copy_(torch.randn(len(vector)))
            rbm.chains.copy_(bernoulli(torch.full_like(rbm.chains, 0.5)))
            rbm.label_chains.copy_(UNITS["softmax"].draw(torch.zeros_like(rbm.label_chains)))
    return rbm


def joint(rbm: DiscriminativeRBM) -> Tensor:
    """p(x, y, h) over all states `(64, 3, 16)`, from the energy (1) alone; keeps the graph."""
    by_class: list[Tensor] = []
    for number in range(3):
        hidden_bias = rbm.hidden_bias + rbm.label_weight[number]
        energy = oracles.rbm_energy(VISIBLE, HIDDEN, rbm.weight, rbm.visible_bias, hidden_bias)
        by_class.append(rbm.label_bias[number] - energy)
    minus = torch.stack(by_class, 1)
    return torch.exp(minus - torch.logsumexp(minus.flatten(), 0))


def data(count: int = 7, unlabelled: bool = False) -> Batch:
    with seeded(2):
        x = bernoulli(torch.full((count, *SHAPE), 0.4)).double()
        label = torch.randint(0, 3, (count,))
    label[::2] = -1 if unlabelled else label[::2]
    return Batch(x, label)


def parameters(rbm: DiscriminativeRBM) -> tuple[Tensor, ...]:
    return rbm.weight, rbm.label_weight, rbm.visible_bias, rbm.label_bias, rbm.hidden_bias


def gradients(rbm: DiscriminativeRBM, total: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(total, parameters(rbm), materialize_grads=True)


def test_class_probabilities_are_ratios_of_sums() -> None:
    rbm = machine()
    p = joint(rbm).detach().sum(2)
    torch.testing.assert_close(rbm.class_probabilities(VISIBLE), p / p.sum(1, keepdim=True))


def test_free_energy_is_the_sum_over_classes_and_hidden_states() -> None:
    rbm = machine()
    by_sum = -joint(rbm).sum((1, 2)).log()
    free = rbm.free_energy(VISIBLE)
    torch.testing.assert_close(free + torch.logsumexp(-free, 0), by_sum)


def test_conditionals_are_ratios_of_joint_sums() -> None:
    rbm = machine()
    p = joint(rbm).detach()
    on_hidden = (p @ HIDDEN) / p.sum(2, keepdim=True)
    for number in range(3):
        label = CLASSES[number].expand(64, 3)
        torch.testing.assert_close(rbm.hidden_given(VISIBLE, label), on_hidden[:, number])
    per_hidden = p.sum((0, 1))[:, None]
    torch.testing.assert_close(rbm.visible_given(HIDDEN), (p.sum(1).T @ VISIBLE) / per_hidden)
    torch.testing.assert_close(torch.softmax(rbm.label_input(HIDDEN), 1), p.sum(0).T / per_hidden)
    torch.testing.assert_close(rbm.encode(VISIBLE), (p.sum(1) @ HIDDEN) / p.sum((1, 2))[:, None])


def test_the_sides_sum_to_the_same_partition_function() -> None:
    hidden, visible = machine().sides()
    log_z = [torch.logsumexp(-side.free_energy(oracles.states(side.units)), 0) for side in (hidden, visible)]
    torch.testing.assert_close(log_z[0], log_z[1])


def test_at_temperature_zero_only_the_base_rate_is_left() -> None:
    rbm = machine()
    on = torch.sigmoid(rbm.base_rate())
    independent = (on * VISIBLE + (1 - on) * (1 - VISIBLE)).prod(1)
    torch.testing.assert_close(torch.softmax(-rbm.free_energy(VISIBLE, 0.0).detach(), 0), independent)
    torch.testing.assert_close(torch.logsumexp(-rbm.free_energy(VISIBLE, 0.0), 0), rbm.base_partition())


def test_discriminative_gradient_is_that_of_the_exact_conditional() -> None:
    rbm, batch = machine(objective="discriminative"), data(unlabelled=True)
    found = gradients(rbm, rbm.loss(batch, "model", START).total)
    p = joint(rbm).sum(2)
    conditional = (p / p.sum(1, keepdim=True))[oracles.state_numbers(batch.x.flatten(1))]
    known = batch.label >= 0
    exact = -conditional[known, batch.label[known]].log().sum() / len(batch.x)
    for ours, theirs in zip(found, gradients(rbm, exact), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("objective", "weight"), [("generative", 1.0), ("hybrid", 0.3)])
def test_gradient_is_that_of_the_likelihood_when_fantasies_are_exact(
    objective: str, weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted over fantasies is replaced by the exact mean over all 3,072 states."""
    rbm, batch = machine(objective=objective), data()
    p = joint(rbm)
    whole = p.detach()
    exact = (
        torch.einsum("xyh,xi,hj->ij", whole, VISIBLE, HIDDEN), torch.einsum("xyh,hj->yj", whole, HIDDEN),
        whole.sum((1, 2)) @ VISIBLE, whole.sum((0, 2)), whole.sum((0, 1)) @ HIDDEN,
    )  # fmt: skip
    calls: list[None] = []

    def counted(x: Tensor, label: Tensor, hidden: Tensor, share: Tensor) -> tuple[Tensor, ...]:
        calls.append(None)
        return tuple(share.sum() * value for value in exact) if len(calls) > 1 else statistics(x, label, hidden, share)

    monkeypatch.setattr("untaught.models.discriminative_rbm.statistics", counted)
    found = gradients(rbm, rbm.loss(batch, "model", START).total)
    seen = p.sum(2)[oracles.state_numbers(batch.x.flatten(1))]
    pairs = seen[torch.arange(7), batch.label]
    total = -weight * pairs.log().mean()
    if objective == "hybrid":
        total = total - (pairs / seen.sum(1)).log().mean()
    for ours, theirs in zip(found, gradients(rbm, total), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_contrastive_divergence_of_the_joint_for_the_same_draws() -> None:
    rbm, batch = machine(objective="generative", gibbs_steps=2), data()
    x, label = batch.x.flatten(1), CLASSES[batch.label]
    with seeded(3):
        found = gradients(rbm, rbm.loss(batch, "model", START).total)
    with seeded(3):
        negative = rbm.gibbs(*rbm.gibbs(x, label))
    expected = torch.zeros(6, 4, dtype=torch.float64)
    for sign, rows in ((-1, (x, label)), (1, negative)):
        for v, h in zip(rows[0], rbm.hidden_given(*rows).detach(), strict=True):
            expected += sign * torch.outer(v, h) / 7
    torch.testing.assert_close(found[0], expected)
    torch.testing.assert_close(found[3], (negative[1] - label).mean(0))


def test_classes_of_unlabelled_examples_are_drawn_from_their_exact_conditional() -> None:
    rbm = machine(objective="discriminative", unlabelled=0.7)
    x = VISIBLE[37].expand(30_000, 6)
    batch = Batch(x.unflatten(1, SHAPE), torch.full((30_000,), -1))
    seen: list[Tensor] = []

    def slopes(x: Tensor, label: Tensor, share: Tensor) -> tuple[list[Tensor], Tensor]:
        seen.append(label)
        torch.testing.assert_close(share, torch.full_like(share, 0.7 / 30_000))
        return [torch.zeros_like(value) for value in parameters(rbm)], START

    rbm.__dict__["_slopes"] = slopes
    with seeded(4):
        rbm.loss(batch, "model", START)
    p = rbm.class_probabilities(x[:1])[0].detach()
    far = (seen[0].mean(0) - p) / oracles.standard_error(p, 30_000)
    assert far.abs().max() < 4
    assert seen[0].unique().tolist() == [0, 1]


def test_labels_that_are_absent_weigh_nothing_unless_asked_for() -> None:
    batch = data(unlabelled=True)
    known = batch.label >= 0
    rbm = machine(objective="generative", gibbs_steps=1)
    with torch.no_grad():  # so certain that nothing depends on the draws
        for value, sign in zip(parameters(rbm), (0, 0, 1, 1, 1), strict=True):
            value.copy_(sign * 200 * value.sign())
        rbm.label_bias.copy_(torch.tensor([-200.0, 200.0, -200.0]))
    found = gradients(rbm, rbm.loss(batch, "model", START).total)
    labelled = Batch(batch.x[known], batch.label[known])
    alone = gradients(rbm, rbm.loss(labelled, "model", START).total)
    for ours, theirs in zip(found, alone, strict=True):
        torch.testing.assert_close(ours, theirs * int(known.sum()) / 7)


def test_sparsity_takes_a_constant_from_every_hidden_bias() -> None:
    batch = data()
    plain, sparse = (machine(objective="discriminative", sparsity=value) for value in (0.0, 0.25))
    found = [gradients(rbm, rbm.loss(batch, "model", START).total) for rbm in (plain, sparse)]
    torch.testing.assert_close(found[1][4], found[0][4] + 0.25)
    assert torch.equal(found[1][0], found[0][0])


def test_gibbs_on_pairs_keeps_the_joint() -> None:
    rbm, draws = machine(), 40_000
    p = joint(rbm).detach().sum(2).flatten()
    with seeded(5):
        state = torch.multinomial(p, draws, replacement=True)
        x, label = rbm.gibbs(VISIBLE[state // 3], CLASSES[state % 3])
    assert torch.equal(label.sum(1), torch.ones_like(label[:, 0]))
    after = torch.bincount(oracles.state_numbers(x) * 3 + label.argmax(1), minlength=192) / draws
    far = (after - p) / oracles.standard_error(p, draws)
    assert far.abs().max() < 5.5  # the rarest of 192 states is expected about once
    assert far.square().mean() < 1.6


@pytest.mark.parametrize("temper", [0.0, 0.4, 1.0])
def test_steps_leave_the_tempered_distribution_unchanged(temper: float) -> None:
    rbm, draws = machine(), 40_000
    p = torch.softmax(-rbm.free_energy(VISIBLE, temper).detach(), 0)
    with seeded(6):
        start = VISIBLE[torch.multinomial(p, draws, replacement=True)]
        after = torch.bincount(oracles.state_numbers(rbm.gibbs_step(start, temper)), minlength=64) / draws
    far = (after - p) / oracles.standard_error(p, draws)
    assert far.abs().max() < 4.5
    assert far.square().mean() < 1.8


def test_samples_of_a_class_follow_its_conditional() -> None:
    rbm = machine(initial_scale=0.5, sample_steps=30)
    p = joint(rbm).detach().sum(2)
    with seeded(7):
        for label, exact in ((None, p.sum(1)), *((y, p[:, y] / p[:, y].sum()) for y in (0, 1))):
            samples = rbm.sample(20_000, label).flatten(1)
            far = (samples.mean(0) - exact @ VISIBLE) / (samples.std(0) / 20_000**0.5)
            assert far.abs().max() < 4
    with pytest.raises(ConfigError, match="no class 3"):
        rbm.sample(1, 3)


def test_persistent_chains_go_on_where_they_ended() -> None:
    rbm, batch = machine(objective="generative", persistent_chains=5, gibbs_steps=2), data()
    before = rbm.chains.clone(), rbm.label_chains.clone()
    with seeded(8):
        found = gradients(rbm, rbm.loss(batch, "model", START).total)
    with seeded(8):
        torch.rand(7, 4)  # the step from the data that the squared error takes
        x, y = rbm.gibbs(*rbm.gibbs(*before))
    assert torch.equal(rbm.chains, x) and torch.equal(rbm.label_chains, y)
    hidden = rbm.hidden_given(rbm.chains, rbm.label_chains).detach()
    seen = CLASSES[batch.label]
    active = rbm.hidden_given(batch.x.flatten(1), seen).detach()
    torch.testing.assert_close(found[1], rbm.label_chains.T @ hidden / 5 - seen.T @ active / 7)


def test_prepared_biases_give_the_means_and_the_frequencies() -> None:
    rbm, batch = DiscriminativeRBM(DiscriminativeRBM.smoke.config, SHAPE), data(1000, unlabelled=True)
    rbm.prepare(Batch(batch.x.float(), batch.label))
    torch.testing.assert_close(torch.sigmoid(rbm.base_rate()).double(), batch.x.flatten(1).mean(0), rtol=0, atol=2e-3)
    shares = torch.bincount(batch.label[batch.label >= 0]) / (batch.label >= 0).sum()
    torch.testing.assert_close(torch.softmax(rbm.label_bias, 0), shares.float(), rtol=0, atol=2e-3)


@pytest.mark.parametrize(("label", "told"), [(-1, "no example has a label"), (3, "a label is 3")])
def test_labels_that_cannot_be_learnt_are_refused(label: int, told: str) -> None:
    with pytest.raises(DataError, match=told):
        DiscriminativeRBM(DiscriminativeRBM.smoke.config, SHAPE).prepare(Batch(data().x, torch.full((7,), label)))


def test_values_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(DataError, match="0 to 1"):
        machine().prepare(Batch(data().x + 0.5, data().label))


def test_unknown_layer_is_named() -> None:
    with pytest.raises(ConfigError, match="'hiden'; there are: hidden, class"):
        machine().activations(data().x, ["hiden"])


@pytest.mark.parametrize("objective", ["generative", "discriminative", "hybrid"])
def test_held_out_names_the_classification_error_under_every_objective(objective: str) -> None:
    rbm, batch = machine(objective=objective), data()
    error = (rbm.class_probabilities(batch.x).argmax(1) != batch.label).double().mean()
    found = rbm.held_out(batch, "model").parts["classification_error"]
    torch.testing.assert_close(found, error.to(found))


def test_chains_begin_at_draws_from_the_base_rates() -> None:
    with seeded(9):
        rbm = DiscriminativeRBM(replace(DiscriminativeRBM.smoke.config, persistent_chains=20_000), SHAPE).double()
        rbm.prepare(data(30))
    on, share = torch.sigmoid(rbm.base), torch.softmax(rbm.label_bias, 0).detach()
    assert rbm.chains.unique().tolist() == [0, 1]
    assert ((rbm.chains.mean(0) - on) / oracles.standard_error(on, 20_000)).abs().max() < 4.5
    assert torch.equal(rbm.label_chains.sum(1), torch.ones(20_000).double())
    assert ((rbm.label_chains.mean(0) - share) / oracles.standard_error(share, 20_000)).abs().max() < 4.5


@pytest.mark.parametrize("chains", [0, 4])
@pytest.mark.parametrize("steps", [1, 3])
def test_fantasies_are_so_many_drawn_steps_away(chains: int, steps: int) -> None:
    rbm, batch = machine(objective="generative", persistent_chains=chains, gibbs_steps=steps), data()
    x, label = batch.x.flatten(1), CLASSES[batch.label]
    before = (rbm.chains.clone(), rbm.label_chains.clone()) if chains else (x, label)
    with seeded(10):
        loss = rbm.loss(batch, "model", START)
    found = gradients(rbm, loss.total)
    with seeded(10):
        hidden = bernoulli(rbm.hidden_given(x, label)) if chains else None
        ends = before
        for _ in range(steps):
            ends = rbm.gibbs(*ends)
    hidden = bernoulli(rbm.hidden_given(x, label)) if hidden is None else hidden
    torch.testing.assert_close(found[2], (ends[0].mean(0) - x.mean(0)))
    torch.testing.assert_close(found[3], (ends[1].mean(0) - label.mean(0)))
    if chains:
        mean = torch.sigmoid(hidden @ rbm.weight.T + rbm.visible_bias)
        torch.testing.assert_close(loss.parts["squared_error_per_image"], (x - mean).square().sum(1).mean().detach())


@pytest.mark.parametrize("label", [None, 2])
@pytest.mark.parametrize("steps", [1, 2])
def test_a_sample_is_so_many_steps_from_the_base_rates(label: int | None, steps: int) -> None:
    """By the exact kernel over pairs of picture and class, which few steps have not yet taken to equilibrium."""
    rbm, draws = machine(sample_steps=steps), 40_000
    p = joint(rbm).detach()
    on = torch.sigmoid(rbm.base)
    begin = (on * VISIBLE + (1 - on) * (1 - VISIBLE)).prod(1)
    share = torch.softmax(rbm.label_bias, 0).detach() if label is None else CLASSES[label]
    reached = begin[:, None] * share
    hidden_given = p / p.sum(2, keepdim=True)
    for _ in range(steps):
        hidden = torch.einsum("xy,xyh->h", reached, hidden_given)
        down = torch.einsum("h,xyh->xy", hidden, p / p.sum((0, 1)))
        reached = down if label is None else down.sum(1, keepdim=True) * share
    exact = reached.sum(1) @ VISIBLE
    with seeded(11):
        found = rbm.sample(draws, label).flatten(1)
    assert ((found.mean(0) - exact) / (found.std(0) / draws**0.5)).abs().max() < 4.5


def test_weights_begin_at_their_scale() -> None:
    with seeded(12):
        rbm = DiscriminativeRBM(DiscriminativeRBM.Config(hidden=80, classes=40, initial_scale=0.2), (50,))
    for weight in (rbm.weight, rbm.label_weight):
        assert weight.std().item() == pytest.approx(0.2, rel=0.07)


def test_more_examples_than_are_tried_at_once_are_told_as_few_are() -> None:
    rbm, x = machine(), data(1300).x
    apart = torch.cat([rbm.class_probabilities(some) for some in x.split(100)])
    torch.testing.assert_close(rbm.class_probabilities(x), apart)
    torch.testing.assert_close(rbm.encode(x), torch.cat([rbm.encode(some) for some in x.split(100)]))


def test_reconstruction_goes_through_the_means() -> None:
    rbm, x = machine(), data().x
    mean = torch.sigmoid(rbm.encode(x) @ rbm.weight.T + rbm.visible_bias)
    torch.testing.assert_close(rbm.reconstruct(x).flatten(1), mean)


def test_a_decoded_state_is_the_mean_of_what_it_may_show() -> None:
    """E[x|h] from the joint summed over classes; classes do not change what hidden units show."""
    rbm = machine()
    with_h = joint(rbm).sum(1)
    expected = (VISIBLE.T @ with_h / with_h.sum(0)).T
    torch.testing.assert_close(rbm.decode(HIDDEN).flatten(1), expected)


def test_settings_are_those_of_2008() -> None:
    """The hybrid's weight of the joint density is 0.01; CD-1; the generative machine is watched by its own error."""
    config = DiscriminativeRBM.Config()
    assert (config.objective, config.alpha, config.gibbs_steps, config.persistent_chains) == ("hybrid", 0.01, 1, 0)
    assert machine(objective="generative").monitor == "squared_error_per_image"
    assert {machine(objective=kind).monitor for kind in ("discriminative", "hybrid")} == {"wrong_class_probability"}
