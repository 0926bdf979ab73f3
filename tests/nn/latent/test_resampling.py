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


@pytest.mark.parametrize("begun", [0.0, 1 - 2**-24])
def test_draws_without_a_share_are_never_taken(monkeypatch: pytest.MonkeyPatch, begun: float) -> None:
    """At either end of where the points begin, whether shares sum to 1 or, by rounding, to less."""
    monkeypatch.setattr(torch, "rand", lambda *shape, **kind: torch.full(shape, begun))  # pyright: ignore
    for shares in ([0.0, 0.5, 0.5, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.333, 0.333, 0.0]):
        found = counts(torch.tensor([shares]), 5)[0]
        assert found.sum() == 5 and (found[torch.tensor(shares) == 0] == 0).all()
