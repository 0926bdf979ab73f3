"""The importance-weighted bound: against quadrature, over draws, and its gradient by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from untaught.errors import ConfigError, DataError
from untaught.evaluate.likelihood.importance import nested_bounds
from untaught.model import Batch
from untaught.models.iwae import IWAE
from untaught.models.vae import VAE
from untaught.nn.latent.densities import normal
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded

ONE = torch.ones(())
X = torch.rand(4, 6, generator=torch.Generator().manual_seed(1)).round().double()


def made(latent: tuple[int, ...], samples: int = 5, objective: str = "iwae") -> IWAE:
    """A small model in float64 whose latents matter."""
    config = IWAE.Config(latent=latent, hidden=(7,) * len(latent), samples=samples, objective=objective)  # type: ignore[arg-type]
    with seeded(0):
        model = IWAE(config, (6,)).double()
        for weight in [*model.decoder.parameters(), *model.stack.down.parameters()]:
            weight.data.mul_(2.0)
    return model.eval()


@torch.no_grad()
def exact(model: IWAE) -> Tensor:
    """Log p(x) by a sum over a fine lattice of all latents."""
    line = torch.linspace(-8, 8, 160, dtype=torch.float64)
    units = sum(model.config.latent)
    nodes = torch.cartesian_prod(*[line] * units).view(-1, units)
    cell = units * math.log(16 / 159)
    return torch.stack([torch.logsumexp(model.log_joint(one.expand(len(nodes), -1), nodes) + cell, 0) for one in X])


@torch.no_grad()
@pytest.mark.parametrize("latent", [(2,), (1, 1)])
def test_bound_rises_with_draws_to_the_likelihood(latent: tuple[int, ...]) -> None:
    model, likelihood = made(latent), exact(made(latent))
    with seeded(0):
        weights = model.log_weights(X, 20_000)
    bounds = nested_bounds(weights, (1, 2, 10, 50, 1000))
    assert (bounds.diff(dim=0) >= 0).all()
    error = (weights.softmax(1).square().sum(1) - 1 / 20_000).sqrt()
    assert ((weights.logsumexp(1) - math.log(20_000) - likelihood).abs() < 4.5 * error).all()
    assert (bounds < likelihood + 4.5 * error).all() and (bounds[0] < likelihood - 0.05).all()


@torch.no_grad()
@pytest.mark.parametrize("latent", [(3,), (3, 2), (4, 3, 2)])
def test_densities_of_layers_are_those_of_torch(latent: tuple[int, ...]) -> None:
    """Each conditional density written out with torch's own normal distribution."""
    model = made(latent)
    with seeded(0):
        drawn, density = model.posterior_sample(X)
    layers = drawn.split(latent, 1)
    up, below = torch.zeros(len(X), dtype=torch.float64), X
    for network, layer in zip(model.stack.up, layers, strict=True):
        mean, log_variance = network(below).chunk(2, 1)
        up, below = up + Normal(mean, (log_variance / 2).exp()).log_prob(layer).sum(1), layer
    torch.testing.assert_close(density, up)
    prior = Normal(0.0, 1.0).log_prob(layers[-1]).sum(1)
    for network, (layer, above) in zip(model.stack.down, pairwise(layers), strict=True):
        mean, log_variance = network(above).chunk(2, 1)
        prior = prior + Normal(mean, (log_variance / 2).exp()).log_prob(layer).sum(1)
    logits = model.decoder(layers[0]) + model.outputs.offset
    visible = torch.distributions.Bernoulli(logits=logits).log_prob(X).sum(1)
    torch.testing.assert_close(model.log_joint(X, drawn), prior + visible)


def test_gradient_counts_draws_by_their_share_of_the_weight() -> None:
    """Equation (4) with each draw's gradient taken alone."""
    model = made((2,), samples=4)
    with seeded(5):
        model.loss(Batch.of(X[:1]), "model", ONE).total.backward()
    with seeded(5):
        weights = model.log_weights(X[:1], 4)[0]
    shares = weights.detach().softmax(0)
    parameters = list(model.parameters())
    each = [torch.autograd.grad(weight, parameters, retain_graph=True) for weight in weights]
    for number, parameter in enumerate(parameters):
        expected = -sum(share * slopes[number] for share, slopes in zip(shares, each, strict=True))
        torch.testing.assert_close(parameter.grad, expected)


