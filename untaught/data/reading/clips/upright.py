r"""Frames turned and mirrored as their file says.

A file may hold a display matrix, which takes a place (x, y) of the stored frame, x to the right and y down, to

.. math:: x' = a x + c y, \qquad y' = b x + d y \qquad (1)

in the frame as it is shown. Of the eight ways to lay a picture on its sides the nearest is taken: rows become columns
where :math:`|b| + |c| > |a| + |d|`, and then a direction whose factor is negative is reversed.

What the first frame says holds for all: some streams say it only there.

Source: FFmpeg's libavutil/display.h.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from torch import Tensor


class Orientation(NamedTuple):
    """What is done to a stored frame, in this order."""

    transposed: bool
    """Rows become columns."""
    mirrored: bool
    """Left and right are exchanged."""
    upside_down: bool
    """Top and bottom are exchanged."""


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read how a frame is to be laid, equation (1)."""
    matrix = _matrix(frame)
    return _by_turns(frame.rotation) if matrix is None else orientation(*matrix)


def orientation(a: int, b: int, c: int, d: int) -> Orientation:
    """The nearest of the eight orientations, equation (1).

    Example:
        >>> tuple(orientation(0, -1, 1, 0))  # a quarter turn anticlockwise
        (True, False, True)
    """
    lies = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if lies else (a, d)
    return Orientation(lies, across < 0, down < 0)


def laid(x: Tensor, how: Orientation) -> Tensor:
    """Lay pictures `(..., height, width)` as they are shown."""
    x = x.transpose(-2, -1) if how.transposed else x
    reversed_axes = [axis for axis, back in ((-1, how.mirrored), (-2, how.upside_down)) if back]
    return torch.flip(x, reversed_axes).contiguous() if reversed_axes else x.contiguous()


def _matrix(frame: VideoFrame) -> tuple[int, int, int, int] | None:
    """The numbers a, b, c, d of (1), if the frame has any that can be read."""
    try:
        held = cast(Any, frame.side_data).get(Type.DISPLAYMATRIX)
    except ValueError:  # PyAV does not know another kind of data beside it
        return None
    if held is None:
        return None
    rows = np.frombuffer(bytes(held), np.int32).reshape(3, 3).tolist()
    return rows[0][0], rows[0][1], rows[1][0], rows[1][1]


def _by_turns(degrees: int) -> Orientation:
    """The orientation of a frame that is turned anticlockwise by so many degrees."""
    turns = {0: (1, 0, 0, 1), 1: (0, -1, 1, 0), 2: (-1, 0, 0, -1), 3: (0, 1, -1, 0)}
    return orientation(*turns[round(degrees / 90) % 4])
