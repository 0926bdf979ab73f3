"""The energy distance between two distributions, from a batch of each.

    2 <|x - y|> - <|x - x'|> - <|y - y'|>                           (1)

x and x' are independent examples, y and y' independent samples, |.| is the Euclidean norm. It is 0 for equal
distributions and above 0 for any others. Over batches the mean of the estimate is the distance itself, since no example
is compared with itself; a single estimate may be below 0.

References:
    Szekely, Rizzo (2013). Energy statistics: a class of statistics based on distances.
    Bellemare et al. (2017). The Cramer distance as a solution to biased Wasserstein gradients.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from untaught.nn.noise import wide
from untaught.shapes import Examples, Scalar, Vectors

LATER = 0.2
"""Fraction by which the distance may exceed the lowest while later weights of a game are preferred: samples still
become cleaner where the distance no longer falls."""
Samples = Float[Tensor, "sample *example"]


def energy_distance(examples: Examples, samples: Samples) -> Scalar:
    """Estimate (1) from at least two of each; 0 from fewer.

    Example:
        >>> round(float(energy_distance(torch.zeros(3, 2), torch.ones(4, 2))), 4)
        2.8284
    """
    x, y = wide(examples.flatten(1)), wide(samples.flatten(1))
    if min(len(x), len(y)) < 2:
        return x.new_zeros(())
    # Distances are differences of products that are nearly equal: of bfloat16 little would be left.
    with torch.autocast(x.device.type, enabled=False):
        return 2 * torch.cdist(x, y).mean() - _within(x) - _within(y)


def _within(x: Vectors) -> Scalar:
    """Mean distance of two different rows."""
    return F.pdist(x).mean()
