"""What autoencoders share that are trained layer by layer, on the plainest: against the equations written out."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import oracles
import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from untaught.errors import ConfigError, DataError
from untaught.layerwise import Layerwise
from untaught.layerwise.greedy_stages import greedy_stages
from untaught.model import Batch, Recipe, View
from untaught.models.contractive_autoencoder import ContractiveAutoencoder
from untaught.models.denoising_autoencoder import DenoisingAutoencoder
from untaught.models.rbm import RBM
from untaught.models.sparse_autoencoder import SparseAutoencoder
from untaught.nn.output_units import Output
from untaught.randomness import seeded
from untaught.training.fit import Training, train

START = torch.zeros(())


def plain(shape: tuple[int, ...] = (1, 4, 5), **fields: Any) -> DenoisingAutoencoder:
    """A stack without damage in float64, whose biases matter."""
    chosen: dict[str, Any] = {"hidden": (7, 6), "level": 0.0, "fine_tuning": True} | fields
    with seeded(1):
        model = DenoisingAutoencoder(DenoisingAutoencoder.Config(**chosen), shape).double()
        with torch.no_grad():
            for value in model.parameters():
                value.add_(0.3 * torch.randn(value.shape))
    return model


def data(count: int = 9, shape: tuple[int, ...] = (1, 4, 5)) -> Tensor:
    with seeded(2):
        return torch.rand(count, *shape, dtype=torch.float64)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("output", ["linear", "sigmoid", "bernoulli"])
def test_the_whole_stack_is_the_network_that_the_equations_describe(tied: bool, output: str) -> None:
    model, x = plain(tied=tied, output=output), data()
    below, above = model.chain
    v = x.flatten(1)
    first = torch.sigmoid(v @ below.weight.T + below.hidden_bias)
    second = torch.sigmoid(first @ above.weight.T + above.hidden_bias)
    torch.testing.assert_close(model.encode(x), second)
    down = [above.weight, below.weight] if tied else [above.decoder_weight.T, below.decoder_weight.T]
    back = torch.sigmoid(second @ down[0] + above.visible_bias)
    inputs = back @ down[1] + below.visible_bias
    y = inputs if output == "linear" else torch.sigmoid(inputs)
    torch.testing.assert_close(model.reconstruct(x), y.reshape(x.shape))
    found = model.loss(Batch.of(x), "model", START)
    nats = oracles.bernoulli_nats(v, inputs.detach()) if output == "bernoulli" else None
    squared = 20 * mse_loss(y, v).item()
    assert found.total.item() == pytest.approx(squared / 2 if nats is None else nats)
    assert found.parts["squared_error_per_image"].item() == pytest.approx(squared)


def test_each_layer_reconstructs_the_activations_below_and_not_the_picture() -> None:
    model, x = plain(hidden=(7, 6, 5)), data()
    stages = model.stages()
    assert [stage.name for stage in stages] == ["layer-1", "layer-2", "layer-3", "fine-tuning"]
    assert [stage.learner for stage in stages] == [*model.chain, model]
    first, second, third = model.chain
    assert stages[0].sees is not None and stages[2].sees is not None and stages[3].sees is None
    assert torch.equal(stages[0].sees(x), x.flatten(1))
    seen = stages[2].sees(x)
    torch.testing.assert_close(seen, second.encode(first.encode(x)))
    inputs = third.encode(seen) @ third.weight + third.visible_bias
    nats = oracles.bernoulli_nats(seen.detach(), inputs.detach())
    assert third.loss(Batch.of(seen), "model", START).total.item() == pytest.approx(nats)


@pytest.mark.parametrize("model", [SparseAutoencoder, DenoisingAutoencoder, ContractiveAutoencoder])
def test_layers_are_models_of_the_same_class(model: type[Layerwise]) -> None:
    stack = model(replace(model.Config(), hidden=(7, 6, 5)), (1, 4, 5))
    assert [type(layer) for layer in stack.chain] == [model] * 3
    assert [layer.shape for layer in stack.chain] == [(1, 4, 5), (7,), (6,)]
    assert [stage.name for stage in stack.stages()] == ["layer-1", "layer-2", "layer-3"]
    assert [stage.name for stage in stack.chain[1].stages()] == ["train"]
    own = sum(value.numel() for layer in stack.chain for value in layer.parameters())
    assert sum(value.numel() for value in stack.parameters()) == own


@pytest.mark.parametrize(
    ("activation", "output", "above"),
    [
        ("sigmoid", "bernoulli", "bernoulli"), ("sigmoid", "linear", "sigmoid"), ("sigmoid", "sigmoid", "sigmoid"),
        ("tanh", "bernoulli", "tanh"), ("relu", "linear", "relu"), ("linear", "sigmoid", "linear"),
    ],
)  # fmt: skip
def test_upper_layers_give_back_values_where_activations_lie(activation: str, output: str, above: str) -> None:
    model = plain(activation=activation, output=output)
    assert [layer.outputs.kind for layer in model.chain] == [output, above]


def test_the_linear_layer_reaches_the_error_of_pca() -> None:
    with seeded(4):
        scales = torch.tensor([3.0, 2.0, 1.5, 0.5, 0.3, 0.2, 0.1, 0.1], dtype=torch.float64)
        x = torch.randn(60, 8, dtype=torch.float64) * scales @ torch.linalg.qr(torch.randn(8, 8).double())[0] + 1
    model = plain((8,), hidden=(3,), activation="linear", output="linear")
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=500, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        total = model.loss(Batch.of(x), "model", START).total
        total.backward()
        return total

    optimiser.step(closure)  # type: ignore[arg-type]
    best = oracles.pca_error(x.numpy(), 3)
    assert best * (1 - 1e-9) <= 2 * closure().item() <= best * 1.001


@pytest.mark.parametrize("kind", ["linear", "sigmoid", "bernoulli", "tanh", "relu"])
def test_outputs_begin_at_the_mean_of_what_they_reconstruct(kind: Output) -> None:
    model = plain((6,), hidden=(4,), output=kind)
    x = 0.1 + 0.8 * data(50, (6,))
    model.prepare(Batch.of(x))
    with torch.no_grad():
        model.weight.zero_()
    torch.testing.assert_close(model.reconstruct(x[:1])[0], x.mean(0))


def test_logistic_outputs_reach_as_far_as_the_data() -> None:
    model, x = plain((6,), hidden=(4,), output="sigmoid"), 10 * data(9, (6,)) - 3
    model.prepare(Batch.of(x))
    with torch.no_grad():
        model.visible_bias.fill_(100.0)
        torch.testing.assert_close(model.reconstruct(x), x.max().expand_as(x))
        model.visible_bias.fill_(-100.0)
        torch.testing.assert_close(model.reconstruct(x), x.min().expand_as(x))


@pytest.mark.parametrize("value", [-0.25, 1.5])
def test_values_out_of_range_are_refused_under_cross_entropy(value: float) -> None:
    x = data()
    x[0, 0, 0, 0] = value
    with pytest.raises(DataError, match=str(value)):
        plain().chain[0].prepare(Batch.of(x))


def test_fine_tuning_begins_at_what_the_layers_have_learnt() -> None:
    model = plain()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.prepare(Batch.of(data()))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_features_carry_gradients() -> None:
    model = plain()
    model.eval().encode(data()).sum().backward()
    moved = {name for name, value in model.named_parameters() if value.grad is not None}
    assert moved == {f"layers.{k}.{name}" for k in (0, 1) for name in ("weight", "hidden_bias")}


def test_activations_and_filters_of_every_layer() -> None:
    model, x = plain(hidden=(7, 6, 5)), data()
    found = model.activations(x)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "hidden.1": (9, 7), "hidden.2": (9, 6), "hidden.3": (9, 5),
    }  # fmt: skip
    assert torch.equal(found["hidden.3"], model.encode(x))
    with pytest.raises(ConfigError, match="'hidden.4'; there are: hidden.1"):
        model.activations(x, ["hidden.4"])
    pictures = model.filter_pictures()
    assert [tuple(value.shape) for value in pictures.values()] == [(7, 1, 4, 5), (6, 1, 4, 5), (5, 1, 4, 5)]
    first, second, third = (layer.weight.detach().numpy() for layer in model.chain)
    np.testing.assert_allclose(pictures["filters"].flatten(1), first)
    expected = np.einsum("kj,ji,ip->kp", third, second, first)
    np.testing.assert_allclose(pictures["filters-3"].flatten(1), expected)
    assert plain((20,), hidden=(3,)).filters().shape == (3, 1, 1, 20)


@pytest.mark.parametrize(("activation", "scale"), [("sigmoid", 4), ("tanh", 1)])
def test_initial_weights_are_those_of_glorot(activation: Any, scale: float) -> None:
    with seeded(5):
        config = DenoisingAutoencoder.Config(hidden=(300,), tied=False, activation=activation)
        model = DenoisingAutoencoder(config, (1, 10, 20))
    bound = scale * (6 / 500) ** 0.5
    for weight in (model.weight, model.decoder_weight):
        assert float(weight.detach().abs().max()) == pytest.approx(bound, rel=0.01)
        assert float(weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.02)


@pytest.mark.slow
def test_greedy_stages_and_fine_tuning_make_reconstructions_better() -> None:
    """Three pictures and their noise: layers learn in turn, and all together afterwards they are nearer to the data."""
    with seeded(6):
        pictures = (torch.rand(3, 1, 6, 6) > 0.5).float()
        x = (pictures[torch.arange(900) % 3] - (torch.rand(900, 1, 6, 6) < 0.03).float()).abs()
    errors: list[float] = []
    for tuned in (False, True):
        with seeded(7):
            config = DenoisingAutoencoder.Config(hidden=(12, 4), level=0.1, fine_tuning=tuned)
            model = DenoisingAutoencoder(config, (1, 6, 6))
        last = train(model, x, Training(epochs=25, learning_rate=0.02, threads=1))
        assert last.stage == ("fine-tuning" if tuned else "layer-2")
        errors.append(float((model.reconstruct(x) - x).square().flatten(1).sum(1).mean().detach()))
    mean = float((x - x.mean(0)).square().flatten(1).sum(1).mean())
    assert errors[1] < errors[0] < 0.6 * mean


def test_without_a_layer_nothing_can_be_built() -> None:
    with pytest.raises(ConfigError, match="hidden is empty"):
        plain(hidden=())


def test_a_layer_that_can_copy_warns_unless_something_keeps_it_from_it() -> None:
    def prepare(model: Layerwise) -> None:
        for layer in model.chain:
            layer.prepare(Batch.of(torch.rand(5, *layer.shape)))

    with pytest.warns(UserWarning, match="30 hidden units can copy 20 values"):
        prepare(plain(hidden=(30,)))
    with pytest.warns(UserWarning, match="8 hidden units can copy 7 values"):
        prepare(plain(hidden=(7, 8)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(plain(hidden=(30,), level=0.1))
        prepare(plain(hidden=(7, 6)))


def test_layers_are_trained_by_one_recipe_or_by_their_own() -> None:
    layers = [RBM(RBM.Config(hidden=3), (4,)), RBM(RBM.Config(hidden=2), (3,))]
    layers[1].recipe = Recipe(batch_size=9)
    one = Recipe(batch_size=7)
    assert [stage.recipe for stage in greedy_stages(layers, lambda x, layers: x, View())] == [
        RBM.recipe,
        layers[1].recipe,
    ]
    assert [stage.recipe for stage in greedy_stages(layers, lambda x, layers: x, View(), one)] == [one, one]
