r"""What finds unusual examples without a deep model, from the pixels alone: baselines of every score.

    pca                 sum_p (x_p - x^_p)^2, x^ the nearest point of the plane of k principal components    (1)
    nearest_example     min_n sum_p (x_p - t_{n,p})^2 over training examples t_n                             (2)
    isolation_forest    the depth at which random cuts of single pixels isolate x, the less the stranger     (3)

k is the length of the model's code, but at most half of the pixels and of the training examples: a plane through
nearly everything gives everything back. The higher the score, the more unusual.

References:
    Liu, Ting, Zhou (2008). Isolation forest. ICDM.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.nn.principal import principal
from untaught.shapes import PerExample, Vectors

Known = Float[Tensor, "known feature"]
"""Training examples."""
AT_ONCE = 2**24
"""Distances in memory at once: 64 MiB."""


def outliers(train: Known, x: Vectors, code: int, seed: int) -> dict[str, PerExample]:
    """The score of each example of `x` by every baseline, fitted on training examples."""
    return {
        "pca": principal_error(train, x, components(train, code)),
        "nearest_example": nearest_squared_distance(train, x),
        "isolation_forest": isolation(train, x, seed),
    }


def components(train: Vectors, code: int) -> int:
    """How many principal components stand beside a code of that length.

    Example:
        >>> components(torch.zeros(100, 64), 500), components(torch.zeros(100, 64), 10)
        (32, 10)
    """
    return max(1, min(code, train.shape[1] // 2, len(train) // 2))


def principal_error(train: Known, x: Vectors, count: int) -> PerExample:
    """Equation (1)."""
    return (x - principal(train, count).reconstruct(x)).square().sum(1)


def nearest_squared_distance(train: Known, x: Vectors) -> PerExample:
    """Equation (2), in pieces.

    Example:
        >>> nearest_squared_distance(torch.tensor([[0.0, 0.0], [3.0, 0.0]]), torch.tensor([[3.0, 2.0]])).tolist()
        [4.0]
    """
    size = max(1, AT_ONCE // max(1, len(train)))
    exact = "donot_use_mm_for_euclid_dist" if x.shape[1] <= 64 else "use_mm_for_euclid_dist_if_necessary"
    return torch.cat([torch.cdist(some, train, compute_mode=exact).amin(1).square() for some in x.split(size)])


def isolation(train: Known, x: Vectors, seed: int) -> PerExample:
    """Equation (3), as scikit-learn computes it with its defaults."""
    from sklearn.ensemble import IsolationForest  # it takes a second to import

    forest = IsolationForest(random_state=seed % 2**32).fit(train.numpy())
    return torch.from_numpy(-forest.score_samples(x.numpy())).float()
