r"""The Frechet distance of two sets of features, each described by its mean and covariance.

    d^2 = |m_1 - m_2|^2 + tr C_1 + tr C_2 - 2 tr (C_1 C_2)^(1/2)                     (1)
    C_i = R_i^T R_i,     tr (C_1 C_2)^(1/2) = |R_1 R_2^T|_*                           (2)

m_i and C_i are mean and covariance of set i. It is the Wasserstein distance of two Gaussians, squared. In (2) R_i is
the triangular factor of the centred features over sqrt(n_i - 1), and |.|_* the sum of singular values: no root of a
matrix that is not symmetric is taken, which fails where there are fewer examples than features. With n examples
(1) is above the distance of the distributions by an amount that falls as 1 / n, so sets of equal size are compared.

References:
    Dowson, Landau (1982). The Frechet distance between multivariate normal distributions.
    Heusel et al. (2017). GANs trained by a two time-scale update rule converge to a local Nash equilibrium.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

One = Float[Tensor, "one feature"]
Other = Float[Tensor, "other feature"]


def frechet_distance(one: One, other: Other) -> float:
    """Equation (1), in the square of the features' unit.

    Raises:
        ValueError: A set has fewer than two examples.

    Example:
        >>> frechet_distance(torch.tensor([[0.0], [2.0]]), torch.tensor([[3.0], [5.0]]))
        9.0
    """
    if min(len(one), len(other)) < 2:
        raise ValueError("a covariance takes at least two examples")
    means, factors = list[Tensor](), list[Tensor]()
    for features in (one.double(), other.double()):
        mean = features.mean(0)
        means.append(mean)
        factors.append(torch.linalg.qr((features - mean) / math.sqrt(len(features) - 1)).R)
    shift = (means[0] - means[1]).square().sum()
    spread = factors[0].square().sum() + factors[1].square().sum()
    shared = torch.linalg.svdvals(factors[0] @ factors[1].T).sum()
    return max(0.0, float(shift + spread - 2 * shared))
