r"""Actions: clips whose classes need one thing only, to be told apart: looks, motion from frame to frame, or memory.

`appearance`: a bright disc, square, cross or triangle drifts about; its shape is the class, and any single frame tells.
`local`: a disc of noise moves before noise, one cell a frame to the right, left, down or up, which is the class. With
:math:`b` and :math:`m` independent noise, a grey value for each cell, and :math:`M` the disc, where edges meet,

.. math:: x_t(p) = \begin{cases} m(p - t v) & p - t v \in M \\ b(p) & \text{else} \end{cases} \qquad (1)

so that each frame alone is nothing but noise, whatever the class, and two frames in a row tell all. `global`: a light
and a dark disc flash up for one frame each, `gap` frames apart, with nothing in between; the class is which came
first. Both orders show the same frames. No event is nearer to an end of the clip than :math:`\text{margin}` (2): the
ends would tell an encoder that sees only a few frames at once.

.. math:: \text{margin} = \min(6, \lfloor (T - 1 - \text{gap}) / 2 \rfloor) \qquad (2)

`mixed` has the ten classes of all three. True variables are `position` and `velocity` of the shape or disc (pixels and
pixels a frame, columns first), and `events`, the frames in which the light and the dark disc flash up; -1 where there
is none.

Natural clutter is an option: behind the colon stands video, `actions:clips/`, which is then seen behind all shapes
and events, and through noise.

References:
    Ballas, Yao, Pal, Courville 2016, Delving deeper into convolutional networks for learning video representations,
    arXiv:1511.06432 (local and global motion).
    Braddick 1974, A short-range process in apparent motion, Vision research 14 (shapes that only motion shows).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from untaught.config import Count, NonNegative, Whole, configuration
from untaught.data.part import Part
from untaught.data.reading.resize import fit
from untaught.data.source import Source, open_data
from untaught.data.view import as_float
from untaught.errors import ConfigError, DataError
from untaught.randomness import seeded

Task = Literal["appearance", "local", "global", "mixed"]
CLASSES: dict[str, tuple[str, ...]] = {
    "appearance": ("disc", "square", "cross", "triangle"),
    "local": ("right", "left", "down", "up"),
    "global": ("light first", "dark first"),
}
DIRECTIONS = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
MARGIN = 6
"""Frames between an event and the clip's ends, where there is room."""
DRIFT = 0.4
"""Pixels a frame that a shape moves at most along each axis."""
THROUGH = 0.5
"""How much of the video behind is seen through noise."""
AT_ONCE = 100
"""Clips drawn at once."""


@configuration
class Options:
    """What kind of clips, and how many."""

    task: Task = "mixed"
    """What tells the classes apart."""
    gap: Count = 4
    """Frames from the first event to the second, of `global`."""
    clips: Count = 2000
    """Training clips."""
    validation: Count = 200
    """Validation clips."""
    test: Count = 500
    """Test clips."""
    frames: Annotated[int, Field(ge=2)] = 24
    """Frames in a clip."""
    size: Annotated[int, Field(ge=12)] = 24
    """Side of a frame in pixels."""
    cell: Annotated[int, Field(ge=1, le=4)] = 2
    """Side of a cell of noise in pixels, and pixels that a disc of noise moves in a frame."""
    noise: NonNegative = 0.05
    """Deviation of the noise that is added to each pixel of each frame."""
    seed: Whole = 0
    """Another seed gives other clips in all three parts."""


class Drawn(NamedTuple):
    """Clips of one kind."""

    x: Tensor
    """Grey values, `(clip, frame, height, width)`."""
    cover: Tensor
    """How much of what is behind each pixel is hidden, from 0 to 1, of the same shape."""
    position: Tensor
    """`(clip, frame, 2)`."""
    velocity: Tensor
    """`(clip, frame, 2)`."""
    events: Tensor
    """`(clip, 2)`."""


