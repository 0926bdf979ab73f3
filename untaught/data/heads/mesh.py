r"""Triangle meshes drawn with a depth buffer, many frames at once; smooth shading, on any device.

Pixel coordinates: :math:`x` runs along columns to the right, :math:`y` along rows downwards, :math:`z` towards the
viewer; a pixel is the square :math:`[j, j+1] \times [i, i+1]` and shows what lies at its middle. The projection is
orthographic, so a triangle :math:`abc` covers the point :math:`p` if its barycentric coordinates (1) are not negative;
depth and grey value are affine in them (2), and the point nearest to the viewer is seen (3). Triangles are seen from
the side on which :math:`a, b, c` run anticlockwise; the others are not drawn.

.. math::
    w_b &= \frac{(p - a) \times (c - a)}{(b - a) \times (c - a)}, \quad
    w_c = \frac{(b - a) \times (p - a)}{(b - a) \times (c - a)}, \quad w_a = 1 - w_b - w_c & (1) \\
    z(p) &= \sum_i w_i z_i, \qquad s(p) = \sum_i w_i s_i & (2) \\
    A(p) &= s_k(p), \quad k = \arg\max_k z_k(p) & (3)

A vertex has the mean of its triangles' normals, weighted by area (4), and the grey value of a matt surface of albedo
:math:`\rho` in light from :math:`l` (5).

.. math::
    n &\propto \sum_{abc \ni v} (b - a) \times (c - a) & (4) \\
    s &= \rho \, (\alpha + (1 - \alpha) \max(0, n^\top l)) & (5)

References:
    Gouraud 1971, Continuous shading of curved surfaces (the grey value is interpolated, not the normal).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize, relu

GREY_BITS = 12
GREYS = 2**GREY_BITS
"""Steps of grey that are told apart until pixels are averaged."""
DEPTHS = 2**18
"""Steps of depth that are told apart; a step of depth and one of grey share 31 bits."""
SIDES = (1, 2, 3, 4, 6, 9, 14, 24, 48, 100, 200, 400, 800, 1600, 3200)
"""Sides of the boxes of pixels that triangles are drawn in."""
SLIVER = 1e-3
"""Twice the area, in pixels, below which rounding would decide what a triangle covers."""
SLACK = 1e-5
"""A point this far outside of a triangle, in barycentric coordinates, is inside: no cracks along shared edges."""

Places = Float[Tensor, "vertex frame"]
"""One coordinate of all vertices, or their grey value, in every frame."""
Triangles = Int[Tensor, "triangle 3"]


class Picture(NamedTuple):
    """What is seen at the middle of each pixel."""

    key: Int[Tensor, "frame height width"]
    """Depth and grey value in one number, so that the nearest is the largest; depth 0 is the background."""
    low: Tensor
    """Depth `z` at step 1 of a key."""
    reach: Tensor
    """From there to the last step."""

    @property
    def grey(self) -> Tensor:
        """Grey values from 0 to 1, `(frame, height, width)`."""
        return (self.key & (GREYS - 1)) / (GREYS - 1)

    @property
    def depth(self) -> Tensor:
        """`z` of what is seen, `(frame, height, width)`; minus infinity where there is no triangle."""
        step = self.key >> GREY_BITS
        return (self.low + self.reach * (step - 1) / (DEPTHS - 2)).masked_fill(step == 0, -torch.inf)

    def mean(self, fine: int) -> Tensor:
        """Mean grey value of squares of `fine * fine` pixels, `(frame, height / fine, width / fine)`."""
        steps = (self.key & (GREYS - 1)).to(self.low.dtype)
        return avg_pool2d(steps[:, None], fine)[:, 0] / (GREYS - 1)


class _Facing(NamedTuple):
    """Triangles of all frames in one list: those that face the viewer and whose box holds the middle of a pixel."""

    corner: Tensor
    """Frame, row and column of the first pixel of the box around a triangle, `(3, triangle)`."""
    height: Tensor
    """Of the box in pixels, less one, `(triangle,)`."""
    width: Tensor
    """Of the box in pixels, less one."""
    plane: Tensor
    """Equations (1) and (2) as seen from that pixel: `(3, 5, triangle)`: value, slope along columns and slope along
    rows of w_a, w_b, w_c, z and s."""


def vertex_normals(vertices: Float[Tensor, "vertex 3 *shape"], triangles: Triangles) -> Tensor:
    """Mean normal of the triangles at each vertex, equation (4), for many shapes of one mesh; unit length."""
    a, b, c = (vertices.index_select(0, corner) for corner in triangles.T)
    area = torch.linalg.cross(b - a, c - a, dim=1)
    # A GPU adds in any order; in float64 that is not seen in the picture.
    area = area.double() if area.is_cuda else area
    total = torch.zeros_like(vertices, dtype=area.dtype)
    for corner in triangles.T:
        total.index_add_(0, corner, area)
    return normalize(total, dim=1).to(vertices.dtype)


def lambert(normals: Tensor, light: Tensor, albedo: Tensor, ambient: float) -> Tensor:
    """Grey values of a matt surface, equation (5).

    Arguments:
        normals: `(vertex, 3, clip)`.
        light: Unit vectors towards the light as the head sees it, `(3, clip, frame)`.
        albedo: `(vertex, clip)`.
        ambient: Share of light that comes from everywhere.

    Returns:
        `(vertex, clip, frame)`.
    """
    cosine = (normals[..., None] * light).sum(1)
    return albedo[..., None] * (ambient + (1 - ambient) * relu(cosine))


def rasterise(
    x: Places, y: Places, z: Places, grey: Places, triangles: Triangles, size: int, background: float = 1.0
) -> Picture:
    """Draw a mesh in every frame by equations (1) to (3).

    Arguments:
        x: Column of each vertex, in pixels.
        y: Row, downwards.
        z: Height towards the viewer, in any unit.
        grey: Grey value from 0 to 1.
        triangles: Numbers of their corners, anticlockwise as seen from outside.
        size: Side of a frame in pixels.
        background: Grey value where there is no triangle.
    """
    low, high = z.amin(), z.amax()
    reach = torch.where(high > low, high - low, 1)
    steps = 1 + (z - low) * ((DEPTHS - 2) / reach)
    facing = _facing(torch.stack((x, y, steps, grey * (GREYS - 1))), triangles, size)
    boxes = _boxes(facing)
    # A box of pixels may reach beyond the frame; what lies there is cut off at the end.
    wide = size + max((max(height, width) for height, width, _ in boxes), default=0)
    canvas = torch.full((x.shape[1], wide, wide), round(background * (GREYS - 1)), dtype=torch.int32, device=x.device)
    for height, width, some in boxes:
        _draw(canvas, facing, height, width, some)
    return Picture(canvas[:, :size, :size], low, reach)


def _facing(values: Tensor, triangles: Tensor, size: int) -> _Facing:
    """Leave out triangles that look away or whose box holds no pixel's middle, and prepare the others.

    `values` are x, y, depth and grey, `(4, vertex, frame)`.
    """
    frames = values.shape[2]
    ax, bx, cx, ay, by, cy = (values[axis].index_select(0, corner) for axis in (0, 1) for corner in triangles.T)
    left, right = _span(ax, bx, cx, size)
    top, bottom = _span(ay, by, cy, size)
    # Rows run downwards: what is anticlockwise for the viewer has a negative area here.
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    kept = _true(torch.minimum(torch.minimum(right - left, bottom - top), -SLIVER - area) >= 0)
    some = (value.view(-1).index_select(0, kept) for value in (ax, bx, cx, ay, by, cy, area, left, right, top, bottom))
    ax, bx, cx, ay, by, cy, area, left, right, top, bottom = some
    triangle = kept.div(frames, rounding_mode="floor")
    frame = kept - triangle * frames
    corners = triangles.T.index_select(1, triangle) * frames + frame
    a, b, c = values[2:].flatten(1).index_select(1, corners.flatten()).view(2, 3, -1).unbind(1)
    px, py = left + 0.5 - ax, top + 0.5 - ay
    planes = torch.empty(3, 5, len(kept), dtype=values.dtype, device=values.device)
    value, along, down = planes
    along[1], along[2] = (cy - ay) / area, (ay - by) / area
    down[1], down[2] = (ax - cx) / area, (bx - ax) / area
    value[1:3] = px * along[1:3] + py * down[1:3]
    planes[:, 0] = -planes[:, 1] - planes[:, 2]
    value[0] += 1
    planes[:, 3:] = (b - a) * planes[:, 1:2] + (c - a) * planes[:, 2:3]
    value[3:] += a
    return _Facing(torch.stack((frame, top.long(), left.long())), bottom - top, right - left, planes)


def _span(a: Tensor, b: Tensor, c: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """First and last pixel whose middle lies between the smallest and the largest of three coordinates."""
    low, high = torch.minimum(torch.minimum(a, b), c), torch.maximum(torch.maximum(a, b), c)
    return low.sub_(0.5).ceil_().clamp_(min=0), high.sub_(0.5).floor_().clamp_(max=size - 1)


def _true(mask: Tensor) -> Tensor:
    """Numbers of the places that are true; on a CPU by numpy, which takes a fifth of the time here."""
    flat = mask.view(-1)
    return flat.nonzero()[:, 0] if flat.is_cuda else torch.from_numpy(np.flatnonzero(flat.numpy()))


def _boxes(facing: _Facing) -> list[tuple[int, int, Tensor]]:
    """Put triangles together whose boxes are about as large: height, width, and the triangles' numbers."""
    sides = torch.tensor(SIDES, device=facing.height.device)
    kind = torch.bucketize(facing.height + 1, sides) * len(SIDES) + torch.bucketize(facing.width + 1, sides)
    order = kind.to(torch.uint8).argsort(stable=True)
    counts = kind.bincount(minlength=len(SIDES) ** 2).tolist()
    parts = order.split(counts)
    return [
        (SIDES[number // len(SIDES)], SIDES[number % len(SIDES)], part)
        for number, part in enumerate(parts)
        if len(part)
    ]


def _draw(canvas: Tensor, facing: _Facing, height: int, width: int, some: Tensor) -> None:
    """Draw triangles, each into a box of pixels, by equation (3)."""
    wide = canvas.shape[-1]
    steps = (torch.arange(side, device=canvas.device) for side in (height, width))
    down, right = (each.flatten() for each in torch.meshgrid(*steps, indexing="ij"))
    pixels = torch.stack((torch.ones_like(right), right, down), 1).to(facing.plane.dtype)
    plane = facing.plane.flatten(0, 1).index_select(1, some)
    a, b, c, depth, grey = (pixels @ plane.view(3, -1)).view(len(pixels), 5, -1).unbind(1)
    inside = (torch.minimum(torch.minimum(a, b), c) >= -SLACK).int()
    key = depth.clamp_(1, DEPTHS - 1).int().mul_(GREYS).add_(grey.add_(0.5).clamp_(0, GREYS - 1).int()).mul_(inside)
    frame, row, column = facing.corner.index_select(1, some)
    place = (frame * wide + row) * wide + column + (down * wide + right)[:, None]
    canvas.view(-1).scatter_reduce_(0, place.view(-1), key.view(-1), "amax")
