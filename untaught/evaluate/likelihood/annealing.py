r"""The partition function of a large machine, estimated by annealed importance sampling.

Between independent units at inverse temperature 0 and the machine at 1 lie distributions p_t(v) = exp(-F_t(v)) / Z_t.
With temperatures 0 = t_0 < t_1 < ... < t_K = 1, a run draws v_0 from p_0 and takes a step of a chain that leaves p_t
unchanged at each t = t_1, t_2, ... Its weight

    log w = sum_k F_{t_{k-1}}(v_{k-1}) - F_{t_k}(v_{k-1})                                  (1)
    E[w] = Z_1 / Z_0                                                                       (2)

is unbiased (2), so with Z_0 known the mean over n runs estimates Z_1, and by Jensen's inequality its logarithm is too
low in expectation: the log-likelihood that follows is too high. The error bars are the paper's,

    log(m - 3 s / sqrt(n)),  log(m + 3 s / sqrt(n))                                        (3)

with m the mean and s the standard deviation of the weights. Where a few runs carry most of the weight, the bars are too
narrow; then the effective number of runs, (sum w)^2 / sum w^2, is small. Backward runs, from draws of p_1 down to t =
0, have weights with mean Z_0 / Z_1, whose logarithm errs the other way: in expectation log Z lies between the two
estimates, provided that the draws are from p_1.

References:
    Neal (2001). Annealed importance sampling. Statistics and Computing 11.
    Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief networks. ICML.
    Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates of MRF log-likelihood using reverse
    annealing. AISTATS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.capability import Energy

LogWeights = Float[Tensor, " run"]

RUNS = 100
"""Number of runs in the paper."""
SPANS = ((0.5, 500), (0.9, 4_000), (1.0, 10_000))
"""The paper's 14,500 steps: where each span of equal steps ends, and how many it has."""


def schedule(fineness: float = 1.0) -> list[float]:
    """Inverse temperatures from 0 to 1; the paper's at fineness 1, a tenth as many steps at 0.1.

    Example:
        >>> len(schedule()), len(schedule(0.1)), schedule(0.1)[::50][:3]
        (14501, 1451, [0.0, 0.5, 0.55])
    """
    tempers, begin = [0.0], 0.0
    for end, steps in SPANS:
        count = max(1, round(fineness * steps))
        tempers += [begin + (end - begin) * step / count for step in range(1, count + 1)]
        begin = end
    return tempers


@dataclass(frozen=True)
class Estimate:
    """The logarithm of a mean of weights, or of its inverse, with error bars."""

    value: float
    """In nats."""
    low: float
    """Three standard errors of the mean below, equation (3); minus infinity where they reach 0."""
    high: float
    """Three standard errors of the mean above."""
    effective: float
    """Effective number of runs, from 1 to as many as there were."""

    def inverse(self) -> Estimate:
        """The estimate of the logarithm of one over the mean."""
        return Estimate(-self.value, -self.high, -self.low, self.effective)

    def times(self, factor: float) -> Estimate:
        """The estimate for the mean times a factor, which is given as its logarithm."""
        return Estimate(self.value + factor, self.low + factor, self.high + factor, self.effective)


def log_mean(weights: LogWeights) -> Estimate:
    """Logarithm of the mean of weights that are given as logarithms, with the error bars (3)."""
    largest = weights.max()
    relative = (weights - largest).double().exp()
    mean = float(relative.mean())
    error = float(relative.std()) / math.sqrt(len(relative)) if len(relative) > 1 else math.inf
    ends = [math.log(end) if end > 0 else -math.inf for end in (mean, mean - 3 * error, mean + 3 * error)]
    value, low, high = (float(largest) + end for end in ends)
    return Estimate(value, low, high, float(relative.sum() ** 2 / relative.square().sum()))


def annealed(energy: Energy, tempers: Sequence[float], visible: Tensor) -> tuple[Tensor, LogWeights]:
    """Move each state along a path of temperatures; gives the last state and its weight (1).

    Up from draws at t = 0 the weights have mean Z_1 / Z_0; down from draws at t = 1, Z_0 / Z_1.
    """
    weights = torch.zeros(len(visible), dtype=visible.dtype, device=visible.device)
    for before, after in pairwise(tempers):
        visible, weight = energy.anneal(visible, before, after)
        weights += weight
    return visible, weights


def forward(energy: Energy, tempers: Sequence[float], runs: int = RUNS) -> tuple[Estimate, Tensor, LogWeights]:
    """Estimate log Z from independent units up.

    Returns:
        Log Z in nats, where the runs ended, and their weights: together weighted draws of the machine.
    """
    rate = energy.base_rate()
    start = energy.gibbs_step(rate.new_zeros(runs, *rate.shape), 0.0)
    ends, weights = annealed(energy, tempers, start)
    return log_mean(weights).times(float(energy.base_partition())), ends, weights


def backward(energy: Energy, tempers: Sequence[float], draws: Tensor) -> Estimate:
    """Estimate log Z in nats from draws of the machine down; too high in expectation if they are draws of it."""
    _, weights = annealed(energy, tempers[::-1], draws)
    return log_mean(weights).inverse().times(float(energy.base_partition()))


def resampled(ends: Tensor, weights: LogWeights) -> Tensor:
    """As many approximate draws of the machine: the runs' last states, resampled in proportion to their weights."""
    return ends[torch.multinomial(torch.softmax(weights, 0), len(ends), replacement=True)]


def stepped(energy: Energy, visible: Tensor, steps: int) -> Tensor:
    """State of a chain of the machine some steps later."""
    for _ in range(steps):
        visible = energy.gibbs_step(visible)
    return visible
