"""Log-densities of latents and outputs in nats, summed over units.

    normal       log p(z) = -sum_j ((z_j - m_j)^2 / s_j^2 + log s_j^2 + log 2 pi) / 2          (1)
    divergence   KL_j(N(m, s^2) || N(0, 1)) = (m_j^2 + s_j^2 - 1 - log s_j^2) / 2              (2)
    bernoulli    log p(x) = sum_i x_i a_i - log(1 + exp(a_i))                                  (3)
    gaussian     log p(x) as (1) with m = a, and log s^2 = log(exp(b) + least^2), or s fixed   (4)
    squashed     the same with m = low + (high - low) / (1 + exp(-a))                          (5)

a and b are a network's outputs plus an offset, which is set once from data: where the network gives 0, the density is
that of independent values with the data's mean and variance. In (3) values in [0, 1] are taken as probabilities of
ones; the density of grey values is a bound on that of the pixels drawn from them. In (4) deviations stay above `least`,
for a value that never changes would have an infinite density. In (5) low and high are 0 and 1, or the range of the data
where that is wider.

References:
    Kingma, Welling (2014). Auto-encoding variational Bayes. Appendices B and C.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn.noise import wide
from untaught.nn.output_units import CLEAR, check_probabilities, wide_range
from untaught.shapes import Vectors

OutputKind: TypeAlias = Literal["bernoulli", "gaussian", "squashed"]
Latents = Float[Tensor, "*row latent"]
Broadcast = Float[Tensor, "*#row latent"]
Rows = Float[Tensor, "..."]
Numbers = Float[Tensor, "batch draw number"]
"""Outputs of a network for several draws of each example's latents."""
PerDraw = Float[Tensor, "batch draw"]
Vector = Float[Tensor, " value"]

LOG_TWO_PI = math.log(2 * math.pi)
FLAT = 0.05
"""Slope of a logistic unit, at most 1/4, below which inputs would have to be very large for the mean to move."""
LEAST_DEVIATION = 0.01
"""Of learnt deviations: two and a half of 256 grey levels."""


def normal(like: Tensor) -> Tensor:
    """Standard normal draws, made in float32, of the shape, type and device of another tensor."""
    return torch.randn(like.shape, device=like.device, dtype=torch.float32).to(like.dtype)


def normal_log_density(z: Broadcast, mean: Broadcast, log_variance: Broadcast) -> Rows:
    """Equation (1), summed over the last axis."""
    return -0.5 * ((z - mean).square() * (-log_variance).exp() + log_variance + LOG_TWO_PI).sum(-1)


def standard_log_density(z: Latents) -> Rows:
    """Equation (1) of mean 0 and variance 1.

    Example:
        >>> standard_log_density(torch.zeros(2, 3)).shape
        torch.Size([2])
    """
    return -0.5 * (z.square() + LOG_TWO_PI).sum(-1)


