"""The likelihood by many draws, beside annealing, of a model whose likelihood is known."""

from __future__ import annotations

import math

import pytest
import torch

from tests.evaluate.fakes import Linear, subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.measures import many_draws
from untaught.evaluate.measures.many_draws import MEASURE
from untaught.models.vae import VAE
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded


def test_a_linear_model_has_the_likelihood_of_a_normal_distribution() -> None:
    generator = torch.Generator().manual_seed(0)
    basis = torch.randn(4, 2, generator=generator)
    x = torch.randn(60, 2, generator=generator) @ basis.T + 0.5 * torch.randn(60, 4, generator=generator)
    config = VAE.Config(networks=Networks(latent=2, hidden=()), output="gaussian", deviation=0.5)
    model = VAE(config, (4,)).eval()
    model.decoder.network.load_state_dict({"layers.0.weight": basis, "layers.0.bias": torch.zeros(4)})
    inverse = torch.linalg.inv(basis.T @ basis + 0.25 * torch.eye(2))
    up = torch.cat([inverse @ basis.T, torch.zeros(2, 4)])
    bias = torch.tensor([0.0, 0.0, *(0.25 * inverse.diagonal()).log()])
    model.encoder.network.load_state_dict({"layers.0.weight": up, "layers.0.bias": bias})
    found = evaluate(subject_of(model, Part.of(x), Part.of(x), View()), ["many_draws"])["many_draws"]
    normal = torch.distributions.MultivariateNormal(torch.zeros(4), basis @ basis.T + 0.25 * torch.eye(4))
    assert found["log_likelihood_nats"] == pytest.approx(float(normal.log_prob(x).mean()), abs=0.02)
    assert found["importance_samples"] == 5_000 and math.isfinite(found["annealed_nats"])
    weighed = found["annealed_nats_baselines"]["importance_sampling"]
    assert found["annealed_nats"] == pytest.approx(weighed, abs=0.3)


@pytest.mark.parametrize("binarise", [False, True])
def test_what_is_annealed_is_what_the_model_was_shown(binarise: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grey values, or zeros and ones that are drawn with their probabilities."""
    seen: list[torch.Tensor] = []

    def annealed(log_joint: object, x: torch.Tensor, latent: int, temperatures: int) -> torch.Tensor:
        seen.append(x)
        return torch.zeros(len(x))

    monkeypatch.setattr(many_draws, "annealed_log_likelihood", annealed)
    with seeded(0):
        model, grey = VAE(VAE.Config(networks=Networks(latent=2, hidden=(3,))), (4,)).eval(), torch.rand(30, 4)
    part = Part.of(0.2 + 0.6 * grey)
    evaluate(subject_of(model, part, part, View(binarise=binarise)), ["many_draws"])
    assert bool(((seen[0] == 0) | (seen[0] == 1)).all()) == binarise


def test_many_latents_are_not_annealed() -> None:
    """Annealing is for small latents."""
    with seeded(0):
        model = VAE(VAE.Config(networks=Networks(latent=many_draws.MOST_ANNEALED + 1, hidden=(3,))), (4,)).eval()
    part = Part.of(torch.rand(5, 4).round())
    assert "annealed_nats" not in evaluate(subject_of(model, part, part, View()), ["many_draws"])["many_draws"]


def test_it_is_for_latent_variables_alone() -> None:
    part = Part.of(torch.rand(20, 6))
    assert "no latent variables" in str(MEASURE.applies(subject_of(Linear(Linear.Config(), (6,)), part, part)))
    assert MEASURE.by_name
