"""Layers that learn one by one: what the stages see, and that unrolling keeps what the machines had learnt."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.autoencoder import Autoencoder
from untaught.models.rbm import RBM
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train
from untaught.training.plan import recipe_for

SMALL: dict[str, Any] = {"hidden": (6, 5), "latent": 3, "activation": "sigmoid", "output": "bernoulli"}


def autoencoder(**fields: Any) -> Autoencoder:
    with seeded(1):
        return Autoencoder(Autoencoder.Config(**{**SMALL, **fields}), (1, 3, 4))


def shaken(model: Autoencoder) -> Autoencoder:
    """With random biases, so that none can be forgotten unseen."""
    with seeded(2), torch.no_grad():
        for value in model.machines.parameters():
            value.add_(0.3 * torch.randn_like(value))
        for machine in model.machines:
            if isinstance(machine, Autoencoder):
                machine.offset.normal_()
    return model


def data(count: int = 7) -> Tensor:
    with seeded(3):
        return torch.rand(count, 1, 3, 4)


@pytest.mark.parametrize("code", ["linear", "sigmoid"])
def test_an_unrolled_stack_of_boltzmann_machines_does_what_the_machines_did(code: str) -> None:
    model, x = shaken(autoencoder(pretraining="rbm", code=code)), data()
    *_, last = model.stages()
    assert last.begin is not None
    last.begin()
    machines = [machine for machine in model.machines if isinstance(machine, RBM)]
    up = x.flatten(1)
    for machine in machines:
        up = machine.hidden_given(up)
    torch.testing.assert_close(model.encode(x), up)
    for machine in reversed(machines):
        up = machine.visible_given(up)
    torch.testing.assert_close(model.reconstruct(x).flatten(1), up)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_an_unrolled_stack_of_autoencoders_encodes_as_they_did(activation: str, tied: bool) -> None:
    model, x = shaken(autoencoder(pretraining="autoencoder", activation=activation, tied=tied)), data()
    *_, last = model.stages()
    assert last.begin is not None
    last.begin()
    up = x
    for machine in model.machines:
        assert isinstance(machine, Autoencoder)
        up = machine.encode(up)
    torch.testing.assert_close(model.encode(x), up)
    first = model.machines[0]
    assert isinstance(first, Autoencoder)
    below = model.activations(x)["decoder.2"]
    torch.testing.assert_close(model.reconstruct(x).flatten(1), first.decode(below))
    if activation != "relu":  # whose machines have linear outputs, which the unrolled layers bend
        for machine in reversed(model.machines):
            assert isinstance(machine, Autoencoder)
            up = machine.decode(up)
        torch.testing.assert_close(model.reconstruct(x).flatten(1), up.flatten(1))


@pytest.mark.parametrize("kind", ["rbm", "autoencoder"])
def test_each_stage_sees_what_the_layers_below_make_of_the_data(kind: str) -> None:
    model, x = shaken(autoencoder(pretraining=kind)), data()
    *greedy, last = model.stages()
    assert [stage.name for stage in (*greedy, last)] == ["layer-1", "layer-2", "layer-3", "fine-tuning"]
    seen = x.flatten(1)
    for stage, machine in zip(greedy, model.machines, strict=True):
        assert stage.learner is machine and stage.sees is not None
        torch.testing.assert_close(stage.sees(x), seen)
        assert isinstance(machine, (RBM, Autoencoder))
        seen = machine.encode(seen)
    assert last.sees is None and last.learner is model


@pytest.mark.parametrize("fields", [{"pretraining": "rbm"}, {"pretraining": "autoencoder", "tied": True}])
def test_machines_rest_while_all_layers_are_tuned(fields: dict[str, Any]) -> None:
    model, x = autoencoder(**fields), data(40)
    training = Training(epochs=3, stage_epochs=dict.fromkeys(("layer-1", "layer-2", "layer-3"), 2.0), threads=1)
    train(model, x, training)
    model.zero_grad(set_to_none=True)
    model.loss(Batch.of(x), "model", torch.zeros(())).total.backward()
    assert all(value.grad is None for value in model.machines.parameters())
    assert all(value.grad is not None for value in (*model.encoder.parameters(), *model.decoder.parameters()))
    assert model.offset.count_nonzero() == 0  # the machines' own biases stand in for it


def test_machines_are_drawn_before_the_networks() -> None:
    """Weights of one seed stay what they were in runs that are older."""
    with seeded(1):
        first = RBM(RBM.Config(hidden=6), (12,))
    drawn = autoencoder(pretraining="rbm").machines[0]
    assert isinstance(drawn, RBM) and torch.equal(drawn.weight, first.weight)


def test_pretraining_leaves_the_boltzmann_machines_their_own_rate() -> None:
    first, *_, last = autoencoder(pretraining="rbm").stages()
    asked = Training(learning_rate=0.5, optimiser="cg", batch_size=1000)
    kept, moved = (recipe_for(stage.name, stage.recipe, asked) for stage in (first, last))
    assert (kept.optimiser.name, kept.optimiser.learning_rate, kept.batch_size) == ("sgd", 0.1, 100)
    assert (moved.optimiser.name, moved.batch_size) == ("cg", 1000)
    own = recipe_for("layer-1", first.recipe, Training(stage_learning_rates={"layer-1": 0.02}))
    assert own.optimiser.learning_rate == 0.02


def boltzmann_machines(**fields: Any) -> list[RBM]:
    made = autoencoder(hidden=(60, 50), latent=40, pretraining="rbm", **fields).machines
    return [machine for machine in made if isinstance(machine, RBM)]


@pytest.mark.parametrize(
    ("fields", "rates"),
    [
        ({"code": "linear"}, [0.1, 0.1, 0.001]),
        ({"code": "sigmoid"}, [0.1, 0.1, 0.1]),
        ({"code": "sigmoid", "output": "linear"}, [0.001, 0.1, 0.1]),
        ({"code": "linear", "output": "linear"}, [0.001, 0.1, 0.001]),
    ],
)
def test_boltzmann_machines_learn_as_published_in_2006(fields: dict[str, Any], rates: list[float]) -> None:
    """CD-1, rate 0.1, but 0.001 where a layer is Gaussian, momentum 0.9, weight cost 0.0002, batches of 100."""
    machines = boltzmann_machines(**fields)
    assert [machine.recipe.optimiser.learning_rate for machine in machines] == rates
    for machine, rate in zip(machines, rates, strict=True):
        rule = machine.recipe.optimiser
        assert (rule.name, rule.momentum, machine.recipe.batch_size) == ("sgd", 0.9, 100)
        assert (machine.recipe.schedule, machine.recipe.keeps) == ("linear", True)
        own = machine.config
        assert (own.gibbs_steps, own.persistent_chains, own.weight_cost) == (1, 0, 2e-4)
        assert ("gaussian" in (own.visible, own.hidden_units)) == (rate == 0.001)
    for machine, scale in zip(machines, (0.01, 0.1, 0.1), strict=True):  # the code of 2006 has 0.1 throughout
        assert machine.weight.std().item() == pytest.approx(scale, rel=0.15)


@pytest.mark.parametrize(
    ("output", "kinds"), [("sigmoid", "bernoulli"), ("bernoulli", "bernoulli"), ("linear", "gaussian")]
)
def test_only_the_ends_of_a_stack_are_gaussian(output: str, kinds: str) -> None:
    machines = boltzmann_machines(output=output, code="linear")
    assert [machine.config.visible for machine in machines] == [kinds, "bernoulli", "bernoulli"]
    assert [machine.config.hidden_units for machine in machines] == ["bernoulli", "bernoulli", "gaussian"]


@pytest.mark.parametrize(("activation", "inner"), [("relu", "linear"), ("sigmoid", "sigmoid"), ("tanh", "tanh")])
def test_shallow_autoencoders_are_of_the_kinds_of_their_layers(activation: str, inner: str) -> None:
    """Units of each, the code's own at the top; outputs of what is given back; masked and tied as the whole is."""
    fields: dict[str, Any] = {"activation": activation, "code": "tanh", "masking": 0.3, "tied": True}
    made = autoencoder(pretraining="autoencoder", output="bernoulli", **fields).machines
    machines = [machine for machine in made if isinstance(machine, Autoencoder)]
    assert [machine.config.code for machine in machines] == [activation, activation, "tanh"]
    assert [machine.config.output for machine in machines] == ["bernoulli", inner, inner]
    assert [machine.config.masking for machine in machines] == [0.3] * 3
    assert all(not any(name.endswith("weight") for name, _ in m.decoder.named_parameters()) for m in machines)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pretraining": "rbm", "activation": "relu"}, "sigmoid layers"),
        ({"pretraining": "rbm", "code": "relu"}, "linear or sigmoid code"),
        ({"pretraining": "autoencoder", "normalise": True}, "without batch normalisation"),
        ({"pretraining": "rbm", "output": "softmax"}, "of pictures"),
        ({"pretraining": "autoencoder", "network": "convolution"}, "dense layers"),
    ],
)
def test_what_cannot_be_pretrained_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        autoencoder(**fields)


