r"""A model beside a baseline on the same examples, one by one.

With e_n and b_n the values of example n, of N, and d_n = b_n - e_n,

    error of the mean difference = std(d) / sqrt(N)                                        (1)
    share                        = 1/N sum_n [d_n > 0]        + half of the ties           (2)

Examples differ far more from one another than two models do on one of them, so (1) is much smaller than the spreads of
both would suggest. Frames of a film resemble their neighbours: there (1) is taken over means of consecutive frames.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.evaluate.quantity import Lead, Measured

COPIED = 1e-3
"""Part of another baseline's error below which a baseline copies its input."""
Values = Float[Tensor, " example"]


def beside_model(own: Values, baseline: Values, better: Literal["lower", "higher"], block: int = 1) -> Measured:
    """The mean of a baseline, with the model's lead on it, equations (1) and (2).

    Args:
        own: The model's value of each example.
        baseline: The baseline's value of the same examples.
        better: Which way is better.
        block: Consecutive examples that are too much alike to count as several.

    Example:
        >>> import torch
        >>> one = beside_model(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0]), "lower")
        >>> one.value, one.lead
        (3.5, Lead(error=1.0, share=1.0, examples=2))
    """
    ahead = (baseline - own).double() * (1 if better == "lower" else -1)
    share = float((ahead > 0).double().mean() + 0.5 * (ahead == 0).double().mean())
    means = _blocks(ahead, block)
    error = float(means.std()) / math.sqrt(len(means)) if len(means) > 1 else math.inf
    return Measured(float(baseline.double().mean()), lead=Lead(error, share, len(own)))


def _blocks(values: Values, block: int) -> Tensor:
    """Means of consecutive values; what is left over at the end joins the last block."""
    count = max(1, len(values) // block)
    if block == 1 or count == 1:
        return values if block == 1 else values.mean(0, keepdim=True)
    whole = values[: (count - 1) * block].reshape(count - 1, block).mean(1)
    return torch.cat([whole, values[(count - 1) * block :].mean(0, keepdim=True)])
