"""Six networks by two settings: losses by hand, the paper's sums, a frozen encoder, the schedule, ONNX."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch
from untaught.models.augmented_classifier import (
    PAPER_POOLS,
    PIXEL_RANGE,
    AugmentedClassifier,
    image_weight,
    layer_weights,
)
from untaught.nn.mirrors.pathways import Blocks, EncoderLayers, Mirrors, pathway_encoder
from untaught.nn.what_where import Window
from untaught.randomness import seeded

ONE = torch.ones(())
X = torch.rand(5, 1, 8, 12, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([1, -1, 2, 0, -1])
SMALL: dict[str, Any] = {"classes": 3, "convolutions": (1, 1), "maps": (3, 4), "units": (6,), "dropout": 0.0}


def small(**config: Any) -> AugmentedClassifier:
    with seeded(0):
        net = AugmentedClassifier(AugmentedClassifier.Config(**{**SMALL, **config}), (1, 8, 12))
        nn.init.normal_(net.classifier.output.weight)
    return net


@pytest.mark.parametrize("layer", range(4))
def test_weights_mean_what_the_papers_sums_mean(layer: int) -> None:
    """Caffe's loss is half the sum of squared differences, divided by the number of examples."""
    weight, values = PAPER_POOLS[layer]
    with seeded(0):
        given, wanted = torch.rand(2, values // 256), torch.rand(2, values // 256)  # every value stands for 256 alike
    caffe = weight * 256 * (PIXEL_RANGE * (given - wanted)).square().sum() / 2 / len(given)
    ours = layer_weights(4)[layer] * (given - wanted).square().mean()
    torch.testing.assert_close(ours, caffe)


def test_weight_of_the_image_is_the_papers() -> None:
    with seeded(0):
        given, wanted = torch.rand(2, 3, 224, 224), torch.rand(2, 3, 224, 224)
    caffe = 1e-4 * (255 * given / 255 - 255 * wanted / 255).square().sum() / 2 / len(given)
    torch.testing.assert_close(image_weight() * (given - wanted).square().mean(), caffe)


def test_lower_networks_have_the_papers_highest_weight_on_top() -> None:
    every = layer_weights(4)
    assert layer_weights(2) == (every[0], every[3]) and layer_weights(0) == ()
    assert layer_weights(6) == (*every[:2], every[2], every[2], every[2], every[3])


def by_hand(net: AugmentedClassifier, losses: str, switches: str) -> list[Tensor]:
    """Squared errors from the example up, written out for two blocks."""
    first, second = (net.classifier.encoder[n] for n in (0, 3))
    down_first, down_second = (net.mirrors.mirrors[n].layers[place].weights for n, place in ((0, "0"), (1, "3")))
    h1, s1 = Window().pool(first(X).relu())
    h2, s2 = Window().pool(second(h1).relu())

    def up(h: Tensor, where: Tensor, size: tuple[int, int]) -> Tensor:
        return Window().unpool(h, size, "known" if switches == "known" else "fixed", where)

    back1 = down_second(up(h2, s2, (4, 6))).relu()
    back0 = down_first(up(h1 if losses == "layerwise" else back1, s1, (8, 12)))
    errors = [(back0 - X).square().mean(), (back1 - h1).square().mean()]
    return errors[:1] if losses == "first" else errors


@pytest.mark.parametrize("switches", ["known", "fixed"])
@pytest.mark.parametrize("losses", ["first", "all", "layerwise"])
def test_loss_is_its_formula(losses: str, switches: str) -> None:
    net = small(losses=losses, switches=switches, weight=0.5)
    own = by_hand(net, losses, switches)
    costs = sum(w * c for w, c in zip((image_weight(), layer_weights(4)[3]), own, strict=False))
    right = net.class_probabilities(X)[[0, 2, 3], [1, 2, 0]]
    loss = net.loss(Batch(X, LABEL), "model", ONE)
    torch.testing.assert_close(loss.total, -right.log().mean() + 0.5 * costs)
    beside = Batch(X, torch.full((5,), -1), beside={"labelled": Batch(X, LABEL)})
    torch.testing.assert_close(net.loss(beside, "model", ONE).total, loss.total)
    known = {f"squared_error_{layer}": error.detach() for layer, error in enumerate(own)}
    torch.testing.assert_close({name: loss.parts[name] for name in known}, known)


def test_what_comes_back_is_the_chain() -> None:
    net = small()
    torch.testing.assert_close(((net.reconstruct(X) - X) ** 2).mean(), by_hand(net, "all", "known")[0])


def test_a_frozen_encoder_passes_everything_on() -> None:
    blocks = Blocks.of(
        pathway_encoder((1, 8, 12), EncoderLayers(convolutions=(1, 2), maps=(3, 4), units=(6,))), (1, 8, 12)
    )
    looked, again = blocks.look(X), blocks.unpacked(blocks.packed(X))
    for a, b in zip(looked.values, again.values, strict=True):
        assert torch.equal(a, b)
    assert looked.switches.keys() == again.switches.keys()
    assert all(torch.equal(looked.switches[n], again.switches[n]) for n in looked.switches)
    mirrors = Mirrors(blocks)
    assert torch.equal(mirrors.chained(looked)[0], mirrors.chained(again)[0])


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, ["classes", "layers", "chain", "joint"]),
        ({"losses": "layerwise"}, ["classes", "layers", "joint"]),
        ({"weight": 0.0}, ["classes", "joint"]),
    ],
)
def test_the_schedule(config: dict[str, Any], names: list[str]) -> None:
    """Mirrors learn on a frozen encoder, and only in the last stage does everything move."""
    net = small(**config)
    stages = net.stages()
    assert [stage.name for stage in stages] == names
    before = copy.deepcopy(net.classifier.state_dict())
    for stage in stages[1:-1]:
        assert stage.sees is not None
        batch = Batch.of(stage.sees(X))
        optimiser = torch.optim.SGD(stage.learner.parameters(), 1e-3)
        mirrors = copy.deepcopy(net.mirrors.state_dict())
        stage.learner.loss(batch, "model", ONE).total.backward()
        optimiser.step()
        assert all(torch.equal(value, before[name]) for name, value in net.classifier.state_dict().items())
        assert any(not torch.equal(value, mirrors[name]) for name, value in net.mirrors.state_dict().items())
    assert stages[-1].learner is net and stages[-1].beside["labelled"].labelled and not stages[-1].stream.labelled


