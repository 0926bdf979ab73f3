"""Output units: the values y of inputs a, and the error of y as a reconstruction of x.

    linear, tanh, relu   y = f(a)                         error = sum_i (y_i - x_i)^2                              (1)
    sigmoid              y = low + (high - low) s(a)      the same                                                 (2)
    bernoulli            y = s(a)                         error = -sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))    (3)
    softmax              y_i = exp(a_i) / sum_j exp(a_j)  error = -sum_i x_i log y_i                               (4)
    clipped              y = min(max(a, low), high)       that of (1)                                              (5)

s(a) = 1 / (1 + exp(-a)). `low` and `high` are 0 and 1, or the range of the data where that is wider. In (3) values in
[0, 1] are taken as probabilities of ones, in (4) values that sum to 1 as probabilities of words; both are in nats. The
gradient of (5) is that of a linear unit with the value y: an input beyond the range comes back where x lies within.

References:
    Rumelhart, Durbin, Golden, Chauvin (1995). Backpropagation: the basic theory (units and their errors).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.errors import DataError
from untaught.nn.convolution import ACTIVATIONS
from untaught.nn.noise import wide
from untaught.shapes import Scalar, Vectors

Output: TypeAlias = Literal["linear", "tanh", "relu", "sigmoid", "bernoulli", "softmax", "clipped"]
CLEAR = 0.01
"""Least distance of initial outputs from the ends of their range: nearer, saturated units hardly learn."""
RARE = 1e-6
"""Least initial probability of a word."""


def wide_range(x: Tensor) -> tuple[float, float]:
    """0 and 1, or the least and the greatest value where these lie beyond.

    Example:
        >>> wide_range(torch.tensor([0.5, 3.0]))
        (0.0, 3.0)
    """
    low, high = (float(value) for value in x.aminmax())
    return min(low, 0.0), max(high, 1.0)


def check_probabilities(x: Tensor, what: str, instead: str) -> None:
    """Raise DataError where values lie outside [0, 1], with what needs them there and what to take instead."""
    low, high = (float(value) for value in x.aminmax())
    if low < 0 or high > 1:
        raise DataError(
            f"values run from {low:.3g} to {high:.3g}, but {what} needs values from 0 to 1;\n"
            f"rescale the data, or take {instead}"
        )


class OutputUnits(nn.Module):
    """Output units of one kind; call `look` with data before using them.

    Example:
        >>> units = OutputUnits("sigmoid")
        >>> units.look(torch.tensor([[-3.0, 5.0]]))
        >>> units(torch.zeros(1, 2)).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, kind: Output) -> None:
        super().__init__()
        self.kind: Output = kind
        self.low, self.high = nn.Buffer(torch.zeros(())), nn.Buffer(torch.ones(()))

    def look(self, x: Vectors) -> None:
        """Find the range of the data.

        Raises:
            DataError: Values are not probabilities, under an error that takes them as such.
        """
        if self.kind == "bernoulli":
            check_probabilities(x, "cross-entropy", "squared error: output=sigmoid or output=linear")
        if self.kind == "softmax" and (float(x.min()) < 0 or float((x.sum(1) - 1).abs().max()) > 1e-3):
            raise DataError(
                "the values of an example do not sum to 1, so they are no probabilities of words;\n"
                "softmax units are for documents; take output=sigmoid, linear or bernoulli"
            )
        low, high = wide_range(x)
        self.low.fill_(low)
        self.high.fill_(high)

    def inputs_for(self, mean: Tensor, clear: float = CLEAR) -> Tensor:
        """Inputs under which units have these values, at the ends of their range values `clear` of these."""
        match self.kind:
            case "linear" | "clipped":
                return mean
            case "relu":
                return mean.clamp_min(clear)
            case "tanh":
                return torch.atanh(mean.clamp(clear - 1, 1 - clear))
            case "sigmoid" | "bernoulli":
                return torch.logit((mean - self.low) / (self.high - self.low), eps=clear)
            case "softmax":
                return mean.clamp_min(RARE).log()

    def forward(self, inputs: Vectors) -> Vectors:
        """Values y `(batch, unit)`."""
        match self.kind:
            case "linear" | "tanh" | "relu":
                return ACTIVATIONS[self.kind](inputs)
            case "sigmoid" | "bernoulli":
                return self.low + (self.high - self.low) * torch.sigmoid(inputs)
            case "softmax":
                return torch.softmax(inputs, 1)
            case "clipped":
                return inputs + (inputs.clamp(self.low, self.high) - inputs).detach()

    def error(self, inputs: Vectors, x: Vectors) -> tuple[Scalar, dict[str, Scalar]]:
        """Error, mean over examples, and parts for the record without gradient: the squared error, and nats."""
        inputs = wide(inputs)
        squared = (self(inputs) - x).square().sum() / len(x)
        parts = {"squared_error_per_image": squared.detach()}
        if self.kind == "bernoulli":
            nats = F.binary_cross_entropy_with_logits(inputs, x, reduction="sum") / len(x)
        elif self.kind == "softmax":
            nats = -(x * torch.log_softmax(inputs, 1)).sum() / len(x)
        else:
            return squared, parts
        return nats, {"reconstruction_nats": nats.detach(), **parts}
