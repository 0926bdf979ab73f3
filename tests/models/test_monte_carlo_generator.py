"""The naive generator: its bound by hand and by quadrature, and how much looser it is than an encoder's."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from untaught.errors import ConfigError
from untaught.model import Batch
from untaught.models.monte_carlo_generator import MonteCarloGenerator
from untaught.models.vae import VAE
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded

ONE = torch.ones(())
X = torch.rand(4, 6, generator=torch.Generator().manual_seed(1)).round().double()


def made(latent: int = 2, samples: int = 50, output: str = "bernoulli") -> MonteCarloGenerator:
    networks = Networks(latent=latent, hidden=(7,), activation="tanh")
    with seeded(0):
        config = MonteCarloGenerator.Config(networks=networks, samples=samples, output=output)  # type: ignore[arg-type]
        return MonteCarloGenerator(config, (6,)).double().eval()


@torch.no_grad()
@pytest.mark.parametrize("output", ["bernoulli", "gaussian", "squashed"])
def test_weights_are_likelihoods_of_shared_draws(output: str) -> None:
    model = made(output=output)
    with seeded(4):
        weights = model.log_weights(X, 9)
    with seeded(4):
        latent = model.prior_sample(9)
    numbers = model.decoder(latent) + model.outputs.offset
    if output == "bernoulli":
        expected = Bernoulli(logits=numbers).log_prob(X[:, None]).sum(2)
    else:
        mean, spread = numbers.chunk(2, 1)
        mean = mean if output == "gaussian" else mean.sigmoid()
        expected = Normal(mean, (spread.exp() + 1e-4).sqrt()).log_prob(X[:, None]).sum(2)
    torch.testing.assert_close(weights, expected)
    with seeded(4):
        loss = model.loss(Batch.of(X), "model", ONE)
    with seeded(4):
        fifty = model.log_weights(X, 50)
    torch.testing.assert_close(loss.total, -(fifty.exp().mean(1).log().mean()))
    shares = fifty.softmax(1)
    torch.testing.assert_close(loss.parts["effective_samples"], (1 / shares.square().sum(1)).mean())


@torch.no_grad()
def test_many_draws_give_the_likelihood() -> None:
    model = made()
    line = torch.linspace(-8, 8, 300, dtype=torch.float64)
    nodes, cell = torch.cartesian_prod(line, line), 2 * math.log(16 / 299)
    exact = torch.stack([torch.logsumexp(model.log_joint(one.expand(len(nodes), -1), nodes) + cell, 0) for one in X])
    with seeded(0):
        weights = model.log_weights(X, 50_000)
    error = (weights.softmax(1).square().sum(1) - 1 / 50_000).sqrt()
    assert ((weights.logsumexp(1) - math.log(50_000) - exact).abs() < 4.5 * error).all()
    with seeded(1):
        latent, density = model.posterior_sample(X)
    torch.testing.assert_close(density, Normal(0.0, 1.0).log_prob(latent).sum(1))


@torch.no_grad()
def test_without_an_encoder_the_bound_is_loose_and_one_draw_carries_it() -> None:
    """A decoder that copies twelve latents to 60 values: the encoder that inverts it, against the prior, 100 draws."""
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(60, 12, generator=generator, dtype=torch.float64))[0]
    z = torch.randn(200, 12, generator=generator, dtype=torch.float64)
    x = z @ basis.T + 0.1 * torch.randn(200, 60, generator=generator, dtype=torch.float64)
    networks = Networks(latent=12, hidden=())
    naive = MonteCarloGenerator(MonteCarloGenerator.Config(networks=networks, output="gaussian", deviation=0.1), (60,))
    vae = VAE(VAE.Config(networks=networks, output="gaussian", deviation=0.1), (60,))
    up = {"weight": torch.cat([basis.T, 0 * basis.T]), "bias": torch.tensor([0.0] * 12 + [math.log(0.01)] * 12)}
    for model in (naive, vae):
        model.double().decoder.network.load_state_dict({"layers.0.weight": basis, "layers.0.bias": torch.zeros(60)})
    vae.encoder.network.load_state_dict({f"layers.0.{name}": value for name, value in up.items()})
    with seeded(0):
        weights, bound = naive.log_weights(x, 100), vae.bound(x)
    loose = weights.logsumexp(1) - math.log(100)
    assert float((bound - loose).mean()) > 30
    assert float((1 / weights.softmax(1).square().sum(1)).mean()) < 1.5


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        MonteCarloGenerator.Config(samples=0)
    with pytest.raises(ConfigError, match="no class 1"):
        made().sample(1, 1)


def test_each_example_has_a_draw_of_its_own() -> None:
    """The spread of draws over examples is that of the prior, and densities are those of the draws."""
    with seeded(3):
        latent, nats = made(latent=1).posterior_sample(X[:1].expand(4000, -1))
    assert float(latent.std()) == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(nats, Normal(0, 1).log_prob(latent).sum(1).to(nats.dtype))
