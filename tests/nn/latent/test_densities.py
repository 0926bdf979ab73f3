"""Densities against torch.distributions, the divergence against Monte Carlo."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from untaught.errors import DataError
from untaught.nn.latent.densities import (
    LEAST_DEVIATION,
    OutputDensity,
    divergence,
    normal_log_density,
    standard_log_density,
)
from untaught.randomness import seeded

GENERATOR = torch.Generator().manual_seed(0)
MEAN, LOG_VARIANCE, Z = torch.randn(3, 5, 4, generator=GENERATOR, dtype=torch.float64).unbind(0)
Q = Normal(MEAN, (LOG_VARIANCE / 2).exp())


def test_normal_density() -> None:
    torch.testing.assert_close(normal_log_density(Z, MEAN, LOG_VARIANCE), Q.log_prob(Z).sum(1))
    torch.testing.assert_close(standard_log_density(Z), Normal(0.0, 1.0).log_prob(Z).sum(1))


def test_divergence_is_what_torch_has_and_what_draws_give() -> None:
    found = divergence(MEAN, LOG_VARIANCE)
    torch.testing.assert_close(found, kl_divergence(Q, Normal(torch.zeros_like(MEAN), torch.ones_like(MEAN))))
    with seeded(0):
        draws = Q.sample((40_000,))
    terms = Q.log_prob(draws) - Normal(0.0, 1.0).log_prob(draws)
    assert ((terms.mean(0) - found).abs() < 4.5 * terms.std(0) / math.sqrt(len(draws))).all()


def looked(kind: str, x: torch.Tensor, deviation: float | None = None) -> OutputDensity:
    density = OutputDensity(kind, x.shape[1], deviation).double()  # type: ignore[arg-type]
    density.look(x)
    return density


@pytest.mark.parametrize("deviation", [None, 0.3])
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "squashed"])
def test_output_density(kind: str, deviation: float | None) -> None:
    if kind == "bernoulli" and deviation:
        return
    x = torch.rand(6, 3, generator=GENERATOR, dtype=torch.float64)
    x = x.round() if kind == "bernoulli" else 3 * x - 1
    density = looked(kind, x, deviation)
    numbers = torch.randn(6, 2, 3 * density.numbers, generator=GENERATOR, dtype=torch.float64)
    shifted = numbers + density.offset
    if kind == "bernoulli":
        expected = Bernoulli(logits=shifted).log_prob(x[:, None].expand_as(shifted))
    else:
        mean = shifted[..., :3]
        if kind == "squashed":
            low, high = min(0.0, float(x.min())), max(1.0, float(x.max()))
            mean = low + (high - low) / (1 + (-mean).exp())
        spread = torch.full_like(mean, 0.3) if deviation else (shifted[..., 3:].exp() + LEAST_DEVIATION**2).sqrt()
        expected = Normal(mean, spread).log_prob(x[:, None])
        torch.testing.assert_close(density.mean(numbers), mean, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(density.log_density(numbers, x), expected.sum(-1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "squashed"])
def test_at_first_values_have_the_datas_mean_and_variance(kind: str) -> None:
    x = 0.2 + 0.6 * torch.rand(500, 3, generator=GENERATOR, dtype=torch.float64)
    density = looked(kind, x)
    nothing = torch.zeros(1, 3 * density.numbers, dtype=torch.float64)
    torch.testing.assert_close(density.mean(nothing)[0], x.mean(0), rtol=1e-6, atol=1e-6)
    if kind != "bernoulli":
        deviation = (0.5 * density.log_variance(nothing)).exp()[0]
        torch.testing.assert_close(deviation, x.std(0, correction=0), rtol=0.01, atol=0)


def test_values_that_never_change_have_a_finite_density() -> None:
    x = torch.zeros(5, 2, dtype=torch.float64)
    density = looked("gaussian", x)
    low = torch.full((5, 1, 4), -1e3, dtype=torch.float64)
    low[..., :2] = 0
    most = -math.log(LEAST_DEVIATION * math.sqrt(2 * math.pi))
    torch.testing.assert_close(density.log_density(low, x), torch.full((5, 1), 2 * most, dtype=torch.float64))


def test_bernoulli_outputs_refuse_what_is_no_probability() -> None:
    with pytest.raises(DataError, match="from -1 to 0.5"):
        OutputDensity("bernoulli", 2).look(torch.tensor([[-1.0, 0.5]]))


@torch.no_grad()
@pytest.mark.parametrize(
    ("kind", "deviation"),
    [("bernoulli", None), ("gaussian", None), ("gaussian", 0.3), ("squashed", None), ("squashed", 0.3)],
)
def test_every_example_under_every_draw_is_each_under_each(kind: str, deviation: float | None) -> None:
    """The matrix products of shared draws against one density at a time."""
    outputs, x = OutputDensity(kind, 4, deviation).double(), torch.rand(3, 4, generator=GENERATOR).double()  # type: ignore[arg-type]
    outputs.look(x.round() if kind == "bernoulli" else x)
    numbers = torch.randn(5, 4 * outputs.numbers, generator=GENERATOR).double()
    each = torch.cat([outputs.log_density(numbers[None, draw : draw + 1].expand(3, -1, -1), x) for draw in range(5)], 1)
    torch.testing.assert_close(outputs.log_density_of_each(numbers, x), each)


@pytest.mark.parametrize("kind", ["gaussian", "squashed"])
def test_slope_is_the_derivative_of_the_mean(kind: str) -> None:
    outputs = OutputDensity(kind, 4).double()  # type: ignore[arg-type]
    outputs.look(4 * torch.rand(30, 4, generator=GENERATOR).double() - 1)
    numbers = torch.cat([torch.randn(4, generator=GENERATOR), torch.zeros(4)]).double().requires_grad_()
    mean = outputs.mean(numbers)
    (steep,) = torch.autograd.grad(mean.sum(), numbers)
    torch.testing.assert_close(outputs.slope(mean.detach()), steep[:4])


def test_variances_begin_as_they_are_set() -> None:
    outputs = OutputDensity("gaussian", 3).double()
    outputs.begin_spread(torch.tensor([0.25, 1.0, 9.0], dtype=torch.float64))
    assert outputs.log_variance(torch.zeros(6).double()).exp().tolist() == pytest.approx([0.25, 1.0, 9.0], rel=1e-3)
