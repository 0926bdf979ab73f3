r"""The likelihood of a model with latent variables, by importance sampling from its approximate posterior.

With z_1, ..., z_K drawn from q(z|x) and w_k = p(x, z_k) / q(z_k|x),

    log p(x) >= < log 1/K sum_k w_k >                                         (1)
    effective samples = (sum_k w_k)^2 / sum_k w_k^2                           (2)

The bound (1) rises with K to log p(x); with K = 1 it is the evidence lower bound. Where (2) is near 1, one draw carries
the estimate, and the bound is loose.

References:
    Rezende, Mohamed, Wierstra (2014). Stochastic backpropagation and approximate inference in deep generative models.
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.shapes import Examples, PerExample

Weigh = Callable[[Tensor, int], Tensor]
"""Log-weights `(batch, draw)` of so many draws for each example."""
Summed = Float[Tensor, "batch"]

TOGETHER = 32
"""Examples that are weighed together: an encoder sees each once for all draws of a chunk."""
VALUES_AT_ONCE = {"cpu": 2**21, "cuda": 2**27}
"""Numbers in all decoded draws of a chunk: on a processor they stay in its cache."""


@dataclass(frozen=True)
class Bounds:
    """What importance sampling says of each example."""

    nats: PerExample
    """The bound (1) with all draws."""
    single: PerExample
    """The mean log-weight, an estimate of the evidence lower bound."""
    effective: PerExample
    """Effective samples (2)."""


def importance_bounds(weigh: Weigh, x: Examples, draws: int) -> Bounds:
    """Equations (1) and (2) of each example, in chunks of examples and draws; sums in float64, results on the CPU."""
    device = x.device.type
    room = max(1, VALUES_AT_ONCE.get(device, 2**23) // max(1, x[0].numel()))
    together = TOGETHER if device == "cpu" else max(TOGETHER, room // draws)
    found = [_bounds(weigh, some, draws, max(1, room // len(some))) for some in x.split(together)]
    return Bounds(*(torch.cat(parts).cpu() for parts in zip(*found, strict=True)))


def _bounds(weigh: Weigh, x: Examples, draws: int, at_once: int) -> tuple[PerExample, PerExample, PerExample]:
    """Of a few examples, by running sums over chunks of draws."""
    total = squares = torch.full((len(x),), -math.inf, dtype=torch.float64, device=x.device)
    logs = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    for begin in range(0, draws, at_once):
        weights = weigh(x, min(at_once, draws - begin)).double()
        total = torch.logaddexp(total, weights.logsumexp(1))
        squares = torch.logaddexp(squares, (2 * weights).logsumexp(1))
        logs += weights.sum(1)
    return total - math.log(draws), logs / draws, (2 * total - squares).exp()


def nested_bounds(weights: Float[Tensor, "batch draw"], counts: Sequence[int]) -> Float[Tensor, "count batch"]:
    """Equation (1) for several K from the same draws: the mean over all disjoint groups of K draws.

    Example:
        >>> nested_bounds(torch.zeros(3, 10), (1, 5)).shape
        torch.Size([2, 3])
    """
    found: list[Tensor] = []
    for count in counts:
        groups = weights[:, : weights.shape[1] // count * count].unflatten(1, (-1, count))
        found.append((groups.logsumexp(2) - math.log(count)).mean(1))
    return torch.stack(found)
