"""A softmax layer on an encoder: what learns when, and from which labels."""

import copy

import pytest
import torch
from torch import Tensor, nn

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import ConfigError, DataError
from untaught.model import Batch, Encoding, Model, untrained
from untaught.models.autoencoder import Autoencoder
from untaught.models.finetuned_classifier import FinetunedClassifier
from untaught.models.hashing_autoencoder import HashingAutoencoder
from untaught.models.pgn import PGN
from untaught.models.rbm import RBM
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train
from untaught.training.plan import plan_for

SHAPE = (1, 4, 4)


def encoder(seed: int = 0) -> Autoencoder:
    with seeded(seed):
        return Autoencoder(Autoencoder.Config(hidden=(8,), latent=5, normalise=True), SHAPE)


def classifier(model: Model, **fields: object) -> FinetunedClassifier:
    config = FinetunedClassifier.Config(classes=3, **fields)  # type: ignore[arg-type]
    return FinetunedClassifier(config, SHAPE, encoder=Encoding(model))


def source(count: int = 90) -> Source:
    """Three pictures under noise, one to each class."""
    with seeded(1):
        pictures, label = torch.rand(3, *SHAPE), torch.arange(count) % 3
        return Source("made", Part.of((pictures[label] + 0.1 * torch.randn(count, *SHAPE)).clamp(0, 1), label))


def test_probabilities_are_those_of_the_softmax_layer_on_the_encoders_features() -> None:
    model, x = encoder().eval(), torch.rand(6, *SHAPE)
    net = classifier(model).eval()
    with torch.no_grad(), seeded(2):
        net.output.weight.normal_()
    expected = (model.encode(x) @ net.output.weight + net.output.bias).softmax(1)
    torch.testing.assert_close(net.class_probabilities(x), expected)
    loss = net.loss(Batch(x, torch.tensor([0, 1, 2, 0, 1, 2])), "model", torch.zeros(()))
    torch.testing.assert_close(loss.total, -expected[range(6), [0, 1, 2, 0, 1, 2]].log().mean())


def test_a_frozen_encoder_stays_as_it_is_to_the_last_average() -> None:
    model = encoder()
    before = copy.deepcopy(model.state_dict())
    net = classifier(model, fine_tuning=False)
    train(net, source(), Training(epochs=10, threads=1))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert net.output.weight.any()


def test_the_softmax_layer_learns_first_and_then_the_encoder_but_never_the_decoder() -> None:
    model = encoder()
    before = copy.deepcopy(model.state_dict())
    net = classifier(model)
    frozen, joint = net.stages()
    assert (frozen.name, joint.name) == ("frozen", "joint") and frozen.learner is net.output
    train(net, source(), Training(epochs=10, stage_epochs={"frozen": 5.0}, threads=1))
    moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {"encoder"}


def test_training_learns_the_classes_from_few_labels_alone() -> None:
    net = classifier(encoder())
    last = train(net, source(), Training(epochs=200, stage_epochs={"frozen": 50.0}, labels_per_class=4, threads=1))
    assert last.step == 200  # twelve labelled examples are one batch
    x, label = source().train.frames.read(torch.arange(90)), torch.arange(90) % 3
    assert (net.eval().class_probabilities(x).argmax(1) == label).float().mean() > 0.95


def test_without_an_encoder_its_own_layers_learn_at_once() -> None:
    net = FinetunedClassifier(FinetunedClassifier.Config(hidden=(7, 6)), SHAPE)
    (stage,) = net.stages()
    assert stage.name == "joint" and stage.stream.labelled
    found = net.activations(torch.rand(2, *SHAPE))
    assert {name: value.shape[1] for name, value in found.items()} == {"logits": 10, "encoder.1": 7, "encoder.2": 6}
    assert float(found["encoder.2"].min()) >= 0


class Mean(nn.Module):
    """A caller's own encoder."""

    def forward(self, x: Tensor) -> Tensor:
        """One number for each channel."""
        return x.mean((2, 3))


