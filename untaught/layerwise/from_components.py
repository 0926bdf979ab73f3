"""Defaults of autoencoders of two networks: a start at principal components, patches of few large pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from untaught.data.view import example_shape
from untaught.layerwise.wide_range import LINEAR, linear_outside
from untaught.model import Batch, Example, Usual, View
from untaught.nn.coders import Coders
from untaught.recipe import Recipe

WARM_UP = 0.1
"""Fraction of the training over which the rate rises: a full first step would leave the components at once."""
BESIDE = (512, 512)
"""Units of the networks beside the linear maps."""
BEYOND = "from principal components on the error only falls"
FEW = 250
"""Training pictures below which they count as few."""
LARGE = 96
"""Shorter side in pixels from which pictures count as large."""
PATCH = 16
"""Side of the patches of few large pictures."""
COMPONENTS = {
    "start": "pca, with clipped output units",
    "latent": "half of the values where an example has no more than a code",
    "hidden": "512, 512 beside linear maps",
    **LINEAR,
    "output": "clipped, or linear where values lie outside [0, 1]",
    "patch": f"{PATCH} where there are fewer than {FEW} pictures of at least {LARGE} x {LARGE}, or frames as large",
}
"""How `from_components` chooses, for help and documentation."""


def few_and_large(example: Example, sample: Batch) -> bool:
    """Whether pictures are large, and few or as much alike as frames of a film, so that their patches are many."""
    large = len(example.shape) == 3 and min(example.shape[1:]) >= LARGE
    return large and (example.frames is not None or len(sample.x) < FEW)


def why_patches(example: Example, sample: Batch) -> str:
    """Why patches of such pictures are looked at, in words for the user."""
    if example.frames is not None:
        return "frames of a film are alike, their patches are many"
    return f"{len(sample.x)} training pictures are few, their patches are many"


def from_components(example: Example, sample: Batch, coders: Coders, recipe: Recipe, plain: Mapping[str, Any]) -> Usual:
    """A start at principal components, patches of few large pictures, and a code that is shorter than an example.

    A person who asks for other networks or output units loses the start alone; one who sets the code's length keeps it.

    Args:
        example: A whole example.
        sample: Some of the training part.
        coders: The system's default networks.
        recipe: The system's recipe.
        plain: Fields that must be as they are by default for the start to be possible.
    """
    usual = linear_outside(example, sample)
    view, because = usual.view, [usual.because] if usual.because else []
    if few_and_large(example, sample):
        view = replace(view or View(), patch=PATCH)
        because.append(why_patches(example, sample))
    shape = example_shape(example.shape, view or View())
    values = math.prod(shape)
    start: dict[str, Any] = {"start": "pca", "output": "clipped", **usual.config, "tied": False, **plain}
    if not coders.convolutional(shape):
        start["hidden"] = BESIDE
    slowly = replace(recipe, warm_up=WARM_UP)
    found = [Usual(start, view, slowly, _told(*because, BEYOND)), Usual(usual.config, view, because=_told(*because))]
    if coders.latent >= values:
        copies = f"a code of {coders.latent} numbers can copy examples of {values}"
        short = {"latent": max(1, values // 2)}
        found = [one for own in found for one in (_shorter(own, short, copies), own)]
    return in_turn(found)


def _told(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)


def _shorter(usual: Usual, short: Mapping[str, Any], copies: str) -> Usual:
    return replace(usual, config={**usual.config, **short}, because=_told(usual.because, copies))


def in_turn(choices: Sequence[Usual]) -> Usual:
    """The first choice; each of the others where the user disputes all before it."""
    first, *others = choices
    return replace(first, instead=in_turn(others)) if others else first
