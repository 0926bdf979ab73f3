r"""Olivetti faces: 400 photographs of 40 people, ten of each, 64x64 grey; or 25x25 patches of them, turned and scaled.

Read from the file or folder behind the colon, `olivetti:FILE`, an array file with the faces as `x` and the people, 0 to
39, as `y`; without one from `olivetti.npz` in the cache folder, else through scikit-learn, which downloads the set into
a folder of its own.

`olivetti?patches=165600` makes patches. Each is a photograph turned by an angle and enlarged by a factor, whose middle
50x50 pixels are cut out, and of these every second in a row and every second row:

.. math::
    x(q) &= \text{face}\bigl(R_{\theta}\, q / s\bigr), \quad q \in \{-24, -22, \ldots, 24\}^2 & (1) \\
    \theta &\sim U(-90°, 90°), \quad s \sim U(1.4, 1.8) & (2)

q is counted in pixels from the middle; between a face's pixels, values are interpolated linearly. All photographs give
equally many patches. Those of the first 27 people are for training, those of the next 3 select a checkpoint, and those
of the last 10 are for testing: a network that learns faces by heart is not selected for it.

References:
    Samaria, Harter 1994, Parameterisation of a stochastic model for human face identification, WACV.
    Hinton, Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313.

Departures:
    The paper learns from all of the first 30 people.
    The ranges in (2), the size of 25x25, the number of 165,600 and the division by people are the paper's, as recalled.
    Where it cut, and which pixels it kept, is not recalled. With the middle and every second pixel, PCA with 30
    components has a squared error of 134.7 on a test patch where each pixel is divided by its own deviation, and 132.4
    where all are divided by one; the paper has 135, recalled too, of pixels with mean 0 and variance 1. Its faces may
    have been brought to grey values in another way.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import torch
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor
from torch.nn.functional import grid_sample

from untaught.config import Whole, configuration
from untaught.data.part import Part
from untaught.data.reading import arrays
from untaught.data.reading.download import cache_folder
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.data.view import as_float
from untaught.errors import DataError
from untaught.randomness import seeded

FILE = "olivetti.npz"
FACES, PEOPLE, SIDE = 400, 40, 64
TRAINING_PEOPLE = 30
SELECTING_PEOPLE = 3
"""Those of the training people whose patches select a checkpoint."""
PATCH, EVERY = 25, 2
"""Side of a patch, and which pixels of the enlarged photograph it keeps."""
ENLARGED = (1.4, 1.8)
AT_ONCE = 1000


@configuration
class Options:
    """Whole faces, or patches of them."""

    patches: Annotated[int, Field(ge=0, multiple_of=4)] = 0
    """How many 25x25 patches are made, training and test together, a multiple of 4; 0 gives the faces as they are."""
    seed: Whole = 0
    """Another seed turns and scales other patches."""


def load(path: Path | None, options: Options) -> Source:
    """Open the faces from a file, a folder, the cache or through scikit-learn."""
    faces, person = _faces(path)
    names = tuple(str(number) for number in range(PEOPLE))
    if not options.patches:
        return Source("olivetti", Part.of(faces, person), label_names=names)
    ends = (0, TRAINING_PEOPLE - SELECTING_PEOPLE, TRAINING_PEOPLE, PEOPLE)
    parts = [
        _part(
            faces[(first <= person) & (person < last)],
            person[(first <= person) & (person < last)],
            options.patches * last // PEOPLE - options.patches * first // PEOPLE,
            3 * options.seed + number,
        )
        for number, (first, last) in enumerate(pairwise(ends))
    ]
    return Source("olivetti", *parts, label_names=names)


def patches(
    faces: UInt8[Tensor, "n 1 height width"], angle: Float[Tensor, " n"], factor: Float[Tensor, " n"]
) -> UInt8[Tensor, "n 1 side side"]:
    """Cut a patch out of each face by equation (1).

    Arguments:
        faces: Square photographs.
        angle: By how much each is turned, clockwise, in radians.
        factor: By how much each is enlarged.
    """
    step = EVERY * (torch.arange(PATCH) - (PATCH - 1) / 2)
    row, column = torch.meshgrid(step, step, indexing="ij")
    made: list[Tensor] = []
    for some, theta, s in zip(faces.split(AT_ONCE), angle.split(AT_ONCE), factor.split(AT_ONCE), strict=True):
        cos, sin = (value[:, None, None] / s[:, None, None] for value in (theta.cos(), theta.sin()))
        place = torch.stack((cos * column + sin * row, cos * row - sin * column), -1)
        x = grid_sample(as_float(some), place / (some.shape[-1] / 2), align_corners=False)
        made.append((x * 255).round().to(torch.uint8))
    return torch.cat(made)


def _part(faces: Tensor, person: Tensor, count: int, seed: int) -> Part:
    with seeded(seed):
        angle = (torch.rand(count) - 0.5) * math.pi
        factor = ENLARGED[0] + (ENLARGED[1] - ENLARGED[0]) * torch.rand(count)
    # One photograph after the other, so that every tenth patch, which selects, is of photographs of its own.
    number = torch.arange(count) % len(faces)
    variables = {"angle": angle[:, None], "factor": factor[:, None]}
    return Part.of(patches(faces[number], angle, factor), person[number], variables)


def _faces(path: Path | None) -> tuple[Tensor, Tensor]:
    """Find photographs, uint8 `(400, 1, 64, 64)`, and who they show."""
    folder = cache_folder() / "olivetti" if path is None else path
    file = folder / FILE if path is None or folder.is_dir() else folder
    if not file.is_file():
        if path is None:
            return _fetched(folder)
        raise DataError(f"no {FILE} in {folder}; give the file that holds x and y: --data olivetti:FILE")
    part = arrays.open_path(file, arrays.Options(), Reading()).train
    people = torch.arange(PEOPLE).repeat_interleave(FACES // PEOPLE)
    if part.shape != (1, SIDE, SIDE) or not torch.equal(part.label.sort().values, people):
        raise DataError(
            f"{file} does not hold the Olivetti faces\nwanted: x, {(FACES, SIDE, SIDE)}, and y, ten of each 0 to 39"
        )
    return _bytes(part.frames.read(torch.arange(FACES))), part.label


def _fetched(folder: Path) -> tuple[Tensor, Tensor]:
    from sklearn.datasets import fetch_olivetti_faces  # it takes a second to import

    try:
        x, person = fetch_olivetti_faces(return_X_y=True, n_retries=1)
    except OSError as error:
        raise DataError(
            f"scikit-learn cannot download the Olivetti faces: {error}\n"
            f"put {FILE}, with x {(FACES, SIDE, SIDE)} and y, into {folder},\nor anywhere and give --data olivetti:FILE"
        ) from error
    return _bytes(torch.as_tensor(x).view(-1, 1, SIDE, SIDE)), torch.as_tensor(person).long()


def _bytes(x: Tensor) -> Tensor:
    return (as_float(x) * 255).round().to(torch.uint8)
