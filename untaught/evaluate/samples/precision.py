r"""Precision and recall of samples: which part of them lies among the data, and which part of the data among them.

    S' = union over s in S of the ball around s that reaches to its k-th nearest in S                  (1)
    precision = part of the samples in data',      recall = part of the data in samples'               (2)

Samples of one class alone may all be precise, and recall a tenth of the data; noise spread over all of space recalls
without being precise.

References:
    Kynkaanniemi, Karras, Laine, Lehtinen, Aila (2019). Improved precision and recall metric for assessing generative
    models.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.evaluate.samples.nearest import nearest

Data = Float[Tensor, "example feature"]
Drawn = Float[Tensor, "sample feature"]
Balls = Float[Tensor, "ball feature"]

NEIGHBOURS = 3
"""k in equation (1), as published."""


def precision_and_recall(data: Data, samples: Drawn, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Equation (2).

    Raises:
        ValueError: A set has no more examples than `neighbours`.

    Example:
        >>> data = torch.arange(8.0)[:, None]
        >>> precision_and_recall(data, data[:4], neighbours=1)
        (1.0, 0.625)
    """
    if min(len(data), len(samples)) <= neighbours:
        raise ValueError(f"each set must have more than {neighbours} examples")
    return _within(samples, data, neighbours), _within(data, samples, neighbours)


def _within(x: Data, balls: Balls, neighbours: int) -> float:
    """Part of the examples that lie in a ball around one of the others, equation (1)."""
    # The nearest of an example within its own set is itself.
    radius = nearest(balls, balls, neighbours + 1).distance[:, -1]
    inside = [_any(some, balls, radius) for some in x.split(1024)]
    return float(torch.cat(inside).double().mean())


def _any(x: Data, balls: Balls, radius: Tensor) -> Tensor:
    return (torch.cdist(x, balls, compute_mode="donot_use_mm_for_euclid_dist") <= radius).any(1)
