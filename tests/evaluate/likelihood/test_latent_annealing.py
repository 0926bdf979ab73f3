"""Annealed importance sampling of latents against quadrature, and where an encoder is wrong."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from untaught.evaluate.likelihood.importance import importance_bounds
from untaught.evaluate.likelihood.latent_annealing import annealed_log_likelihood
from untaught.models.vae import VAE
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded

X = torch.rand(6, 8, generator=torch.Generator().manual_seed(1)).round().double()


def model() -> VAE:
    with seeded(0):
        made = VAE(VAE.Config(networks=Networks(latent=2, hidden=(9,), activation="tanh")), (8,)).double()
        for weight in made.decoder.parameters():
            weight.data.mul_(4.0)
    return made.eval()


@torch.no_grad()
def exact(vae: VAE) -> Tensor:
    line = torch.linspace(-8, 8, 160, dtype=torch.float64)
    nodes, cell = torch.cartesian_prod(line, line), 2 * math.log(16 / 159)
    return torch.stack([torch.logsumexp(vae.log_joint(one.expand(len(nodes), -1), nodes) + cell, 0) for one in X])


@torch.no_grad()
@pytest.mark.slow
def test_annealing_is_the_likelihood() -> None:
    """Weights have the mean p(x): several runs together, by their own standard error."""
    vae, truth = model(), exact(model())
    with seeded(0):
        runs = torch.stack([annealed_log_likelihood(vae.log_joint, X, 2, 20, 40) for _ in range(8)])
    ratio = (runs - truth).exp()
    assert ((ratio.mean(0) - 1).abs() < 4.5 * ratio.std(0) / math.sqrt(8) + 1e-9).all()
    with seeded(1):
        slow = torch.stack([annealed_log_likelihood(vae.log_joint, X, 2, 20, 160) for _ in range(3)])
    assert float((slow - truth).square().mean()) < float((runs - truth).square().mean()) / 2


@torch.no_grad()
def test_it_does_not_depend_on_the_encoder() -> None:
    """An encoder that is certain of a wrong code misleads importance sampling, and not this."""
    vae, truth = model(), exact(model())
    last = vae.encoder.network.get_submodule("layers.1")
    last.get_parameter("bias").copy_(torch.tensor([4.0, 4.0, -4.0, -4.0]))
    with seeded(0):
        misled = importance_bounds(vae.log_weights, X, 200).nats
        annealed = annealed_log_likelihood(vae.log_joint, X, 2, 20, 100)
    assert float((truth - misled).mean()) > 1
    assert float((truth - annealed).abs().max()) < 0.2
