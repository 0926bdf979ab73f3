"""Stages of the deep Boltzmann machine, and what it says of itself; its equations are tested in tests/nn."""

from dataclasses import replace
from typing import Any

import oracles
import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.dbm import DBM
from untaught.models.rbm import RBM
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

SHAPE = (1, 2, 3)
START = torch.zeros(())


def built(**chosen: Any) -> DBM:
    """A machine with weights and biases that matter, in float64."""
    with seeded(1):
        dbm = DBM(replace(DBM.smoke.config, **chosen), SHAPE).double()
        with torch.no_grad():
            for name, value in dbm.named_parameters():
                value.copy_(torch.randn(value.shape) * (0.8 if "weight" in name else 0.5))
        dbm.joint.chains.copy_(bernoulli(torch.full_like(dbm.joint.chains, 0.5)))
    return dbm


def data(count: int = 7) -> Tensor:
    with seeded(2):
        return bernoulli(torch.full((count, *SHAPE), 0.4)).double()


def machines(dbm: DBM) -> list[RBM]:
    return [layer for layer in dbm.layers if isinstance(layer, RBM)]


def test_layers_double_where_they_will_have_two_neighbours() -> None:
    dbm = built(hidden=(4, 5, 3))
    assert [layer.config.doubled for layer in machines(dbm)] == ["visible", "no", "hidden"]
    assert [stage.name for stage in dbm.stages()] == ["layer-1", "layer-2", "layer-3", "joint", "labels"]
    assert [stage.name for stage in built(pretrained=True).stages()] == ["labels"]
    assert [stage.name for stage in built(classes=0).stages()] == ["layer-1", "layer-2", "joint"]


def test_layers_see_what_those_below_make_of_the_data() -> None:
    dbm, x = built(hidden=(4, 5, 3)), data()
    first, second, _ = machines(dbm)
    sees = dbm.stages()[2].sees
    assert sees is not None
    below = torch.sigmoid(2 * x.flatten(1) @ first.weight + first.hidden_bias)
    torch.testing.assert_close(sees(x), torch.sigmoid(below @ second.weight + second.hidden_bias))


def test_joined_machine_gives_each_layer_what_pretraining_gave_it() -> None:
    """Where both neighbours say the same, a layer's input is the mean of those that its two machines gave it."""
    dbm, x = built(hidden=(4, 5, 3)), data()
    begin = dbm.stages()[3].begin
    assert begin is not None
    begin()
    first, second, third = machines(dbm)
    with seeded(3):
        h1, h2, h3 = (torch.rand(7, size).double() for size in (4, 5, 3))
    found = dbm.deep.layer_input(2, [x.flatten(1), h1, h2, h3])
    from_below, from_above = second.hidden_input(h1), third.visible_input(h3)
    torch.testing.assert_close(found, (from_below + from_above) / 2)
    found = dbm.deep.layer_input(1, [x.flatten(1), h1, h2, h3])
    torch.testing.assert_close(found, (first.hidden_input(x.flatten(1)) + second.visible_input(h2)) / 2)
    torch.testing.assert_close(dbm.deep.layer_input(0, [x, h1, h2, h3]), first.visible_input(h1))
    torch.testing.assert_close(dbm.deep.layer_input(3, [x, h1, h2, h3]), third.hidden_input(h2))


def test_joint_gradient_pits_mean_field_against_the_chains() -> None:
    dbm, x = built(), data()
    before = dbm.joint.chains.clone()
    own = (*dbm.deep.weights, *dbm.deep.biases)
    dbm.joint.train()
    with seeded(4):
        found = torch.autograd.grad(dbm.joint.loss(Batch.of(x), "model", START).total, own)
    with seeded(4):
        odd = dbm.deep.gibbs(dbm.deep.gibbs(before))
    assert torch.equal(dbm.joint.chains, odd)
    means, fantasies = dbm.deep.mean_field(x.flatten(1), 10), dbm.deep.completed(odd)
    for k in range(2):
        up = torch.stack([torch.outer(a, b) for a, b in zip(means[k], means[k + 1], strict=True)]).mean(0)
        down = torch.stack([torch.outer(a, b) for a, b in zip(fantasies[k], fantasies[k + 1], strict=True)]).mean(0)
        torch.testing.assert_close(found[k], down - up)
    for k in range(3):
        torch.testing.assert_close(found[2 + k], fantasies[k].mean(0) - means[k].mean(0))


