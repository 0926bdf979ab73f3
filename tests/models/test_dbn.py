"""The deep belief net against sums over all states of its layers, its tuning against the rules written out."""

from dataclasses import replace
from typing import Any

import oracles
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.model import Batch, Example, Stage
from untaught.models.dbn import DBN, OVERHEAD
from untaught.models.discriminative_rbm import DiscriminativeRBM
from untaught.models.rbm import RBM
from untaught.nn.noise import bernoulli
from untaught.papers.hinton2006 import PAPER
from untaught.randomness import seeded
from untaught.training.fit import Training, train

OF_2006 = {name: own for name, own in PAPER.experiments.items() if not name.endswith("persistent")}
SHAPE = (1, 2, 3)
VISIBLE, FIRST, TOP = oracles.states(6), oracles.states(4), oracles.states(3)
START = torch.zeros(())


def net(**config: Any) -> DBN:
    """A net of 6, 4 and 3 units in float64 whose weights and biases matter."""
    own = {"hidden": (4, 3), "classes": 0, "fine_tuning": "up-down", "dream_steps": 1, "persistent_chains": 0}
    with seeded(1):
        dbn = DBN(replace(DBN.smoke.config, **{**own, **config}), SHAPE).double()
        with torch.no_grad():
            for value in dbn.parameters():
                value.copy_(0.8 * torch.randn(value.shape))
    return dbn


def log_p(dbn: DBN) -> Tensor:
    """Exact log p(v) of every visible state: (1) summed over both hidden layers."""
    below, top = dbn.machines[0], dbn.top
    on = torch.sigmoid(FIRST @ dbn.generative[0] + below.visible_bias)
    given = VISIBLE @ on.log().T + (1 - VISIBLE) @ (1 - on).log().T
    prior = oracles.rbm_joint(top.weight, top.visible_bias, top.hidden_bias).sum(1).log()
    return torch.logsumexp(given + prior, 1)


def data(count: int = 7) -> Tensor:
    with seeded(2):
        return bernoulli(torch.full((count, *SHAPE), 0.4)).double()


def log_z(dbn: DBN) -> Tensor:
    return torch.logsumexp(-dbn.machine().free_energy(FIRST), 0)


def test_bound_is_below_the_exact_likelihood_by_the_divergence_of_recognition() -> None:
    """The gap is KL(q || p(h | v)), found by enumerating the lower hidden layer."""
    dbn = net()
    below, top = dbn.machines[0], dbn.top
    q = torch.sigmoid(VISIBLE @ below.weight + below.hidden_bias)
    log_q = FIRST @ q.log().T + (1 - FIRST) @ (1 - q).log().T
    on = torch.sigmoid(FIRST @ dbn.generative[0] + below.visible_bias)
    joint = (VISIBLE @ on.log().T + (1 - VISIBLE) @ (1 - on).log().T).T
    joint = joint + oracles.rbm_joint(top.weight, top.visible_bias, top.hidden_bias).sum(1).log()[:, None]
    bound = (log_q.exp() * (joint - log_q)).sum(0)
    assert (bound < log_p(dbn)).all()
    with seeded(3), torch.no_grad():
        draws = torch.stack([dbn.unnormalised_bound(VISIBLE) for _ in range(4000)]) - log_z(dbn)
    far = (draws.mean(0) - bound) / (draws.std(0) / 4000**0.5)
    assert far.abs().max() < 4.5


def test_samples_follow_the_exact_distribution() -> None:
    dbn = net(sample_steps=40)
    with seeded(4):
        mean = dbn.sample(20_000).flatten(1)
    exact = log_p(dbn).exp() @ VISIBLE
    far = (mean.mean(0) - exact) / (mean.std(0) / 20_000**0.5)
    assert far.abs().max() < 4.5


def test_a_class_is_generated_on_demand() -> None:
    """Given the class, the mean of the samples is that of the joint machine with the class held, sent down."""
    dbn = net(classes=3, sample_steps=40)
    top = dbn.top
    assert isinstance(top, DiscriminativeRBM)
    energy = F.softplus(FIRST @ top.weight + top.label_weight[2] + top.hidden_bias).sum(1) + FIRST @ top.visible_bias
    on = torch.sigmoid(FIRST @ dbn.generative[0] + dbn.machines[0].visible_bias)
    exact = torch.softmax(energy, 0) @ on
    with seeded(5):
        mean = dbn.sample(20_000, label=2).flatten(1)
    far = (mean.mean(0) - exact) / (mean.std(0) / 20_000**0.5)
    assert far.abs().max() < 4.5
    with pytest.raises(ConfigError, match="without classes"):
        net().sample(2, label=1)


