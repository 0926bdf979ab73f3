r"""Bars: pictures of vertical or of horizontal bars, never both; the exact distribution is known.

A picture of S x S pixels, 4 x 4 by default, is made in two steps: first its orientation is drawn, then each of the S
bars of that orientation is on or off by itself.

.. math::
    P(\text{vertical}) &= 2/3 & (1) \\
    P(\text{bar } k) &= 0.2 & (2) \\
    x_{rc} &= b_c \text{ if vertical, else } b_r & (3)

2 (2^S - 1) pictures are possible, for the empty and the full one have either orientation: 30 for S = 4, of which the
empty one alone has the probability 0.8^4 = 0.41. To describe a picture takes 3.43 bits at best.

References:
    Hinton, Dayan, Frey, Neal (1995). The wake-sleep algorithm for unsupervised neural networks. Science 268.

Departures:
    The numbers in (1) and (2) are those that others give who rebuilt the paper's experiment.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from untaught.config import Count, Whole, configuration
from untaught.data.part import Distribution, Part
from untaught.data.source import Source
from untaught.errors import DataError
from untaught.randomness import seeded

Probability = Annotated[float, Field(gt=0, lt=1)]


@configuration
class Options:
    """What kind of pictures, and how many."""

    size: Annotated[int, Field(ge=2, le=10)] = 4
    """Side of a picture in pixels, and bars of each orientation."""
    bar: Probability = 0.2
    """Probability of each bar of the orientation that was drawn."""
    vertical: Probability = 2 / 3
    """Probability that bars are vertical."""
    examples: Count = 20_000
    """Training pictures."""
    validation: Count = 2_000
    """Validation pictures."""
    test: Count = 2_000
    """Test pictures."""
    seed: Whole = 0
    """Another seed gives other pictures in all three parts."""


def load(path: Path | None, options: Options) -> Source:
    """Draw training, validation and test pictures; each part is the same whatever the size of the others."""
    if path is not None:
        raise DataError(f"bars are generated and take no path; {path} was given")
    known = distribution(options)
    counts = (options.examples, options.validation, options.test)
    train, validation, test = (_part(known, count, options.seed * 3 + number) for number, count in enumerate(counts))
    return Source("bars", train, validation, test)


def distribution(options: Options) -> Distribution:
    """Every picture that is possible, once, with its probability.

    Example:
        >>> known = distribution(Options(size=4))
        >>> known.examples.shape, round(float(known.probability.max()), 4)
        (torch.Size([30, 1, 4, 4]), 0.4096)
    """
    side = options.size
    bars = (torch.arange(2**side)[:, None] >> torch.arange(side) & 1).float()
    on = bars.double().sum(1)
    chance = options.bar**on * (1 - options.bar) ** (side - on)
    upright = bars[:, None, :].expand(-1, side, -1)
    pictures = torch.cat([upright, upright.transpose(1, 2)])
    chances = torch.cat([options.vertical * chance, (1 - options.vertical) * chance])
    different, number = pictures.unique(dim=0, return_inverse=True)
    return Distribution(different[:, None], torch.zeros(len(different)).double().index_add(0, number, chances))


def _part(known: Distribution, count: int, seed: int) -> Part:
    """Independent draws."""
    with seeded(seed):
        drawn = torch.multinomial(known.probability, count, replacement=True)
    return replace(Part.of(known.examples[drawn]), distribution=known)