def test_chains_begin_at_draws_from_the_mean_field_posterior_of_the_data() -> None:
    """Means that solve (3), found by replacing all hidden layers at once until nothing moves."""
    dbm, x = built(hidden=(4, 5, 3), persistent_chains=20_000, sweeps=40), data(2)
    with torch.no_grad():
        for weight in dbm.deep.weights:
            weight.mul_(0.4)
        (w1, w2, w3), (_, c1, c2, c3) = dbm.deep.weights, dbm.deep.biases
        dbm.joint.prepare(Batch.of(x))
        m1, m2, m3 = (x.new_full((2, size), 0.5) for size in (4, 5, 3))
        for _ in range(500):
            m1, m2, m3 = (
                torch.sigmoid(x.flatten(1) @ w1 + m2 @ w2.T + c1),
                torch.sigmoid(m1 @ w2 + m3 @ w3.T + c2),
                torch.sigmoid(m2 @ w3 + c3),
            )
    for example in range(2):  # chains take the examples in turn
        exact = torch.cat([m1[example], m3[example]])
        far = (dbm.joint.chains[example::2].mean(0) - exact) / oracles.standard_error(exact, 10_000)
        assert far.abs().max() < 4


@pytest.mark.slow
def test_joint_training_from_small_weights_learns_what_depends_on_what() -> None:
    """Data are two opposite pictures: of the exact divergence from them, without weights 2.1 nats, little is left."""
    with seeded(5):
        dbm = DBM(DBM.Config(hidden=(3, 2), sweeps=3, gibbs_steps=1, initial_scale=0.1), (6,)).double()
        x = torch.tensor([[1.0, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 1]]).double().repeat(10, 1)
        x = torch.where(torch.rand(x.shape) < 0.05, 1 - x, x).double()
        dbm.joint.prepare(Batch.of(x))
        optimiser = torch.optim.SGD(dbm.joint.parameters(), lr=0.3)
        before = likelihood(dbm, x)
        for _ in range(200):
            optimiser.zero_grad()
            dbm.joint.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
    after = likelihood(dbm, x)
    assert before < -3.9
    assert after > before + 1.0


def likelihood(dbm: DBM, x: Tensor) -> float:
    """Exact, in nats, with the partition function summed over odd layers."""
    side = dbm.machine().sides()[1]
    visible = oracles.states(6)
    hidden = oracles.states(5).split((3, 2), 1)
    energies = torch.stack([torch.logsumexp(-dbm.deep.energy([v.expand(32, 6), *hidden]), 0) for v in visible])
    log_z = torch.logsumexp(-side.free_energy(oracles.states(side.units)), 0)
    return float((energies - log_z)[oracles.state_numbers(x)].mean().detach())


def test_machine_inside_the_bound_has_the_sums_of_the_whole() -> None:
    dbm = built()
    states = oracles.states(13).split((6, 3, 4), 1)
    log_z = torch.logsumexp(-dbm.deep.energy(list(states)), 0)
    machine = dbm.machine()
    assert len(machine.base_rate()) == 10
    for side in machine.sides():
        torch.testing.assert_close(torch.logsumexp(-side.free_energy(oracles.states(side.units)), 0), log_z)
    free = machine.free_energy(oracles.states(10), 0.0)
    torch.testing.assert_close(torch.logsumexp(-free, 0), machine.base_partition())
    exact = torch.logsumexp(-dbm.deep.energy(list(states)).view(64, -1), 1) - log_z
    bound = dbm.unnormalised_bound(oracles.states(6).unflatten(1, SHAPE)) - log_z
    assert (bound < exact).all() and (exact - bound).mean() < 0.5


def test_samples_follow_the_distribution() -> None:
    dbm = built(sample_steps=40)
    with torch.no_grad():
        for value in dbm.deep.parameters():
            value.mul_(0.6)
    states = oracles.states(13).split((6, 3, 4), 1)
    p = torch.softmax(-dbm.deep.energy(list(states)), 0)
    with seeded(6):
        samples = dbm.sample(20_000).flatten(1)
    far = (samples.mean(0) - p @ states[0]) / (samples.std(0) / 20_000**0.5)
    assert far.abs().max() < 4


