"""Dense optical flow between two frames: where each pixel of the first is found in the second.

x and y are the frames, f the flow in pixels, to the right and down, so that x(p) = y(p + f(p)). Where a flow f is known
roughly, d(p) = y(p + f) - x(p) is what it leaves unexplained. At every pixel the increment u minimises

    G * [ v (d + g.u)^2 ] + a |f + u - G' * f|^2                                        (1)

G * is a Gaussian window, summed over channels too, in which u is one vector; g is the mean of the gradients of x(p)
and y(p + f); v is 0 where p + f lies outside the second frame, else 1, and in large frames also 0 near the edges, where
gradients are those of a frame that goes on as it ends. With the structure tensor J = G * [v g g'] the solution is that
of two linear equations,

    (J + a I) u = a (G' * f - f) - G * [v g d]                                          (2)
    a = r + s mean(trace J) / 2,   r = 4e-6,   s = 0.01                                 (3)

The window makes corners and textures exact (Lucas, Kanade); a lets them fill in what has no texture or left the frame
(Horn, Schunck). Where nothing can be seen f = 0. (2) is repeated on a pyramid of frames, each half as large as the one
below: the flow of a level is doubled and refined on the next. All is differentiable with respect to the frames.

References:
    Lucas, Kanade (1981). An iterative image registration technique with an application to stereo vision.
    Horn, Schunck (1981). Determining optical flow.
    Bruhn, Weickert, Schnörr (2005). Lucas/Kanade meets Horn/Schunck: combining local and global optic flow methods.
    International Journal of Computer Vision 61 (the combination; here smoothness is that of the round before).
    Simoncelli (1994). Design of multi-dimensional derivative filters (why both frames are smoothed first).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import SizeError
from untaught.nn.temporal.motion import Flow, moved
from untaught.shapes import Images

WINDOW = 5.0
"""Deviation of G in pixels."""
NEIGHBOURS = 2.0
"""Deviation of G' in pixels."""
ROUNDS = 3
"""How often (2) is solved at each level."""
SMALLEST = 16
"""A frame is halved until its shorter side has fewer than twice as many pixels."""
PRESMOOTHING, BEFORE_HALVING = 0.5, 1.0
"""Deviations in pixels: of what is taken off each frame's finest detail, which no interpolation moves exactly, and of
what may not alias when frames are halved."""
NEAR, NEAR_END = 2, 1
"""Pixels from the edge at which v in (1) becomes 1: gradients reach two pixels, and where a flow ends one is enough."""
LARGE = 64
"""Shorter side of the smallest frame where that holds; in smaller ones too little would be left, and 0 is the edge."""
STILL, SHARE = 4e-6, 0.01
"""r and s in (3): the square of half a grey level of 255, and how much smoothness counts beside texture."""


def optical_flow(first: Images, second: Tensor, window: float = WINDOW, rounds: int = ROUNDS) -> Flow:
    """Flow of each pair of frames by (2), coarse to fine.

    Args:
        first: Where flow begins. Any size and any number of channels, whose evidence is added.
        second: Where it ends.
        window: Deviation of G in pixels. A larger one is more exact where motion is smooth, a smaller one keeps apart
            what moves differently.
        rounds: How often (2) is solved at each level of the pyramid.

    Raises:
        SizeError: The frames differ in shape, or are no frames.

    Example:
        >>> x = torch.sin(torch.arange(40) / 3.0 + torch.arange(32)[:, None] / 2.0)[None, None]
        >>> flow = optical_flow(x, x.roll(1, -1))
        >>> flow.shape, bool((flow[:, 0, 8:-8, 8:-8] > 0).all())
        (torch.Size([1, 2, 32, 40]), True)
    """
    if first.shape != second.shape or first.ndim != 4:
        raise SizeError(
            f"flow is between two batches of frames of one shape, not {tuple(first.shape)} and {tuple(second.shape)}"
        )
    edges = (NEAR, NEAR_END) if min(first.shape[-2:]) >= LARGE else (0, 0)
    levels = _pyramid(torch.cat([first, second], 1))
    flow = levels[-1].new_zeros(len(first), 2, *levels[-1].shape[-2:])
    for level in reversed(levels):
        x, y = _smooth(level, PRESMOOTHING).chunk(2, 1)
        own, other = (torch.cat([frame, *_gradient(frame)], 1) for frame in (x, y))
        flow = _enlarged(flow, level)
        for _ in range(rounds):
            flow = flow + _increment(own, other, flow, window, edges)
    return flow


