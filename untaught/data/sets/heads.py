r"""Rotating heads: people generated from independent coefficients who turn in front of a camera, 150x150, 6 frames.

Each clip shows a new person, :math:`c_k \sim N(0, 1)`, who turns about the vertical axis (1); with `roll` also in the
plane of the picture, by an angle :math:`\phi` of the same distributions. Angles are in radians and are not wrapped: a
positive one turns the face to the right of the picture, a positive roll the crown to the left.

.. math:: \theta_j = \theta_0 + j \alpha, \quad \theta_0 \sim U[-\tfrac\pi2, \tfrac\pi2], \quad
    \alpha \sim U[-\tfrac\pi6, \tfrac\pi6] \qquad (1)

The heads are this package's own (`head_shape.py`), or those of a morphable model, `heads:FILE.npz` (`head_model.py`).
Frames are grey on white and carry the latent variables `angle`, `speed` (radians per frame), `initial_angle` (that of
the clip's first frame), `identity` (the coefficients), and with `roll` also `roll` and `roll_speed`. Where `people` is
given, they are labelled by person.

`heads?people=50&angles=12` is a gallery for classification from few views: each of 50 people at 12 angles from
:math:`-\pi/2` to :math:`\pi/2`, each a still, repeated; person by person, all in the training part, to be split by who
measures. What was drawn is kept in the cache folder.

References:
    Lotter, Kreiman, Cox 2015, Unsupervised learning of visual structure using predictive generative networks,
    arXiv:1511.06380 (motion, sizes, the gallery).
    Lotter, Kreiman, Cox 2016, Deep predictive coding networks for video prediction and unsupervised learning,
    arXiv:1605.08104 (pan and roll together).

Departures:
    The papers' heads were made by FaceGen, which is not free; ours differ in shape, tone and light.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from untaught.config import Count, Whole, configuration, to_json
from untaught.data.drawn_cache import file_digest, kept
from untaught.data.heads.head_model import HeadModel, read_model, render_all
from untaught.data.heads.head_shape import population
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import ConfigError
from untaught.randomness import seeded

START = math.pi / 2
"""Largest first angle, in radians."""
SPEED = math.pi / 6
"""Largest angle between two frames, in radians."""
RENDERER = 1
"""Rises with every change of what is drawn, so that older pictures in the cache are not used."""


@configuration
class Options:
    """What kind of clips, and how many."""

    clips: Count = 4000
    """Training clips; of a gallery, people times angles."""
    validation: Count = 200
    """Validation clips; a gallery has none."""
    test: Count = 200
    """Test clips; a gallery has none."""
    frames: Annotated[int, Field(ge=2)] = 6
    """Frames in a clip."""
    size: Annotated[int, Field(ge=8)] = 150
    """Side of a frame in pixels."""
    roll: bool = False
    """Turn in the plane of the picture too, from an angle and at a speed of its own."""
    still: bool = False
    """Do not move: each clip repeats one picture from a random angle."""
    people: Whole = 0
    """How many different people there are, in all parts together; 0: a new one in each clip."""
    angles: Whole = 0
    """Above 0: a gallery that shows each of the people from so many evenly spaced angles."""
    seed: Whole = 0
    """Another seed gives other people and other motion in all three parts."""


class Motion(NamedTuple):
    """Who is seen, and how they turn."""

    identity: Tensor
    """Coefficients, `(clip, coefficient)`."""
    person: Tensor | None
    """Number of the person, `(clip,)`, where people come back."""
    pan: Tensor
    """Radians, `(clip, frame)`."""
    roll: Tensor
    """Radians, `(clip, frame)`."""


def load(path: Path | None, options: Options) -> Source:
    """Draw training, validation and test clips, each the same whatever the size of the others; or a gallery.

    Raises:
        ConfigError: Options that contradict each other.
        DataError: `path` is no morphable model.
    """
    _check(options)
    model = population() if path is None else read_model(path)
    key: dict[str, object] = {"renderer": RENDERER, "file": None if path is None else file_digest(path)}
    people = _people(options, len(model.modes))
    if options.angles:
        return Source("heads", _part(options, model, _gallery(options, people), key))
    counts = (options.clips, options.validation, options.test)
    train, validation, test = (
        _part(options, model, _simulated(options, clips, number, len(model.modes), people), {**key, "part": number})
        for number, clips in enumerate(counts)
    )
    return Source("heads", train, validation, test)


def simulate(clips: int, frames: int, still: bool = False) -> Tensor:
    """Angles by equation (1), from the ambient generator: `(clip, frame)`."""
    start = (2 * torch.rand(clips, 1) - 1) * START
    speed = (2 * torch.rand(clips, 1) - 1) * SPEED
    return start + speed * torch.arange(frames) * (not still)


def _check(options: Options) -> None:
    if options.angles and not options.people:
        raise ConfigError(f"angles={options.angles} is a gallery, which needs people: heads?people=50&angles=12")
    if options.angles == 1:
        raise ConfigError("angles=1 in heads: a gallery shows each person from at least 2 angles")
    if options.angles and options.roll:
        raise ConfigError("a gallery of heads does not roll; leave out roll, or angles")
    if options.people == 1:
        raise ConfigError("people=1 in heads: give at least 2, or 0 for a new person in each clip")


def _people(options: Options, coefficients: int) -> Tensor | None:
    """The people who come back, `(person, coefficient)`."""
    if not options.people:
        return None
    with seeded(options.seed * 4 + 3):
        return torch.randn(options.people, coefficients)


def _simulated(options: Options, clips: int, number: int, coefficients: int, people: Tensor | None) -> Motion:
    """Who moves how in one part."""
    with seeded(options.seed * 4 + number):
        pan = simulate(clips, options.frames, options.still)
        roll = simulate(clips, options.frames, options.still) if options.roll else torch.zeros_like(pan)
        if people is None:
            return Motion(torch.randn(clips, coefficients), None, pan, roll)
        person = torch.randint(len(people), (clips,))
    return Motion(people[person], person, pan, roll)


def _gallery(options: Options, people: Tensor | None) -> Motion:
    """Every person at every angle, person by person."""
    assert people is not None
    angle = torch.linspace(-START, START, options.angles).repeat(len(people))
    person = torch.arange(len(people)).repeat_interleave(options.angles)
    pan = angle[:, None].expand(-1, options.frames)
    return Motion(people[person], person, pan, torch.zeros_like(pan))


def _part(options: Options, model: HeadModel, motion: Motion, key: dict[str, object]) -> Part:
    """One part, from the cache if it is there; of stills only the first frame is drawn."""
    drawn = 1 if options.still or options.angles else options.frames
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clips, size = len(motion.pan), options.size
    drawing = {name: value for name, value in to_json(options).items() if name not in ("clips", "validation", "test")}
    x = kept(
        {**key, **drawing, "clips": clips, "device": device.type},
        (clips, drawn, 1, size, size),
        "heads",
        lambda: render_all(model.to(device), motion.identity, motion.pan[:, :drawn], motion.roll[:, :drawn], size),
    )
    pan = {"angle": motion.pan[..., None], "speed": _speed(motion.pan), "initial_angle": motion.pan[:, :1]}
    latents = {**pan, "identity": motion.identity}
    if options.roll:
        latents |= {"roll": motion.roll[..., None], "roll_speed": _speed(motion.roll)}
    return Part.of(x.expand(-1, options.frames, -1, -1, -1), motion.person, latents)


def _speed(angle: Tensor) -> Tensor:
    """Radians per frame, one for each clip."""
    return angle[:, 1:2] - angle[:, :1]
