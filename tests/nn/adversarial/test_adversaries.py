"""Both networks of a game by hand: the dense discriminator, its corruptions and maxout units, what a generator sees."""

from __future__ import annotations

import pytest
import torch

from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.discriminator_network import Corrupted, Discriminator, Maxout
from untaught.nn.adversarial.generator_network import AT_ONCE, Generator
from untaught.randomness import seeded


@pytest.mark.parametrize("units", ["leaky", "relu", "maxout"])
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
def test_a_dense_discriminator_by_hand(units: str, output: str) -> None:
    """Values from 0 to 1 are centred, others are not; what stands beside follows them."""
    networks = Adversaries(discriminator=(4, 3), discriminator_units=units, output=output)  # type: ignore[arg-type]
    with seeded(0):
        network, x, beside = (
            Discriminator(networks, (1, 2, 3), beside=2, outputs=2),
            torch.rand(5, 1, 2, 3),
            torch.rand(5, 2),
        )
    h = torch.cat([(2 * x - 1 if output == "sigmoid" else x).flatten(1), beside], 1)
    for layer in network.layers:
        linear = layer.linear if isinstance(layer, Maxout) else layer
        h = h @ linear.get_parameter("weight").T + linear.get_parameter("bias")
        if units == "maxout":
            h = torch.stack([h[:, 5 * unit : 5 * unit + 5].max(1).values for unit in range(h.shape[1] // 5)], 1)
        else:
            h = torch.where(h > 0, h, (0.2 if units == "leaky" else 0.0) * h)
    torch.testing.assert_close(network.features(x, beside), h)
    expected = h @ network.head.get_parameter("weight").T + network.head.get_parameter("bias")
    torch.testing.assert_close(network(x, beside), expected)


def test_inputs_are_dropped_and_the_rest_enlarged() -> None:
    """In the mean over draws an input is what it was; within four standard errors of 20,000."""
    layer, x = Corrupted(0.3, 0.0), torch.ones(20_000)
    with seeded(0):
        found = layer(x)
    dropped = found == 0
    assert torch.allclose(found[~dropped], torch.tensor(1 / 0.7))
    assert float(dropped.float().mean()) == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / 20_000) ** 0.5)


def test_noise_has_its_deviation_and_neither_is_there_once_it_has_learnt() -> None:
    layer, x = Corrupted(0.0, 0.5), torch.zeros(20_000)
    with seeded(0):
        assert float(layer(x).std()) == pytest.approx(0.5, abs=4 * 0.5 / 40_000**0.5)
    both = Corrupted(0.3, 0.5).eval()
    assert torch.equal(both(x), x)


def test_each_layer_and_the_output_have_their_own_corruption() -> None:
    network = Discriminator(Adversaries(discriminator=(4, 3), dropout=(0.2, 0.5, 0.4), noise=(0.3,)), (6,))
    assert [(one.dropped, one.deviation) for one in network.corrupted] == [(0.2, 0.3), (0.5, 0.3), (0.4, 0.3)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_latents_have_the_moments_of_their_prior(prior: str) -> None:
    """Mean 0, variance 1/3 or 1; within four standard errors of 20,000 numbers."""
    with seeded(0):
        z = Generator(Adversaries(latent=10, prior=prior), (4,)).prior(2_000)  # type: ignore[arg-type]
    variance, fourth = (1 / 3, 1 / 5) if prior == "uniform" else (1.0, 3.0)
    assert float(z.mean()) == pytest.approx(0, abs=4 * (variance / z.numel()) ** 0.5)
    assert float(z.square().mean()) == pytest.approx(variance, abs=4 * ((fourth - variance**2) / z.numel()) ** 0.5)
    assert (float(z.abs().max()) <= 1) == (prior == "uniform")


def test_each_sample_is_made_of_its_own_row_beside() -> None:
    """Also where they are made in several portions."""
    count = AT_ONCE + 3
    with seeded(0):
        generator = Generator(Adversaries(latent=2, generator=(3,)), (4,), beside=1)
    beside = torch.arange(count)[:, None] / count
    latent = generator.prior(count)
    made = generator.made(torch.cat([latent, beside], 1))
    with torch.no_grad():
        torch.testing.assert_close(made, generator(latent, beside))
