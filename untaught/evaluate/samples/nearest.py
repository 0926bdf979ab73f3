r"""The nearest examples of one set to each of another, in memory that does not grow with their product.

    d(x, S) = min_s |x - s|                                                                  (1)
    copying = P(d(sample, training) < d(unseen, training))     + half of the ties            (2)

Unseen examples of the same distribution are as far from the training set as new samples should be, and (2) is then
1/2. It is 1 for a generator that gives its training set back, and also above 1/2 for samples that are smoother than the
data, since a mean is nearer to all. `copied` counts the samples that are as near as the nearest
hundredth of unseen examples: one in a hundred where they are new.

References:
    Theis, van den Oord, Bethge (2016). A note on the evaluation of generative models (why nearest neighbours are shown,
    and why they alone prove nothing).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

Rows = Float[Tensor, "example feature"]
Among = Float[Tensor, "among feature"]
Sampled = Float[Tensor, " sample"]
Unseen = Float[Tensor, " unseen"]
AT_ONCE = 2**24
"""Distances that are held at once: 64 MiB."""


@dataclass(frozen=True)
class Nearest:
    """The nearest examples of a set."""

    distance: Float[Tensor, "example near"]
    """Euclidean, the nearest first."""
    place: Int[Tensor, "example near"]
    """Which of the set they are."""


def nearest(x: Rows, among: Among, count: int = 1) -> Nearest:
    """The nearest `count` of a set to each example, equation (1).

    Example:
        >>> found = nearest(torch.tensor([[0.0], [10.0]]), torch.tensor([[9.0], [1.0]]))
        >>> found.distance.flatten().tolist(), found.place.flatten().tolist()
        ([1.0, 1.0], [1, 0])
    """
    size = max(1, AT_ONCE // max(1, len(among)))
    found = [_exact(some, among).topk(count, largest=False) for some in x.split(size)]
    return Nearest(torch.cat([one.values for one in found]), torch.cat([one.indices for one in found]))


def _exact(x: Rows, among: Among) -> Tensor:
    # The quick form by a matrix product loses small distances, which copies have.
    return torch.cdist(x, among, compute_mode="donot_use_mm_for_euclid_dist")


def copying(sampled: Sampled, unseen: Unseen) -> float:
    """Equation (2), of distances to the training set.

    Example:
        >>> copying(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0]))
        0.625
    """
    order = unseen.sort().values.contiguous()
    below = torch.searchsorted(order, sampled.contiguous(), right=True)
    same = below - torch.searchsorted(order, sampled.contiguous())
    return float(1 - (below - 0.5 * same).double().mean() / len(order))


def copied(sampled: Sampled, unseen: Unseen) -> float:
    """Fraction of samples that are as near to the training set as the nearest hundredth of unseen examples.

    Example:
        >>> copied(torch.tensor([0.0, 0.0, 3.0, 4.0]), torch.tensor([1.0, 2.0, 3.0]))
        0.5
    """
    return float((sampled <= unseen.double().quantile(0.01)).double().mean())