def test_a_code_that_could_copy_is_warned_of() -> None:
    model = autoencoder(hidden=(20,), latent=12)
    with pytest.warns(UserWarning, match="code of 12 numbers can copy examples of 12"):
        model.prepare(Batch.of(data()))
    pictures = Batch.of(torch.rand(3, 1, 8, 8))
    with seeded(1), pytest.warns(UserWarning, match="code of 64 numbers can copy examples of 64"):
        Autoencoder(Autoencoder.Config(network="convolution", hidden=(2,), latent=64), (1, 8, 8)).prepare(pictures)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The default's narrowest layer has 250 units.
        Autoencoder(Autoencoder.Config(latent=450), (1, 20, 20)).prepare(Batch.of(torch.rand(3, 1, 20, 20)))
        for cannot in (
            autoencoder(latent=11),
            autoencoder(latent=12),
            autoencoder(hidden=(20,), latent=12, masking=0.1),
        ):
            cannot.prepare(Batch.of(data()))
        for machine in autoencoder(hidden=(20,), latent=2, pretraining="autoencoder").machines:
            assert isinstance(machine, Autoencoder)
            machine.prepare(Batch.of(torch.rand(5, *machine.shape)))


def test_masked_values_are_zeros_and_the_others_are_scaled_up() -> None:
    """A linear autoencoder without hidden layers, whose code shows what it saw."""
    model, x, seen = autoencoder(hidden=(), masking=0.25, output="linear"), 1 + data(2000), list[Tensor]()
    model.encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with seeded(5):
        model.loss(Batch.of(x), "model", torch.zeros(()))
    kept = seen[0] != 0
    torch.testing.assert_close(seen[0][kept], (x / 0.75)[kept])
    assert kept.float().mean().item() == pytest.approx(0.75, abs=4 * (0.25 * 0.75 / kept.numel()) ** 0.5)
    seen.clear()
    model.encode(x)
    assert torch.equal(seen[0], x)


