"""Kinds of units of a machine with an energy: states, means and draws given the input from the other layer.

    E(v, h) = A(v) + B(h) - b.v - c.h - v.W.h

x is the input of a layer, bias included (c + v.W for hidden units). Each kind has an energy A of its own, its states,
their distribution p(v) ~ exp(x.v - A(v)), and log z(x), z the sum or integral over states of that exponential:

    bernoulli   0 or 1           A = 0         mean s(x) = 1 / (1 + exp(-x))     log z = sum log(1 + exp(x))
    gaussian    any number       A = v^2 / 2   mean x, variance 1                log z = sum x^2 / 2 + log(2 pi) / 2
    softmax     one unit is on   A = 0         mean exp(x) / sum exp(x)          log z = log sum exp(x)
    relu        0 or more        max(0, x + noise), noise normal of mean 0 and variance s(x)

A noisy rectified linear unit approximates the sum of binary units that share weights, with biases shifted by -1/2,
-3/2, ... It has no log z.

References:
    Welling, Rosen-Zvi, Hinton (2005). Exponential family harmoniums with an application to information retrieval.
    Nair, Hinton (2010). Rectified linear units improve restricted Boltzmann machines.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.nn.noise import bernoulli

Kind = Literal["bernoulli", "gaussian", "softmax", "relu"]


class Units(ABC):
    """A kind of units; inputs and states have units along the last axis."""

    binary: ClassVar[bool] = False
    """Whether every combination of 0 and 1 is a state."""

    @abstractmethod
    def mean(self, x: Tensor) -> Tensor:
        """Mean state under an input."""

    @abstractmethod
    def draw(self, x: Tensor) -> Tensor:
        """A draw of the state under an input."""

    def mean_and_draw(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and draw for one input; binary units compute the logistic function only once."""
        return self.mean(x), self.draw(x)

    @abstractmethod
    def own_energy(self, state: Tensor) -> Tensor:
        """A(v), nats."""

    @abstractmethod
    def log_sum(self, x: Tensor) -> Tensor:
        """Log z(x), nats."""

    @abstractmethod
    def bias_for(self, seen: Tensor) -> Tensor:
        """The input under which units have the mean of data `(example, unit)`; always finite.

        Raises:
            DataError: The data are neither states nor means of states.
        """


class Bernoulli(Units):
    """Independent units that are 0 or 1."""

    binary = True

    def mean(self, x: Tensor) -> Tensor:
        """s(x)."""
        return torch.sigmoid(x)

    def draw(self, x: Tensor) -> Tensor:
        """1 with probability s(x)."""
        return bernoulli(torch.sigmoid(x))

    def mean_and_draw(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """s(x), and 1 with that probability."""
        mean = torch.sigmoid(x)
        return mean, bernoulli(mean)

    def own_energy(self, state: Tensor) -> Tensor:
        """None."""
        return state.new_zeros(state.shape[:-1])

    def log_sum(self, x: Tensor) -> Tensor:
        """Sum of log(1 + exp(x))."""
        return F.softplus(x).sum(-1)

    def bias_for(self, seen: Tensor) -> Tensor:
        """The logit of the mean."""
        low, high = (float(value) for value in seen.aminmax())
        if low < 0 or high > 1:
            raise DataError(
                f"values run from {low:.3g} to {high:.3g}; binary units need 0 to 1 (no standardising)\n"
                "scale the data to that range, or take visible=gaussian where the model has such units, as rbm does"
            )
        # 1 / (n + 2) keeps the logit of a unit that is constant in the sample finite.
        return torch.logit((seen.sum(0) + 1) / (len(seen) + 2))


class Gaussian(Units):
    """Any number, with variance 1."""

    def mean(self, x: Tensor) -> Tensor:
        """The input itself."""
        return x

    def draw(self, x: Tensor) -> Tensor:
        """The input with normal noise."""
        return x + torch.randn(x.shape, device=x.device).to(x.dtype)

    def own_energy(self, state: Tensor) -> Tensor:
        """Half of the sum of squares."""
        return state.square().sum(-1) / 2

    def log_sum(self, x: Tensor) -> Tensor:
        """Half of the sum of squares, and log(2 pi) / 2 for each unit."""
        return x.square().sum(-1) / 2 + x.shape[-1] * math.log(2 * math.pi) / 2

    def bias_for(self, seen: Tensor) -> Tensor:
        """The mean."""
        return seen.mean(0)


class Softmax(Units):
    """One of the units is on, the others are off."""

    def mean(self, x: Tensor) -> Tensor:
        """Probability that each unit is the one that is on."""
        return torch.softmax(x, -1)

    def draw(self, x: Tensor) -> Tensor:
        """One-hot: the largest of inputs with Gumbel noise."""
        uniform = torch.rand(x.shape, device=x.device).clamp_(1e-30, 1 - 1e-7)
        return F.one_hot((x - (-uniform.log()).log()).argmax(-1), x.shape[-1]).to(x.dtype)

    def own_energy(self, state: Tensor) -> Tensor:
        """None."""
        return state.new_zeros(state.shape[:-1])

    def log_sum(self, x: Tensor) -> Tensor:
        """Log of the sum of exponentials."""
        return torch.logsumexp(x, -1)

    def bias_for(self, seen: Tensor) -> Tensor:
        """Log of each unit's share."""
        if float((seen.sum(1) - 1).abs().max()) > 1e-3 or float(seen.min()) < 0:
            raise DataError("softmax units need examples that are probabilities: from 0 to 1, of sum 1")
        return ((seen.sum(0) + 1) / (len(seen) + seen.shape[1])).log()


class Rectified(Units):
    """Noisy rectified linear units."""

    def mean(self, x: Tensor) -> Tensor:
        """Mean of a normal number of deviation d = sqrt(s(x)) cut at 0: x P(x / d) + d p(x / d)."""
        deviation = torch.sigmoid(x).sqrt().clamp_min(1e-6)
        z = x / deviation
        density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
        # The two terms cancel far below 0, where rounding could make their sum negative.
        return (x * torch.special.ndtr(z) + deviation * density).clamp_min(0)

    def draw(self, x: Tensor) -> Tensor:
        """max(0, x + noise)."""
        noise = torch.randn(x.shape, device=x.device).to(x.dtype)
        return F.relu(x + noise * torch.sigmoid(x).sqrt())

    def own_energy(self, state: Tensor) -> Tensor:
        """There is none."""
        raise ConfigError("noisy rectified units have no energy of their own, and so no likelihood")

    def log_sum(self, x: Tensor) -> Tensor:
        """There is none."""
        raise ConfigError("noisy rectified units have no free energy, and so no likelihood")

    def bias_for(self, seen: Tensor) -> Tensor:
        """The mean of the data; a unit with an input near 0 has a higher mean than its input."""
        return seen.mean(0)


UNITS: dict[Kind, Units] = {
    "bernoulli": Bernoulli(),
    "gaussian": Gaussian(),
    "softmax": Softmax(),
    "relu": Rectified(),
}
