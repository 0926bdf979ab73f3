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

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize, relu

DEPTHS = 2**30
"""Steps of depth that are told apart, more than float32 has."""
GREYS = 2**16
"""Steps of grey that are kept until pixels are averaged."""
SLACK = 1e-5
"""A point this far outside of a triangle, in barycentric coordinates, is inside: no cracks along shared edges."""

Places = Float[Tensor, "vertex frame"]
"""One coordinate of all vertices, or their grey value, in every frame."""
Triangles = Int[Tensor, "triangle 3"]


class Picture(NamedTuple):
    """What is seen at the middle of each pixel."""

    grey: Float[Tensor, "frame height width"]
    """From 0 to 1; the background where there is no triangle."""
    depth: Float[Tensor, "frame height width"]
    """`z` of what is seen; minus infinity where there is no triangle."""


class _Flat(NamedTuple):
    """Triangles of all frames in one list: those that face the viewer and may cover the middle of a pixel."""

    frame: Tensor
    left: Tensor
    """First column of the box around a triangle."""
    top: Tensor
    side: Tensor
    """Larger side of the box, in pixels."""
    plane: Tensor
    """Equations (1) and (2) in pixels from the first of the box: `(triangle, 4, 3)` for w_b, w_c, z and s, each its
    value, its slope along columns, and its slope along rows."""


def vertex_normals(vertices: Float[Tensor, "vertex 3 *shape"], triangles: Triangles) -> Tensor:
    """Mean normal of the triangles at each vertex, equation (4), for many shapes of one mesh; unit length."""
    a, b, c = (vertices[corner] for corner in triangles.T)
    area = torch.linalg.cross(b - a, c - a, dim=1)
    total = torch.zeros_like(vertices)
    for corner in triangles.T:
        total.index_add_(0, corner, area)
    return normalize(total, dim=1)


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
    frames = x.shape[1]
    low, high = z.amin(), z.amax()
    reach = (high - low).clamp(min=torch.finfo(z.dtype).tiny)
    canvas = torch.full((frames * size * size,), -1, dtype=torch.int64, device=x.device)
    flat = _facing(x, y, (z - low) / reach, grey.clamp(0, 1), triangles, size)
    for side in _sides(flat.side):
        _draw(canvas, flat, side, size)
    seen = canvas.view(frames, size, size)
    shade = torch.where(seen < 0, background, (seen % GREYS).to(x.dtype) / (GREYS - 1))
    depth = low + reach * (seen // GREYS).to(x.dtype) / DEPTHS
    return Picture(shade, depth.masked_fill(seen < 0, -torch.inf))


def _facing(x: Tensor, y: Tensor, z: Tensor, grey: Tensor, triangles: Tensor, size: int) -> _Flat:
    """Leave out triangles that look away or whose box holds no pixel's middle, and prepare the others."""
    index = triangles.T.flatten()
    xs, ys = (value.index_select(0, index).view(3, len(triangles), -1) for value in (x, y))
    left, right = (xs.amin(0) - 0.5).ceil().clamp(min=0), (xs.amax(0) - 0.5).floor().clamp(max=size - 1)
    top, bottom = (ys.amin(0) - 0.5).ceil().clamp(min=0), (ys.amax(0) - 0.5).floor().clamp(max=size - 1)
    # Rows run downwards: what is anticlockwise for the viewer has a negative area here.
    area = (xs[1] - xs[0]) * (ys[2] - ys[0]) - (xs[2] - xs[0]) * (ys[1] - ys[0])
    side = torch.maximum(right - left, bottom - top) + 1
    kept = ((area < 0) & (right >= left) & (bottom >= top)).flatten().nonzero()[:, 0]
    triangle, frame = kept // x.shape[1], kept % x.shape[1]
    corner = triangles[triangle].T * x.shape[1] + frame
    values = torch.stack((z, grey)).flatten(1)[:, corner]
    left, top, side, area = (value.flatten()[kept] for value in (left, top, side, area))
    ax, bx, cx = xs.flatten(1)[:, kept]
    ay, by, cy = ys.flatten(1)[:, kept]
    along_b, along_c = ((cy - ay) / area, (ax - cx) / area), ((ay - by) / area, (bx - ax) / area)
    px, py = left + 0.5 - ax, top + 0.5 - ay
    weights = [torch.stack((px * dx + py * dy, dx, dy), 1) for dx, dy in (along_b, along_c)]
    planes = [_interpolated(value, *weights) for value in values]
    return _Flat(frame, left.long(), top.long(), side.long(), torch.stack([*weights, *planes], 1))


def _interpolated(value: Tensor, towards_b: Tensor, towards_c: Tensor) -> Tensor:
    """Equation (2) as value and slopes: `(triangle, 3)`."""
    a, b, c = value[..., None]
    plane = (b - a) * towards_b + (c - a) * towards_c
    plane[:, :1] += a
    return plane


def _sides(side: Tensor) -> list[tuple[int, int]]:
    """Ranges of sides that are drawn together: 1, 2, 3, 4, then each by half larger."""
    most, ranges, last = int(side.max()) if len(side) else 0, list[tuple[int, int]](), 0
    while last < most:
        following = max(last + 1, last * 3 // 2)
        ranges.append((last, following))
        last = following
    return ranges


def _draw(canvas: Tensor, flat: _Flat, side: tuple[int, int], size: int) -> None:
    """Draw the triangles whose boxes have sides in a range, each into a square of pixels, by equation (3)."""
    some = ((flat.side > side[0]) & (flat.side <= side[1])).nonzero()[:, 0]
    step = torch.arange(side[1], device=canvas.device)
    down, right = (each.flatten() for each in torch.meshgrid(step, step, indexing="ij"))
    plane = flat.plane[some]
    pixels = torch.stack((torch.ones_like(right), right, down)).to(plane.dtype)
    inside = plane[:, :2] @ pixels
    hit = (torch.minimum(inside.amin(1), 1 - inside.sum(1)) >= -SLACK).nonzero()
    which, place = hit[:, 0], hit[:, 1]
    chosen = some[which]
    column, row = flat.left[chosen] + right[place], flat.top[chosen] + down[place]
    depth, grey = (plane[which, 2:] * pixels.T[place, None]).sum(2).T
    key = (depth.clamp(0, 1) * DEPTHS).long() * GREYS + (grey.clamp(0, 1) * (GREYS - 1)).round().long()
    within = (column < size) & (row < size)
    index = (flat.frame[chosen] * size + row) * size + column
    canvas.scatter_reduce_(0, index[within], key[within], "amax")
