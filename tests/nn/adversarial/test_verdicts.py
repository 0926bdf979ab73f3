"""Losses of the players, against densities that are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from untaught.nn.adversarial.verdicts import Fooling, fooling, telling_apart, told_right, value

GRID = torch.linspace(-14, 14, 8001, dtype=torch.float64)
CELL = float(GRID[1] - GRID[0])


def bump(mean: float, spread: float) -> Normal:
    """A density on a line."""
    return Normal(torch.tensor(mean, dtype=torch.float64), torch.tensor(spread, dtype=torch.float64))


def quantiles(density: Normal, count: int = 20_000) -> Tensor:
    """Points that stand for equal shares of the density, so that means over them are integrals."""
    return density.icdf((torch.arange(count, dtype=torch.float64) + 0.5) / count)


def test_optimal_discriminator_is_p_over_p_plus_q() -> None:
    """Of examples and made ones in three places with shares p and q, by descending the loss."""
    places = torch.tensor([0] * 5 + [1] * 3 + [2] * 2), torch.tensor([0] * 1 + [1] * 3 + [2] * 6)
    p, q = (torch.bincount(where) / 10 for where in places)
    logit = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.Adam([logit], 0.2)
    for _ in range(150):
        optimiser.zero_grad()
        telling_apart(logit[places[0]], logit[places[1]]).backward()
        optimiser.step()
    torch.testing.assert_close(logit.detach().sigmoid(), p / (p + q), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (0.5, 1.0), (2.0, 1.5)])
def test_value_at_the_optimum_is_twice_the_divergence_less_log_4(mean: float, spread: float) -> None:
    """Of two densities on a line, by quadrature; any other discriminator has a lower value."""
    p, q = bump(0.0, 1.0), bump(mean, spread)
    real, made = quantiles(p), quantiles(q)
    found = value(p.log_prob(real) - q.log_prob(real), p.log_prob(made) - q.log_prob(made))
    density, other = p.log_prob(GRID).exp(), q.log_prob(GRID).exp()
    middle = (density + other) / 2
    divergence = 0.5 * CELL * (density * (density / middle).log() + other * (other / middle).log()).sum()
    assert float(found) == pytest.approx(2 * float(divergence) - math.log(4), abs=2e-4)
    if mean == 0.0:
        assert float(found) == pytest.approx(-math.log(4), abs=1e-9)
    bent = [p.log_prob(x) - q.log_prob(x) + 0.2 * x.sin() for x in (real, made)]
    assert value(*bent) < found


def test_losses_are_their_formulas() -> None:
    real, made = torch.tensor([0.3, -1.2, 4.0]), torch.tensor([-0.4, 0.9, 2.0])
    d_real, d_made = real.sigmoid(), made.sigmoid()
    torch.testing.assert_close(value(real, made), d_real.log().mean() + (1 - d_made).log().mean())
    smooth = -(0.9 * d_real.log() + 0.1 * (1 - d_real).log()).mean() - (1 - d_made).log().mean()
    torch.testing.assert_close(telling_apart(real, made, 0.1), smooth)
    torch.testing.assert_close(fooling(made), -d_made.log().mean())
    torch.testing.assert_close(fooling(made, "minimax"), (1 - d_made).log().mean())
    assert float(told_right(real, made)) == pytest.approx(0.5 * (2 / 3 + 1 / 3))


def test_smoothing_keeps_the_best_discriminator_below_certainty() -> None:
    """Where nothing is made the best D is 1 - smoothing: of smoothed targets, (t p) / (p + q) elsewhere."""
    logit = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.Adam([logit], 0.1)
    for _ in range(150):
        optimiser.zero_grad()
        telling_apart(logit, torch.full((1,), -100.0), 0.1).backward()
        optimiser.step()
    assert float(logit.detach().sigmoid()) == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize(("kind", "steep"), [("minimax", False), ("non-saturating", True)])
def test_only_the_minimax_loss_saturates(kind: Fooling, steep: bool) -> None:
    """Where the discriminator is sure that an example is made."""
    made = torch.tensor([-12.0], requires_grad=True)
    fooling(made, kind).backward()
    assert made.grad is not None
    assert (float(made.grad.abs()) > 0.9) == steep
