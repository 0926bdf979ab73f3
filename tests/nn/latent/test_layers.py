"""Stacks of stochastic layers: what is drawn from the top down."""

from __future__ import annotations

import torch

from untaught.nn.latent.layers import Stack
from untaught.randomness import seeded


def test_a_layer_is_drawn_with_the_mean_and_deviation_that_the_one_above_gives() -> None:
    """20,000 draws below one state of the top, within five standard errors."""
    with seeded(0):
        stack = Stack(6, (3, 2), (8, 5), "tanh")
        top = torch.randn(1, 2).expand(20_000, 2)
        with torch.no_grad():
            for value in stack.down.parameters():
                value.normal_()
            drawn = stack.prior_sample(top)
            mean, log_variance = stack.down[0](top[:1]).chunk(2, 1)
    deviation = (0.5 * log_variance[0]).exp()
    assert float((deviation - 1).abs().max()) > 0.2
    assert bool(((drawn.mean(0) - mean[0]).abs() < 5 * deviation / 20_000**0.5).all())
    torch.testing.assert_close(drawn.std(0), deviation, rtol=5 / 40_000**0.5, atol=0)
