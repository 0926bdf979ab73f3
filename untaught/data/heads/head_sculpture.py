r"""The average head as a mesh: rounded solids that melt into one another, seen from a point within.

Lengths are about centimetres; :math:`x` runs to the head's left, which is right in a picture from the front,
:math:`y` upwards, :math:`z` out of the face; the origin lies between the ears. Ellipsoids (1) and capsules (2) give
their distances :math:`d_i`; a blend of width :math:`k` joins (3) or, by :math:`-d`, cuts them, and along each
direction :math:`u` the surface is the outermost point of :math:`d = 0` (4).

.. math::
    d &= \frac{g (g - 1)}{\lVert (p - c) / r^2 \rVert}, \quad g = \lVert (p - c) / r \rVert & (1) \\
    d &= \min_{t \in [0, 1]} \lVert p - a - t (b - a) \rVert - r_a - t (r_b - r_a) & (2) \\
    d &\leftarrow \min(d, d_i) - \tfrac{k}{4} \max(0, 1 - |d - d_i| / k)^2 & (3) \\
    \rho(u) &= \max \{\rho : d(\rho u) = 0\} & (4)

Ears are thin ellipsoids of their own, hollowed on the outside; eyes and eyebrows are patches that lie on the surface.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

COLUMNS, ROWS = 104, 96
"""Directions around the vertical axis, and from below to above."""
EYE = (3.15, 0.35)
"""Middle of the left eye."""
PATCHES = {"skin": 0, "ear": 1, "eye": 2, "brow": 3}


class Sculpture(NamedTuple):
    """A mesh and what its vertices belong to."""

    vertices: Tensor
    """`(vertex, 3)`, float32."""
    triangles: Tensor
    """`(triangle, 3)`, anticlockwise from outside."""
    patch: Tensor
    """A number of `PATCHES` for each vertex."""
    place: Tensor
    """Coordinates within a patch, `(vertex, 2)`: along and across an eye or brow in centimetres from its middle; how
    far out and how hollow an ear is."""


def _ellipsoid(p: Tensor, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Tensor:
    """Equation (1)."""
    scaled = (p - p.new_tensor(centre)) / p.new_tensor(radii)
    g = scaled.norm(dim=-1)
    return g * (g - 1) / (scaled / p.new_tensor(radii)).norm(dim=-1).clamp(min=1e-6)


def _capsule(p: Tensor, a: tuple[float, ...], b: tuple[float, ...], start: float, end: float) -> Tensor:
    """Equation (2)."""
    first, line = p.new_tensor(a), p.new_tensor(b) - p.new_tensor(a)
    t = (((p - first) * line).sum(-1) / line.square().sum()).clamp(0, 1)
    return (p - first - t[..., None] * line).norm(dim=-1) - start - t * (end - start)


def _join(d: Tensor, other: Tensor, width: float) -> Tensor:
    """Equation (3)."""
    return torch.minimum(d, other) - width / 4 * (1 - (d - other).abs() / width).clamp(min=0).square()


def distance(p: Tensor) -> Tensor:
    """Signed distance, about, from the surface of the average head without ears; negative inside."""
    p = torch.stack((p[..., 0].abs(), p[..., 1], p[..., 2]), -1)
    d = _ellipsoid(p, (0, 3.5, -1.0), (7.4, 8.3, 9.3))
    d = _join(d, _ellipsoid(p, (0, 4.6, 2.8), (6.2, 5.6, 6.7)), 2.0)
    d = _join(d, _ellipsoid(p, (0, -2.4, 2.7), (6.1, 7.5, 6.3)), 2.0)
    d = _join(d, _capsule(p, (4.2, -5.6, 0.8), (1.0, -9.2, 6.9), 1.5, 1.2), 2.0)
    d = _join(d, _capsule(p, (4.6, -5.4, 0.4), (5.4, 0.0, 0.0), 1.4, 1.4), 2.0)
    d = _join(d, _ellipsoid(p, (4.3, -1.6, 5.2), (1.9, 1.5, 1.9)), 1.8)
    d = _join(d, _ellipsoid(p, (0, -6.4, 6.2), (3.3, 3.2, 2.9)), 1.5)
    d = _join(d, _ellipsoid(p, (0, -9.6, 7.6), (1.7, 1.3, 1.5)), 1.2)
    d = _join(d, _capsule(p, (0, -6.0, -2.8), (0, -32.0, -6.0), 4.4, 7.4), 2.0)
    d = _join(d, _capsule(p, (1.2, 2.5, 7.9), (4.6, 2.7, 6.3), 0.9, 0.8), 1.2)
    d = -_join(-d, _ellipsoid(p, (3.0, 0.5, 9.6), (1.9, 1.0, 1.7)), 1.4)
    d = _join(d, _ellipsoid(p, (EYE[0], EYE[1], 6.75), (1.35, 1.2, 1.25)), 0.3)
    d = _join(d, _capsule(p, (0, 1.9, 8.3), (0, -2.7, 10.45), 0.65, 0.95), 0.9)
    d = _join(d, _ellipsoid(p, (1.15, -3.15, 9.4), (0.75, 0.75, 1.0)), 0.5)
    d = _join(d, _ellipsoid(p, (0, -5.85, 8.7), (2.6, 0.6, 0.75)), 0.8)
    return _join(d, _ellipsoid(p, (0, -7.05, 8.6), (2.2, 0.65, 0.75)), 0.6)


def _cast(start: Tensor, direction: Tensor) -> Tensor:
    """Go from `start` until the surface is met, in steps that cannot pass it."""
    p = start
    for _ in range(72):
        p = p + direction * (0.8 * distance(p))[..., None]
    return p


@lru_cache(maxsize=1)
def sculpture() -> Sculpture:
    """Build the average head; the same at every call."""
    parts = [_skin(), *(_ear(side) for side in (1, -1))]
    parts += [make(side) for side in (1, -1) for make in (_eye, _brow)]
    first, triangles = 0, list[Tensor]()
    for part in parts:
        triangles.append(part.triangles + first)
        first += len(part.vertices)
    vertices, patch, place = (torch.cat([part[k] for part in parts]) for k in (0, 2, 3))
    return Sculpture(vertices, torch.cat(triangles), patch, place)


def _part(name: str, vertices: Tensor, triangles: Tensor, place: Tensor) -> Sculpture:
    return Sculpture(vertices, triangles, torch.full((len(vertices),), PATCHES[name]), place)


def _grid(rows: int, columns: int, closed: bool) -> Tensor:
    """Triangles between rows of vertices, anticlockwise where columns run right and rows up."""
    row, column = torch.meshgrid(
        torch.arange(rows - 1), torch.arange(columns if closed else columns - 1), indexing="ij"
    )
    following = (column + 1) % columns
    a, b = row * columns + column, row * columns + following
    c, d = b + columns, a + columns
    return torch.stack((a, b, c, a, c, d), -1).view(-1, 3)


def _sphere(rows: int, azimuth: Tensor, elevation: Tensor) -> Tensor:
    """Unit vectors `(rows * columns, 3)`; azimuth 0 is the face, and grows to the head's left."""
    e, a = torch.meshgrid(elevation, azimuth, indexing="ij")
    return torch.stack((e.cos() * a.sin(), e.sin(), e.cos() * a.cos()), -1).flatten(0, 1)