# Documents


def words(count: int = 6) -> Tensor:
    with seeded(4):
        return torch.rand(count, 9).softmax(1)


def documents(**fields: Any) -> Autoencoder:
    with seeded(1):
        return Autoencoder(Autoencoder.Config(hidden=(5,), latent=2, output="softmax", **fields), (9,)).double()


def test_softmax_outputs_are_probabilities_under_their_cross_entropy() -> None:
    model, x = documents(), words().double()
    y = model.reconstruct(x).detach()
    torch.testing.assert_close(y.sum(1), torch.ones(6).double())
    nats = [-float(p * q.log()) for row, given in zip(x, y, strict=True) for p, q in zip(row, given, strict=True)]
    found = model.loss(Batch.of(x), "model", torch.zeros(())).total
    assert found.item() == pytest.approx(sum(nats) / 6)


def test_documents_are_seen_by_the_logarithm_of_their_words() -> None:
    """Of a share times the number of words in the dictionary, and one: an average word is log 2, a missing one 0."""
    model, x = documents(), words().double()
    torch.testing.assert_close(model.seen(x), (1 + 9 * x).log())
    torch.testing.assert_close(model.encode(x), model.encoder((1 + 9 * x).log()))


def test_prepared_softmax_outputs_begin_at_the_frequency_of_words() -> None:
    model, x = documents(), words().double()
    model.prepare(Batch.of(x))
    with torch.no_grad():
        for value in model.decoder.parameters():
            value.zero_()
    torch.testing.assert_close(model.reconstruct(x[:1])[0], x.mean(0), rtol=1e-4, atol=1e-5)
    with pytest.raises(DataError, match="do not sum to 1"):
        model.prepare(Batch.of(2 * x))