@pytest.mark.parametrize("steps", [1, 3])
def test_up_down_has_the_slopes_of_the_delta_rules(steps: int) -> None:
    dbn, x = net(dream_steps=steps), data()
    below, top = dbn.machines[0], dbn.top
    with seeded(6):
        total = dbn.loss(Batch.of(x), "model", START).total
    found = dict(zip(dict(dbn.named_parameters()), torch.autograd.grad(total, list(dbn.parameters())), strict=True))
    with seeded(6), torch.no_grad():
        v = x.flatten(1)
        wake = bernoulli(torch.sigmoid(v @ below.weight + below.hidden_bias))
        dream = wake
        for _ in range(steps):
            hidden = bernoulli(torch.sigmoid(dream @ top.weight + top.hidden_bias))
            dream = bernoulli(torch.sigmoid(hidden @ top.weight.T + top.visible_bias))
        sleep = torch.sigmoid(dream @ dbn.generative[0] + below.visible_bias)
        down, up = v - sleep_of(dbn, wake), dream - torch.sigmoid(sleep @ below.weight + below.hidden_bias)
        plus, minus = top.hidden_given(wake), top.hidden_given(dream)
    expected = {
        "generative.0": -wake.T @ down,
        "layers.0.visible_bias": -down.sum(0),
        "layers.0.weight": -sleep.T @ up,
        "layers.0.hidden_bias": -up.sum(0),
        "top.weight": dream.T @ minus - wake.T @ plus,
        "top.visible_bias": (dream - wake).sum(0),
        "top.hidden_bias": (minus - plus).sum(0),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value / len(x), msg=name)


def test_a_top_machine_with_classes_dreams_as_many_steps() -> None:
    """From one state, where the chain goes in four steps: the frequencies of its exact kernel to the fourth power."""
    dbn, draws = net(classes=3, dream_steps=4), 40_000
    top = dbn.top
    assert isinstance(top, DiscriminativeRBM)
    labels = torch.eye(3).double()
    visible, label = FIRST.repeat_interleave(3, 0), labels.repeat(16, 1)
    both = torch.cat([visible, label], 1)
    weight = torch.cat([top.weight, top.label_weight])
    energy = oracles.rbm_energy(both, TOP, weight, torch.cat([top.visible_bias, top.label_bias]), top.hidden_bias)
    kernel = oracles.gibbs_kernel(torch.softmax(-energy.flatten(), 0).view_as(energy)).detach()
    with seeded(12), torch.no_grad():
        state, drawn = dbn._dream(FIRST[[5]].expand(draws, -1), labels[[1]].expand(draws, -1))
    place = 3 * oracles.state_numbers(state) + drawn.argmax(1)
    exact = torch.linalg.matrix_power(kernel, 4)[3 * 5 + 1]
    far = (torch.bincount(place, minlength=48) / draws - exact) / oracles.standard_error(exact, draws)
    assert far.abs().max() < 4.5
    once = (kernel[3 * 5 + 1] - exact) / oracles.standard_error(exact, draws)
    assert once.abs().max() > 20  # one step leads elsewhere


