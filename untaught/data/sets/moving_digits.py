r"""Moving digits: two MNIST digits that fly over 64x64 pixels and bounce off the edges, 20 frames.

A digit's corner :math:`x` lies in the unit square, scaled to the room that the digit has. It starts anywhere with
speed :math:`s = 0.1` in any direction; in each frame it moves (1), and a digit that has reached an edge stops there and
turns back (2). Where digits overlap the brighter pixel shows (3).

.. math::
    x &\leftarrow x + s\, (\cos\theta, \sin\theta) & (1) \\
    x_k &\leftarrow \min(1, \max(0, x_k)), \quad \theta \text{ mirrored where } x_k \text{ was outside} & (2) \\
    A(p) &= \max_i D_i\bigl(p - \lfloor (64 - 28)\, x_i \rfloor\bigr) & (3)

Training and validation clips show MNIST's training digits, test clips its test digits. MNIST is read from the folder
behind the colon, `moving-digits:DIR`, from the cache, or downloaded; `moving-digits?digits=sklearn` uses
scikit-learn's digits, enlarged, which need no download.

References:
    Srivastava, Mansimov, Salakhutdinov 2015, Unsupervised learning of video representations using LSTMs,
    arXiv:1502.04681.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import interpolate

from untaught.config import Count, Positive, Whole, configuration
from untaught.data.part import Part
from untaught.data.sets import digits, mnist
from untaught.data.source import Source
from untaught.data.view import as_float
from untaught.errors import DataError
from untaught.randomness import seeded

DIGIT = 28
"""Side of a digit in pixels."""


@configuration
class Options:
    """What kind of clips, and how many."""

    clips: Count = 4000
    """Training clips."""
    validation: Count = 200
    """Validation clips."""
    test: Count = 1000
    """Test clips."""
    frames: Annotated[int, Field(ge=2)] = 20
    """Frames in a clip."""
    size: Annotated[int, Field(gt=DIGIT)] = 64
    """Side of a frame in pixels."""
    count: Count = 2
    """Digits in a clip."""
    speed: Positive = 0.1
    """Distance in a frame, as a fraction of the room that a digit has."""
    digits: Literal["mnist", "sklearn"] = "mnist"
    """Where the digits come from."""
    seed: Whole = 0
    """Another seed gives other clips in all three parts."""


class Motion(NamedTuple):
    """Where digits are in the unit square, and how they move, at each frame."""

    position: Tensor
    """`(clip, frame, digit, 2)`, columns first."""
    velocity: Tensor
    """`(clip, frame, digit, 2)`, as it leaves the frame."""


def load(path: Path | None, options: Options) -> Source:
    """Generate training, validation and test clips."""
    known, unknown = _digits(path, options.digits)
    train = _part(options, known, options.clips, options.seed * 3)
    validation = _part(options, known, options.validation, options.seed * 3 + 1)
    return Source("moving-digits", train, validation, _part(options, unknown, options.test, options.seed * 3 + 2))


def simulate(clips: int, options: Options) -> Motion:
    """Move digits by equations (1) and (2), from the ambient generator."""
    x = torch.rand(clips, options.count, 2, dtype=torch.float64)
    angle = torch.rand(clips, options.count, dtype=torch.float64) * 2 * math.pi
    v = torch.stack((angle.cos(), angle.sin()), -1) * options.speed
    position: list[Tensor] = []
    velocity: list[Tensor] = []
    for _ in range(options.frames):
        x = x + v
        v = torch.where((x <= 0) | (x >= 1), -v, v)
        x = x.clamp(0, 1)
        position.append(x)
        velocity.append(v)
    return Motion(torch.stack(position, 1), torch.stack(velocity, 1))


def draw(shown: Tensor, corner: Tensor, size: int) -> Tensor:
    """Draw clips by equation (3).

    Arguments:
        shown: The digits, uint8 `(clip, digit, 28, 28)`.
        corner: Their corners in pixels, columns first, int64 `(clip, frame, digit, 2)`.
        size: Side of a frame in pixels.

    Returns:
        uint8 `(clip, frame, 1, size, size)`.
    """
    clips, frames = corner.shape[:2]
    canvas = torch.zeros(clips, frames, size * size, dtype=torch.uint8)
    within = torch.arange(DIGIT)
    square = (within[:, None] * size + within).flatten()
    for number in range(shown.shape[1]):
        place = (corner[:, :, number, 1] * size + corner[:, :, number, 0])[..., None] + square
        pixels = shown[:, None, number].flatten(2).expand(-1, frames, -1)
        canvas.scatter_(2, place, torch.maximum(canvas.gather(2, place), pixels))
    return canvas.view(clips, frames, 1, size, size)


def _part(options: Options, images: Tensor, clips: int, seed: int) -> Part:
    """One part; its latent variables are the digits' middles and velocities in pixels."""
    with seeded(seed):
        motion = simulate(clips, options)
        shown = images[torch.randint(len(images), (clips, options.count))]
    room = options.size - DIGIT
    corner = (room * motion.position).long()
    x = torch.cat([draw(*chunk, options.size) for chunk in zip(shown.split(100), corner.split(100), strict=True)])
    position = (corner + DIGIT / 2).flatten(2)
    return Part.of(x, latents={"position": position, "velocity": (room * motion.velocity).flatten(2)})


def _digits(path: Path | None, kind: Literal["mnist", "sklearn"]) -> tuple[Tensor, Tensor]:
    """Digits for training and for testing, uint8 `(digit, 28, 28)`."""
    if kind == "sklearn":
        if path is not None:
            raise DataError(f"scikit-learn's digits take no path; {path} was given")
        parts = digits.load(None, digits.Options()).parts()
        return _enlarged(parts.train), _enlarged(parts.test)
    try:
        source = mnist.load(path, mnist.Options())
    except DataError as error:
        problem = str(error).partition("\n")[0]
        raise DataError(
            f"{problem}\ngive a folder with MNIST's four files: --data moving-digits:DIR\n"
            "or use digits that need no download: --data 'moving-digits?digits=sklearn'"
        ) from error
    return _all(source.train)[:, 0], _all(source.parts().test)[:, 0]


def _all(part: Part) -> Tensor:
    return part.frames.read(part.first)


def _enlarged(part: Part) -> Tensor:
    """Bring 8x8 digits to 28x28, as bytes."""
    large = interpolate(as_float(_all(part)), (DIGIT, DIGIT), mode="bilinear", align_corners=False)
    return (large[:, 0] * 255).round().to(torch.uint8)
