"""Layers that look at a batch: minibatch features against a double loop, virtual normalisation, historical averages."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.discriminator_network import Discriminator
from untaught.nn.adversarial.energy_distance import energy_distance
from untaught.nn.adversarial.generator_network import Generator
from untaught.nn.adversarial.minibatch import MinibatchFeatures
from untaught.nn.adversarial.parameter_history import ParameterHistory
from untaught.nn.adversarial.virtual_norm import VirtualBatchNorm
from untaught.randomness import seeded


def test_minibatch_features_against_a_double_loop() -> None:
    with seeded(0):
        layer, x = MinibatchFeatures(4, kernels=3, width=2), torch.randn(5, 4)
    found = torch.zeros(5, 3)
    tensor = layer.weight.detach().view(4, 3, 2)
    for i in range(5):
        for j in range(5):
            for b in range(3):
                if i != j:
                    apart = sum(abs(float(x[i] @ tensor[:, b, c]) - float(x[j] @ tensor[:, b, c])) for c in range(2))
                    found[i, b] += torch.tensor(-apart).exp() / 4
    torch.testing.assert_close(layer(x).detach(), found)
    assert layer(x[:1]).abs().max() == 0


@pytest.mark.parametrize("norm", ["none", "batch", "virtual", "weight"])
@pytest.mark.parametrize("network", ["dense", "convolution"])
@pytest.mark.parametrize("minibatch", [0, 2])
def test_several_batches_are_judged_as_each_by_itself(network: str, norm: str, minibatch: int) -> None:
    """Of different sizes, with what stands beside them; neither means of a batch nor its comparisons mix them."""
    networks = Adversaries(
        network=network,  # type: ignore[arg-type]
        discriminator=(4, 5),
        generator=(4,),
        discriminator_norm=norm,  # type: ignore[arg-type]
        minibatch=minibatch,
        reference=3,
    )
    with seeded(0):
        judge = Discriminator(networks, (1, 8, 8), beside=2, outputs=3)
        batches = [(offset + torch.rand(count, 1, 8, 8), torch.rand(count, 2)) for offset, count in ((0, 4), (1, 6))]
        judge.take(torch.rand(5, 1, 8, 8), torch.rand(5, 2))
    found = judge.of_each(*batches)
    assert [len(logits) for logits in found] == [4, 6]
    for logits, batch in zip(found, batches, strict=True):
        torch.testing.assert_close(logits, judge(*batch))


def test_each_batch_is_dropped_from_by_itself() -> None:
    """While it learns; the same examples twice have other logits, and none where nothing learns."""
    with seeded(0):
        judge = Discriminator(Adversaries(discriminator=(40,), dropout=(0.5,)), (30,))
        x = torch.rand(8, 30)
        first, second = judge.of_each((x,), (x,))
    assert bool((first != second).all())
    assert torch.equal(*judge.eval().of_each((x,), (x,)))


def test_minibatch_features_see_a_collapsed_batch() -> None:
    with seeded(0):
        layer, x = MinibatchFeatures(6, kernels=4), 3 * torch.randn(20, 6)
    torch.testing.assert_close(layer(x[:1].repeat(20, 1)), torch.ones(20, 4))
    assert layer(x).mean() < 0.2


@pytest.mark.parametrize("places", [(), (3, 5)], ids=["units", "maps"])
def test_virtual_normalisation_by_its_formula(places: tuple[int, ...]) -> None:
    """Mean and variance over the reference batch and the example, found by putting them into one tensor."""
    with seeded(0):
        rows = torch.randn(6, 2, *places, dtype=torch.float64)
    layer = VirtualBatchNorm(2, reference=4).double()
    layer.weight.data, layer.bias.data = torch.tensor([2.0, 0.5]).double(), torch.tensor([0.1, -3.0]).double()
    found = layer(rows)
    for one in (4, 5):
        together = torch.cat([rows[:4], rows[one : one + 1]]).transpose(0, 1).flatten(1)
        mean, spread = together.mean(1), (together.var(1, correction=0) + 1e-5).sqrt()
        for unit in range(2):
            expected = (rows[one, unit] - mean[unit]) / spread[unit] * layer.weight[unit] + layer.bias[unit]
            torch.testing.assert_close(found[one, unit], expected)


@pytest.mark.parametrize("network", ["dense", "convolution"])
def test_virtual_normalisation_does_not_see_the_rest_of_the_batch(network: str) -> None:
    networks = Adversaries(
        latent=3,
        network=network,  # type: ignore[arg-type]
        generator=(6, 5),
        discriminator=(6, 5),
        generator_norm="virtual",
        discriminator_norm="virtual",
        reference=4,
    )
    with seeded(0):
        generator, judge = Generator(networks, (2, 9, 8)), Discriminator(networks, (2, 9, 8))
        judge.take(torch.rand(3, 2, 9, 8))
        latent = generator.prior(5)
    x = generator(latent)
    torch.testing.assert_close(generator(latent[:1]), x[:1])
    torch.testing.assert_close(judge(x[3:]), judge(x)[3:])
    moved = judge(torch.cat([x[:1], 1 - x[1:]]))[:1]
    torch.testing.assert_close(moved, judge(x)[:1])
    batch = Discriminator(Adversaries(network="dense", discriminator_norm="batch", discriminator=(6, 5)), (2, 9, 8))
    assert not torch.allclose(batch(torch.cat([x[:1], 1 - x[1:]]))[:1], batch(x)[:1])


def test_history_is_the_mean_of_all_parameters_so_far() -> None:
    network = nn.Linear(2, 1)
    history, seen = ParameterHistory(network), []
    for number in range(4):
        with torch.no_grad():
            network.weight.fill_(float(number**2))
            network.bias.fill_(-float(number))
        seen.append(torch.cat([network.weight.detach().flatten(), network.bias.detach()]))
        penalty = history.penalty(network)
        expected = (seen[-1] - torch.stack(seen).mean(0)).square().sum()
        torch.testing.assert_close(penalty.detach(), expected)
    penalty.backward()
    torch.testing.assert_close(network.bias.grad, 2 * (seen[-1] - torch.stack(seen).mean(0))[2:])


def test_energy_distance_against_a_loop_and_its_closed_form() -> None:
    """Of N(0, 1) and N(2, 1) on a line: <|N(m, 2)|> has a closed form."""
    with seeded(0):
        x, y = torch.randn(4, 3), torch.randn(5, 3)
        far, near = torch.randn(3000, 1).double(), 2 + torch.randn(3000, 1).double()
    across = sum(float((a - b).norm()) for a in x for b in y) / 20
    own = [
        sum(float((a - b).norm()) for i, a in enumerate(s) for b in s[:i]) * 2 / (len(s) * (len(s) - 1)) for s in (x, y)
    ]
    assert float(energy_distance(x, y)) == pytest.approx(2 * across - sum(own), abs=1e-5)
    spread = 2**0.5
    phi = torch.distributions.Normal(0.0, 1.0).cdf(torch.tensor(-2 / spread))
    folded = spread * (2 / torch.pi) ** 0.5 * torch.tensor(-1.0).exp() + 2 * (1 - 2 * phi)
    exact = float(2 * folded - 2 * spread * (2 / torch.pi) ** 0.5)
    assert float(energy_distance(far, near)) == pytest.approx(exact, rel=0.05)


def test_energy_distance_is_as_exact_under_reduced_precision() -> None:
    with seeded(0):
        x, y = torch.rand(40, 600), 0.1 + torch.rand(40, 600)
    with torch.autocast("cpu", torch.bfloat16):
        found = energy_distance(x, y)
    torch.testing.assert_close(found, energy_distance(x, y))
