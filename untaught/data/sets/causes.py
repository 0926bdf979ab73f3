r"""Causes: pictures that a few hidden causes make, with a label that depends on the causes, or on the pixels.

Each picture has :math:`K` causes, on or off with equal chance, each with a random pattern of pixels of its own. A pixel
is on where the pattern of any cause that is on has it; then each pixel is flipped with a small probability.

.. math::
    s_k &\sim \text{Bernoulli}(1/2), \quad k = 1, \ldots, K & (1) \\
    x_i &= \max_k s_k T_{ki} \oplus n_i, \quad T_{ki} \sim \text{Bernoulli}(1/8), \; n_i \sim \text{Bernoulli}(p) & (2)

The label is the parity of a few causes (causes -> picture, causes -> label), or of as many pixels (causes -> picture ->
label). In the first world, what a picture is made of says more about the label than its pixels do, so a model of
pictures is half of the way; in the second it is of no use. That unsupervised learning helps where labels come from what
causes pictures, and not from pictures, is an argument of Hinton's lectures.

References:
    Hinton (2007). To recognize shapes, first learn to generate images. Progress in brain research 165.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from untaught.config import Count, Whole, configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import DataError
from untaught.randomness import seeded

DENSITY = 1 / 8
"""Fraction of the pixels in a cause's pattern."""


@configuration
class Options:
    """Which world, and how many pictures."""

    label: Literal["causes", "pixels"] = "causes"
    """What the label depends on."""
    parity: Annotated[int, Field(ge=1, le=8)] = 2
    """Causes, or pixels, whose parity it is."""
    causes: Annotated[int, Field(ge=8, le=64)] = 12
    """Hidden causes."""
    size: Annotated[int, Field(ge=4, le=64)] = 12
    """Side of a picture in pixels."""
    noise: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    """Probability that a pixel is flipped."""
    examples: Count = 10_000
    """Training pictures; fewer are the first of more."""
    test: Count = 5_000
    """Test pictures, and as many for validation."""
    seed: Whole = 0
    """Another seed gives another world."""


def load(path: Path | None, options: Options) -> Source:
    """Make a world and take pictures of it; those of a part do not depend on how many the others have."""
    if path is not None:
        raise DataError(f"causes are generated and take no path; {path} was given")
    with seeded(4 * options.seed):
        patterns = (torch.rand(options.causes, options.size**2) < DENSITY).float()
    counts = (options.examples, options.test, options.test)
    train, validation, test = (
        _part(patterns, options, count, 4 * options.seed + 1 + number) for number, count in enumerate(counts)
    )
    return Source("causes", train, validation, test, label_names=("even", "odd"))


def _part(patterns: Tensor, options: Options, count: int, seed: int) -> Part:
    with seeded(seed):
        # One row of uniform numbers for each picture, so that fewer pictures are the first of more.
        uniform = torch.rand(count, options.causes + options.size**2)
    on, flips = (uniform[:, : options.causes] < 0.5).float(), uniform[:, options.causes :] < options.noise
    x = ((on @ patterns > 0) ^ flips).float()
    # Pixels of the middle row, where a label's pixels are neighbours as a cause's are strangers.
    read = on if options.label == "causes" else x[:, options.size * (options.size // 2) :]
    label = read[:, : options.parity].sum(1).long() % 2
    return Part.of(x.view(-1, 1, options.size, options.size), label, latents={"cause": on})