def test_network_learns_labels_and_leaves_the_machine() -> None:
    dbm, x = built(), data(60)
    label = 2 * x[:, 0, 0, 0].long()
    stage = dbm.stages()[-1]
    assert stage.begin is not None and stage.sees is not None
    stage.begin()
    before = {name: value.clone() for name, value in dbm.joint.state_dict().items()}
    with torch.no_grad():
        batch = Batch(stage.sees(x), label)
    optimiser = torch.optim.Adam(stage.learner.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        stage.learner.loss(batch, "model", START).total.backward()
        optimiser.step()
    assert (dbm.class_probabilities(x).argmax(1) == label).double().mean() > 0.95
    assert all(torch.equal(value, before[name]) for name, value in dbm.joint.state_dict().items())


def test_examples_without_label_weigh_nothing() -> None:
    dbm, x = built(), data()
    stage = dbm.stages()[-1]
    assert stage.sees is not None
    label = torch.tensor([0, -1, 2, -1, -1, 1, 1])
    loss = stage.learner.loss(Batch(stage.sees(x), label), "model", START)
    nats = -dbm.class_probabilities(x).log()
    torch.testing.assert_close(loss.total, torch.stack([nats[0, 0], nats[2, 2], nats[5, 1], nats[6, 1]]).mean())


@pytest.mark.parametrize(
    ("chosen", "told"),
    [({"hidden": (4,)}, "one is an rbm"), ({"classes": 0, "pretrained": True}, "nothing would be trained")],
)
def test_what_is_no_deep_machine_is_refused(chosen: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        built(**chosen)


@pytest.mark.parametrize(("label", "told"), [(-1, "no example has a label"), (3, "a label is 3, but there are 3")])
def test_labels_that_cannot_be_learnt_are_refused(label: int, told: str) -> None:
    with pytest.raises(DataError, match=told):
        built().stages()[-1].learner.prepare(Batch(data(), torch.full((7,), label)))


def test_a_machine_without_classes_says_so() -> None:
    with pytest.raises(ConfigError, match="without classes"):
        built(classes=0).class_probabilities(data())


def test_unknown_layer_is_named() -> None:
    with pytest.raises(ConfigError, match=r"'hidden'; there are: hidden.1, hidden.2"):
        built().activations(data(), ["hidden"])


def test_settings_are_those_of_2009() -> None:
    """500 and 1,000 units, 10 sweeps of mean field, 100 chains of 5 steps between updates, CD-1 for each layer."""
    config = DBM.Config()
    assert (config.hidden, config.sweeps, config.persistent_chains, config.gibbs_steps) == ((500, 1000), 10, 100, 5)
    dbm = built(hidden=(4, 5, 3))
    assert {(layer.config.gibbs_steps, layer.config.persistent_chains) for layer in machines(dbm)} == {(1, 0)}
    *greedy, joint, _ = dbm.stages()
    for stage in greedy:
        rule = stage.recipe.optimiser
        assert (rule.name, rule.learning_rate, rule.momentum, stage.recipe.schedule) == ("sgd", 0.05, 0.5, "linear")
    rule = joint.recipe.optimiser  # many times slower than a layer alone, whose chains begin at the data
    assert rule.name == "sgd" and rule.momentum == 0.9 and rule.learning_rate <= 0.005
    assert {stage.recipe.batch_size for stage in dbm.stages()} == {100}


@pytest.mark.parametrize("scale", [0.05, 0.4])
def test_all_weights_begin_at_their_scale(scale: float) -> None:
    with seeded(7):
        dbm = DBM(DBM.Config(hidden=(50, 40, 30), initial_scale=scale), (60,))
    for weight in (*dbm.deep.weights, *(layer.weight for layer in machines(dbm))):
        assert weight.std().item() == pytest.approx(scale, rel=0.1)


@pytest.mark.parametrize(("sweeps", "steps"), [(1, 1), (3, 4)])
def test_joint_learning_sweeps_and_steps_as_often_as_asked(sweeps: int, steps: int) -> None:
    dbm, x = built(hidden=(4, 5, 3), sweeps=sweeps, gibbs_steps=steps), data()
    before = dbm.joint.chains.clone()
    with seeded(8):
        loss = dbm.joint.loss(Batch.of(x), "model", START)
    with seeded(8):
        for _ in range(steps):
            before = dbm.deep.gibbs(before)
    assert torch.equal(dbm.joint.chains, before)
    means = swept(dbm, x, sweeps)
    error = (x.flatten(1) - torch.sigmoid(means[1] @ dbm.deep.weights[0].T + dbm.deep.biases[0])).square().sum(1).mean()
    torch.testing.assert_close(loss.parts["squared_error_per_image"], error.detach())
    (slope,) = torch.autograd.grad(loss.total, dbm.deep.biases[2])
    torch.testing.assert_close(slope, (dbm.deep.completed(before)[2].mean(0) - means[2].mean(0)).detach())
    torch.testing.assert_close(dbm.encode(x), torch.cat(means[1:], 1))
    torch.testing.assert_close(dbm.unnormalised_bound(x), bound(dbm, means))


def swept(dbm: DBM, x: Tensor, sweeps: int) -> list[Tensor]:
    """Means after a first pass that counts the layer below twice, and some sweeps from below."""
    (w1, w2, w3), (_, c1, c2, c3) = dbm.deep.weights, dbm.deep.biases
    v = x.flatten(1)
    m1 = torch.sigmoid(2 * v @ w1 + c1)
    m2 = torch.sigmoid(2 * m1 @ w2 + c2)
    m3 = torch.sigmoid(m2 @ w3 + c3)
    for _ in range(sweeps):
        m1 = torch.sigmoid(v @ w1 + m2 @ w2.T + c1)
        m2 = torch.sigmoid(m1 @ w2 + m3 @ w3.T + c2)
        m3 = torch.sigmoid(m2 @ w3 + c3)
    return [v, m1, m2, m3]


def bound(dbm: DBM, means: list[Tensor]) -> Tensor:
    """Minus the energy of the means, and the entropy of independent units."""
    entropy = sum(-(m * m.log() + (1 - m) * (1 - m).log()).sum(1) for m in means[1:])
    pairs = zip(means, dbm.deep.weights, means[1:], strict=False)
    linked = sum(torch.einsum("ni,ij,nj->n", below, weight, above) for below, weight, above in pairs)
    return entropy + linked + sum(m @ b for m, b in zip(means, dbm.deep.biases, strict=True))


@pytest.mark.parametrize("sweeps", [1, 3])
def test_held_out_pseudo_likelihood_is_bounded_after_the_sweeps_that_were_asked_for(sweeps: int) -> None:
    """From differences of the bound with one unit on and off, every unit of one picture in turn."""
    dbm, x = built(hidden=(4, 5, 3), sweeps=sweeps), data(1)
    flat, exact = x.flatten(1), torch.zeros(()).double()
    for unit in range(6):
        on, off = (
            bound(dbm, swept(dbm, flat.index_fill(1, torch.tensor(unit), value), sweeps)) for value in (1.0, 0.0)
        )
        exact = exact - torch.nn.functional.logsigmoid((on - off) * (2 * flat[0, unit] - 1))[0].detach()
    with seeded(9):
        found = dbm.joint.held_out(Batch.of(x.expand(8000, *SHAPE)), "model").parts["pseudo_likelihood_nats"]
    assert abs(float(found - exact)) < 0.015 * float(exact)


@pytest.mark.parametrize("parity", [0, 1])
def test_base_rates_are_the_means_of_the_chains(parity: int) -> None:
    dbm = built(hidden=(4, 5, 3), persistent_chains=50)
    (w1, w2, w3), (b, c1, c2, c3) = dbm.deep.weights, dbm.deep.biases
    h1, h3 = dbm.joint.chains.split([4, 3], 1)
    v, h2 = torch.sigmoid(h1 @ w1.T + b), torch.sigmoid(h1 @ w2 + h3 @ w3.T + c2)
    mean = torch.cat([v, h2], 1)
    if parity:
        mean = torch.cat([torch.sigmoid(v @ w1 + h2 @ w2.T + c1), torch.sigmoid(h2 @ w3 + c3)], 1)
    torch.testing.assert_close(torch.sigmoid(dbm._base(parity)), mean.mean(0).detach())
    if not parity:
        torch.testing.assert_close(torch.sigmoid(dbm.machine().base_rate()), mean.mean(0).detach())


def test_samples_of_one_step_begin_at_the_base_rates_of_the_chains() -> None:
    dbm, draws = built(sample_steps=1), 20_000
    on = torch.sigmoid(dbm._base(1))
    odd = oracles.states(3)
    begin = (on * odd + (1 - on) * (1 - odd)).prod(1)
    exact = begin @ dbm.deep.given(odd, 1)[:, :6].detach()
    with seeded(10):
        found = dbm.sample(draws).flatten(1)
    assert ((found.mean(0) - exact) / (found.std(0) / draws**0.5)).abs().max() < 4.5


def test_states_of_even_layers_are_drawn_from_their_means() -> None:
    dbm, x, draws = built(), data(1), 20_000
    with seeded(11):
        found = dbm.states_of(x.expand(draws, *SHAPE))
    exact = torch.cat([x.flatten(1), dbm.encode(x)[:, 3:]], 1)[0].detach()
    assert torch.equal(found[:, :6], x.flatten(1).expand(draws, -1)) and found.unique().tolist() == [0, 1]
    assert ((found.mean(0) - exact) / oracles.standard_error(exact, draws).clamp_min(1e-9)).abs().max() < 4.5
