"""The contractive autoencoder: its penalty against Jacobians by autograd, its effect on directions off the data."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from untaught.model import Batch
from untaught.models.contractive_autoencoder import ContractiveAutoencoder
from untaught.randomness import seeded

START = torch.zeros(())


def autoencoder(shape: tuple[int, ...] = (1, 3, 4), **fields: Any) -> ContractiveAutoencoder:
    """A small one in float64 whose biases matter."""
    with seeded(1):
        config = ContractiveAutoencoder.Config(**({"hidden": (7,), "contraction": 0.3} | fields))
        model = ContractiveAutoencoder(config, shape).double()
        with torch.no_grad():
            for value in model.parameters():
                value.add_(0.5 * torch.randn(value.shape))
    return model


def data(count: int = 9, shape: tuple[int, ...] = (1, 3, 4)) -> Tensor:
    with seeded(2):
        return torch.rand(count, *shape, dtype=torch.float64)


def squared_norms(model: ContractiveAutoencoder, x: Tensor) -> Tensor:
    """|dh / dx|^2 of each example, from the whole Jacobian."""
    return torch.stack([jacobian(model.encode, one[None]).square().sum() for one in x])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_the_penalty_is_the_squared_norm_of_the_jacobian(activation: str) -> None:
    model, x = autoencoder(activation=activation), data()
    found = model.contraction(model.encode(x))
    torch.testing.assert_close(found, squared_norms(model, x))
    assert found.std() > 0.1


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_derivatives_of_the_penalty_are_those_of_the_jacobian(activation: str) -> None:
    model, x = autoencoder(activation=activation), data(3)
    own = [model.weight, model.hidden_bias]
    ours = torch.autograd.grad(model.contraction(model.encode(x)).mean(), own)
    norms = [jacobian(model.encode, one[None], create_graph=True).square().sum() for one in x]
    theirs = torch.autograd.grad(torch.stack(norms).mean(), own)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other)


def test_the_loss_adds_the_mean_penalty_at_its_cost() -> None:
    model, x = autoencoder(output="linear"), data()
    found = model.loss(Batch.of(x), "model", START)
    squared = (model.reconstruct(x) - x).square().flatten(1).sum(1).mean()
    penalty = squared_norms(model, x).mean()
    torch.testing.assert_close(found.total, squared / 2 + 0.3 * penalty)
    torch.testing.assert_close(found.parts["squared_jacobian"], penalty.detach())


def test_of_a_stack_each_layer_is_contracted_by_what_it_sees() -> None:
    model, x = autoencoder(hidden=(7, 5), output="linear", fine_tuning=True), data()
    below = model.chain[0].encode(x)
    norms = [
        torch.stack([jacobian(layer.encode, one[None]).square().sum() for one in seen]).mean()
        for layer, seen in zip(model.chain, (x, below.detach()), strict=True)
    ]
    found = model.loss(Batch.of(x), "model", START)
    squared = (model.reconstruct(x) - x).square().flatten(1).sum(1).mean()
    torch.testing.assert_close(found.total, squared / 2 + 0.3 * (norms[0] + norms[1]))
    torch.testing.assert_close(found.parts["squared_jacobian"], (norms[0] + norms[1]) / 2)


def test_without_the_penalty_it_is_a_plain_autoencoder() -> None:
    model, x = autoencoder(contraction=0.0, output="linear"), data()
    squared = (model.reconstruct(x) - x).square().flatten(1).sum(1).mean()
    torch.testing.assert_close(model.loss(Batch.of(x), "model", START).total, squared / 2)


def test_features_ignore_directions_in_which_the_data_do_not_vary() -> None:
    """Points near a line in ten dimensions: along it features change, across it much less than without the penalty."""
    with seeded(3):
        line = torch.nn.functional.normalize(torch.randn(10), dim=0)
        x = 1.5 * torch.randn(500, 1) * line + 0.02 * torch.randn(500, 10)
    across: list[float] = []
    for cost in (0.0, 0.1):
        with seeded(4):
            config = ContractiveAutoencoder.Config(hidden=(8,), contraction=cost, activation="tanh", output="linear")
            model = ContractiveAutoencoder(config, (10,))
        optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(400):
            optimiser.zero_grad()
            model.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
        turned = jacobian(lambda v, own=model: own.encode(v[None])[0], torch.zeros(10))
        assert isinstance(turned, Tensor)
        along = float((turned @ line).norm())
        across.append(float((turned - torch.outer(turned @ line, line)).norm()) / along)
    assert across[1] < 0.1 and across[0] > 5 * across[1]