def load(path: Path | None, options: Options) -> Source:
    """Draw training, validation and test clips, before the video behind the colon if there is one.

    Raises:
        ConfigError: The events are further apart than the clip is long.
        DataError: What stands behind the colon is no video.
    """
    if options.gap >= options.frames and options.task in ("global", "mixed"):
        raise ConfigError(
            f"gap={options.gap}: two events so far apart do not fit into clips of {options.frames} frames; "
            f"gap={options.frames - 1} at most, or frames={options.gap + 1}"
        )
    behind = None if path is None else open_data(path, video=True)
    if behind is not None and not behind.is_video:
        raise DataError(f"the clutter of actions is video, and {path} has single pictures")
    own = None if behind is None else behind.parts()
    train, validation, test = (
        _part(options, clips, options.seed * 3 + number, part)
        for number, (clips, part) in enumerate(
            (
                (options.clips, own and own.train),
                (options.validation, own and own.validation),
                (options.test, own and own.test),
            )
        )
    )
    names = [name for kind, own in CLASSES.items() if options.task in (kind, "mixed") for name in own]
    return Source("actions", train, validation, test, tuple(names))


def appearance(label: Tensor, frames: int, size: int) -> Drawn:
    """Shapes that drift about and turn back at the edges, from the ambient generator."""
    reach = size / 5
    start = reach + (size - 1 - 2 * reach) * torch.rand(len(label), 1, 2)
    speed = DRIFT * (2 * torch.rand(len(label), 1, 2) - 1)
    room = size - 1 - 2 * reach
    way = (start - reach + speed * torch.arange(frames)[:, None]) % (2 * room)
    position, back = reach + torch.where(way > room, 2 * room - way, way), way > room
    away = _offsets(position, size)
    across, down = away.unbind(-1)
    inside = [
        away.norm(dim=-1) <= reach,
        torch.maximum(across.abs(), down.abs()) <= 0.9 * reach,
        (torch.minimum(across.abs(), down.abs()) <= 0.35 * reach) & (away.abs().amax(-1) <= reach),
        (down <= 0.8 * reach) & (down >= 2 * across.abs() - reach),
    ]
    cover = torch.stack(inside)[label, torch.arange(len(label))].float()
    return Drawn(0.5 + 0.4 * cover, cover, position, torch.where(back, -speed, speed), _nothing(label))


