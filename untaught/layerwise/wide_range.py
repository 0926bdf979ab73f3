"""Defaults for data with values outside [0, 1], which are neither pictures nor probabilities."""

from __future__ import annotations

from dataclasses import replace

from untaught.data.view import beyond_unit
from untaught.model import Batch, Example, Usual, View
from untaught.recipe import Recipe

OUTSIDE = "where values lie outside [0, 1]"
STANDARDISED = {"standardise": f"{OUTSIDE}, all of a picture alike, those of a vector one by one"}
"""How `standardised_outside` chooses, for help and documentation."""
LINEAR = {"output": f"linear {OUTSIDE}", **STANDARDISED}
"""How `linear_outside` chooses."""
GAUSSIAN = {"visible": f"gaussian {OUTSIDE}"}
"""How `gaussian_outside` chooses."""


def standardised_outside(example: Example, sample: Batch) -> Usual:
    """Standardised values."""
    view = View(standardise="all" if len(example.shape) == 3 else "pixel")
    return _outside(sample, Usual(view=view))


def linear_outside(example: Example, sample: Batch) -> Usual:
    """Linear output units and standardised values: logistic units are bounded by the training data, tanh by 1."""
    return _outside(sample, replace(standardised_outside(example, sample), config={"output": "linear"}))


def gaussian_outside(sample: Batch, recipe: Recipe | None = None) -> Usual:
    """Gaussian visible units, for which models standardise values, and a recipe for them."""
    return _outside(sample, Usual({"visible": "gaussian"}, recipe=recipe))


def _outside(sample: Batch, usual: Usual) -> Usual:
    beyond = beyond_unit(sample.x)
    return replace(usual, because=f"{beyond}, not from 0 to 1") if beyond else Usual()
