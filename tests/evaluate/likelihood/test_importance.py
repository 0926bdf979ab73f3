"""Importance sampling against quadrature, and against one chunk by hand."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tests.evaluate.fakes import subject_of
from untaught.capability import LatentVariable
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.likelihood import importance
from untaught.evaluate.likelihood.importance import importance_bounds, nested_bounds
from untaught.evaluate.measures.likelihood import MEASURE, Effort, caution, likelihood
from untaught.evaluate.quantity import facts
from untaught.models.vae import VAE
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded

X = torch.rand(70, 6, generator=torch.Generator().manual_seed(1)).round()


def model() -> VAE:
    with seeded(0):
        made = VAE(VAE.Config(networks=Networks(latent=2, hidden=(7,), activation="tanh")), (6,))
        for weight in made.decoder.parameters():
            weight.data.mul_(3.0)
    return made.eval()


@torch.no_grad()
def by_quadrature(vae: VAE, x: Tensor) -> Tensor:
    line = torch.linspace(-8, 8, 300, dtype=torch.float64)
    nodes, cell = torch.cartesian_prod(line, line), 2 * math.log(16 / 299)
    exact = vae.double()
    found = [torch.logsumexp(exact.log_joint(one.double().expand(len(nodes), -1), nodes) + cell, 0) for one in x]
    vae.float()
    return torch.stack(found)


def test_chunks_give_what_one_sum_gives() -> None:
    weights = torch.randn(70, 11, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    dealt: dict[int, int] = {}

    def weigh(x: Tensor, draws: int) -> Tensor:
        """Deals out the rows' weights, a few columns at a time."""
        rows = x[:, 0].long()
        first = int(rows[0])
        begin = dealt.get(first, 0)
        dealt[first] = begin + draws
        return weights[rows][:, begin : begin + draws]

    x = torch.arange(70.0)[:, None].expand(-1, importance.VALUES_AT_ONCE["cpu"] // 32 // 4)
    found = importance_bounds(weigh, x, 11)
    assert dealt == {0: 11, 32: 11, 64: 11}
    torch.testing.assert_close(found.nats, weights.logsumexp(1) - math.log(11))
    torch.testing.assert_close(found.single, weights.mean(1))
    torch.testing.assert_close(found.effective, weights.exp().sum(1) ** 2 / (2 * weights).exp().sum(1))


@torch.no_grad()
def test_estimate_is_the_likelihood() -> None:
    vae, exact = model(), by_quadrature(model(), X[:20])
    with seeded(0):
        found = importance_bounds(vae.log_weights, X[:20], 20_000)
    error = (1 / found.effective - 1 / 20_000).sqrt()
    assert ((found.nats - exact).abs() < 4.5 * error).all()
    assert (found.single < found.nats).all()


@torch.no_grad()
def test_a_model_that_draws_each_example_alone_gives_the_same() -> None:
    """What every model with latent variables can do, and what this one does faster, have one distribution."""
    vae = model()
    with seeded(0):
        own = vae.log_weights(X[:3], 20_000)
        plain = LatentVariable.log_weights(vae, X[:3], 20_000)
    apart = (own.mean(1) - plain.mean(1)).abs()
    assert (apart < 4.5 * ((own.var(1) + plain.var(1)) / 20_000).sqrt()).all()
    torch.testing.assert_close(own.std(1), plain.std(1), rtol=0.05, atol=0)


def test_bounds_of_the_same_draws_never_fall() -> None:
    """By Jensen's inequality: a group's bound is at least the mean of its parts'."""
    weights = 3 * torch.randn(50, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    bounds = nested_bounds(weights, (1, 2, 4, 16, 64))
    assert (bounds.diff(dim=0) >= 0).all()
    torch.testing.assert_close(bounds[0], weights.mean(1))
    torch.testing.assert_close(bounds[-1], weights.logsumexp(1) - math.log(64))


def test_likelihood_measure() -> None:
    vae = model()
    subject = subject_of(vae, Part.of(X), Part.of(X), View(binarise=True))
    exact = by_quadrature(vae, X)
    with seeded(0):
        found = MEASURE.as_json(likelihood(subject, Effort(draws=5_000)))
    assert abs(found["log_likelihood_nats"] - float(exact.mean())) < 0.02
    assert found["evidence_lower_bound_nats"] < found["log_likelihood_nats"]
    assert found["kind"] == "lower bound" and found["importance_samples"] == 5_000
    assert 1 <= found["effective_samples"] <= 5_000
    assert {"independent_pixels", "coin_flips"} <= found["baselines"].keys()
    short = evaluate(subject, ["likelihood"])["likelihood"]
    assert abs(short["log_likelihood_nats"] - float(exact.mean())) < 0.1


def test_few_effective_samples_are_told() -> None:
    few = {one.name: one for one in facts(effective_samples=1.2, importance_samples=500)}
    assert "of 500 draws" in caution(few) and "1.2 carry it" in caution(few)
    assert caution({one.name: one for one in facts(effective_samples=40.0, importance_samples=500)}) == ""
