r"""Mixtures of equal round Gaussians in the plane or on a line, whose densities are known.

.. math:: p(x) = \frac1K \sum_k \mathcal N(x;\, c_k,\, s^2 I) \qquad (1)

The centres c are a square lattice around 0, 25 by default; a ring; or places on a line, where examples are single
numbers. Each example's label is its number k, and `latents["mode"]` its centre.

References:
    Dumoulin and others (2017). Adversarially learned inference. ICLR (25 Gaussians in a lattice).
    Metz, Poole, Pfau, Sohl-Dickstein (2017). Unrolled generative adversarial networks. ICLR (a ring of 8).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.config import Count, Positive, Whole, configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import ConfigError, DataError
from untaught.randomness import seeded


@configuration
class Options:
    """Which mixture, and how many examples."""

    layout: Literal["grid", "ring", "line"] = "grid"
    """How centres lie: a square lattice, a ring, or a line of single numbers."""
    modes: Count = 25
    """K, how many there are; a square number for a lattice."""
    spacing: Positive = 2.0
    """Distance of neighbouring centres."""
    deviation: Positive = 0.05
    """s, of each Gaussian."""
    train: Count = 20_000
    """Training examples."""
    validation: Count = 1_000
    """Validation examples."""
    test: Count = 2_500
    """Test examples."""
    seed: Whole = 0
    """Another seed gives other examples in all three parts."""


def load(path: Path | None, options: Options) -> Source:
    """Draw training, validation and test examples; each part is the same whatever the size of the others."""
    if path is not None:
        raise DataError(f"mixtures are generated and take no path; {path} was given")
    counts = (options.train, options.validation, options.test)
    train, validation, test = (_part(options, count, 3 * options.seed + n) for n, count in enumerate(counts))
    return Source("mixture", train, validation, test, tuple(str(number) for number in range(options.modes)))


def centres(options: Options) -> Float[Tensor, "mode coordinate"]:
    """The centres c of (1), the same distance apart.

    Raises:
        ConfigError: A lattice has no square number of modes.

    Example:
        >>> centres(Options(layout="line", modes=3, spacing=2.0)).flatten().tolist()
        [-2.0, 0.0, 2.0]
    """
    count, spacing = options.modes, options.spacing
    if options.layout == "ring":
        radius = spacing / (2 * math.sin(math.pi / count)) if count > 1 else 0.0
        angle = 2 * math.pi * torch.arange(count) / count
        return radius * torch.stack([angle.cos(), angle.sin()], 1)
    side = count if options.layout == "line" else math.isqrt(count)
    line = spacing * (torch.arange(side) - (side - 1) / 2)
    if options.layout == "line":
        return line[:, None]
    if side**2 != count:
        raise ConfigError(f"modes = {count}: a lattice has a square number of them, {side**2} or {(side + 1) ** 2}")
    return torch.cartesian_prod(line, line)


def _part(options: Options, count: int, seed: int) -> Part:
    """Modes in turn, so that each is as frequent, in random order."""
    every = centres(options)
    with seeded(seed):
        label = torch.randperm(count) % options.modes
        x = every[label] + options.deviation * torch.randn(count, every.shape[1])
    return Part.of(x, label, {"mode": every[label]})
