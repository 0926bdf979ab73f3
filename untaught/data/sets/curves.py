r"""Curves: smooth strokes through three random points, 28x28 grey; each picture is six numbers, drawn.

Three points are drawn uniformly, each in its own third of the middle of the picture, from left to right, and a parabola
runs through them, the outer two at its ends (1). The polyline through 25 places of it stands for it, nowhere more than
a thirtieth of a pixel away. Ink covers the stroke and falls off within a fraction of a pixel beside it (2).

.. math::
    c(t) &= 2 (t - \tfrac12)(t - 1)\, p_1 - 4 t (t - 1)\, p_2 + 2 t (t - \tfrac12)\, p_3,
        \quad 0 \le t \le 1 & (1) \\
    x(q) &= 1 / \bigl(1 + \exp((\min_t |q - c(t)| - r) / w)\bigr) & (2)

`latents["points"]`, six numbers in pixels (column and row of each point, the top left corner is 0, 0), is a function of
the picture.

References:
    Hinton, Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313.

Departures:
    The paper does not print how its curves were drawn. The half-width r, the softness w and the margin that holds no
    point are chosen such that three planes, fitted to the 20,000 training pictures, have the squared error on a test
    picture that the paper prints: PCA with 18 components 5.85 (5.90 there), logistic outputs from a linear code of 18
    numbers 2.41 (2.45), of six 7.73 (7.64). That points follow each other from left to right is what brings the three
    together: where they lie anywhere, six numbers have 12.3 when 18 components have 5.9. With codes that are optimised
    for each picture the same outputs have 0.50 and 6.36. Other methods need not agree as planes do: an autoencoder with
    six numbers has 0.15, the paper's 1.44. All of the paper's figures are recalled.
"""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from untaught.config import Count, Whole, configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import DataError
from untaught.randomness import seeded

SIDE = 28
MARGIN = SIDE / 4
"""Pixels at each border that hold no point; a stroke may swing out into them."""
HALF_WIDTH, SOFTNESS = 0.72, 0.19
"""r and w, in pixels."""
CHORDS = 24
AT_ONCE = 256
"""Pictures that are drawn together: what is worked on stays in a processor's cache."""


@configuration
class Options:
    """How many pictures."""

    train: Count = 20_000
    """Training pictures; fewer are the first of more."""
    validation: Count = 2_000
    """Validation pictures."""
    test: Count = 10_000
    """Test pictures."""
    seed: Whole = 0
    """Another seed gives other pictures in all three parts."""


def load(path: Path | None, options: Options) -> Source:
    """Draw training, validation and test pictures; each part is the same whatever the size of the others."""
    if path is not None:
        raise DataError(f"curves are generated and take no path; {path} was given")
    counts = (options.train, options.validation, options.test)
    train, validation, test = (_part(count, options.seed * 3 + number) for number, count in enumerate(counts))
    return Source("curves", train, validation, test)


def curve(points: Float[Tensor, "n 3 2"], t: Float[Tensor, " place"]) -> Float[Tensor, "n place 2"]:
    """Places on the parabolas (1).

    Example:
        >>> corner = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])
        >>> curve(corner, torch.tensor([0.0, 0.5, 1.0]))[0].tolist()
        [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    """
    share = torch.stack((2 * (t - 0.5) * (t - 1), -4 * t * (t - 1), 2 * t * (t - 0.5)), 1)
    return torch.einsum("pk,nkd->npd", share, points)


def draw(points: Float[Tensor, "n 3 2"]) -> UInt8[Tensor, "n side side"]:
    """Draw strokes through points, given in pixels with the column first, by equation (2)."""
    return torch.cat([(_ink(some) * 255).round().to(torch.uint8) for some in points.split(AT_ONCE)])


def _ink(points: Float[Tensor, "n 3 2"]) -> Float[Tensor, "n side side"]:
    r"""Equation (2) for the distance to chords.

    From a chord's beginning a to a pixel q it is :math:`|q - a|^2 - 2 u s + u^2 |b|^2`, where b leads to the chord's
    end, :math:`s = (q - a) \cdot b` and u is :math:`s / |b|^2` brought into [0, 1]. Both |q - a|^2 and s are sums of
    what depends on the column and what depends on the row.
    """
    place = curve(points, torch.linspace(0, 1, CHORDS + 1))
    chord = place.diff(dim=1)
    away = torch.arange(SIDE) + 0.5 - place[:, :-1, :, None]
    along = away * chord[..., None]
    length = chord.square().sum(2).clamp_min(1e-9)
    nearest = torch.full((len(points), SIDE, SIDE), torch.inf)
    for number in range(CHORDS):
        (column, row), (s_column, s_row) = away[:, number].square().unbind(1), along[:, number].unbind(1)
        s, square = s_row[:, :, None] + s_column[:, None, :], length[:, number, None, None]
        u = (s / square).clamp_(0, 1)
        nearest = torch.minimum(nearest, row[:, :, None] + column[:, None, :] + u * (u * square - 2 * s))
    return torch.sigmoid((HALF_WIDTH - nearest.clamp_min_(0).sqrt_()) / SOFTNESS)


def _part(count: int, seed: int) -> Part:
    with seeded(seed):
        share = torch.rand(count, 3, 2)
    share[..., 0] = (share[..., 0] + torch.arange(3)) / 3  # a column in each third
    points = MARGIN + (SIDE - 2 * MARGIN) * share
    return Part.of(draw(points)[:, None], latents={"points": points.flatten(1)})
