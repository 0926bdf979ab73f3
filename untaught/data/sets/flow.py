r"""Optical flow of any video: stacks of the motion from frame to frame, in place of the frames.

Between neighbouring frames of a clip the flow :math:`f_t` is estimated (`nn/optical_flow.py`), in pixels to the right
and down. What the camera did, its mean over the frame, is taken away where `centred` says so (1). Each number is stored
as a grey value, 0.5 for none and `bound` pixels from there to black or white (2).

.. math::
    f_t &\leftarrow f_t - \operatorname{mean}_p f_t(p) & (1) \\
    g_t(p) &= \min\bigl(1, \max(0, \tfrac12 + f_t(p) / (2\, \text{bound}))\bigr) & (2) \\
    x_t &= (g_t, g_{t+1}, \dots, g_{t + \text{stack} - 1}) & (3)

An example of :math:`2\,\text{stack}` channels begins at every frame that has so many after it (3), and keeps that
frame's class and true variables. Ten flows, 20 channels, are the second stream of Simonyan and Zisserman.

A path stands behind the colon, `flow:clip.mp4`, `flow:clips/?size=64`; a named set is an option, `flow?of=actions`,
whose own options follow as in `flow?of=actions%3Fgap=4`. What was estimated is kept in the cache folder.

References:
    Simonyan, Zisserman 2014, Two-stream convolutional networks for action recognition in videos, arXiv:1406.2199
    (sections 3 and 3.1: stacks, their mean taken away, stored as bytes).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from untaught.config import Positive, Whole, configuration
from untaught.data.drawn_cache import kept
from untaught.data.part import Frames, Part
from untaught.data.source import Source, open_data
from untaught.data.spec import size_of
from untaught.data.view import as_float
from untaught.errors import DataError
from untaught.nn.optical_flow import optical_flow
from untaught.nn.temporal.motion import Flow

ESTIMATOR = 1
"""Rises with every change of what is estimated, so that older flow in the cache is not used."""
USUAL = 10
"""Flows in one example."""
AT_ONCE = 2**21
"""Numbers in the frames between which flow is estimated at once."""


@configuration
class Options:
    """What is read, and how flow is stacked."""

    of: str = ""
    """A named set, in place of a path."""
    stack: Whole = 0
    """Flows in one example, each two channels; 0 takes ten, or as many as clips have."""
    bound: Positive = 8.0
    """Pixels of motion that are white, to the right or down, or black."""
    centred: bool = True
    """Take each flow's mean away, which is mostly the camera's own motion."""
    size: str = ""
    """Height and width of the frames before flow is estimated: 64 or 48x64; empty leaves them."""


class StackedFrames(Frames):
    """Neighbouring pictures as channels of one."""

    def __init__(self, single: Tensor, starts: Tensor, stack: int) -> None:
        """Take pictures `(picture, channel, height, width)` and the number of the first one of each stack."""
        self.single, self.starts, self.stack = single, starts, stack
        self.shape = (stack * single.shape[1], *single.shape[2:])
        self.dtype, self.count = single.dtype, len(starts)

    def read(self, index: Tensor) -> Tensor:
        """Gather the pictures of each stack."""
        pictures = self.starts[index][..., None] + torch.arange(self.stack)
        return self.single[pictures].flatten(index.ndim, index.ndim + 1)


def load(path: Path | None, options: Options) -> Source:
    """Open what stands behind the colon, and estimate the flow of each of its parts."""
    if (path is None) == (not options.of):
        raise DataError("flow takes video or a named set of video: flow:clip.mp4, flow:clips/, flow?of=balls")
    source = open_data(path or options.of, size=size_of(options.size or None), video=path is not None)
    if not source.is_video:
        raise DataError(f"flow is between the frames of video, and {source.spec} has single pictures")
    parts = source.parts()
    most = min(int(part.length.max()) for part in (parts.train, parts.validation, parts.test)) - 1
    if most < max(1, options.stack):
        raise DataError(
            f"stack={options.stack}: so many flows need clips of {options.stack + 1} frames in every part, "
            f"and the longest of one part has {most + 1};\n"
            + (f"stack={most} at most" if most else "give longer clips")
        )
    stack = options.stack or min(USUAL, most)
    shorter = (f"{stack} flows are stacked, not {USUAL}: clips have no more frames",) if stack < USUAL else ()
    made = [_part(part, replace(options, stack=stack)) for part in (parts.train, parts.validation, parts.test)]
    notes = (*source.notes, *(() if options.stack else shorter))
    own = replace(source, spec="flow", flow_bound=options.bound, scale=None, notes=notes)
    return replace(own, train=made[0], validation=made[1], test=made[2])


def stored(flow: Flow, options: Options) -> Tensor:
    """Flow as bytes by (1) and (2).

    Example:
        >>> right = torch.stack([torch.full((1, 2, 2), 4.0), torch.zeros(1, 2, 2)], 1)
        >>> stored(right, Options(centred=False))[0, :, 0, 0].tolist()
        [191, 128]
    """
    if options.centred:
        flow = flow - flow.mean((2, 3), keepdim=True)
    return ((0.5 + flow / (2 * options.bound)).clamp(0, 1) * 255).round().to(torch.uint8)


def _part(part: Part, options: Options) -> Part:
    """A part whose frames are stacks of flow; clips that are too short for one are left out."""
    part = part.clips((part.length > options.stack).nonzero()[:, 0])
    pairs = _before_the_last(part, 1)
    shape = (len(pairs), 2, *part.shape[1:])
    settings = {"estimator": ESTIMATOR, "bound": options.bound, "centred": options.centred}
    flow = kept({**settings, "frames": _digest(part)}, shape, "flow", lambda: _estimated(part, pairs, options))
    begins = _before_the_last(part, options.stack)
    number = torch.full((part.frames.count,), -1)
    number[pairs] = torch.arange(len(pairs))
    length = part.length - options.stack
    return Part(
        StackedFrames(flow, number[begins], options.stack),
        length.cumsum(0) - length,
        length,
        True,
        part.label[begins],
        {name: value[begins] for name, value in part.latents.items()},
    )


def _before_the_last(part: Part, count: int) -> Tensor:
    """Numbers of all frames of all clips but the last ones of each."""
    spans = zip(part.first.tolist(), part.length.tolist(), strict=True)
    return torch.cat([torch.arange(first, first + length - count) for first, length in spans])


def _estimated(part: Part, pairs: Tensor, options: Options) -> Tensor:
    """Flow from each frame to the next, as bytes."""
    at_once = max(1, AT_ONCE // torch.Size(part.shape).numel())
    found: list[Tensor] = []
    for some in pairs.split(at_once):
        first, second = (as_float(part.frames.read(frames)) for frames in (some, some + 1))
        found.append(stored(optical_flow(first, second), options))
    return torch.cat(found)


def _digest(part: Part) -> str:
    """SHA-256 of all frames of all clips."""
    found = hashlib.sha256(f"{part.shape} {part.frames.dtype} {part.length.tolist()}".encode())
    for some in _before_the_last(part, 0).split(256):
        found.update(part.frames.read(some).contiguous().numpy().tobytes())
    return found.hexdigest()
