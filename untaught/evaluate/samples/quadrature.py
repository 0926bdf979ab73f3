r"""Exact divergences of densities on a line or in a plane by sums over a fine lattice, and the nearest Gaussians.

    KL(p||q) = sum_i h p_i (log p_i - log q_i)                               (1)
    JS(p, q) = (KL(p||m) + KL(q||m)) / 2,   m = (p + q) / 2                  (2)
    D_i = p_i / (p_i + q_i),   V = sum_i h (p_i log D_i + q_i log(1 - D_i))  (3)

i runs over the lattice's points and h is the area of a cell. For smooth densities that vanish at the border the sum
differs from the integral by less than rounding does. D is the best discriminator of the two, and its value V is
2 JS - log 4. Of simple densities q, the one with the least KL(p||q) covers all of p; the one with the least KL(q||p)
stays where p is high, and so keeps to one mode.

References:
    Huszar (2015). How (not) to train your generative model: scheduled sampling, likelihood, adversary?
    Goodfellow and others (2014). Generative adversarial nets (the best discriminator).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.shapes import Scalar

Points = Float[Tensor, "point coordinate"]
LogDensity = Float[Tensor, " point"]
Divergence: TypeAlias = Literal["forward", "reverse", "jensen_shannon"]
"""KL(p||q), KL(q||p), JS(p, q)."""


@dataclass(frozen=True)
class NormalMixture:
    """Weighted round Gaussians.

    Example:
        >>> pair = NormalMixture(torch.tensor([[-1.0], [1.0]]), 0.5)
        >>> pair.log_density(torch.tensor([[0.0]])).exp().item() > 0.1
        True
    """

    centres: Float[Tensor, "mode coordinate"]
    deviation: float | Tensor
    weights: Float[Tensor, " mode"] | None = None
    """None: equal ones."""

    def log_density(self, x: Points) -> LogDensity:
        """The logarithm of the density in nats."""
        count, coordinates = self.centres.shape
        deviation = torch.as_tensor(self.deviation, dtype=x.dtype)
        square = (x[:, None] - self.centres.to(x)).square().sum(2) / deviation.square()
        weights = torch.full((count,), 1 / count) if self.weights is None else self.weights
        constant = coordinates * (0.5 * math.log(2 * math.pi) + deviation.log())
        return torch.logsumexp(weights.to(x).log() - 0.5 * square - constant, 1)


@dataclass(frozen=True)
class Lattice:
    """Evenly spaced points of a line or of a square, around 0.

    Example:
        >>> Lattice.of(1, reach=4.0, points=9).at.flatten().tolist()
        [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    """

    at: Points
    cell: float
    """Length or area of a cell, h."""

    @classmethod
    def of(cls, coordinates: int, reach: float, points: int) -> Lattice:
        """A lattice from -reach to reach in each coordinate, with as many points along each."""
        line = torch.linspace(-reach, reach, points, dtype=torch.float64)
        at = line[:, None] if coordinates == 1 else torch.cartesian_prod(*[line] * coordinates)
        return cls(at, (2 * reach / (points - 1)) ** coordinates)

    def divergence(self, kind: Divergence, p: LogDensity, q: LogDensity) -> Scalar:
        """Equation (1), the same with p and q exchanged, or (2), in nats, of log densities at the points."""
        if kind == "forward":
            return self._leibler(p, q)
        if kind == "reverse":
            return self._leibler(q, p)
        between = torch.logaddexp(p, q) - math.log(2)
        return 0.5 * (self._leibler(p, between) + self._leibler(q, between))

    def value(self, p: LogDensity, q: LogDensity) -> Scalar:
        """The value V of the best discriminator, equation (3), in nats."""
        either = torch.logaddexp(p, q)
        return self.cell * (p.exp() * (p - either) + q.exp() * (q - either)).sum()

    def _leibler(self, p: LogDensity, q: LogDensity) -> Scalar:
        return self.cell * (p.exp() * (p - q)).sum()


@dataclass(frozen=True)
class Nearest:
    """A Gaussian that minimises a divergence from a density."""

    density: NormalMixture
    divergence: float
    """In nats."""


def nearest_normal(
    kind: Divergence, log_density: Callable[[Points], LogDensity], lattice: Lattice, begins: Sequence[Sequence[float]]
) -> Nearest:
    """The round Gaussian of least divergence, by descent from several centres; the best end is given.

    Args:
        kind: The divergence.
        log_density: Of p, in nats.
        lattice: Where the sums are taken.
        begins: Centres from which the descent begins, one after the other.
    """
    p = log_density(lattice.at)
    found = [_descended(kind, p, lattice, torch.tensor([begin], dtype=torch.float64)) for begin in begins]
    return min(found, key=lambda one: one.divergence)


def _descended(kind: Divergence, p: LogDensity, lattice: Lattice, begin: Tensor) -> Nearest:
    centre, log_deviation = begin.clone().requires_grad_(), torch.zeros((), dtype=torch.float64, requires_grad=True)
    rule = torch.optim.LBFGS([centre, log_deviation], max_iter=100, line_search_fn="strong_wolfe")

    def apart() -> Tensor:
        return lattice.divergence(kind, p, NormalMixture(centre, log_deviation.exp()).log_density(lattice.at))

    def closure() -> Tensor:
        rule.zero_grad()
        error = apart()
        error.backward()
        return error

    with torch.enable_grad():
        rule.step(closure)  # pyright: ignore[reportArgumentType]
    with torch.no_grad():
        return Nearest(NormalMixture(centre.detach(), log_deviation.exp().detach()), float(apart()))