def test_mirrors_learn_first_alone_and_then_as_a_chain() -> None:
    """Each cost divided by the size of what is to come back, then the costs of the chain with their weights."""
    net = small()
    _, layers, chain, _ = net.stages()
    assert layers.sees is not None
    packed = Batch.of(layers.sees(X))
    below = Window().pool(net.classifier.encoder[0](X).relu()).what
    alone, chained = by_hand(net, "layerwise", "known"), by_hand(net, "all", "known")
    wanted = alone[0] / X.square().mean() + alone[1] / below.square().mean()
    torch.testing.assert_close(layers.learner.loss(packed, "model", ONE).total, wanted)
    wanted = image_weight() * chained[0] + layer_weights(4)[3] * chained[1]
    torch.testing.assert_close(chain.learner.loss(packed, "model", ONE).total, wanted)


def test_a_frozen_encoder_neither_drops_nor_follows_batches() -> None:
    encoder = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(45, 7)
    )
    net = AugmentedClassifier(AugmentedClassifier.Config(classes=3), (1, 8, 12), encoder).train()
    before, sees = copy.deepcopy(encoder.state_dict()), net.stages()[1].sees
    assert sees is not None and torch.equal(sees(X), sees(X)) and encoder.training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_it_is_built_on_an_encoder_that_exists() -> None:
    encoder = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(45, 7))
    net = AugmentedClassifier(AugmentedClassifier.Config(classes=3), (1, 8, 12), encoder)
    torch.testing.assert_close(net.encode(X), encoder(X))
    assert net.stages()[0].learner is net.classifier.output, "only the layer above it learns first"
    assert net.reconstruct(X).shape == X.shape
    assert list(net.activations(X)) == ["conv1_1", "pool1", "fc2", "logits"]


def test_vectors_have_levels_without_pooling() -> None:
    net = AugmentedClassifier(AugmentedClassifier.Config(classes=3, units=(6, 4)), (10,))
    assert net.reconstruct(torch.rand(2, 10)).shape == (2, 10) and len(net.mirrors.mirrors) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_onnx_gives_the_same_reconstruction() -> None:
    pytest.importorskip("onnx", reason="needs onnx to write a file")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime to run what is exported")
    net = small().eval()
    net.forward = net.reconstruct  # type: ignore[method-assign]
    written = io.BytesIO()
    torch.onnx.export(net, (X,), written, dynamo=False, opset_version=18)
    session = runtime.InferenceSession(written.getvalue(), providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {session.get_inputs()[0].name: X.numpy()})
    torch.testing.assert_close(torch.from_numpy(given), net.reconstruct(X).detach(), rtol=1e-4, atol=1e-5)


def test_bad_input() -> None:
    with pytest.raises(DataError, match="no example has a label"):
        small().prepare(Batch.of(X))
    with pytest.raises(SizeError, match=r"nothing of pictures of 3x9; the nearest size that works is 4x9"):
        AugmentedClassifier(AugmentedClassifier.Config(**SMALL), (1, 3, 9))
    with pytest.raises(ConfigError, match="maps needs one number for each block of convolutions, 2; it has 1"):
        small(maps=(3,))
    with pytest.raises(ConfigError, match="layers needs one weight for each layer between blocks, 1; it has 2"):
        small(layers=(1.0, 2.0))
    with pytest.raises(ConfigError, match="no layer is called 'pool7'; there are: conv1_1, pool1"):
        small().activations(X, ["pool7"])


def test_everything_is_tuned_at_a_third_of_the_rate() -> None:
    """Classes are learnt at the recipe's rate; what they know is not to be lost when all layers move."""
    rates = {stage.name: stage.recipe.optimiser.learning_rate for stage in small().stages()}
    assert (rates["classes"], rates["joint"]) == (1e-3, 3e-4)
