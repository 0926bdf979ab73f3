r"""Bouncing balls: equal discs that fly in a box and bounce off its walls and one another, 30x30, 100 frames.

The box has side 10, each of the :math:`n` balls radius :math:`r = 1.2` and mass 1. A clip begins with

.. math:: x_i \sim U[2, 10]^2, \qquad v = \frac{u}{2 \lVert u \rVert_F}, \quad u \sim N(0, 1)^{n \times 2}

where positions are drawn again until no ball cuts a wall or another ball, and one norm is taken over all balls. A
frame is two steps of :math:`\epsilon = 1/2`. In each, all balls move (1), then a ball beyond a wall gets a velocity
away from it (2), then each pair :math:`i > j` in turn that overlaps exchanges its velocities along the line of centres
:math:`w = (x_i - x_j) / \lVert x_i - x_j \rVert` (3). Positions are never corrected.

.. math::
    x &\leftarrow x + \epsilon v & (1) \\
    v &\leftarrow \pm |v| & (2) \\
    v_i &\leftarrow v_i + w\, w^\top (v_j - v_i), \quad v_j \leftarrow v_j - w\, w^\top (v_j - v_i) & (3)

A pixel at :math:`p`, the middle of its square, has the grey value

.. math:: A(p) = \min\Bigl(1, \sum_i \exp\bigl(-(\lVert p - x_i \rVert^2 / r^2)^4\bigr)\Bigr) \qquad (4)

The first coordinate runs along columns, the second along rows. Copying the previous frame has a squared error of 11.8
per frame.

References:
    Sutskever, Hinton, Taylor 2008, The recurrent temporal restricted Boltzmann machine (the generator).
    Lotter, Kreiman, Cox 2015, Unsupervised learning of visual structure using predictive generative networks,
    arXiv:1511.06380 (the sizes: 4000, 200 and 200 clips).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from untaught.config import Count, Whole, configuration
from untaught.data.part import MadeFrames, Part
from untaught.data.source import Source
from untaught.errors import DataError
from untaught.randomness import seeded

BOX = 10.0
RADIUS = 1.2
STEP = 0.5
REACH = 1.43
"""Radii beyond which equation (4) is below 3e-8, half of the smallest number above 0 in float16."""
CHUNK = 1000
"""Frames drawn at once: what they take stays in the processor's cache."""


@configuration
class Options:
    """What kind of clips, and how many."""

    clips: Count = 4000
    """Training clips."""
    validation: Count = 200
    """Validation clips."""
    test: Count = 200
    """Test clips."""
    frames: Annotated[int, Field(ge=2)] = 100
    """Frames in a clip."""
    size: Annotated[int, Field(ge=8)] = 30
    """Side of a frame in pixels."""
    balls: Annotated[int, Field(ge=1, le=6)] = 3
    """Balls in the box; seven hardly ever fit by chance."""
    seed: Whole = 0
    """Another seed gives other clips in all three parts."""


class Motion(NamedTuple):
    """Where balls are and how they move, in units of the box, at each frame; float64."""

    position: Tensor
    """`(clip, frame, ball, 2)`"""
    velocity: Tensor
    """`(clip, frame, ball, 2)`, per frame."""


def load(path: Path | None, options: Options) -> Source:
    """Generate training, validation and test clips; each part is the same whatever the size of the others."""
    if path is not None:
        raise DataError(f"balls are generated and take no path; {path} was given")
    counts = (options.clips, options.validation, options.test)
    train, validation, test = (_part(options, count, options.seed * 3 + number) for number, count in enumerate(counts))
    return Source("balls", train, validation, test)


def _part(options: Options, clips: int, seed: int) -> Part:
    """One part: frames in float16, drawn when the first is read; positions and velocities of balls from left to right.

    The balls look alike, so nothing in the frames tells which of them was drawn first; that they are told apart by
    their order in the frame makes the variables such as can be known.
    """
    with seeded(seed):
        motion = simulate(clips, options.frames, options.balls)
    make = partial(draw, motion.position.flatten(0, 1), options.size)
    frames = MadeFrames((1, options.size, options.size), torch.float16, clips * options.frames, make)
    order = motion.position[..., 0].argsort(dim=2)[..., None].expand_as(motion.position)
    position, velocity = (value.gather(2, order).flatten(0, 1).flatten(1).float() for value in motion)
    part = Part.over(frames, torch.full((clips,), options.frames))
    return replace(part, latents={"position": position, "velocity": velocity})


