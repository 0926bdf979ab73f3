r"""Directions of a code along which what is made of it changes most.

With g from codes to examples, s_j the standard deviation of unit j over codes z, and a step h,

    d_j(z) = [g(z + h s_j e_j) - g(z - h s_j e_j)] / 2h                                    (1)
    C_jk = mean over z of <d_j(z), d_k(z)>                                                 (2)
    direction k: s v_k, elementwise,   with l_k, v_k the eigenvalues and eigenvectors of C   (3)

l_k is the squared change of the example, summed over its values, for one deviation along direction k. Where codes are
independent noise, as a generator's are, no direction differs from another by its variance, but all do by (2).

References:
    Constantine, Dow, Wang (2014). Active subspace methods in theory and practice. SIAM Journal on Scientific Computing
    36(4), A1500-A1524.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from untaught.shapes import Examples, Features

PLACES, MADE = 16, 4096
"""Codes over which the mean (2) is taken, and examples that are made for it at most."""
STEP = 0.25


@dataclass(frozen=True)
class Change:
    """How what is made changes with the code."""

    size: Tensor
    """l_k, descending, `(direction,)`."""
    directions: Tensor
    """Equation (3), each one deviation long, `(direction, unit)`."""
    rotated: Tensor
    """v_k, `(unit, direction)`."""
    of_units: Tensor
    """C_jj, the squared change for one deviation of each unit, `(unit,)`."""


def greatest_change(make: Callable[[Features], Examples], codes: Features) -> Change:
    """Directions for codes that are spread as these are.

    Example:
        >>> change = greatest_change(lambda z: z * torch.tensor([1.0, 3.0]), torch.randn(50, 2))
        >>> change.size.argmax().item(), bool(change.of_units[1] > change.of_units[0])
        (0, True)
    """
    spread = codes.std(0, correction=0)
    units = codes.shape[1]
    places = codes[: max(1, min(PLACES, MADE // (2 * units), len(codes)))]
    steps = STEP * torch.diag(spread)
    total = torch.zeros(units, units, dtype=torch.float64)
    for z in places:
        made = make(torch.cat([z + steps, z - steps])).double().flatten(1)
        change = (made[:units] - made[units:]) / (2 * STEP)
        total += change @ change.T
    product = total / len(places)
    size, rotated = torch.linalg.eigh(product)
    size, rotated = size.flip(0).clamp_min(0).float(), rotated.flip(1).float()
    return Change(size, (spread[:, None] * rotated).T.contiguous(), rotated, product.diagonal().float())
