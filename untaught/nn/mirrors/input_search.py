"""The way back by search: an input is changed until the network gives of it what it gave of the picture.

    loss = |F(y) - F(x)|^2 / |F(x)|^2 + w mean (|y_right - y| + |y_below - y|)           (1)

F is the network up to one layer, y the input, which stays between the lowest and the highest value that pictures have.
Where it begins shows wherever the layer says nothing, so it begins best at the mean picture. The second term, the total
variation, prefers smooth pictures among the many that a layer cannot tell apart.

References:
    Mahendran, Vedaldi (2015). Understanding deep image representations by inverting them. CVPR.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from untaught.shapes import Images, PerExample

STEPS, RATE, SMOOTHNESS = 200, 0.05, 0.05


def search_input(
    network: Callable[[Images], Tensor], wanted: Tensor, start: Images, low: float, high: float, steps: int = STEPS
) -> Images:
    """Find inputs of which a network gives what is wanted.

    Args:
        network: Up to the layer, with gradient.
        wanted: What it gave, one row for each example.
        start: Where the search begins.
        low: The lowest value of an input.
        high: The highest.
        steps: Updates, by Adam.
    """
    y = start.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([y], RATE * (high - low))
    with torch.enable_grad():
        for _ in range(steps):
            optimiser.zero_grad()
            loss = mismatch(network(y), wanted) + SMOOTHNESS * total_variation(y) / (high - low)
            loss.sum().backward(inputs=[y])
            optimiser.step()
            with torch.no_grad():
                y.clamp_(low, high)
    return y.detach()


def mismatch(given: Tensor, wanted: Tensor) -> PerExample:
    """The first term of equation (1)."""
    apart, size = (given - wanted).square().flatten(1).sum(1), wanted.square().flatten(1).sum(1)
    return apart / size.clamp_min(1e-12)


def total_variation(y: Images) -> PerExample:
    """The second term of equation (1) without its weight."""
    across, down = (y[..., 1:] - y[..., :-1]).abs(), (y[..., 1:, :] - y[..., :-1, :]).abs()
    return across.flatten(1).mean(1) + down.flatten(1).mean(1)