@pytest.mark.parametrize("latent", [(2,), (3, 2)])
def test_gradient_through_chosen_draws(latent: tuple[int, ...]) -> None:
    """The value is that of all draws, and with very many taken, so is the gradient."""
    model = made(latent, 6)
    totals, slopes = [], []
    for resampled in (None, 20_000):
        model.config = replace(model.config, resampled=resampled)
        model.zero_grad()
        with seeded(5):
            loss = model.loss(Batch.of(X), "model", ONE)
        loss.total.backward()
        totals.append(loss.total.detach())
        slopes.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))  # type: ignore[union-attr]
    torch.testing.assert_close(*totals)
    assert (slopes[0] - slopes[1]).norm() < 1e-3 * slopes[0].norm()


def test_one_chosen_draw_moves_the_weights_by_its_own_gradient() -> None:
    """Equation (5): of four draws one is taken, and nothing is learnt from the others."""
    model = made((2,), samples=4)
    model.config = replace(model.config, resampled=1)
    with seeded(5):
        model.loss(Batch.of(X[:1]), "model", ONE).total.backward()
    learnt = [parameter.grad for parameter in model.parameters()]
    with seeded(5):
        weights = model.log_weights(X[:1], 4)[0]
    each = [torch.autograd.grad(-weight, list(model.parameters()), retain_graph=True) for weight in weights]
    near = [all(torch.allclose(*pair) for pair in zip(learnt, slopes, strict=True)) for slopes in each]  # type: ignore[arg-type]
    assert sum(near) == 1


def test_one_draw_is_the_variational_autoencoder() -> None:
    """The same weights in both give the same log-weights for the same draws, and both objectives agree."""
    one = made((2,), samples=1)
    networks = Networks(latent=2, hidden=(7, 7), activation="tanh")
    vae = VAE(VAE.Config(networks=networks), (6,)).double().eval()
    vae.encoder.network.load_state_dict(one.stack.up[0].state_dict())
    vae.decoder.network.load_state_dict(one.decoder.state_dict())
    with seeded(2):
        ours = one.log_weights(X, 6)
    with seeded(2):
        theirs = vae.log_weights(X, 6)
    torch.testing.assert_close(ours, theirs)
    totals = []
    for objective in ("iwae", "vae"):
        with seeded(3):
            totals.append(made((2,), 1, objective).loss(Batch.of(X), "model", ONE).total)
    torch.testing.assert_close(*totals)


def test_objective_of_several_draws_each() -> None:
    model = made((2,), 6, "vae")
    with seeded(3):
        loss = model.loss(Batch.of(X), "model", ONE)
    with seeded(3):
        weights = model.log_weights(X, 6)
    torch.testing.assert_close(loss.total, -weights.mean())
    assert loss.parts["upper_bound_nats"] < loss.parts["upper_bound_nats_of_one_draw"]


def test_it_tells_how_many_draws_carry_the_bound() -> None:
    model = made((2,), 6)
    with seeded(3):
        told = model.loss(Batch.of(X), "model", ONE).parts["effective_samples"]
    with seeded(3):
        weights = model.log_weights(X, 6).exp()
    torch.testing.assert_close(told, (weights.sum(1) ** 2 / (weights**2).sum(1)).mean())
    assert 1 < told < 6 and not told.requires_grad


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        IWAE.Config(samples=0)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        IWAE.Config(latent=(0,))
    for latent, hidden in (((), ()), ((5, 2), (20,))):
        with pytest.raises(ConfigError, match="one width for each"):
            IWAE(IWAE.Config(latent=latent, hidden=hidden), (4,))
    with pytest.raises(ConfigError, match="counts all draws alike"):
        IWAE(IWAE.Config(resampled=1, objective="vae"), (4,))
    with pytest.raises(ConfigError, match="resampled=5 of 5 draws leaves none out"):
        IWAE(IWAE.Config(resampled=5), (4,))
    with pytest.raises(ConfigError, match="no class 1"):
        made((2,)).sample(1, 1)
    with pytest.raises(DataError, match="values run from 0 to 9"):
        made((2,)).prepare(Batch.of(9 * X))


@pytest.mark.parametrize("latent", [(3,), (3, 2)])
def test_samples_are_decoded_from_draws_of_the_top_layer_down(latent: tuple[int, ...]) -> None:
    model = made(latent)
    with seeded(1):
        samples = model.sample(4)
    with seeded(1):
        top = normal(torch.zeros(4, latent[-1], dtype=torch.float64))
        lowest = model.stack.prior_sample(top)
    torch.testing.assert_close(samples, torch.sigmoid(model.decoder(lowest)))


def test_filters_of_what_begins_at_components_are_those_of_the_lowest_latents() -> None:
    model = IWAE(IWAE.Config(latent=(3, 2), hidden=(7, 7), start="pca", output="squashed"), (1, 3, 4))
    linear = model.stack.up[0].linear
    assert isinstance(linear, torch.nn.Linear)
    torch.testing.assert_close(model.filters(), linear.weight[:3].unflatten(1, (1, 3, 4)))
