"""Output units: inputs a become values y, and the distance of y from x a loss.

    linear, tanh, relu   y = f(a)                             loss = sum_i (y_i - x_i)^2 / 2                         (1)
    sigmoid              y = low + (high - low) s(a)          the same                                               (2)
    bernoulli            y = s(a)                             loss = -sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))   (3)

s(a) = 1 / (1 + exp(-a)). Losses are means over examples, in nats: (1) and (2) up to a constant that of a Gaussian with
variance 1, (3) that of binary units, where values in [0, 1] are taken as probabilities of ones. `low` and `high` are 0
and 1, or as far as the data go beyond.

References:
    Rumelhart, Durbin, Golden, Chauvin (1995). Backpropagation: the basic theory (units and their errors).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.errors import DataError
from untaught.model import Loss
from untaught.nn.convolution import ACTIVATIONS
from untaught.shapes import Vectors

Output: TypeAlias = Literal["linear", "sigmoid", "bernoulli", "tanh", "relu"]
CLEAR = 0.01
"""How far from certainty units begin: nearer, a unit that saturates hardly learns."""


class OutputUnits(nn.Module):
    """Output units of one kind.

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
            DataError: Values outside [0, 1] under cross-entropy: they are no probabilities.
        """
        low, high = x.aminmax()
        if self.kind == "bernoulli" and (float(low) < 0 or float(high) > 1):
            raise DataError(
                f"values run from {float(low):.3g} to {float(high):.3g}, but cross-entropy needs 0 to 1;\n"
                "rescale the data, or take squared error: output=sigmoid or output=linear"
            )
        self.low.copy_(low.clamp_max(0))
        self.high.copy_(high.clamp_min(1))

    def inputs_for(self, mean: Tensor) -> Tensor:
        """Inputs under which units give these values, or nearly so where they are at the end of what units can give."""
        match self.kind:
            case "linear":
                return mean
            case "relu":
                return mean.clamp_min(CLEAR)
            case "tanh":
                return torch.atanh(mean.clamp(CLEAR - 1, 1 - CLEAR))
            case "sigmoid" | "bernoulli":
                return torch.logit((mean - self.low) / (self.high - self.low), eps=CLEAR)

    def forward(self, inputs: Vectors) -> Vectors:
        """Values: (1), (2) or (3)."""
        match self.kind:
            case "linear" | "tanh" | "relu":
                return ACTIVATIONS[self.kind](inputs)
            case "sigmoid" | "bernoulli":
                return self.low + (self.high - self.low) * torch.sigmoid(inputs)

    def loss(self, inputs: Vectors, x: Vectors) -> Loss:
        """Distance from `x`, mean over examples; in its parts the squared error, without the factor of one half."""
        squared = (self(inputs) - x).square().sum() / len(x)
        parts = {"squared_error_per_image": squared.detach()}
        if self.kind != "bernoulli":
            return Loss(squared / 2, parts)
        nats = F.binary_cross_entropy_with_logits(inputs, x, reduction="sum") / len(x)
        return Loss(nats, {"reconstruction_nats": nats.detach(), **parts})