def simulate(clips: int, frames: int, balls: int) -> Motion:
    """Move the balls of all clips at once, by equations (1) to (3), from the ambient generator."""
    v = torch.randn(clips, balls, 2, dtype=torch.float64)
    v = v / v.flatten(1).norm(dim=1)[:, None, None] * 0.5
    return move(_start(clips, balls), v, frames)


def move(x: Tensor, v: Tensor, frames: int) -> Motion:
    """Follow balls from `x` and `v`, both `(clip, ball, 2)`; the first frame is the start."""
    position, velocity = [x], [v]
    for _ in range(frames - 1):
        for _ in range(round(1 / STEP)):
            x = x + STEP * v
            v = _bounce(x, v)
        position.append(x)
        velocity.append(v)
    return Motion(torch.stack(position, 1), torch.stack(velocity, 1))


def draw(position: Tensor, size: int, dtype: torch.dtype = torch.float16) -> Tensor:
    """Draw balls `(frame, ball, 2)` by equation (4), each into the few pixels that it reaches.

    Gives `(frame, size * size)`.
    """
    frames = torch.empty(len(position), size * size, dtype=dtype)
    for target, part in zip(frames.split(CHUNK), position.split(CHUNK), strict=True):
        target.copy_(_drawn(part.float(), size))
    return frames


def _start(clips: int, balls: int) -> Tensor:
    """Draw positions again until no ball cuts a wall or another ball.

    Walls refuse each ball by itself, so drawing only between them leaves the distribution as it is.
    """
    x = torch.empty(clips, balls, 2, dtype=torch.float64)
    left = torch.arange(clips)
    while len(left):
        trial = 2 + (BOX - RADIUS - 2) * torch.rand(len(left), balls, 2, dtype=torch.float64)
        good = torch.ones(len(left), dtype=torch.bool)
        for i, j in _pairs(balls):
            good &= (trial[:, i] - trial[:, j]).norm(dim=-1) >= 2 * RADIUS
        x[left[good]] = trial[good]
        left = left[~good]
    return x


def _bounce(x: Tensor, v: Tensor) -> Tensor:
    """Off the walls (2), then off one another (3)."""
    v = torch.where(x - RADIUS < 0, v.abs(), v)
    v = torch.where(x + RADIUS > BOX, -v.abs(), v)
    for i, j in _pairs(v.shape[1]):
        gap = x[:, i] - x[:, j]
        distance = gap.norm(dim=-1, keepdim=True)
        line = gap / distance
        exchanged = line * ((v[:, j] - v[:, i]) * line).sum(-1, keepdim=True) * (distance < 2 * RADIUS)
        v[:, i] += exchanged
        v[:, j] -= exchanged
    return v


def _pairs(balls: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(balls) for j in range(i)]


def _drawn(x: Tensor, size: int) -> Tensor:
    """Equation (4) on the square of pixels around each ball; squares at an edge are moved inwards."""
    pixel = BOX / size
    side = min(size, 2 * math.ceil(REACH * RADIUS / pixel) + 1)
    within = torch.arange(side)
    first = (x / pixel - side / 2).round().long().clamp(0, size - side)
    square = ((first[..., None] + within + 0.5) * pixel - x[..., None]).square() / RADIUS**2
    grey = (square[:, :, 1, :, None] + square[:, :, 0, None, :]).flatten(2).square_().square_().neg_().exp_()
    corner = first[..., 1] * size + first[..., 0]
    place = corner[..., None] + (within[:, None] * size + within).flatten()
    frames = torch.zeros(len(x), size * size)
    return frames.scatter_add_(1, place.flatten(1), grey.flatten(1)).clamp_(max=1)
