r"""Directions of a latent space that a person can move along, each one standard deviation of the test examples long.

With f_n the code of example n, m the mean and s the deviations of codes,

    unit j         s_j e_j,                 coordinate (f_nj - m_j) / s_j                                 (1)
    component k    sqrt(l_k) v_k,           coordinate (f_n - m) v_k / sqrt(l_k),  (l_k, v_k) of cov f     (2)
    variable k     W_k, the change of E[f|y] by one deviation of y_k (`drawing/perturb.py`),
                   coordinate (y_nk - mean y_k) / deviation of y_k                                        (3)
    change k       s v_k, along which pictures change most (`nn/latent/greatest_change.py`),
                   coordinate ((f_n - m) / s) v_k                                                         (4)

Units are listed by their variance, the most active first. Codes of a generator are independent noise, alike in every
direction: theirs are listed by how much a picture changes with them, and (4) takes the place of (2) and (3).
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
from untaught.nn.latent.greatest_change import greatest_change
from untaught.nn.principal import principal
from untaught.shapes import Features

UNITS, COMPONENTS = 12, 8
"""Units and principal components that can be chosen, at most."""
FITTED, WATCHED = 1000, 400
"""Training examples on which directions of variables are fitted; of video, windows."""
LITTLE = 0.05
"""Where the two most active units have a smaller share of all variance, moving them shows nothing."""

Kind = Literal["unit", "component", "variable", "change"]


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
    if explored.generates:
        return _changes(explored)
    return [*_units(explored), *_components(explored), *_variables(explored)]


def usual_axes(explored: Explored, axes: list[Axis]) -> tuple[int, int]:
    """Numbers of the two to begin with: the most active units or, where these say little, the first components.

    Of a generator, those along which pictures change most.
    """
    if explored.generates:
        return 0, min(1, len(axes) - 1)
    variance = activity(explored.features.double())
    share = float(variance.topk(min(2, len(variance))).values.sum() / variance.sum().clamp_min(1e-12))
    kind: Kind = "unit" if share >= LITTLE else "component"
    found = [number for number, axis in enumerate(axes) if axis.kind == kind][:2] or [0]
    return found[0], found[-1]


def _units(explored: Explored) -> list[Axis]:
    """Equation (1), the most active first."""
    return _of_units(explored.features, activity(explored.features))


def _of_units(f: Features, active: Tensor) -> list[Axis]:
    """Equation (1) for the units that are most active."""
    mean, s = f.mean(0), f.std(0, correction=0).clamp_min(1e-6)
    axes: list[Axis] = []
    for number in active.argsort(descending=True)[:UNITS].tolist():
        direction = torch.zeros(f.shape[1])
        direction[number] = s[number]
        axes.append(Axis("unit", f"unit {number + 1}", direction, (f[:, number] - mean[number]) / s[number]))
    return axes


def _changes(explored: Explored) -> list[Axis]:
    """Equation (4), then equation (1) for the units with which pictures change most."""
    f = explored.codes
    change = greatest_change(explored.decoded, f)
    scaled = (f - f.mean(0)) / f.std(0, correction=0).clamp_min(1e-6)
    kept = range(min(COMPONENTS, int((change.size > 0).sum())))
    found = [Axis("change", f"change {k + 1}", change.directions[k], scaled @ change.rotated[:, k]) for k in kept]
    return found + _of_units(f, change.of_units)


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
    train = subject.pixels(subject.parts.train, WATCHED if explored.is_video else FITTED, context(subject))
    places, found = directions(train, subject.features(train.x))
    axes: list[Axis] = []
    for name, place in places.items():
        known = explored.variables.get(name)
        if known is not None:
            centred = (known - known.mean()) / known.std(correction=0)
            axes.append(Axis("variable", name.replace("_", " "), found[place], centred))
    return axes
