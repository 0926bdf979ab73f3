r"""Logistic PCA: the plane of logits from which pixels between 0 and 1 are most probable.

With m a logit for each pixel, the k columns of V, and a code u_n for each example x_n,

    y_n  = sigmoid(t_n),    t_n = m + V u_n                                                             (1)
    nats = sum_n sum_p [ log(1 + exp(t_np)) - x_np t_np ]                                               (2)

is minimised over m, V and all u_n on training examples, and over u_n alone on others. With V fixed, each example is a
convex problem; with the codes fixed, each pixel is one. The two alternate. A step is Newton's,

    u <- u - r H^-1 g,   g = V^T (y - x) + ridge u,   H = V^T diag(y (1 - y)) V + ridge 1,              (3)

with the first r of 1, 0.3, 0.09, ... that makes (2) + ridge |u|^2 / 2 smaller. Codes begin at the least value of the
parabola that touches (2) at u = 0 and lies above it, whose H has 1/4 in place of y (1 - y).

Hinton and Salakhutdinov give this name to a network whose code is linear and whose outputs are logistic,

    u_n  = (x_n - mean x) W,                                                                            (4)

fitted to the same cross-entropy, here by 600 updates of Adam: `linear_code`. On MNIST with 30 numbers its squared error
per test image is 8.0, close to the 8.01 that they printed, but it has not converged: after 6,000 updates it is 7.77.
That of optimised codes is 3.7.

Both are fitted on evenly spaced examples: (3) on at most 5,000, (4) on all that are given.

References:
    Collins, Dasgupta, Schapire, A generalization of principal component analysis to the exponential family (2001).
    Schein, Saul, Ungar, A generalized linear model for principal component analysis of binary data (2003).
    Hinton, Salakhutdinov, Reducing the dimensionality of data with neural networks (2006).

Departures:
    Schein and others step to the least value of a parabola above (2), which takes many times as many steps. The ridge,
    0.1, keeps logits of pixels that are always 0 finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from untaught.nn.principal import principal
from untaught.shapes import PerExample, Vectors

Codes = Float[Tensor, "batch component"]

WIDEST = 4096
"""Most pixels of an example."""
WORK = 4_000_000
"""Largest product of pixels and squared components, the cost of a step of (3) for one example."""
FITTED = 5_000
SWEEPS, STEPS = 8, 8
"""Alternations of V and the codes while fitting; most steps for the codes of other examples."""
RIDGE = 0.1
SHARES = (1.0, 0.3, 0.09, 0.027, 0.0081)
AT_ONCE = 1000
BATCH, RATE, UPDATES = 256, 1e-2, 600
"""Settings of Adam, whose rate falls linearly to 0."""


@dataclass(frozen=True)
class LogisticPrincipal:
    """A plane of logits, equation (1): m `(feature,)` and V `(feature, component)`, float32."""

    offset: Tensor
    directions: Tensor

    def encode(self, x: Vectors) -> Codes:
        """The codes of least cross-entropy, equations (2) and (3)."""
        v = self.directions
        parabola = 0.25 * v.T @ v + RIDGE * torch.eye(v.shape[1])
        start = torch.linalg.solve(parabola, v.T @ (x - torch.sigmoid(self.offset)).T).T
        return newton(x, start, v, self.offset, STEPS)

    def decode(self, codes: Codes) -> Vectors:
        """Probabilities, equation (1)."""
        return torch.sigmoid(self.offset + codes @ self.directions.T)

    def reconstruct(self, x: Vectors) -> Vectors:
        """Probabilities of the best codes."""
        return self.decode(self.encode(x))


@dataclass(frozen=True)
class LinearCode:
    """A linear code with logistic outputs: mean x, W `(feature, component)`, m and V, float32."""

    mean: Tensor
    weight: Tensor
    offset: Tensor
    directions: Tensor

    def encode(self, x: Vectors) -> Codes:
        """The linear code, equation (4)."""
        return (x - self.mean) @ self.weight

    def reconstruct(self, x: Vectors) -> Vectors:
        """Probabilities of the linear code, equation (1)."""
        return torch.sigmoid(self.offset + self.encode(x) @ self.directions.T)


def possible(x: Tensor, components: int) -> bool:
    """Whether logistic PCA is possible: values in [0, 1], fewer components than values, and an acceptable cost."""
    width = x[0].numel()
    if not components < min(width + 1, len(x)) or width > WIDEST or width * components**2 > WORK:
        return False
    low, high = x.aminmax()
    return float(low) >= 0 and float(high) <= 1


def logistic_principal(x: Vectors, components: int) -> LogisticPrincipal:
    """Fit m and V, equation (2), from principal components on; the same every time.

    Example:
        >>> plane = logistic_principal((torch.rand(20, 5) > 0.5).float(), 2)
        >>> plane.encode(torch.rand(3, 5)).shape
        torch.Size([3, 2])
    """
    x = _some(x)
    start = _begin(x, components)
    codes, directions, offset = start.encode(x), start.directions, start.offset
    pixels, one = x.T.contiguous(), torch.ones(len(x), 1)
    for _ in range(SWEEPS):
        codes = newton(x, codes, directions, offset)
        both = torch.cat([directions, offset[:, None]], 1)
        both = newton(pixels, both, torch.cat([codes, one], 1), torch.zeros(len(x)))
        directions, offset = both[:, :-1].contiguous(), both[:, -1].contiguous()
    return LogisticPrincipal(offset, directions)


def linear_code(x: Vectors, components: int) -> LinearCode:
    """Fit W, m and V of equations (4) and (1), from principal components on; the same every time."""
    start = _begin(_some(x), components)
    moved = [torch.nn.Parameter(value) for value in (start.weight, start.offset, start.directions)]
    adam, generator = torch.optim.Adam(moved, RATE), torch.Generator().manual_seed(0)
    for update in range(UPDATES):
        adam.param_groups[0]["lr"] = RATE * (1 - update / UPDATES)
        some = x[torch.randint(len(x), (BATCH,), generator=generator)]
        moved[0].grad, moved[1].grad, moved[2].grad = gradient(some, start.mean, *(value.detach() for value in moved))
        adam.step()
    return LinearCode(start.mean, *(value.detach() for value in moved))


def gradient(x: Tensor, mean: Tensor, weight: Tensor, offset: Tensor, directions: Tensor) -> tuple[Tensor, ...]:
    """Derivatives of (2), mean over examples, by W, m and V where codes are (4)."""
    codes = (x - mean) @ weight
    error = (torch.sigmoid(offset + codes @ directions.T) - x) / len(x)
    return (x - mean).T @ (error @ directions), error.sum(0), error.T @ codes


def _some(x: Tensor) -> Tensor:
    return x[torch.linspace(0, len(x) - 1, min(len(x), FITTED)).round().long()]


def _begin(x: Vectors, components: int) -> LinearCode:
    """Principal components as a plane of logits, with codes of variance 1; a logit's slope at 1/2 is 1/4."""
    plane = principal(x, components)
    scale = plane.encode(x).std(0)
    scale = scale.clamp_min(1e-3 * float(scale.max()) + 1e-6)
    least = 0.5 / len(x)
    offset = torch.logit(plane.mean.clamp(least, 1 - least))
    return LinearCode(plane.mean, plane.directions / scale, offset, 4 * plane.directions * scale)