def test_any_encoder_will_do() -> None:
    config = FinetunedClassifier.Config(classes=3)
    own = FinetunedClassifier(config, SHAPE, encoder=Mean())
    assert own.encode(torch.ones(2, *SHAPE)).tolist() == [[1.0], [1.0]]
    machine = RBM(RBM.Config(hidden=7), SHAPE)
    assert FinetunedClassifier(config, SHAPE, encoder=Encoding(machine)).output.weight.shape == (7, 3)
    video = FinetunedClassifier(config, PGN.smoke.example, encoder=Encoding(PGN(PGN.smoke.config, PGN.smoke.shape)))
    clips = torch.rand(2, 4, *PGN.smoke.shape)
    assert video.class_probabilities(clips).shape == (2, 3)
    hashing = HashingAutoencoder(HashingAutoencoder.Config(hidden=(8,), latent=5), SHAPE)
    with pytest.raises(ConfigError, match="no gradient reaches this encoder"):
        FinetunedClassifier(config, SHAPE, encoder=Encoding(hashing))
    with pytest.raises(ConfigError, match="cannot look at examples"):
        FinetunedClassifier(config, SHAPE, encoder=nn.Linear(3, 2))


def test_the_same_network_untrained_has_an_untrained_encoder() -> None:
    net = classifier(encoder())
    with seeded(5):
        fresh = untrained(net)
    assert isinstance(fresh, FinetunedClassifier) and fresh.given
    mine, new = net.state_dict(), fresh.state_dict()
    assert mine.keys() == new.keys()
    assert not torch.equal(mine["encoder.model.encoder.layers.0.weight"], new["encoder.model.encoder.layers.0.weight"])


def test_a_callers_own_encoder_is_drawn_anew_where_it_is_to_be_untrained() -> None:
    own = nn.Sequential(nn.Flatten(), nn.Linear(16, 6))
    with seeded(5):
        fresh = untrained(FinetunedClassifier(FinetunedClassifier.Config(classes=3), SHAPE, encoder=own))
    assert isinstance(fresh, FinetunedClassifier) and fresh.given and fresh.output.weight.shape == (6, 3)
    assert not torch.equal(fresh.encoder.get_parameter("1.weight"), own.get_parameter("1.weight"))


def test_missing_labels_are_refused() -> None:
    unlabelled = Source("made", Part.of(torch.rand(30, *SHAPE)))
    with pytest.raises(DataError, match="no example has a label"):
        train(classifier(encoder()), unlabelled, Training(epochs=1))
    with pytest.raises(DataError, match="a label is 2, but there are 2 classes"):
        net = FinetunedClassifier(FinetunedClassifier.Config(classes=2), SHAPE, encoder=Encoding(encoder()))
        train(net, source(), Training(epochs=1))


def test_another_optimiser_leaves_that_of_the_frozen_stage_alone() -> None:
    """The softmax layer that learns first is pretraining of another kind; alone, it is the training itself."""
    asked = Training(optimiser="sgd", learning_rate=0.5)
    frozen, joint = plan_for(classifier(encoder()), source(), asked).stages
    assert frozen.optimisers["model"] == frozen.stage.learner.recipe.optimiser
    assert (joint.optimisers["model"].name, joint.optimisers["model"].learning_rate) == ("sgd", 0.5)
    (only,) = plan_for(classifier(encoder(), fine_tuning=False), source(), asked).stages
    assert only.optimisers["model"].name == "sgd"


@pytest.mark.parametrize("given", [True, False])
def test_activations_take_one_pass_of_the_encoder(given: bool) -> None:
    config = FinetunedClassifier.Config(classes=3, hidden=(6, 5))
    net = classifier(encoder()) if given else FinetunedClassifier(config, SHAPE)
    x, passes = torch.rand(2, *SHAPE), list[Tensor]()
    net.eval().encoder.register_forward_hook(lambda module, inputs, output: passes.append(output))
    found = net.activations(x)
    assert len(passes) == 1
    torch.testing.assert_close(found["logits"], net.output.logits(net.encode(x)))
    torch.testing.assert_close(found["features" if given else "encoder.2"], net.encode(x))


def test_weights_are_judged_by_wrong_classes() -> None:
    """Not by nats, which grow where a network is sure, though it errs no more."""
    assert FinetunedClassifier.monitor == "wrong_class_probability"