def _increment(own: Tensor, other: Tensor, flow: Tensor, window: float, edges: tuple[int, int]) -> Tensor:
    """The solution of (2), of both frames with their gradients; on every second row and column, for it is smooth."""
    x, own_across, own_down = own.chunk(3, 1)
    y, across, down = moved(other, flow).chunk(3, 1)
    across, down, left = (across + own_across) / 2, (down + own_down) / 2, y - x
    products = (across * across, across * down, down * down, across * left, down * left)
    evidence = torch.stack([product.sum(1) for product in products], 1) * _inside(flow, *edges)
    j_xx, j_xy, j_yy, left_x, left_y = _smooth(_halved(evidence), window / 2).unbind(1)
    a = STILL + SHARE * (j_xx + j_yy).mean((1, 2), keepdim=True) / 2
    coarse = _halved(flow)
    apart = _smooth(coarse, NEIGHBOURS / 2) - coarse
    b_x, b_y, j_xx, j_yy = a * apart[:, 0] - left_x, a * apart[:, 1] - left_y, j_xx + a, j_yy + a
    solution = torch.stack([j_yy * b_x - j_xy * b_y, j_xx * b_y - j_xy * b_x], 1) / (j_xx * j_yy - j_xy * j_xy)[:, None]
    height, width = flow.shape[-2:]
    return F.interpolate(solution, (int(height), int(width)), mode="bilinear")


def _halved(x: Tensor) -> Tensor:
    """The mean of every two by two values; of what is left over at the edge, its own."""
    return F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def _pyramid(x: Tensor) -> list[Tensor]:
    """The frames, and ever smaller ones."""
    levels = [x]
    while min(levels[-1].shape[-2:]) >= 2 * SMALLEST:
        half = [(side + 1) // 2 for side in levels[-1].shape[-2:]]
        smooth = _smooth(levels[-1], BEFORE_HALVING)
        levels.append(F.interpolate(smooth, half, mode="bilinear", align_corners=True))
    return levels


def _enlarged(flow: Tensor, like: Tensor) -> Tensor:
    """A flow at the size of other frames, corners upon corners, and as much longer."""
    before, after = flow.shape[-2:], like.shape[-2:]
    if before == after:
        return flow
    down, right = ((new - 1) / max(old - 1, 1) for old, new in zip(before, after, strict=True))
    larger = F.interpolate(flow, (int(after[0]), int(after[1])), mode="bilinear", align_corners=True)
    return larger * flow.new_tensor([right, down]).view(2, 1, 1)


def _inside(flow: Tensor, near: int, near_end: int) -> Tensor:
    """1 where a flow begins and ends so far from the edges of its frames, v in (1): (batch, 1, height, width)."""
    height, width = flow.shape[-2:]
    column = torch.arange(width, device=flow.device)
    row = torch.arange(height, device=flow.device)[:, None]
    begins = _between(column, near, width) & _between(row, near, height)
    ends = _between(column + flow[:, :1], near_end, width) & _between(row + flow[:, 1:], near_end, height)
    return (begins & ends).to(flow.dtype)


def _between(place: Tensor, margin: int, size: int) -> Tensor:
    """Whether places lie that far from both ends."""
    return (place >= margin) & (place <= size - 1 - margin)


def _smooth(x: Tensor, deviation: float) -> Tensor:
    """Maps under a Gaussian; beyond the edge the nearest value counts."""
    reach = max(1, round(2.5 * deviation))
    weights = [math.exp(-((offset / deviation) ** 2) / 2) for offset in range(-reach, reach + 1)]
    weights = [weight / sum(weights) for weight in weights]
    return _along(_along(x, weights, -2), weights, -1)


def _gradient(x: Tensor) -> tuple[Tensor, Tensor]:
    """Change for one pixel to the right and one down, by central differences of fourth order."""
    weights = [1 / 12, -8 / 12, 0.0, 8 / 12, -1 / 12]
    return _along(x, weights, -1), _along(x, weights, -2)


def _along(x: Tensor, weights: list[float], axis: int) -> Tensor:
    """Correlate every map with weights along one axis.

    As a sum of shifted maps: convolutions of single maps are several times slower on processors.
    """
    reach, size = len(weights) // 2, x.shape[axis]
    padded = F.pad(x, (0, 0, reach, reach) if axis == -2 else (reach, reach, 0, 0), mode="replicate")
    found = padded.narrow(axis, 0, size) * weights[0]
    for offset, weight in enumerate(weights[1:], 1):
        found = found.add(padded.narrow(axis, offset, size), alpha=weight)
    return found