def _skin() -> Sculpture:
    """The surface along rays from the origin (4), which are closer together in the face."""
    turn = torch.arange(COLUMNS) * (2 * math.pi / COLUMNS) - math.pi
    u = _sphere(ROWS, turn - 0.6 * turn.sin(), _elevations())
    vertices = _cast(36 * u, -u)
    triangles = _grid(ROWS, COLUMNS, closed=True)
    cap = torch.arange(1, COLUMNS - 1)
    top = (ROWS - 1) * COLUMNS + torch.stack((torch.zeros_like(cap), cap, cap + 1), 1)
    return _part("skin", vertices, torch.cat((triangles, top)), torch.zeros(len(vertices), 2))


def _elevations() -> Tensor:
    """From straight down to straight up, closest together between the chin and the forehead."""
    even = torch.linspace(-math.pi / 2, math.pi / 2, 1001)
    density = 1 + 1.6 * (-((even + 0.45) / 0.85).square().square()).exp()
    reached = density.cumsum(0) - density[0]
    wanted = torch.linspace(0.002, 0.998, ROWS) * reached[-1]
    return even[torch.searchsorted(reached, wanted)]


def _ear(side: int) -> Sculpture:
    """A thin ellipsoid that leans backwards and outwards, hollow outside."""
    rows, columns = 17, 24
    turn = torch.arange(columns) * (2 * math.pi / columns)
    u = _sphere(rows, turn, torch.linspace(-math.pi / 2 + 0.01, math.pi / 2 - 0.01, rows))
    out, up, front = u.T
    # The widest part is above the middle; the lobe is narrow.
    width = 1.75 + 0.45 * up
    hollow = ((front - 0.15).square() / 0.3 + (up - 0.1).square() / 0.35).mul(-1).exp() * (out > 0)
    x, y, z = 0.62 * out - 0.55 * hollow, 3.1 * up, width * front
    lean, flare = 0.22, 0.42
    y, z = y * math.cos(lean) + z * math.sin(lean), z * math.cos(lean) - y * math.sin(lean)
    x, z = x * math.cos(flare) - z * math.sin(flare), z * math.cos(flare) + x * math.sin(flare)
    vertices = torch.stack((side * (x + 7.35), y - 0.5, z - 1.3), 1)
    triangles = _grid(rows, columns, closed=True)
    place = torch.stack((out, hollow), 1)
    return _part("ear", vertices, triangles if side > 0 else triangles.flip(1), place)


def _patch(name: str, side: int, x: Tensor, y: Tensor, rows: int, lift: float) -> Sculpture:
    """Lay a grid of points on the face; `x` and `y` are `(rows * columns,)`, measured from the left eye's middle."""
    start = torch.stack((EYE[0] + x, EYE[1] + y, torch.full_like(x, 16.0)), 1)
    vertices = _cast(start, torch.tensor([0.0, 0.0, -1.0]))
    vertices[:, 2] += lift
    vertices[:, 0] *= side
    triangles = _grid(rows, len(x) // rows, closed=False)
    return _part(name, vertices, triangles if side > 0 else triangles.flip(1), torch.stack((x, y), 1))


def _eye(side: int) -> Sculpture:
    """What is seen between the lids: an almond whose outer corner is a little higher."""
    u, v = (
        each.flatten() for each in torch.meshgrid(torch.linspace(-1, 1, 25), torch.linspace(-1, 1, 11), indexing="xy")
    )
    lid = torch.where(v > 0, 0.5, 0.42) * (1 - u.square()).clamp(min=0).pow(0.75)
    return _patch("eye", side, 1.45 * u, v * lid + 0.12 * u, 11, 0.08)


def _brow(side: int) -> Sculpture:
    """A bow above the eye, thinner outside."""
    u, v = (
        each.flatten() for each in torch.meshgrid(torch.linspace(-1, 1, 25), torch.linspace(-1, 1, 7), indexing="xy")
    )
    middle = 2.15 + 0.35 * u - 0.5 * u.square()
    half = 0.42 - 0.2 * u.clamp(min=0) - 0.25 * (u.abs() - 0.85).clamp(min=0)
    return _patch("brow", side, 0.25 + 2.15 * u, middle + v * half, 7, 0.1)
