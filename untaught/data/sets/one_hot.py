"""One-hot vectors: n patterns of n units, in each of which another unit is on; the patterns of the encoder problem.

The encoder problem shows each pattern on two groups of units at once, `copies=2`, and asks for one from the other.
Training, validation and test part hold the same n patterns, for there are no others.

References:
    Ackley, Hinton, Sejnowski 1985, A learning algorithm for Boltzmann machines (4, 8 and 40 units).
"""

from __future__ import annotations

from pathlib import Path

import torch

from untaught.config import Count, configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import DataError


@configuration
class Options:
    """Which patterns, and how often each."""

    units: Count = 8
    """Units of a pattern, and patterns."""
    copies: Count = 1
    """How often the pattern stands in a vector, side by side: 2 for the encoder problem."""
    repeats: Count = 1
    """How often each pattern comes in a pass over the training part."""


def load(path: Path | None, options: Options) -> Source:
    """Make the patterns, each with its number as label; a vector has `units * copies` entries."""
    if path is not None:
        raise DataError(f"one-hot vectors are generated and take no path; {path} was given")
    label = torch.arange(options.units)
    patterns = Part.of(torch.eye(options.units).repeat(1, options.copies), label)
    train = patterns.clips(label.repeat(options.repeats))
    return Source("one-hot", train, patterns, patterns, tuple(str(number) for number in range(options.units)))