def local(label: Tensor, frames: int, size: int, cell: int) -> Drawn:
    """Discs of noise that move before noise, equation (1), from the ambient generator."""
    side = -(-size // cell)
    behind, moving = torch.rand(2, len(label), side, side)
    start = side * torch.rand(len(label), 1, 2)
    velocity = DIRECTIONS[label][:, None].expand(-1, frames, -1)
    position = (start + velocity * torch.arange(frames)[:, None]) % side
    away = (_offsets(position, side) + side / 2) % side - side / 2
    inside = away.norm(dim=-1) <= side / 3
    place, moved = torch.arange(side), velocity * torch.arange(frames)[:, None]
    back = (place - moved[..., None]).long() % side  # (clip, frame, 2, place)
    clip = torch.arange(len(label))[:, None, None, None]
    texture = moving[clip, back[:, :, 1, :, None], back[:, :, 0, None, :]]
    cells = torch.where(inside, texture, behind[:, None])
    x = cells.repeat_interleave(cell, -1).repeat_interleave(cell, -2)[..., :size, :size]
    middle = (position + 0.5) * cell - 0.5
    return Drawn(x, torch.full_like(x, 1 - THROUGH), middle, cell * velocity, _nothing(label))


def one_after_the_other(label: Tensor, frames: int, size: int, gap: int) -> Drawn:
    """Two flashes `gap` frames apart, the light one first where the class is 0, from the ambient generator."""
    margin = min(MARGIN, (frames - 1 - gap) // 2)
    first = margin + (torch.rand(len(label)) * (frames - gap - 2 * margin)).long()
    events = torch.stack([first + gap * label, first + gap * (1 - label)], 1)
    reach = size / 5
    place = reach + (size - 1 - 2 * reach) * torch.rand(len(label), 2, 2)
    disc = (_offsets(place, size).norm(dim=-1) <= reach).float()
    when = (torch.arange(frames) == events[..., None]).float()[..., None, None]
    light, dark = (when[:, number] * disc[:, number, None] for number in (0, 1))
    seen = light + dark
    position = torch.einsum("net,nec->ntc", when[..., 0, 0], place)
    return Drawn(0.5 + 0.5 * (light - dark), seen, position, torch.zeros_like(position), events.float())


def _drawn(options: Options, label: Tensor) -> Drawn:
    """Clips of any classes, numbered through all kinds of the task."""
    if options.task != "mixed":
        return _of_kind(options.task, options, label)
    square = (len(label), options.frames, options.size, options.size)
    point = (len(label), options.frames, 2)
    found = Drawn(*(torch.zeros(shape) for shape in (square, square, point, point, (len(label), 2))))
    before = 0
    for kind, names in CLASSES.items():
        own = ((label >= before) & (label < before + len(names))).nonzero()[:, 0]
        for whole, some in zip(found, _of_kind(kind, options, label[own] - before), strict=True):
            whole[own] = some
        before += len(names)
    return found


def _of_kind(kind: str, options: Options, label: Tensor) -> Drawn:
    """Clips of one kind, whose classes are numbered from 0."""
    if kind == "global":
        return one_after_the_other(label, options.frames, options.size, options.gap)
    if kind == "local":
        return local(label, options.frames, options.size, options.cell)
    return appearance(label, options.frames, options.size)


def _part(options: Options, clips: int, seed: int, behind: Part | None) -> Part:
    """One part, as many clips of each class as of any other."""
    classes = sum(len(names) for kind, names in CLASSES.items() if options.task in (kind, "mixed"))
    with seeded(seed):
        label = (torch.arange(clips) % classes)[torch.randperm(clips)]
        drawn = [_finished(_drawn(options, some), options, behind) for some in label.split(AT_ONCE)]
    x, position, velocity, events = (torch.cat(all_of) for all_of in zip(*drawn, strict=True))
    moving, flashing = options.task != "global", options.task in ("global", "mixed")
    latents = {"position": position, "velocity": velocity} if moving else {}
    return Part.of(x, label, {**latents, **({"events": events} if flashing else {})})


def _finished(drawn: Drawn, options: Options, behind: Part | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Bytes `(clip, frame, 1, height, width)` with noise and what is behind, and the true variables."""
    x = drawn.x
    if behind is not None:
        x = drawn.cover * x + (1 - drawn.cover) * _clutter(behind, *x.shape[:3])
    x = (x + options.noise * torch.randn_like(x)).clamp(0, 1)
    return (255 * x).round().to(torch.uint8)[:, :, None], drawn.position, drawn.velocity, drawn.events


def _clutter(part: Part, clips: int, frames: int, size: int) -> Tensor:
    """Grey frames of video, each clip from another place and time; short video runs forth and back."""
    of = torch.randint(len(part), (clips,))
    start = (torch.rand(clips) * (part.length[of] - frames + 1).clamp_min(1)).long()
    there = (start[:, None] + torch.arange(frames)) % (2 * part.length[of] - 2).clamp_min(1)[:, None]
    there = torch.where(there >= part.length[of, None], 2 * part.length[of, None] - 2 - there, there)
    found = [
        as_float(fit(part.frames.read(part.first[c] + own), (size, size))) for c, own in zip(of, there, strict=True)
    ]
    return torch.stack(found).mean(2)


def _offsets(position: Tensor, size: int) -> Tensor:
    """From a place to each pixel, `(clip, frame, height, width, 2)`, columns first."""
    side = torch.arange(size).float()
    pixel = torch.stack([side.expand(size, size), side[:, None].expand(size, size)], -1)
    return pixel - position[:, :, None, None]


def _nothing(label: Tensor) -> Tensor:
    return torch.full((len(label), 2), -1.0)
