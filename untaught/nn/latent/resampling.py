"""Systematic resampling: a few of many draws, each as often as its share of the weight says, up to one.

    u_r = (r + u) / R,   r = 0, ..., R - 1,   u uniform in [0, 1)          (1)
    i_r = the least i with s_1 + ... + s_i > u_r                           (2)

s are the shares, which sum to 1. Draw i is taken R s_i times in expectation, so that the mean over what is taken is an
unbiased estimate of the mean weighted by s. How often it is taken differs from R s_i by less than one; with independent
choices it may differ by more.

References:
    Kitagawa (1996). Monte Carlo filter and smoother for non-Gaussian nonlinear state space models. Appendix.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def resample(shares: Float[Tensor, "batch draw"], count: int) -> Int[Tensor, "batch taken"]:
    """Which draws of each example are taken, equation (2).

    Example:
        >>> resample(torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]), 2).tolist()
        [[1, 1], [0, 2]]
    """
    begun = torch.rand(len(shares), 1, device=shares.device, dtype=torch.float32).to(shares.dtype)
    points = (torch.arange(count, device=shares.device) + begun) / count
    sums = shares.cumsum(1)
    # Rounding can leave the last sum below the last point: then the last draw that has a share is taken.
    last = torch.searchsorted(sums, sums[:, -1:].contiguous())
    return torch.minimum(torch.searchsorted(sums, points, right=True), last)
