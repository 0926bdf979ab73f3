"""What suits values outside [0, 1], where pictures and probabilities end: linear outputs, standardised inputs."""

from __future__ import annotations

from dataclasses import replace

from untaught.data.view import beyond_unit
from untaught.model import Batch, Example, Usual, View

STANDARDISED = {"standardise": "where values lie outside [0, 1], all of a picture alike, those of a vector one by one"}
"""How `standardised_outside` chooses, for help and documentation."""
LINEAR = {"output": "linear where values lie outside [0, 1]", **STANDARDISED}
"""How `linear_outside` chooses."""


def standardised_outside(example: Example, sample: Batch) -> Usual:
    """Standardised values where some lie outside [0, 1]; else nothing is unusual."""
    if not (beyond := beyond_unit(sample.x)):
        return Usual()
    view = View(standardise="all" if len(example.shape) == 3 else "pixel")
    return Usual(view=view, because=f"{beyond}, not from 0 to 1")


def linear_outside(example: Example, sample: Batch) -> Usual:
    """The same with linear output units: logistic ones end where the training data did, tangents at 1."""
    found = standardised_outside(example, sample)
    return replace(found, config={"output": "linear"}) if found.because else found
