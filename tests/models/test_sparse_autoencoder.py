"""The sparse autoencoder against the divergence summed by hand, finite differences and a library's logarithms."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from torch import Tensor
from torch.nn.functional import logsigmoid

from untaught.data.source import open_data
from untaught.model import Batch
from untaught.models.sparse_autoencoder import SparseAutoencoder, divergence
from untaught.randomness import seeded
from untaught.training.fit import Training, train

START = torch.zeros(())


def autoencoder(shape: tuple[int, ...] = (1, 3, 4), **fields: Any) -> SparseAutoencoder:
    """A small one in float64 whose biases matter."""
    chosen: dict[str, Any] = {"hidden": (5,), "sparsity": 0.2, "weight_cost": 0.01, "sparsity_cost": 0.7} | fields
    with seeded(1):
        model = SparseAutoencoder(SparseAutoencoder.Config(**chosen), shape).double()
        with torch.no_grad():
            for value in model.parameters():
                value.add_(0.5 * torch.randn(value.shape))
    return model


def data(count: int = 9, shape: tuple[int, ...] = (1, 3, 4)) -> Tensor:
    with seeded(2):
        return torch.rand(count, *shape, dtype=torch.float64)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_loss_is_the_sum_of_its_three_terms(tied: bool, activation: str) -> None:
    """Equation (3) in NumPy; of tanh, (1 + h) / 2 is what counts as active."""
    model, x = autoencoder(tied=tied, activation=activation, output="linear"), data()
    v, w = x.flatten(1).numpy(), model.weight.detach().numpy()
    b, c = model.hidden_bias.detach().numpy(), model.visible_bias.detach().numpy()
    back = model.decoder_weight.detach().numpy()
    a = v @ w.T + b
    h = np.tanh(a) if activation == "tanh" else 1 / (1 + np.exp(-a))
    q = ((1 + h) / 2 if activation == "tanh" else h).mean(0)
    error = np.square(h @ back.T + c - v).sum(1).mean()
    nats = rel_entr(0.2, q).sum() + rel_entr(0.8, 1 - q).sum()
    squares = np.square(w).sum() + (0 if tied else np.square(back).sum())
    found = model.loss(Batch.of(x), "model", START)
    assert found.total.item() == pytest.approx(error / 2 + 0.01 * squares / 2 + 0.7 * nats)
    expected = {"sparsity_nats": nats, "squared_weights": squares, "mean_activation": q.mean()}
    for name, value in {"squared_error_per_image": error, **expected}.items():
        assert found.parts[name].item() == pytest.approx(value), name


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
def test_every_derivative_is_that_of_finite_differences(output: str) -> None:
    """The check of the notes: (J(t + e) - J(t - e)) / 2e for every parameter, one by one."""
    model, x = autoencoder(output=output), data()

    def total() -> float:
        return model.loss(Batch.of(x), "model", START).total.item()

    parameters = list(model.parameters())
    found = torch.autograd.grad(model.loss(Batch.of(x), "model", START).total, parameters)
    for value, slope in zip(parameters, found, strict=True):
        flat = value.detach().view(-1)
        for i in range(len(flat)):
            ends: list[float] = []
            for step in (1e-4, -2e-4):
                flat[i] += step
                ends.append(total())
            flat[i] += 1e-4
            assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(slope.flatten()[i].item(), abs=1e-8)


def test_derivative_of_the_divergence_has_its_closed_form() -> None:
    """Equation (5)."""
    with seeded(3):
        logits = torch.randn(7, 4, dtype=torch.float64).requires_grad_()
    (found,) = torch.autograd.grad(divergence(logits, 0.05), logits)
    s = torch.sigmoid(logits.detach())
    q = s.mean(0)
    torch.testing.assert_close(found, (-0.05 / q + 0.95 / (1 - q)) * s * (1 - s) / 7)


@pytest.mark.parametrize("far", [-300.0, 300.0])
def test_units_that_are_off_or_on_everywhere_are_still_drawn_back(far: float) -> None:
    """In float32 the mean activation is 0 or 1 there, and the divergence by its formula infinite."""
    logits = torch.full((6, 1), far, requires_grad=True)
    nats = divergence(logits, 0.1)
    nats.backward()
    assert nats.item() == pytest.approx((0.1 if far < 0 else 0.9) * 300 - 0.325083)
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.full_like(logits, (-0.1 if far < 0 else 0.9) / 6))


@pytest.mark.parametrize("target", [0.0, 0.01, 0.5, 0.9])
def test_divergence_is_zero_at_the_target_and_positive_elsewhere(target: float) -> None:
    for q in (0.001, 0.3, 0.7):
        at = divergence(torch.logit(torch.full((3, 2), q).double()), target)
        assert at.item() == pytest.approx(2 * (rel_entr(target, q) + rel_entr(1 - target, 1 - q)), abs=1e-6)
    if target:
        assert divergence(torch.logit(torch.full((3, 2), target).double()), target).item() == pytest.approx(0, abs=1e-9)


def test_the_divergence_sees_means_and_not_single_examples() -> None:
    """Half of the examples at 0.4 and half at 0 have a mean of 0.2: no divergence from it."""
    logits = torch.cat([torch.logit(torch.full((4, 3), 0.4)), torch.full((4, 3), -80.0)]).double()
    assert divergence(logits, 0.2).item() == pytest.approx(0, abs=1e-9)
    assert divergence(logits[:4], 0.2).item() > 0.2


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_hidden_units_begin_near_the_target(activation: str) -> None:
    model = autoencoder(activation=activation, sparsity=0.03)
    with torch.no_grad():
        model.weight.zero_()
    model.prepare(Batch.of(data()))
    assert model.loss(Batch.of(data()), "model", START).parts["mean_activation"].item() == pytest.approx(0.03)


def test_of_a_stack_every_layer_is_sparse() -> None:
    """As one deep autoencoder: each layer's terms, with the mean over layers on record."""
    model, x = autoencoder(hidden=(5, 4), fine_tuning=True), data()
    first, second = model.chain
    below = first.encode(x)
    inputs = [x.flatten(1) @ first.weight.T + first.hidden_bias, below @ second.weight.T + second.hidden_bias]
    nats = [divergence(a, 0.2) for a in inputs]
    squares = [layer.weight.square().sum() + layer.decoder_weight.square().sum() for layer in model.chain]
    found = model.loss(Batch.of(x), "model", START)
    rest = found.total - found.parts["squared_error_per_image"] / 2
    torch.testing.assert_close(rest, 0.7 * (nats[0] + nats[1]) + 0.005 * (squares[0] + squares[1]))
    torch.testing.assert_close(found.parts["sparsity_nats"], ((nats[0] + nats[1]) / 2).detach())


