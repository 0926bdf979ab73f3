"""Weights of settled length: what units give of the first examples, and what learns."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.nn import dense
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.discriminator_network import SETTLING, Discriminator
from untaught.nn.adversarial.weight_norm import normalise, settle
from untaught.randomness import seeded


def network(kind: str = "dense", noise: float = 0.0) -> Discriminator:
    own: Mapping[str, object] = {"network": kind, "discriminator": (6, 5), "discriminator_norm": "weight"}
    with seeded(0):
        return Discriminator(Adversaries(generator=(4,), noise=(noise,), **own), (1, 16, 16), outputs=3)  # type: ignore[arg-type]


def examples(count: int = 200) -> Tensor:
    with seeded(1):
        return torch.rand(count, 1, 16, 16)


def lengths(layer: nn.Module) -> Tensor:
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight.flatten(1).norm(dim=1)


def spread(values: Tensor) -> tuple[Tensor, Tensor]:
    over = [0, *range(2, values.ndim)]
    return values.mean(over), values.std(over, correction=0)


def test_dense_units_give_first_examples_with_mean_0_and_deviation_1() -> None:
    net, x = network(), examples()
    net.take(x)
    shown = 2 * x.flatten(1) - 1
    for layer in (*net.layers, net.head):
        values = F.linear(shown, layer.weight, layer.bias)  # type: ignore[arg-type]
        mean, deviation = spread(values)
        torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0)
        torch.testing.assert_close(deviation, torch.ones_like(mean))
        shown = F.leaky_relu(values, 0.2)
    torch.testing.assert_close(net(x), values)


def test_maps_give_first_examples_with_mean_0_and_deviation_1() -> None:
    net, x = network("convolution"), examples()
    net.take(x)
    shown = 2 * x - 1
    for layer in net.layers:
        values = layer.get_submodule("convolution")(shown)
        mean, deviation = spread(values)
        torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0)
        torch.testing.assert_close(deviation, torch.ones_like(mean))
        shown = F.leaky_relu(values, 0.2)


def test_noise_that_is_added_while_learning_counts() -> None:
    """Of independent noise of a large deviation, and little else, weights of length s have deviation s times it."""
    net = network(noise=100.0)
    with seeded(2):
        net.eval().take(examples(2000))
    assert not net.training
    for layer in (*net.layers, net.head):
        torch.testing.assert_close(lengths(layer), torch.full_like(lengths(layer), 0.01), rtol=0.1, atol=0)


def test_only_so_many_examples_are_looked_at() -> None:
    x = examples(SETTLING + 300)
    one, other = network(), network()
    one.take(x)
    other.take(x[:SETTLING])
    assert torch.equal(one(x), other(x))


def test_lengths_stay_below_the_output_and_learn_there() -> None:
    net, x = network(), examples()
    net.take(x)
    before = [lengths(layer).detach() for layer in (*net.layers, net.head)]
    directions = [layer.weight.detach().clone() for layer in net.layers]  # type: ignore[operator]
    steps = torch.optim.SGD(net.parameters(), 0.1)
    (net(x).square() * torch.tensor([1.0, 2.0, 3.0])).sum(1).mean().backward()
    steps.step()
    for layer, length, was in zip(net.layers, before, directions, strict=False):
        torch.testing.assert_close(lengths(layer), length)
        assert not torch.allclose(layer.weight, was)  # type: ignore[arg-type]
    assert bool((lengths(net.head) < before[-1] - 1e-3).all())


def test_the_weight_does_not_depend_on_how_long_its_direction_is() -> None:
    layer = dense.Layer(3, 2, "linear")
    normalise(layer)
    before = layer.weight.detach().clone()
    with torch.no_grad():
        layer.get_parameter("parametrizations.weight.original").mul_(7)
    torch.testing.assert_close(layer.weight, before)


def test_a_weight_that_is_set_is_the_weight() -> None:
    layer, wanted = dense.Layer(3, 2, "linear"), torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.5, 0.0]])
    normalise(layer)
    with torch.no_grad():
        layer.weight = wanted  # type: ignore[assignment]
    torch.testing.assert_close(layer.weight, wanted)
    torch.testing.assert_close(lengths(layer), torch.tensor([5.0, 0.5]))


def test_a_unit_that_is_constant_keeps_its_length() -> None:
    layer = dense.Layer(2, 1, "linear")
    normalise(layer)
    before = lengths(layer).detach()
    settle(layer, torch.tensor([[0.3, 0.7]]).expand(5, 2))
    torch.testing.assert_close(lengths(layer), before)
    assert float(layer(torch.tensor([[0.3, 0.7]]))) == pytest.approx(0, abs=1e-6)


def test_a_state_is_whole() -> None:
    one, other, x = network(), network(), examples()
    one.take(x)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(x), other(x))
