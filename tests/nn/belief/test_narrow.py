"""Networks built for random distributions, against those distributions by sums over every layer's states."""

import pytest
import torch
from torch import Tensor

from tests.oracles import state_numbers
from untaught.errors import DataError
from untaught.nn.belief.narrow import narrow_network
from untaught.randomness import seeded


def targets(units: int) -> dict[str, Tensor]:
    """Random distributions, flat and peaked, with impossible states, and certain ones."""
    count = 2**units
    with seeded(units):
        flat, peaked = torch.rand(count).double(), torch.randn(count).double().mul(5).exp()
        holes = torch.where(torch.rand(count) < 0.5, 0.0, flat)
        holes[-1] += 0.1
        certain = torch.zeros(count).double()
        certain[int(torch.randint(count, ()))] = 1
    found = {"flat": flat, "peaked": peaked, "holes": holes, "certain": certain, "first": torch.eye(count)[0].double()}
    return {name: p / p.sum() for name, p in found.items()}


def down_the_layers(weights: list[Tensor], biases: list[Tensor]) -> Tensor:
    """The visible distribution, by carrying every state of a layer to every state of the next, pair by pair."""

    def states(units: int) -> list[list[float]]:
        return [[float(number >> shift & 1) for shift in reversed(range(units))] for number in range(2**units)]

    def chance(state: list[float], logits: Tensor) -> Tensor:
        on = torch.sigmoid(logits)
        return torch.where(torch.tensor(state).bool(), on, 1 - on).prod()

    held = [float(chance(state, biases[-1])) for state in states(len(biases[-1]))]
    for weight, bias in reversed(list(zip(weights, biases, strict=False))):
        reached = [0.0] * 2 ** len(bias)
        for state, mass in zip(states(weight.shape[1]), held, strict=True):
            if mass < 1e-30:
                continue
            logits = bias + weight @ torch.tensor(state, dtype=weight.dtype)
            for number, below in enumerate(states(len(bias))):
                reached[number] += mass * float(chance(below, logits))
        held = reached
    return torch.tensor(held, dtype=torch.float64)


@pytest.mark.parametrize("units", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["flat", "peaked", "holes", "certain", "first"])
def test_any_distribution_is_reached(units: int, name: str) -> None:
    target = targets(units)[name]
    network = narrow_network(target)
    assert network.units[0] == units and set(network.units[1:]) == {units + 1}
    assert len(network.units) == 2**units <= 3 * 2**units
    torch.testing.assert_close(network.marginal(0).exp(), target, rtol=1e-9, atol=1e-12)


def test_layer_by_layer_it_is_the_same() -> None:
    """Without the sums of the package."""
    target = targets(3)["flat"]
    network = narrow_network(target).requires_grad_(False)
    found = down_the_layers(list(network.weights), list(network.biases))
    torch.testing.assert_close(found, target, rtol=1e-9, atol=1e-12)


def test_samples_have_the_distribution() -> None:
    target, count = targets(3)["flat"], 20_000
    with seeded(0):
        visible = narrow_network(target).sample(count)[0]
    rate = torch.bincount(state_numbers(visible), minlength=8) / count
    assert ((rate - target) / (target * (1 - target) / count).sqrt()).abs().max() < 4


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0.5, 0.25, 0.25], "3 probabilities"),
        ([1.0], "1 probabilities"),
        ([0.5, 0.6], "sum 1.1"),
        ([-0.5, 1.5], "-0.5"),
    ],
)
def test_what_is_no_distribution_is_refused(wrong: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        narrow_network(torch.tensor(wrong))