def test_loss_is_finite_in_single_precision_wherever_weights_are() -> None:
    model = autoencoder().float()
    with torch.no_grad():
        model.hidden_bias.copy_(torch.tensor([-500.0, 500.0, -90.0, 0.0, 20.0]))
    model.loss(Batch.of(data().float()), "model", START).total.backward()
    assert model.hidden_bias.grad is not None and model.hidden_bias.grad.isfinite().all()
    assert (model.hidden_bias.grad[:2].sign() == torch.tensor([-1.0, 1.0])).all()


def test_log_of_the_mean_activation_is_taken_from_inputs() -> None:
    """Against the mean of probabilities in float64, where single precision has long lost it."""
    with seeded(4):
        logits = 30 * torch.randn(50, 6) - 20
    exact = torch.special.expit(logits.double()).mean(0)
    expected = (rel_entr(0.1, exact.numpy()) + rel_entr(0.9, 1 - exact.numpy())).sum()
    assert divergence(logits, 0.1).item() == pytest.approx(expected, rel=1e-5)
    assert logsigmoid(logits).exp().min() == 0


@pytest.mark.slow
def test_filters_of_natural_patches_are_edges_at_many_orientations(shared_data: Path) -> None:
    """Each filter's spectrum lies along one axis, the axes all around; the mean activation is near its target."""
    data = open_data(f"whitened?of=cifar10:{shared_data}/cifar10&pictures=8000")
    config = SparseAutoencoder.Config(
        hidden=(64,), output="linear", sparsity=0.035, sparsity_cost=50.0, weight_cost=0.01
    )
    with seeded(0):
        model = SparseAutoencoder(config, (1, 8, 8))
    view = {"patch": 8, "standardise": "all"}
    last = train(model, data, Training(epochs=150, learning_rate=0.01, batch_size=200, view=view, threads=1))
    assert last.held_out["mean_activation"] == pytest.approx(0.035, rel=0.25)
    power = torch.fft.fft2(model.filters()[:, 0], s=(32, 32)).abs().square()
    down, right = torch.fft.fftfreq(32)[:, None], torch.fft.fftfreq(32)[None, :]
    turn = torch.exp(2j * torch.atan2(down, right.expand(32, 32)))
    axis = (power * turn).sum((1, 2)) / power.sum((1, 2))  # random filters: length 0.13 in the mean, 0.33 at most
    oriented = axis.abs() > 0.33
    assert float(oriented.float().mean()) > 0.75
    assert (torch.histc(axis[oriented].angle(), 6, -torch.pi, torch.pi) >= 3).all()


def test_settings_are_those_of_the_exercise_on_digits() -> None:
    """196 units, a target of 0.1 of weight 3, a weight cost of 0.003; all examples in a batch, or many."""
    config = SparseAutoencoder.Config()
    assert (config.hidden, config.sparsity, config.sparsity_cost, config.weight_cost) == ((196,), 0.1, 3.0, 3e-3)
    assert config.activation == config.output == "sigmoid" and not config.tied
    assert SparseAutoencoder.recipe.batch_size >= 500


@pytest.mark.parametrize("costs", [(0.7, 0.0), (0.0, 0.01), (0.0, 0.0)])
def test_only_without_any_cost_is_copying_warned_of(costs: tuple[float, float], recwarn: Any) -> None:
    model = autoencoder(hidden=(20,), sparsity_cost=costs[0], weight_cost=costs[1])
    model.prepare(Batch.of(data()))
    assert ["can copy" in str(told.message) for told in recwarn] == [True] * (not any(costs))
