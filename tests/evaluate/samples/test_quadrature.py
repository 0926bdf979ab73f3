"""Divergences on a lattice beside closed forms, random draws, and the best discriminator's value."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch

from untaught.evaluate.samples.quadrature import Divergence, Lattice, NormalMixture, nearest_normal
from untaught.randomness import seeded

LINE = Lattice.of(1, reach=14.0, points=2001)
PLANE = Lattice.of(2, reach=9.0, points=241)
PAIR = NormalMixture(torch.tensor([[-2.0], [2.0]]), 0.5)


def normal(mean: list[float], deviation: float) -> NormalMixture:
    return NormalMixture(torch.tensor([mean]), deviation)


@pytest.mark.parametrize("lattice", [LINE, PLANE], ids=["line", "plane"])
def test_divergences_of_two_gaussians_are_those_in_closed_form(lattice: Lattice) -> None:
    n = lattice.at.shape[1]
    p, q = (normal(*one).log_density(lattice.at) for one in (([0.5] * n, 1.0), ([-0.3] * n, 1.4)))

    def closed(shift: float, own: float, other: float) -> float:
        return n * (math.log(other / own) + (own**2 + shift**2) / (2 * other**2) - 0.5)

    assert float(lattice.divergence("forward", p, q)) == pytest.approx(closed(0.8, 1.0, 1.4), abs=1e-7)
    assert float(lattice.divergence("reverse", p, q)) == pytest.approx(closed(0.8, 1.4, 1.0), abs=1e-7)
    assert float(lattice.cell * p.exp().sum()) == pytest.approx(1, abs=1e-9)


def test_divergences_of_mixtures_are_the_means_of_draws() -> None:
    """KL and JS by a million draws, within four standard errors."""
    weights = torch.tensor([0.3, 0.7])
    p = NormalMixture(torch.tensor([[-1.0, 0.0], [1.5, 1.0]]), 0.6, weights)
    q = NormalMixture(torch.tensor([[0.0, 0.0], [2.0, -1.0]]), 0.9)
    at_p, at_q = p.log_density(PLANE.at), q.log_density(PLANE.at)
    with seeded(0):
        drawn = {
            "p": p.centres[torch.multinomial(weights, 100_000, replacement=True)] + 0.6 * torch.randn(100_000, 2),
            "q": q.centres[torch.randint(2, (100_000,))] + 0.9 * torch.randn(100_000, 2),
        }
    x, y = drawn["p"].double(), drawn["q"].double()
    between = [torch.logaddexp(p.log_density(z), q.log_density(z)) - math.log(2) for z in (x, y)]
    found = {
        "forward": p.log_density(x) - q.log_density(x),
        "reverse": q.log_density(y) - p.log_density(y),
        "jensen_shannon": 0.5 * (p.log_density(x) - between[0] + q.log_density(y) - between[1]),
    }
    for kind, each in found.items():
        exact = float(PLANE.divergence(kind, at_p, at_q))  # type: ignore[arg-type]
        assert abs(float(each.mean()) - exact) < 4 * float(each.std()) / len(each) ** 0.5, kind


def test_the_best_discriminators_value_is_that_of_the_divergence() -> None:
    p, q = PAIR.log_density(LINE.at), normal([0.0], 1.5).log_density(LINE.at)
    expected = 2 * LINE.divergence("jensen_shannon", p, q) - math.log(4)
    torch.testing.assert_close(LINE.value(p, q), expected)
    assert float(LINE.value(p, p)) == pytest.approx(-math.log(4))


@pytest.mark.parametrize(("apart", "covers"), [(2.0, True), (3.0, False)])
def test_the_nearest_gaussian_covers_both_modes_or_keeps_to_one(apart: float, covers: bool) -> None:
    """KL(p||q) is least at p's own mean and variance, KL(q||p) at one mode, log 2 from p; JS at either, by distance."""
    pair = NormalMixture(torch.tensor([[-apart], [apart]]), 0.5)
    begins = ([-apart], [0.1], [apart])
    found = {kind: nearest_normal(kind, pair.log_density, LINE, begins) for kind in get_args(Divergence)}
    covering, keeping, between = (found[kind] for kind in get_args(Divergence))
    assert float(covering.density.centres.abs()) < 1e-3
    assert float(torch.as_tensor(covering.density.deviation)) == pytest.approx((0.25 + apart**2) ** 0.5, rel=1e-3)
    assert float(keeping.density.centres.abs()) == pytest.approx(apart, rel=0.01)
    assert keeping.divergence == pytest.approx(math.log(2), rel=0.01)
    assert (float(between.density.centres.abs()) < 1e-2) == covers
    for kind, one in found.items():
        aside = NormalMixture(one.density.centres + 0.05, one.density.deviation).log_density(LINE.at)
        assert float(LINE.divergence(kind, pair.log_density(LINE.at), aside)) > one.divergence
