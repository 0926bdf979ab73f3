"""Defaults that several systems share: patches of few large pictures, units for documents.

A choice that names a field of the configuration is dropped where the user sets that field otherwise, and the next one
is taken in its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from untaught.config import from_json
from untaught.data.view import beyond_unit, example_shape
from untaught.layerwise.from_components import FEW, LARGE, PATCH, few_and_large, in_turn, why_patches
from untaught.model import Batch, Classifies, Example, Model, Usual, View

CONVOLVED = 4 * PATCH
"""Side of the patches that convolutions look at: several times that of a filter."""
SHARES = "examples are documents, whose words each have a small share"
"""Why documents have units of their own, in words for the user."""
COLOURS = "pictures have colours, whose values are seldom near 0 or 1"
"""Why pictures with three channels have Gaussian units."""
LIT = 200
"""Units that are on in an example, up to which settings for digits serve; in MNIST they are 100, in CIFAR-10 1,400."""
NEAR_ONE = 1e-3
"""Error of a sum of probabilities that rounding may make."""


def patches_told(side: int = PATCH) -> dict[str, str]:
    """How `in_patches` chooses, for help and documentation."""
    return {
        "patch": f"{side} where there are fewer than {FEW} pictures of at least {LARGE} x {LARGE}, or frames as large"
    }


def are_documents(example: Example, sample: Batch) -> bool:
    """Whether examples are shares of words: vectors of several values, none below 0, whose sum is 1.

    Example:
        >>> import torch
        >>> are_documents(Example((3,)), Batch.of(torch.tensor([[0.2, 0.0, 0.8]])))
        True
    """
    if len(example.shape) != 1 or example.shape[0] < 2 or not len(sample.x):
        return False
    return bool((sample.x >= 0).all()) and float((sample.x.sum(1) - 1).abs().max()) < NEAR_ONE


def amounts(example: Example, sample: Batch) -> str:
    """Why values are amounts and no probabilities of ones, in words for the user; empty where they may be such."""
    if beyond := beyond_unit(sample.x):
        return f"{beyond}, not from 0 to 1"
    if are_documents(example, sample):
        return SHARES
    return COLOURS if len(example.shape) == 3 and example.shape[0] == 3 else ""


def units_on(example: Example, sample: Batch) -> float:
    """Mean sum of an example's values: so many units are on where they are probabilities of ones. Of a patch if any."""
    side = PATCH if few_and_large(example, sample) else None
    return float(sample.x.mean()) * math.prod(example_shape(example.shape, View(patch=side)))


def in_patches(cls: type[Model], choices: Sequence[Usual], example: Example, sample: Batch, side: int = PATCH) -> Usual:
    """The first choice, then the others, each on patches where pictures are few and large.

    A system that can learn classes keeps whole pictures where they have labels, since a patch need not show what its
    picture is of. A choice without a view gets that of its configuration.
    """
    classes = issubclass(cls, Classifies) and bool((sample.label >= 0).any())
    if not few_and_large(example, sample) or classes:
        return in_turn(choices)
    return in_turn([_cut(cls, choice, side, why_patches(example, sample)) for choice in choices])


def _cut(cls: type[Model], choice: Usual, side: int, few: str) -> Usual:
    view = choice.view or cls.view_of(from_json(cls.Config, dict(choice.config)))
    return replace(choice, view=replace(view, patch=side), because="; ".join(filter(None, (choice.because, few))))
