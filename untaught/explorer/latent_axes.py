r"""Directions of a latent space that a person can move along, each one standard deviation of the test examples long.

With f_n the features of example n, m their mean and s their deviations,

    unit j         s_j e_j,                 coordinate (f_nj - m_j) / s_j                                 (1)
    component k    sqrt(l_k) v_k,           coordinate (f_n - m) v_k / sqrt(l_k),  (l_k, v_k) of cov f     (2)
    variable k     W_k, the change of E[f|y] by one deviation of y_k (`drawing/perturb.py`),
                   coordinate (y_nk - mean y_k) / deviation of y_k                                        (3)

Units are listed by their variance, the most active first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from untaught.evaluate.drawing.perturb import directions
from untaught.evaluate.measures.active_units import activity
from untaught.evaluate.representations import context
from untaught.explorer.explored import Explored
from untaught.nn.principal import principal
from untaught.shapes import Features

UNITS, COMPONENTS = 12, 8
"""Units and principal components that can be chosen, at most."""
FITTED = 1000
"""Training examples on which directions of variables are fitted."""
LITTLE = 0.05
"""Where the two most active units have a smaller share of all variance, moving them shows nothing."""

Kind = Literal["unit", "component", "variable"]


@dataclass(frozen=True)
class Axis:
    """One direction."""

    kind: Kind
    name: str
    direction: Tensor
    """`(feature,)`."""
    coordinates: Tensor
    """Where each test example is, in standard deviations, `(example,)`."""


def latent_axes(explored: Explored) -> list[Axis]:
    """Every direction that can be chosen."""
    return [*_units(explored), *_components(explored), *_variables(explored)]


def usual_axes(explored: Explored, axes: list[Axis]) -> tuple[int, int]:
    """Numbers of the two to begin with: the most active units or, where these say little, the first components."""
    variance = activity(explored.features.double())
    share = float(variance.topk(min(2, len(variance))).values.sum() / variance.sum().clamp_min(1e-12))
    kind: Kind = "unit" if share >= LITTLE else "component"
    found = [number for number, axis in enumerate(axes) if axis.kind == kind][:2] or [0]
    return found[0], found[-1]


def _units(explored: Explored) -> list[Axis]:
    """Equation (1)."""
    f, s = explored.features, explored.deviations
    most = activity(f).argsort(descending=True)[:UNITS].tolist()
    unit = torch.eye(f.shape[1])[most] if f.shape[1] <= 4096 else _unit_rows(most, f)
    return [
        Axis("unit", f"unit {number + 1}", s[number] * row, (f[:, number] - f[:, number].mean()) / s[number])
        for number, row in zip(most, unit, strict=True)
    ]


def _unit_rows(numbers: list[int], features: Features) -> Tensor:
    rows = torch.zeros(len(numbers), features.shape[1])
    rows[range(len(numbers)), numbers] = 1
    return rows


def _components(explored: Explored) -> list[Axis]:
    """Equation (2)."""
    f = explored.features
    if f.shape[1] < 2:
        return []
    plane = principal(f[:: max(1, len(f) // 500)], COMPONENTS)
    scores = plane.encode(f)
    size = scores.std(0, correction=0).clamp_min(1e-9)
    return [
        Axis("component", f"principal {k + 1}", size[k] * plane.directions[:, k], scores[:, k] / size[k])
        for k in range(scores.shape[1])
    ]


def _variables(explored: Explored) -> list[Axis]:
    """Equation (3)."""
    if not explored.variables:
        return []
    subject = explored.subject
    train = subject.pixels(subject.parts.train, FITTED, context(subject))
    places, found = directions(train, subject.features(train.x))
    axes: list[Axis] = []
    for name, place in places.items():
        known = explored.variables.get(name)
        if known is not None:
            centred = (known - known.mean()) / known.std(correction=0)
            axes.append(Axis("variable", name.replace("_", " "), found[place], centred))
    return axes
