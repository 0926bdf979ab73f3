"""Kinds of units against sums and integrals over their states."""

import math

import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.nn.energy.units import UNITS, Kind
from untaught.randomness import seeded

GRID = torch.linspace(-30, 30, 60_001, dtype=torch.float64)
STEP = float(GRID[1] - GRID[0])
X = torch.tensor([-1.5, 0.2, 2.0], dtype=torch.float64)


def moments(kind: Kind) -> tuple[Tensor, Tensor]:
    """Means and log z under the inputs X, by summing or integrating exp(x.v - A(v)) over all states."""
    if kind == "softmax":
        weights = X.exp()
        return weights / weights.sum(), weights.sum().log()
    states = torch.tensor([0.0, 1.0], dtype=torch.float64) if kind == "bernoulli" else GRID
    own = torch.stack([UNITS[kind].own_energy(state[None]) for state in states]) if kind == "bernoulli" else GRID**2 / 2
    weights = torch.exp(X[:, None] * states - own) * (1.0 if kind == "bernoulli" else STEP)
    return (weights * states).sum(1) / weights.sum(1), weights.sum(1).log().sum()


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "softmax"])
def test_means_and_log_sums_are_those_over_all_states(kind: Kind) -> None:
    mean, log_sum = moments(kind)
    torch.testing.assert_close(UNITS[kind].mean(X), mean)
    torch.testing.assert_close(UNITS[kind].log_sum(X), log_sum)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "softmax"])
def test_mean_is_the_slope_of_the_log_sum(kind: Kind) -> None:
    x = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(UNITS[kind].log_sum(x), x)
    torch.testing.assert_close(UNITS[kind].mean(X), slope)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "softmax", "relu"])
def test_draws_have_the_mean(kind: Kind) -> None:
    with seeded(0):
        draws = UNITS[kind].draw(X.expand(200_000, 3))
    far = (draws.mean(0) - UNITS[kind].mean(X)) / (draws.std(0) / 200_000**0.5)
    assert far.abs().max() < 4


def test_gaussian_draws_have_variance_one_and_softmax_draws_are_one_hot() -> None:
    with seeded(1):
        gaussian, softmax = UNITS["gaussian"].draw(X.expand(200_000, 3)), UNITS["softmax"].draw(X.expand(1000, 3))
    assert (gaussian.var(0) - 1).abs().max() < 4 * (2 / 200_000) ** 0.5
    assert torch.equal(softmax.sum(1), torch.ones(1000, dtype=torch.float64))
    assert set(softmax.unique().tolist()) == {0.0, 1.0}


def test_gaussian_own_energy_is_half_the_squares() -> None:
    torch.testing.assert_close(UNITS["gaussian"].own_energy(X), torch.tensor((1.5**2 + 0.2**2 + 4) / 2).double())


def test_mean_of_a_rectified_unit_is_never_below_zero() -> None:
    x = torch.linspace(-60, 60, 1001)
    mean = UNITS["relu"].mean(x)
    assert (mean >= 0).all() and mean.isfinite().all()
    torch.testing.assert_close(mean[-1], x[-1])


def test_rectified_units_have_no_energy() -> None:
    for ask in (UNITS["relu"].log_sum, UNITS["relu"].own_energy):
        with pytest.raises(ConfigError, match="no likelihood"):
            ask(X)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "softmax"])
def test_bias_gives_the_mean_of_what_was_seen(kind: Kind) -> None:
    with seeded(2):
        seen = UNITS[kind].draw(X.expand(5000, 3))
    found = UNITS[kind].mean(UNITS[kind].bias_for(seen))
    torch.testing.assert_close(found, seen.mean(0), rtol=0, atol=1e-3)


def test_a_unit_that_never_changed_is_not_certain() -> None:
    for kind in ("bernoulli", "softmax"):
        bias = UNITS[kind].bias_for(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
        assert bias.isfinite().all() and float(UNITS[kind].mean(bias)[1]) > 0


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(DataError, match="-0.5"):
        UNITS["bernoulli"].bias_for(torch.tensor([[-0.5, 1.0]]))
    with pytest.raises(DataError, match="sum 1"):
        UNITS["softmax"].bias_for(torch.tensor([[0.5, 0.2]]))
    assert math.isfinite(float(UNITS["gaussian"].bias_for(torch.tensor([[-0.5, 1.0]])).sum()))


def test_shares_that_were_seen_count_one_example_more_for_each_unit() -> None:
    seen = torch.eye(3, dtype=torch.float64)[[0, 0, 0, 1]]
    torch.testing.assert_close(UNITS["softmax"].bias_for(seen).exp() * 7, torch.tensor([4.0, 2.0, 1.0]).double())