@pytest.mark.parametrize("classes", [0, 3])
def test_chains_of_the_top_machine_go_on_from_where_they_ended(classes: int) -> None:
    """Their number is not the batch's; the next update begins at these states, classes included."""
    dbn, x = net(classes=classes, persistent_chains=5, dream_steps=2), data()
    top, label = dbn.top, torch.arange(7) % max(classes, 1)
    chains = [top.chains, top.label_chains] if isinstance(top, DiscriminativeRBM) else [top.chains]
    with seeded(18):
        top.chains.copy_(bernoulli(torch.full_like(top.chains, 0.5)))
    for seed in (19, 20):
        begun = [value.clone() for value in chains]
        with seeded(seed):
            total = dbn.loss(Batch(x, label), "model", START).total
        weight, bias = torch.autograd.grad(total, [top.weight, top.visible_bias])
        with seeded(seed), torch.no_grad():
            wake = bernoulli(dbn._up(x))
            dbn._completed(wake, label)  # which draws
            for _ in range(2):
                begun = list(top.gibbs(*begun)) if isinstance(top, DiscriminativeRBM) else [top.gibbs(*begun)]
            known = [top.one_hot(label)] if isinstance(top, DiscriminativeRBM) else []
            plus, minus = top.hidden_given(wake, *known), top.hidden_given(*begun)
        assert all(torch.equal(*pair) for pair in zip(chains, begun, strict=True))
        torch.testing.assert_close(weight, begun[0].T @ minus / 5 - wake.T @ plus / 7)
        torch.testing.assert_close(bias, begun[0].mean(0) - wake.mean(0))


def sleep_of(dbn: DBN, hidden: Tensor) -> Tensor:
    return torch.sigmoid(hidden @ dbn.generative[0] + dbn.machines[0].visible_bias)


def test_joint_energy_of_the_top_sums_to_its_class_probabilities() -> None:
    dbn = net(classes=3)
    top = dbn.top
    assert isinstance(top, DiscriminativeRBM)
    each = torch.stack([dbn._top_energy(FIRST, torch.eye(3).double()[[y] * 16]) for y in range(3)], 1)
    torch.testing.assert_close(torch.softmax(-each, 1), top.class_probabilities(FIRST))
    torch.testing.assert_close(-torch.logsumexp(-each, 1), top.free_energy(FIRST))


def test_backpropagation_is_a_plain_network() -> None:
    dbn, x = net(classes=3, fine_tuning="backpropagation"), data()
    label = torch.tensor([0, 1, 2, -1, 0, 1, -1])
    hidden = torch.sigmoid(x.flatten(1) @ dbn.machines[0].weight + dbn.machines[0].hidden_bias)
    hidden = torch.sigmoid(hidden @ dbn.top.weight + dbn.top.hidden_bias)
    logits = hidden @ dbn.output.weight.T + dbn.output.bias
    torch.testing.assert_close(dbn.class_probabilities(x), torch.softmax(logits, 1))
    known = label >= 0
    expected = -torch.log_softmax(logits, 1)[known, label[known]].mean()
    loss = dbn.loss(Batch(x, label), "model", START)
    torch.testing.assert_close(loss.total, expected)
    error = (logits.argmax(1) != label)[known].double().mean()
    assert float(loss.parts["classification_error"]) == pytest.approx(float(error))


def test_backpropagation_moves_the_recognition_network_alone() -> None:
    dbn = net(classes=3, fine_tuning="backpropagation")
    loss = dbn.loss(Batch(data(), torch.tensor([0, 1, 2, 0, 1, 2, 0])), "model", START).total
    loss.backward()
    moved = {name for name, value in dbn.named_parameters() if value.grad is not None and value.grad.any()}
    assert moved == {name for name, _ in dbn.named_parameters() if name.startswith(dbn.players["model"].prefixes)}
    assert not any("visible" in name for name in moved)


def test_each_machine_sees_what_the_one_below_makes_of_the_data() -> None:
    dbn = net(hidden=(4, 3, 5))
    stages = dbn.stages()
    assert [stage.name for stage in stages] == ["layer-1", "layer-2", "layer-3", "up-down"]
    first, second = dbn.machines
    assert [stage.learner for stage in stages[:3]] == [first, second, dbn.top]
    torch.testing.assert_close(seen(stages[0], data()), data().flatten(1))
    torch.testing.assert_close(seen(stages[2], data()), second.hidden_given(first.hidden_given(data().flatten(1))))


def seen(stage: Stage, x: Tensor) -> Tensor:
    assert stage.sees is not None
    return stage.sees(x)


def test_generation_begins_as_recognition_upside_down_once() -> None:
    dbn = net()
    begin = dbn.stages()[-1].begin
    assert begin is not None
    begin()
    assert torch.equal(dbn.generative[0], dbn.machines[0].weight.T)
    with torch.no_grad():
        dbn.generative[0].mul_(2)
    begin()  # as when training goes on from a tuned net
    assert torch.equal(dbn.generative[0], 2 * dbn.machines[0].weight.T)


