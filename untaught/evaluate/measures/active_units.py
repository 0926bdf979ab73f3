r"""Which features say something about the example, and how sparse they are.

With f_nu feature u of test example n, of N examples and U features,

    activity of u            A_u = 1/N sum_n (f_nu - mean_n f_nu)^2,   active where A_u > 0.01             (1)
    mean activation of u     m_u = 1/N sum_n f_nu                                                          (2)
    sparseness of K numbers  (sqrt K - sum |r| / sqrt(sum r^2)) / (sqrt K - 1)                             (3)

(3) is 0 where all K are equal in magnitude and 1 where a single one is not 0. Over the N responses of a unit it is the
lifetime sparseness, over the U features of an example the population sparseness; the means of both are given. Units and
examples that are 0 throughout have sparseness 1. `near_zero_fraction` is the fraction of all |f_nu| below one hundredth
of the largest. The baseline is the same network untrained.

References:
    Burda, Grosse, Salakhutdinov, Importance weighted autoencoders (2016), for (1), where f is the mean of a code.
    Hoyer, Non-negative matrix factorization with sparseness constraints (2004), for (3).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Axis, Quantity, beside, facts
from untaught.evaluate.subject import Subject
from untaught.model import Encodes
from untaught.shapes import Features, PerExample

ACTIVE = 0.01
NEAR_ZERO = 0.01
QUANTILES = {"lowest": 0.0, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "highest": 1.0}
LEAST = 2
"""Fewest test examples: a single one has no variance."""
QUANTITIES = (
    Quantity(
        "active_units_fraction",
        title="fraction of units that are active",
        meaning="The part of the features whose variance over examples is above 0.01.",
    ),
    Quantity("active_units", title="units that are active"),
    Quantity("activation_mean", title="mean activation"),
    Quantity(
        "activation_of_units",
        title="mean activation of units",
        meaning="Each unit's mean over examples: the lowest of all units, the quartiles, the highest.",
        axis=Axis(label="mean activation, {}"),
    ),
    Quantity(
        "activity_of_units",
        title="variance of units",
        meaning="Each unit's variance over examples: the lowest of all units, the quartiles, the highest.",
        axis=Axis(label="variance of units, {}"),
    ),
    Quantity(
        "lifetime_sparseness",
        meaning="0 where a feature is as strong in all examples, 1 where it is on in one; mean over features.",
    ),
    Quantity(
        "population_sparseness",
        meaning="0 where an example has all features alike, 1 where it has one; mean over examples.",
    ),
    Quantity(
        "near_zero_fraction",
        title="fraction of activations near zero",
        meaning="The part of all features of all examples below one hundredth of the largest.",
    ),
)


def applies(subject: Subject) -> str | None:
    """None for models that encode, on at least two test examples."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    if subject.view.frames is not None and not subject.parts.test.is_video:
        return "the data are not video"
    return None if len(subject.parts.test) >= LEAST else f"activity takes at least {LEAST} test examples"


def measure(subject: Subject) -> Groups:
    """Active units, mean activations and sparseness, of the network and of itself untrained."""
    x = subject.tested().x
    features = subject.features(x)
    found = {"model": described(features), "random_weights": described(subject.untrained().features(x))}
    return [beside(QUANTITIES, found), facts(features=features.shape[1], examples=len(x))]


def described(features: Features) -> dict[str, Any]:
    """Every number about one network's features, equations (1) to (3)."""
    f = features.double()
    size = f.abs()
    mean = f.mean(0)
    return {
        "active_units_fraction": float((activity(f) > ACTIVE).double().mean()),
        "active_units": int((activity(f) > ACTIVE).sum()),
        "activation_mean": float(mean.mean()),
        "activation_of_units": {name: float(mean.quantile(q)) for name, q in QUANTILES.items()},
        "activity_of_units": {name: float(activity(f).quantile(q)) for name, q in QUANTILES.items()},
        "lifetime_sparseness": float(sparseness(f.T).mean()),
        "population_sparseness": float(sparseness(f).mean()),
        "near_zero_fraction": float((size <= NEAR_ZERO * size.max()).double().mean()),
    }


def activity(features: Features) -> Tensor:
    """Variance of each feature over examples, `(feature,)`, equation (1)."""
    return features.var(0, correction=0)


def sparseness(rows: Features) -> PerExample:
    """Sparseness of each row, equation (3); of rows of one number it is 1.

    Example:
        >>> sparseness(torch.tensor([[1.0, -1.0, 1.0, 1.0], [0.0, 0.0, 3.0, 0.0]])).tolist()
        [0.0, 1.0]
    """
    root = rows.shape[1] ** 0.5
    if rows.shape[1] == 1:
        return torch.ones_like(rows[:, 0])
    length = rows.square().sum(1).sqrt()
    ratio = rows.abs().sum(1) / length.clamp_min(torch.finfo(rows.dtype).tiny)
    return torch.where(length > 0, (root - ratio) / (root - 1), 1.0)


MEASURE = Measure(
    title="Which units say something",
    meaning="Which features say something about the example, and how sparse they are.",
    applies=applies,
    measure=measure,
    whole=True,
    quantities=QUANTITIES,
    together=True,
)
