r"""How far back in time a model's features depend on what it sees, in frames: by gradient and by occlusion.

Up to 32 test clips of T frames. Where a model gives features over time, those of the last time are asked; else those
of the whole clip. With f the features and x_k the frame k before the last,

    g_k = mean over clips of | d (u.f) / d x_k |,   u a random direction of length 1          (1)
    o_k = mean over clips of | f(x) - f(x with x_k in place of its neighbour) |                (2)
    extent = 1 + the largest k for which g_k > 10^-6 max g                                    (3)
    half   = 1 + the smallest k up to which half of the sum of all g lies                      (4)

In (2) a frame is hidden behind the one before it (the first behind the one after it), so that what remains is video
still. (3) is what the architecture allows: a convolution over time has a finite extent, a recurrence the whole clip.
(4) is what the model makes of it. `architecture_frames` is what a model says of itself, where its extent is finite.

References:
    Luo, Li, Urtasun, Zemel (2016). Understanding the effective receptive field in deep convolutional neural networks.
    arXiv:1701.04128 (the gradient, in space).
    Zeiler, Fergus (2014). Visualizing and understanding convolutional networks. arXiv:1311.2901 (occlusion).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.plots import Line, line_chart
from untaught.evaluate.measure import Drawing, Groups, Measure, Quantities
from untaught.evaluate.quantity import Axis, Quantity, facts
from untaught.evaluate.subject import Subject
from untaught.model import Encodes
from untaught.nn.temporal.video_encoders import VideoEncoder
from untaught.randomness import seeded
from untaught.shapes import Features, Video

CLIPS = 32
LEAST = 1e-6
"""Part of the largest gradient below which there is none."""
BACK = Axis("frames before the last", "part of the sum", label="{} frames back")
EXTENT = Quantity(
    "temporal_extent_frames",
    title="frames that features depend on",
    meaning="How many frames, counted back from the last, change the features at all.",
)
HALF = Quantity(
    "half_of_the_gradient_frames",
    title="frames with half of the gradient",
    meaning="How many of the last frames have half of the gradient: what the model makes of its extent.",
)
GRADIENT = Quantity("gradient", title="gradient by frame", axis=BACK)
OCCLUSION = Quantity("occlusion", title="change where a frame is hidden", axis=BACK)


def applies(subject: Subject) -> str | None:
    """None for models that encode clips, with a gradient."""
    if not isinstance(subject.model, Encodes) or not subject.model.differentiable:
        return "the model gives no features with a gradient"
    if not subject.parts.test.is_video or (subject.view.frames or 1) < 2:
        return "the model sees single frames"
    return None


def measure(subject: Subject) -> Groups:
    """Equations (1) to (4) of test clips."""
    x = subject.seen(subject.tested(CLIPS).x).to(subject.device)
    gradient, occlusion = by_gradient(subject, x), by_occlusion(subject, x)
    return [
        [EXTENT.of(reach(gradient)), HALF.of(half(gradient))],
        [GRADIENT.of(_shares(gradient)), OCCLUSION.of(_shares(occlusion))],
        facts(clips=len(x), frames=x.shape[1], **_said(subject)),
    ]


def by_gradient(subject: Subject, x: Video) -> Float[Tensor, " frame"]:
    """Equation (1), the last frame first."""
    with torch.enable_grad(), seeded(subject.seed, subject.device):
        seen = x.clone().requires_grad_()
        features = _features(subject, seen)
        direction = torch.nn.functional.normalize(torch.randn_like(features), dim=1)
        (slope,) = torch.autograd.grad((features * direction).sum(), seen)
    return slope.flatten(2).norm(dim=2).mean(0).flip(0).cpu()


def by_occlusion(subject: Subject, x: Video) -> Float[Tensor, " frame"]:
    """Equation (2), the last frame first."""
    found: list[Tensor] = []
    with torch.no_grad():
        whole = _features(subject, x)
        for frame in reversed(range(x.shape[1])):
            hidden = x.clone()
            hidden[:, frame] = x[:, frame - 1 if frame else 1]
            found.append((_features(subject, hidden) - whole).norm(dim=1).mean().cpu())
    return torch.stack(found)


def reach(gradient: Float[Tensor, " frame"]) -> int:
    """Equation (3).

    Example:
        >>> reach(torch.tensor([1.0, 0.0, 0.5, 0.0])), reach(torch.zeros(3))
        (3, 0)
    """
    there = gradient > LEAST * gradient.max()
    return int(there.nonzero().max()) + 1 if bool(there.any()) else 0


def half(gradient: Float[Tensor, " frame"]) -> int:
    """Equation (4).

    Example:
        >>> half(torch.tensor([1.0, 1.0, 1.0, 3.0]))
        3
    """
    return int((gradient.cumsum(0) < gradient.sum() / 2).sum()) + 1


def picture(found: Quantities) -> Picture | None:
    """Both as lines over how far back a frame is."""
    names = {"gradient": "by gradient", "occlusion": "by hiding a frame"}
    lines = {shown: Line(found[name].value, [0.0] * len(found[name].value)) for name, shown in names.items()}
    top = max(value for line in lines.values() for value in line.heights)
    return line_chart(lines, "how many frames back, the last is 1", "part of what all frames do", 1.05 * top)


def _features(subject: Subject, x: Video) -> Features:
    """Features of the last time where the model has features over time, else those of the clip."""
    assert isinstance(subject.model, Encodes)
    encoders = _encoders(subject)
    if not encoders or "frames" not in encoders:
        return subject.model.encode(x)
    return encoders["frames"].over_time(x - 0.5)[:, -1]


def _encoders(subject: Subject) -> dict[str, VideoEncoder]:
    """The model's encoders of video, by the last part of their names."""
    named = subject.model.named_modules()
    return {name.rpartition(".")[2]: module for name, module in named if isinstance(module, VideoEncoder)}


def _said(subject: Subject) -> dict[str, int]:
    """The extent by the architecture, where it is finite."""
    extents = [one.extent for one in _encoders(subject).values()]
    return {"architecture_frames": extents[0]} if extents and extents[0] is not None else {}


def _shares(values: Tensor) -> list[float]:
    return (values / values.sum().clamp_min(1e-12)).tolist()


MEASURE = Measure(
    title="How far back in time it looks",
    meaning="How much each frame changes the features, by how far it is before the last.",
    applies=applies,
    measure=measure,
    quantities=(EXTENT, HALF, GRADIENT, OCCLUSION),
    whole=True,
    by_name=True,
    pictures={
        "temporal-extent.png": Drawing(
            lambda subject, found: picture(found), "How much each frame counts, the last on the left."
        )
    },
)
