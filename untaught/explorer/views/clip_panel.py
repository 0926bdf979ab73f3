"""Frames of a clip, the prediction of each from those before it, and how far predictions from predictions hold.

The state after some frames can be pushed along a direction of the latent space. With the state h, the prediction y from
it and the decoder g, what is shown is

    y + g(h + a d) - g(h),                                                                              (1)

which is the pushed prediction itself where the frame is decoded from the state, alone or added to the last frame.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from untaught.evaluate.footage import Footage, footage
from untaught.evaluate.in_squares import in_squares, whole_view
from untaught.explorer.explored import Explored, can_encode
from untaught.explorer.latent_axes import Axis, latent_axes
from untaught.explorer.panel import Asked, Panel, Request
from untaught.explorer.wire import pack
from untaught.model import Decodes, Predicts, Reconstructs
from untaught.shapes import Video

FRAMES, VALUES = 1200, 2**24
"""Frames of all clips, and numbers of one clip's answer, at most."""
AHEAD = 40
FARTHEST = 4.0
"""Deviations by which a state may be pushed."""


def applies(explored: Explored) -> bool:
    """For models that predict video."""
    return isinstance(explored.model, Predicts) and explored.is_video and explored.is_pictures


def about(explored: Explored) -> dict[str, Any]:
    """How long each clip is, and whether a state can be pushed."""
    length = clips(explored).length.tolist()
    pushed = can_encode(explored) and isinstance(explored.model, Decodes)
    return {"clips": [int(frames) for frames in length], "ahead": AHEAD, "push": pushed, "farthest": FARTHEST}


def clips(explored: Explored) -> Footage:
    """Test clips whole."""
    subject = explored.subject
    most = max(2, min(FRAMES, VALUES // torch.Size(explored.shape).numel()))
    return explored.once("clips", lambda: footage(subject.parts.test, whole_view(subject), most))


def axes(explored: Explored) -> list[Axis]:
    """Directions along which a state can be pushed."""
    return explored.once("axes", lambda: latent_axes(explored))


def clip(explored: Explored, asked: Asked) -> bytes:
    """A clip, the prediction of every frame that the model predicts, and squared errors beside those of no change."""
    x = _clip(explored, asked)
    predicted = _one_ahead(explored, x)
    true = x[-len(predicted) :]
    before = x[-len(predicted) - 1 : -1] if len(predicted) < len(x) else x
    return pack(
        {"first": len(x) - len(predicted)},
        {
            "frames": explored.as_bytes(x),
            "predicted": explored.as_bytes(predicted),
            "error": _squares(predicted - true),
            "copying": _squares(before - true) if len(before) == len(true) else _squares(predicted - true),
        },
    )


def ahead(explored: Explored, asked: Asked) -> bytes:
    """What follows some frames, each predicted from the predictions before it, and for how long that is of use."""
    x = _clip(explored, asked)
    given = asked.whole("context", 1, len(x))
    predicted = _predicted(explored, x[None, :given], asked.whole("frames", 1, AHEAD, 10))[0]
    true = x[given : given + len(predicted)]
    error = _squares(predicted[: len(true)] - true)
    copying = _squares(x[given - 1] - true)
    worse = (error > copying).nonzero().flatten().tolist()
    return pack(
        {"holds": worse[0] if worse else len(true), "known": len(true)},
        {"predicted": explored.as_bytes(predicted), "error": error, "copying": copying},
    )


def directions(explored: Explored, asked: Asked) -> dict[str, Any]:
    """Names of the directions along which a state can be pushed."""
    return {"axes": [{"kind": axis.kind, "name": axis.name} for axis in axes(explored)]}


def push(explored: Explored, asked: Asked) -> bytes:
    """The next frame with the state pushed, equation (1)."""
    x, found = _clip(explored, asked), axes(explored)
    given = asked.whole("context", 1, len(x))
    along = found[asked.whole("axis", 0, len(found) - 1)].direction
    amount = asked.number("amount", -FARTHEST, FARTHEST, 0)
    code = explored.subject.features(x[None, :given])
    plain = _predicted(explored, x[None, :given], 1)[:, 0]
    both = explored.decoded(torch.cat([code, code + amount * along]))
    return pack({}, {"pictures": explored.as_bytes(torch.cat([plain, plain + both[1:] - both[:1]]))})


def _clip(explored: Explored, asked: Asked) -> Tensor:
    """One clip, `(time, channel, height, width)`."""
    held = clips(explored)
    number = asked.whole("clip", 0, len(held.length) - 1, 0)
    first, length = int(held.first[number]), int(held.length[number])
    return held.frames[first : first + length]


def _one_ahead(explored: Explored, x: Tensor) -> Tensor:
    """Each frame from the true ones before it."""
    subject, model = explored.subject, explored.model
    if isinstance(model, Reconstructs):
        return in_squares(subject, x[None], lambda some: subject.shown(subject.apply(model.reconstruct, some)))[0]
    return torch.cat([_predicted(explored, x[None, :given], 1)[0] for given in range(1, len(x))])


def _predicted(explored: Explored, given: Video, frames: int) -> Tensor:
    """The frames that follow, `(batch, predicted, channel, height, width)`."""
    model = explored.model
    assert isinstance(model, Predicts)
    with explored.draws:
        return explored.subject.shown(explored.subject.apply(lambda seen: model.predict(seen, frames), given))


def _squares(difference: Tensor) -> Tensor:
    """Squared error of each frame."""
    return difference.square().flatten(1).sum(1)


PANEL = Panel(
    "clips",
    applies,
    about,
    {
        "clip": Request(clip),
        "ahead": Request(ahead),
        "directions": Request(directions, slow=True),
        "push": Request(push),
    },
)
