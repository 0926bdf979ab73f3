r"""Linear maps that begin at principal components, and networks that correct them.

    u = (x - m) / s,    z = W u + b + f(u)                                              (1)
    a = m + s (V z + c + g(z))                                                         (2)
    W = s S^-1 U^T,     b = 0                                                          (3)
    V, c = the least squares of u on z                                                 (4)

m is the mean of the data and s their one root mean square deviation. The columns of U are the k directions of largest
variance, S has the deviations along them, so that each number of a code begins with variance 1; where the data have
fewer than k directions, the other rows of W are 0. f and g are networks whose last layer is 0 at first. Codes (1) and
their reconstructions (2) then are those of principal component analysis, which no training has to find; whatever f and
g learn lies beyond it. A code that is not the plain z of (1), such as its signs, begins at the best linear
reconstruction too, because of (4).

References:
    Baldi, Hornik (1989). Neural networks and principal component analysis.
    He, Zhang, Ren, Sun (2016). Identity mappings in deep residual networks (a correction beside a path without one).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.nn.principal import principal
from untaught.shapes import Examples, Features, Shape

RANK, LEAST = 1e-5, 1e-6
"""Part of the largest deviation, and deviation, below which a direction counts as none."""


class CorrectedEncoder(nn.Module):
    """Equation (1).

    Example:
        >>> from untaught.nn.dense import Encoder
        >>> CorrectedEncoder(Encoder((64, 20, 5)), (1, 8, 8), 5)(torch.zeros(3, 1, 8, 8)).shape
        torch.Size([3, 5])
    """

    def __init__(self, network: nn.Module, shape: Shape, latent: int) -> None:
        super().__init__()
        self.linear = nn.Linear(math.prod(shape), latent)
        self.network = network
        self.mean, self.deviation = nn.Buffer(torch.zeros(shape)), nn.Buffer(torch.ones(()))

    def forward(self, x: Examples) -> Features:
        """Codes of examples."""
        seen = (x - self.mean) / self.deviation
        return self.linear(seen.flatten(1)) + self.network(seen)


class CorrectedDecoder(nn.Module):
    """Equation (2)."""

    def __init__(self, network: nn.Module, shape: Shape, latent: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent, math.prod(shape))
        self.network = network
        self.mean, self.deviation = nn.Buffer(torch.zeros(shape)), nn.Buffer(torch.ones(()))

    def forward(self, features: Features) -> Examples:
        """Inputs of the output units."""
        own = self.linear(features).unflatten(1, self.mean.shape) + self.network(features)
        return self.mean + self.deviation * own


class Beside(nn.Module):
    """A network with a linear map beside it, to whose numbers the network adds nothing at first.

    Example:
        >>> from untaught.nn.dense import Encoder
        >>> Beside(Encoder((64, 20, 5)), Encoder((64, 20, 5)).layers[-1], 64, 5)(torch.zeros(3, 1, 8, 8)).shape
        torch.Size([3, 5])
    """

    def __init__(self, network: nn.Module, last: nn.Module, inputs: int, numbers: int) -> None:
        """Put the map beside a network.

        Args:
            network: From examples of so many values, in any shape, to so many numbers, in any shape.
            last: Its last layer, which is set to 0.
            inputs: Values of an example.
            numbers: Numbers that it gives.
        """
        super().__init__()
        self.linear = nn.Linear(inputs, numbers)
        self.network = network
        silence(last)

    def forward(self, x: Tensor) -> Tensor:
        """The numbers of both, `(batch, number)`."""
        return self.linear(x.flatten(1)) + self.network(x).flatten(1)


@torch.no_grad()
def silence(last: nn.Module) -> None:
    """Set a network's last layer to zero, so that it corrects nothing at first."""
    for value in last.parameters():
        value.zero_()


@torch.no_grad()
def begin_at_components(
    encoder: CorrectedEncoder, decoder: CorrectedDecoder, x: Examples, code: Callable[[Examples], Features]
) -> None:
    """Set the linear maps from examples, equations (3) and (4).

    Args:
        encoder: Its W, b, m and s are set.
        decoder: Its V, c, m and s are set.
        x: Examples of the training part.
        code: Gives the codes of examples, by the encoder.
    """
    mean, deviation = x.mean(0, dtype=torch.float64).to(x), x.var(0, correction=0).mean().sqrt()
    for half in (encoder, decoder):
        half.mean.copy_(mean)
        half.deviation.copy_(torch.where(deviation > 0, deviation, 1))
    seen = ((x - encoder.mean) / encoder.deviation).flatten(1)
    plane = principal(seen, encoder.linear.out_features)
    along = plane.encode(seen).double().std(0, correction=0)
    known = along > max(RANK * float(along.max()), LEAST)
    rows = torch.where(known, plane.directions.double() / along.clamp_min(LEAST), 0).T
    encoder.linear.weight.zero_()[: len(rows)].copy_(rows)
    encoder.linear.bias.zero_()
    slope, constant = least_squares(torch.cat([code(some) for some in x.split(512)]), seen)
    decoder.linear.weight.copy_(slope.T)
    decoder.linear.bias.copy_(constant)


def least_squares(
    z: Float[Tensor, "batch code"], x: Float[Tensor, "batch value"]
) -> tuple[Float[Tensor, "code value"], Float[Tensor, " value"]]:
    """The matrix A and the vector c with the least sum of |z A + c - x|^2, float64; rows are 0 where z does not vary.

    Example:
        >>> slope, constant = least_squares(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[3.0], [5.0], [7.0]]))
        >>> round(slope.item(), 6), round(constant.item(), 6)
        (2.0, 1.0)
    """
    centre, mean = z.double().mean(0), x.mean(0, dtype=torch.float64)
    gram = z.new_zeros(z.shape[1], z.shape[1], dtype=torch.float64)
    products = z.new_zeros(z.shape[1], x.shape[1], dtype=torch.float64)
    for some, targets in zip(z.split(4096), x.split(4096), strict=True):
        centred = some.double() - centre
        gram.addmm_(centred.T, centred)
        products.addmm_(centred.T, targets.double() - mean)
    slope = torch.linalg.pinv(gram, rtol=RANK**2, hermitian=True) @ products
    return slope, mean - centre @ slope