@pytest.mark.parametrize("chains", [0, 100])
@pytest.mark.slow
def test_greedy_layers_then_tuning_learn_patterns_and_their_classes(chains: int) -> None:
    """Three noisy patterns: classes are told apart after the greedy stages, and no worse after either tuning."""
    with seeded(7):
        patterns = bernoulli(torch.full((3, 1, 4, 4), 0.5))
        label = torch.arange(600) % 3
        flips = bernoulli(torch.full((600, 1, 4, 4), 0.08))
        batch = Batch((patterns[label] - flips).abs(), label)
    for tuning in ("none", "up-down", "backpropagation"):
        with seeded(8):
            config = DBN.Config(
                hidden=(20, 20), classes=3, fine_tuning=tuning, persistent_chains=chains, chains_below=chains
            )
            dbn = DBN(config, (1, 4, 4))
        for stage in dbn.stages():
            if stage.begin is not None:
                stage.begin()
            taught = replace(batch, x=batch.x if stage.sees is None else stage.sees(batch.x).detach())
            descend(stage, taught)
        wrong = dbn.class_probabilities(batch.x).argmax(1) != label
        assert float(wrong.double().mean()) < 0.06, tuning
        if tuning != "backpropagation":
            with seeded(9):
                made = dbn.eval().sample(50, label=1)
            nearest = (made[:, None] - patterns).square().flatten(2).sum(2).argmin(1)
            assert float((nearest == 1).double().mean()) > 0.8, tuning


def descend(stage: Stage, batch: Batch) -> None:
    """At a rate that falls, as chains that persist need."""
    stage.learner.train().prepare(batch)
    optimiser = torch.optim.SGD(stage.learner.parameters(), lr=0.2, momentum=0.5)
    with seeded(10):
        for step in range(1000):
            optimiser.param_groups[0]["lr"] = 0.2 * (1 - step / 1000)
            some = torch.randperm(600)[:100]
            optimiser.zero_grad()
            stage.learner.loss(Batch(batch.x[some], batch.label[some]), "model", START).total.backward()
            optimiser.step()


def test_it_trains_on_unlabelled_data_too() -> None:
    dbn = DBN(DBN.Config(hidden=(6, 5), fine_tuning="up-down"), SHAPE)
    last = train(dbn, data(200).float(), Training(epochs=2))
    assert last.stage == "up-down" and last.progress == 1
    with pytest.raises(ConfigError, match="without classes"):
        dbn.class_probabilities(data().float())


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"hidden": ()}, "at least one"),
        ({"pretraining": False, "fine_tuning": "none"}, "nothing"),
        ({"fine_tuning": "backpropagation"}, "classes=10"),
    ],
)
def test_nets_that_cannot_be_are_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DBN(DBN.Config(**config), SHAPE)


def test_labels_that_are_missing_or_too_many_are_named() -> None:
    dbn = net(classes=3, fine_tuning="backpropagation")
    with pytest.raises(DataError, match="no example has a label"):
        dbn.prepare(Batch.of(data()))
    with pytest.raises(DataError, match="classes=6"):
        dbn.prepare(Batch(data(), torch.full((7,), 5)))


def test_without_pretraining_weights_begin_by_fan_in() -> None:
    with seeded(11):
        dbn = DBN(DBN.Config(hidden=(400, 300), classes=10, pretraining=False, fine_tuning="backpropagation"), (100,))
    assert isinstance(dbn.top, RBM)
    for weight, fan_in in ((dbn.machines[0].weight, 100), (dbn.top.weight, 400), (dbn.output.weight, 300)):
        assert float(weight.detach().abs().max()) == pytest.approx(fan_in**-0.5, rel=0.02)


def test_machines_learn_by_the_settings_of_the_net() -> None:
    asked = {"gibbs_steps": 3, "initial_scale": 0.3, "sample_steps": 11}
    for classes in (0, 3):
        own = replace(DBN.smoke.config, hidden=(4, 3, 5), classes=classes, weight_cost=0.02, **asked)
        dbn = DBN(replace(own, persistent_chains=7, chains_below=6), SHAPE)
        for machine in (*dbn.machines, dbn.top):
            assert {name: getattr(machine.config, name) for name in asked} == asked
        assert [len(machine.chains) for machine in (*dbn.machines, dbn.top)] == [6, 6, 7]
        assert [machine.config.weight_cost for machine in dbn.machines] == [0.02, 0.02]
        with seeded(13):
            wide = DBN(replace(dbn.config, hidden=(60, 60, 60)), (50,))
        for machine in (*wide.machines, wide.top):
            assert machine.weight.std().item() == pytest.approx(0.3, rel=0.1)