def nats(x: Tensor, logits: Tensor) -> PerExample:
    """Cross-entropy of each row, equation (2)."""
    return (functional.softplus(logits) - x * logits).sum(1)


def newton(x: Tensor, codes: Tensor, directions: Tensor, offset: Tensor, steps: int = 1) -> Tensor:
    """Newton's steps (3), each row alone, until the mean over 1,000 rows falls by less than one part in 10,000.

    Args:
        x: `(row, column)`, in [0, 1].
        codes: Where they begin, `(row, component)`.
        directions: `(column, component)`.
        offset: `(column,)`.
        steps: At most.
    """
    first, second = torch.tril_indices(directions.shape[1], directions.shape[1])
    products = directions[:, first] * directions[:, second]
    found: list[Tensor] = []
    for some, u in zip(x.split(AT_ONCE), codes.split(AT_ONCE), strict=True):
        t, before = offset + u @ directions.T, float("inf")
        for _ in range(steps):
            y = torch.sigmoid(t)
            curvature = _symmetric((y * (1 - y)) @ products, first, second)
            slope = (y - some) @ directions + RIDGE * u
            u, t, value = _shortened(some, u, t, _solved(curvature, slope), directions)
            if before - value < 1e-4 * value:
                break
            before = value
        found.append(u)
    return torch.cat(found)


def _symmetric(values: Tensor, first: Tensor, second: Tensor) -> Float[Tensor, "row component component"]:
    """Matrices from their lower triangles, the ridge added."""
    size = int(first[-1]) + 1
    full = values.new_empty(len(values), size, size)
    full[:, first, second] = values
    full[:, second, first] = values
    full.diagonal(dim1=1, dim2=2).add_(RIDGE)
    return full


def _solved(matrices: Tensor, right: Tensor) -> Tensor:
    factor, _ = torch.linalg.cholesky_ex(matrices)
    return torch.cholesky_solve(right[..., None], factor)[..., 0].nan_to_num(0, 0, 0)


def _shortened(x: Tensor, u: Tensor, t: Tensor, step: Tensor, directions: Tensor) -> tuple[Tensor, Tensor, float]:
    """Codes and logits after the largest step length that decreases (2), row by row, and the mean value."""
    along = step @ directions.T
    least = nats(x, t) + 0.5 * RIDGE * u.square().sum(1)
    share = torch.zeros_like(least)
    for tried in SHARES:
        rows = (share == 0).nonzero()[:, 0]
        value = nats(x[rows], t[rows] - tried * along[rows])
        value = value + 0.5 * RIDGE * (u[rows] - tried * step[rows]).square().sum(1)
        better = value < least[rows]
        share[rows[better]] = tried
        least[rows[better]] = value[better]
    return u - share[:, None] * step, t - share[:, None] * along, float(least.mean())