def divergence(mean: Latents, log_variance: Latents) -> Latents:
    """Equation (2) of each unit, not summed.

    Example:
        >>> divergence(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)).tolist()
        [[0.0, 2.0]]
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


class OutputDensity(nn.Module):
    """The density of an example given a network's outputs; call `look` with data before using it.

    Example:
        >>> outputs = OutputDensity("gaussian", 4)
        >>> outputs.numbers, outputs.log_density(torch.zeros(3, 2, 8), torch.zeros(3, 4)).shape
        (2, torch.Size([3, 2]))
    """

    def __init__(self, kind: OutputKind, values: int, deviation: float | None = None) -> None:
        """Make the density of examples of so many values.

        Args:
            kind: The kind of density.
            values: Numbers in an example.
            deviation: Fixed standard deviation of the Gaussian kinds; none: it is learnt.

        Raises:
            ConfigError: A deviation is given for Bernoulli outputs.
        """
        super().__init__()
        if kind == "bernoulli" and deviation is not None:
            raise ConfigError(
                f"deviation = {deviation}: Bernoulli outputs have none; take output=gaussian or output=squashed"
            )
        self.kind: OutputKind = kind
        self.deviation = deviation
        self.numbers = 1 if kind == "bernoulli" or deviation is not None else 2
        """Numbers that the network gives for each value of an example."""
        self.low, self.high = nn.Buffer(torch.zeros(())), nn.Buffer(torch.ones(()))
        self.offset = nn.Buffer(torch.zeros(self.numbers * values))

    def look(self, x: Vectors) -> None:
        """Find the range of the data, and the offset that gives their mean and variance.

        Raises:
            DataError: Values are not probabilities, under a density that takes them as such.
        """
        if self.kind == "bernoulli":
            check_probabilities(x, "a Bernoulli output", "Gaussian outputs: output=gaussian or output=squashed")
        low, high = wide_range(x)
        self.low.fill_(low)
        self.high.fill_(high)
        mean = x.mean(0)
        inputs = mean if self.kind == "gaussian" else torch.logit(self._share(mean), eps=CLEAR)
        spread = x.var(0, correction=0).clamp_min(LEAST_DEVIATION**2).log()
        self.offset.copy_(torch.cat([inputs, spread]) if self.numbers == 2 else inputs)

    def begin_spread(self, variance: Vector) -> None:
        """Set the variances that values have where the network gives 0, if these are learnt."""
        if self.numbers == 2:
            self.offset[len(variance) :].copy_(variance.clamp_min(LEAST_DEVIATION**2).log())

    def slope(self, mean: Vector) -> Vector:
        """How fast each value's mean moves with the unit's input, dx/da, where it is `mean`; never nearly 0."""
        if self.kind == "gaussian":
            return torch.ones_like(mean)
        share = self._share(mean)
        return (self.high - self.low) * (share * (1 - share)).clamp_min(FLAT)

    def _share(self, mean: Tensor) -> Tensor:
        """Where values stand between the ends of the range, from 0 to 1."""
        return (mean - self.low) / (self.high - self.low)

    def mean(self, numbers: Float[Tensor, "*row number"]) -> Float[Tensor, "*row value"]:
        """Mean of each value given a network's outputs."""
        return self._mean(self._halves(numbers)[0])

    def _mean(self, inputs: Tensor) -> Tensor:
        if self.kind == "gaussian":
            return inputs
        return self.low + (self.high - self.low) * torch.sigmoid(inputs)

    def _halves(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs of the means, and of the variances if these are learnt, with the offset."""
        shifted = wide(numbers) + self.offset
        inputs, spread = shifted.tensor_split((len(self.offset) // self.numbers,), -1)
        return inputs, spread

    def log_variance(self, numbers: Float[Tensor, "*row number"]) -> Tensor:
        """Logarithm of each value's variance; one number where it is fixed, equation (4)."""
        return self._log_variance(self._halves(numbers)[1])

    def _log_variance(self, inputs: Tensor) -> Tensor:
        if self.deviation is not None:
            return inputs.new_full((), 2 * math.log(self.deviation))
        least = 2 * math.log(LEAST_DEVIATION)
        return least + F.softplus(inputs - least)  # ONNX knows no logaddexp

    def log_density(self, numbers: Numbers, x: Vectors) -> PerDraw:
        """Log p(x) of each example under each draw, equation (3), (4) or (5)."""
        inputs, spread = self._halves(numbers)
        x = x.to(inputs.dtype)
        if self.kind == "bernoulli":
            # The product with x as a matrix product: an example is never repeated for each draw.
            return torch.bmm(inputs, x[:, :, None])[:, :, 0] - F.softplus(inputs).sum(-1)
        return normal_log_density(x[:, None], self._mean(inputs), self._log_variance(spread).expand_as(inputs))

    def log_density_of_each(self, numbers: Float[Tensor, "draw number"], x: Vectors) -> Float[Tensor, "batch draw"]:
        """Log p(x) of every example under every one of the same draws, by matrix products."""
        inputs, spread = self._halves(numbers)
        x = x.to(inputs.dtype)
        if self.kind == "bernoulli":
            return x @ inputs.T - F.softplus(inputs).sum(-1)
        mean, log_variance = self._mean(inputs), self._log_variance(spread).expand_as(inputs)
        inverse = (-log_variance).exp()
        squares = x.square() @ inverse.T - 2 * x @ (mean * inverse).T + (mean.square() * inverse).sum(1)
        return -0.5 * (squares + (log_variance + LOG_TWO_PI).sum(1))