def test_settings_are_those_of_2006() -> None:
    """Rate 0.1, weight cost 0.0002, batches of 100, momentum 0.5 at first, 0.9 later; 784-500-500-2000.

    Chains of the top machine persist, which is later; the paper's rows begin them at the data, with momentum 0.5.
    """
    dbn = DBN(DBN.Config(classes=10, fine_tuning="up-down", hidden=(5, 5, 5)), (6,))
    *greedy, last = dbn.stages()
    for stage in (*greedy, last):
        rule = stage.recipe.optimiser
        assert (rule.name, rule.learning_rate, stage.recipe.batch_size) == ("sgd", 0.1, 100)
    assert [stage.recipe.optimiser.momentum for stage in (*greedy, last)] == [0.9, 0.9, 0.5, 0.5]
    assert [machine.config.persistent_chains for machine in (*dbn.machines, dbn.top)] == [0, 0, 100]
    assert {stage.recipe.schedule for stage in greedy} == {"linear"}
    assert [machine.config.weight_cost for machine in dbn.machines] == [2e-4, 2e-4]
    assert {machine.config.gibbs_steps for machine in (*dbn.machines, dbn.top)} == {1}
    assert DBN.Config().hidden == (500, 500, 2000)
    assert all(not own["hour"].config["persistent_chains"] for own in OF_2006.values())
    assert {own["hour"].training.momentum for own in OF_2006.values() if own["hour"].training} == {0.5}
    assert DBN.Config().dream_steps > DBN.Config().gibbs_steps  # 3, 6 and 10 in the paper


def test_rate_is_lower_and_chains_begin_at_the_data_where_more_units_are_on() -> None:
    """Twice as many as in the brightest digits, half of the rate; as few as in digits, the usual settings."""
    bright = Batch.of(torch.full((300, 1, 20, 40), 0.5))
    chosen = DBN.usual(Example((1, 20, 40)), bright)
    recipe = chosen.recipe
    assert recipe is not None and recipe.optimiser.learning_rate == pytest.approx(0.05)
    assert chosen.config == {"persistent_chains": 0, "centred_first": True}
    assert chosen.instead == replace(chosen, config={}, instead=None)
    dark = DBN.usual(Example((1, 20, 40)), Batch(bright.x / 4, bright.label))
    assert dark.recipe is None and not dark.config and DBN.Config().persistent_chains == 100


def test_missing_classes_are_drawn_from_their_exact_conditional() -> None:
    dbn, draws = net(classes=3), 30_000
    state = FIRST[[6]].expand(draws, -1)
    label = torch.full((draws,), -1)
    label[0] = 2
    with seeded(14), torch.no_grad():
        found = dbn._completed(state, label)
    assert found[0].tolist() == [0, 0, 1] and torch.equal(found.sum(1), torch.ones(draws).double())
    assert found.unique().tolist() == [0, 1]
    assert isinstance(dbn.top, DiscriminativeRBM)
    exact = dbn.top.class_probabilities(FIRST[[6]])[0].detach()
    far = (found[1:].mean(0) - exact) / oracles.standard_error(exact, draws)
    assert far.abs().max() < 4.5


def test_states_below_the_top_are_draws_from_their_means() -> None:
    dbn, draws = net(), 20_000
    x = data(1)
    with seeded(15), torch.no_grad():
        found = dbn.states_of(x.expand(draws, *SHAPE))
    below = dbn.machines[0]
    exact = torch.sigmoid(x.flatten(1) @ below.weight + below.hidden_bias)[0].detach()
    assert found.unique().tolist() == [0, 1]
    assert ((found.mean(0) - exact) / oracles.standard_error(exact, draws)).abs().max() < 4.5


