"""Systematic resampling: how often each draw is taken, over all beginnings and in any one."""

from __future__ import annotations

import pytest
import torch

from untaught.nn.latent.resampling import resample
from untaught.randomness import seeded

SHARES = torch.tensor([[0.5, 0.3, 0.2], [0.9, 0.04, 0.06], [1 / 3, 1 / 3, 1 / 3]], dtype=torch.float64)


def counts(shares: torch.Tensor, taken: int) -> torch.Tensor:
    """How often each draw is taken."""
    chosen = resample(shares, taken)
    assert chosen.shape == (len(shares), taken)
    return torch.nn.functional.one_hot(chosen, shares.shape[1]).double().sum(1)


@pytest.mark.parametrize("taken", [1, 2, 7])
def test_draws_are_taken_by_their_share(taken: int) -> None:
    repeated = SHARES.repeat_interleave(40_000, 0)
    with seeded(0):
        found = counts(repeated, taken)
    assert ((found - taken * repeated).abs() < 1 + 1e-6).all()
    mean = found.view(3, 40_000, 3).mean(1)
    torch.testing.assert_close(mean, taken * SHARES, atol=0.012, rtol=0)  # five standard errors


def test_rounding_and_impossible_draws() -> None:
    """Shares that sum to less than one by rounding, and a first draw without any share."""
    with seeded(1):
        short = counts(torch.full((2_000, 3), 0.333), 3)
        assert (short.sum(1) == 3).all()
        assert (counts(torch.tensor([[0.0, 0.5, 0.5]]).repeat(2_000, 1), 2)[:, 0] == 0).all()