def test_a_deeper_net_wakes_and_dreams_through_drawn_states() -> None:
    """Slopes of the generative weights from states drawn upwards, of the recognition weights from ones drawn down."""
    dbn, x = net(hidden=(4, 3, 2)), data()
    first, second = dbn.machines
    with seeded(16):
        total = dbn.loss(Batch.of(x), "model", START).total
    found = dict(zip(dict(dbn.named_parameters()), torch.autograd.grad(total, list(dbn.parameters())), strict=True))
    with seeded(16), torch.no_grad():
        v = x.flatten(1)
        h1 = bernoulli(torch.sigmoid(v @ first.weight + first.hidden_bias))
        h2 = bernoulli(torch.sigmoid(h1 @ second.weight + second.hidden_bias))
        top = bernoulli(torch.sigmoid(h2 @ dbn.top.weight + dbn.top.hidden_bias))
        dream = bernoulli(torch.sigmoid(top @ dbn.top.weight.T + dbn.top.visible_bias))
        torch.rand(dream.shape)  # a draw from states, which stay as they are
        d1 = bernoulli(torch.sigmoid(dream @ dbn.generative[1] + second.visible_bias))
        d0 = torch.sigmoid(d1 @ dbn.generative[0] + first.visible_bias)
        down0 = v - torch.sigmoid(h1 @ dbn.generative[0] + first.visible_bias)
        down1 = h1 - torch.sigmoid(h2 @ dbn.generative[1] + second.visible_bias)
        up0 = d1 - torch.sigmoid(d0 @ first.weight + first.hidden_bias)
        up1 = dream - torch.sigmoid(d1 @ second.weight + second.hidden_bias)
    expected = {
        "generative.0": -h1.T @ down0, "generative.1": -h2.T @ down1,
        "layers.0.weight": -d0.T @ up0, "layers.1.weight": -d1.T @ up1,
        "layers.0.visible_bias": -down0.sum(0), "layers.1.visible_bias": -down1.sum(0),
        "layers.0.hidden_bias": -up0.sum(0), "layers.1.hidden_bias": -up1.sum(0),
    }  # fmt: skip
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value / len(x), msg=name)


def test_reconstruction_passes_every_layer_twice() -> None:
    dbn, x = net(), data()
    below, top = dbn.machines[0], dbn.top
    up = torch.sigmoid(x.flatten(1) @ below.weight + below.hidden_bias)
    highest = torch.sigmoid(up @ top.weight + top.hidden_bias)
    torch.testing.assert_close(dbn.encode(x), highest)
    down = torch.sigmoid(highest @ top.weight.T + top.visible_bias)
    expected = torch.sigmoid(down @ dbn.generative[0] + below.visible_bias)
    torch.testing.assert_close(dbn.reconstruct(x).flatten(1), expected)
    torch.testing.assert_close(dbn.decode(highest).flatten(1), expected)


def test_held_out_error_is_that_of_the_classes_named() -> None:
    dbn, x = net(classes=3), data(60)
    label = torch.arange(60) % 3
    with seeded(17):
        found = dbn.held_out(Batch(x, label), "model").parts
    p = dbn.class_probabilities(x).detach()
    assert float(found["classification_error"]) == pytest.approx(float((p.argmax(1) != label).double().mean()))
    wrong = 1 - p[torch.arange(60), label]
    assert float(found["wrong_class_probability"]) == pytest.approx(float(wrong.mean()))


def test_which_machines_count_units_from_their_means() -> None:
    """The top one never does: its classes are worse then."""
    for first, between in ((True, False), (False, True)):
        dbn = net(hidden=(4, 3, 4, 3), centred_first=first, centred_between=between)
        assert [machine.config.centred for machine in dbn.machines] == [first, between, between]
        assert isinstance(dbn.top, RBM)
        assert not dbn.top.config.centred


def test_machines_share_the_time_by_what_a_step_costs() -> None:
    """A small first machine would make ten times the passes of a large top one in as many minutes."""
    with seeded(0):
        dbn = DBN(DBN.Config(hidden=(500, 2000), fine_tuning="up-down"), (1, 8, 8))
    *greedy, last = [stage.time for stage in dbn.stages()]
    assert greedy[1] / greedy[0] == pytest.approx((OVERHEAD + 500 * 2000) / (OVERHEAD + 64 * 500))
    assert sum(greedy) == pytest.approx(2)
    assert last == 1
