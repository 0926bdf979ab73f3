"""Meshes drawn: against a loop over pixels and triangles, and against a sphere, whose picture is known."""

import math

import pytest
import torch
from torch import Tensor

from untaught.data.heads.mesh import DEPTHS, GREYS, lambert, rasterise, vertex_normals


def slow_picture(x: Tensor, y: Tensor, z: Tensor, grey: Tensor, triangles: Tensor, size: int) -> tuple[Tensor, ...]:
    """One frame, pixel by pixel: grey value, depth, and how near the closest edge or rival surface is."""
    shade, depth = torch.ones(size, size).double(), torch.full((size, size), -math.inf).double()
    doubt = torch.full((size, size), math.inf).double()
    for row in range(size):
        for column in range(size):
            for corners in triangles.tolist():
                (ax, ay), (bx, by), (cx, cy) = ((float(x[v]), float(y[v])) for v in corners)
                area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
                if area >= 0:
                    continue
                px, py = column + 0.5, row + 0.5
                a = ((bx - px) * (cy - py) - (cx - px) * (by - py)) / area
                b = ((cx - px) * (ay - py) - (ax - px) * (cy - py)) / area
                weights = (a, b, 1 - a - b)
                doubt[row, column] = min(float(doubt[row, column]), abs(min(weights)))
                if min(weights) < 0:
                    continue
                here = sum(w * float(z[v]) for w, v in zip(weights, corners, strict=True))
                doubt[row, column] = min(float(doubt[row, column]), abs(here - float(depth[row, column])))
                if here > depth[row, column]:
                    depth[row, column] = here
                    shade[row, column] = sum(w * float(grey[v]) for w, v in zip(weights, corners, strict=True))
    return shade, depth, doubt


def random_mesh(seed: int, triangles: int, frames: int, size: int) -> tuple[Tensor, ...]:
    """Triangles of all sizes, some of them beyond the edges of the frame."""
    generator = torch.Generator().manual_seed(seed)
    middle = torch.rand(triangles, 1, frames, 2, generator=generator) * size
    reach = (0.1 + torch.rand(triangles, 1, 1, 1, generator=generator).square()) * size
    place = middle + reach * torch.randn(triangles, 3, frames, 2, generator=generator)
    x, y = place.flatten(0, 1).unbind(-1)
    z, grey = torch.rand(2, 3 * triangles, frames, generator=generator)
    return x, y, 5 * z, grey, torch.arange(3 * triangles).view(-1, 3)


@pytest.mark.parametrize("seed", range(3))
def test_triangles_against_a_loop_over_pixels(seed: int) -> None:
    size = 17
    x, y, z, grey, triangles = random_mesh(seed, 24, 2, size)
    picture = rasterise(x, y, z, grey, triangles, size)
    for frame in range(2):
        values = (value[:, frame].double() for value in (x, y, z, grey))
        shade, depth, doubt = slow_picture(*values, triangles, size)
        sure = doubt > 1e-3
        assert sure.float().mean() > 0.9 and 0.1 < float(depth.isfinite().double().mean()) < 1
        assert torch.equal(picture.depth[frame].isfinite()[sure], depth.isfinite()[sure])
        seen = sure & depth.isfinite()
        assert torch.allclose(picture.depth[frame][seen].double(), depth[seen], atol=3 * 5 / DEPTHS)
        assert torch.allclose(picture.grey[frame][sure].double(), shade[sure], atol=2 / GREYS)


def sphere(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Vertices on the unit sphere, y upwards, and triangles that are anticlockwise from outside."""
    up = torch.linspace(-math.pi / 2, math.pi / 2, rows)[:, None].expand(-1, columns)
    turn = (torch.arange(columns) * 2 * math.pi / columns).expand(rows, -1)
    vertices = torch.stack((up.cos() * turn.sin(), up.sin(), up.cos() * turn.cos()), -1).flatten(0, 1)
    found = []
    for i in range(rows - 1):
        for j in range(columns):
            a, b, k = i * columns + j, i * columns + (j + 1) % columns, columns
            found += [(a, b, b + k), (a, b + k, a + k)]
    return vertices, torch.tensor(found)


def test_a_sphere_has_the_depth_normals_and_light_of_a_sphere() -> None:
    vertices, triangles = sphere(61, 120)
    normals = vertex_normals(vertices[..., None], triangles)
    inner = vertices[:, 1].abs() < 0.99  # close to the poles triangles are far from square
    assert torch.allclose(normals[inner, :, 0], vertices[inner], atol=5e-3)
    light = torch.tensor([0.6, 0.0, 0.8])
    grey = lambert(normals, light[:, None, None], torch.full((len(vertices), 1), 0.9), 0.3)[..., 0]
    size, radius = 64, 28.0
    x, y, z = (vertices * radius).T[..., None]
    picture = rasterise(x + size / 2, size / 2 - y, z, grey, triangles, size)
    place = torch.arange(size) + 0.5 - size / 2
    right, up = place[None, :].expand(size, -1), -place[:, None].expand(-1, size)
    square = right.square() + up.square()
    well_inside = square < (radius - 2) ** 2
    depth = (radius**2 - square).clamp(min=0).sqrt()
    assert torch.allclose(picture.depth[0][well_inside], depth[well_inside], atol=0.12)
    shade = 0.9 * (0.3 + 0.7 * (0.6 * right + 0.8 * depth).div(radius).clamp(min=0))
    assert torch.allclose(picture.grey[0][well_inside], shade[well_inside], atol=0.02)
    assert (picture.grey[0][square > (radius + 1) ** 2] == 1).all()


def test_normals_against_a_loop_over_triangles() -> None:
    generator = torch.Generator().manual_seed(1)
    vertices, triangles = torch.randn(7, 3, 2, generator=generator), torch.tensor([[0, 1, 2], [2, 1, 3], [4, 5, 6]])
    expected = torch.zeros(7, 3, 2)
    for a, b, c in triangles.tolist():
        for shape in range(2):
            corners = [vertices[v, :, shape] for v in (a, b, c)]
            normal = torch.linalg.cross(corners[1] - corners[0], corners[2] - corners[0])
            for v in (a, b, c):
                expected[v, :, shape] += normal
    expected /= expected.norm(dim=1, keepdim=True)
    assert torch.allclose(vertex_normals(vertices, triangles), expected, atol=1e-6)


def test_light_from_behind_leaves_what_comes_from_everywhere() -> None:
    normal = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1)
    light = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]).T[:, None]
    assert torch.allclose(lambert(normal, light, torch.tensor([[0.8]]), 0.25), torch.tensor([0.8, 0.2, 0.2]))


def test_a_triangle_is_seen_from_one_side() -> None:
    x, y = torch.tensor([[2.0], [14.0], [8.0]]), torch.tensor([[14.0], [14.0], [2.0]])
    z, grey = torch.zeros(3, 1), torch.full((3, 1), 0.5)
    front, back = (rasterise(x, y, z, grey, torch.tensor([order]), 16) for order in ([0, 1, 2], [0, 2, 1]))
    assert int((front.grey < 1).sum()) == pytest.approx(72, abs=8)
    assert (back.grey == 1).all() and not back.depth.isfinite().any()


def test_no_cracks_between_triangles() -> None:
    """A bent, turned sheet covers every pixel within its outline."""
    side, size = 25, 60
    row, column = (each.flatten().float() for each in torch.meshgrid(*[torch.arange(side)] * 2, indexing="ij"))
    turn = 0.3
    x = (column * math.cos(turn) - row * math.sin(turn)) * 2.17 + 12
    y = (column * math.sin(turn) + row * math.cos(turn)) * 2.17 - 4
    corner = torch.arange(side * side).view(side, side)[:-1, :-1].flatten()
    triangles = torch.cat((torch.stack((corner, corner + side, corner + 1), 1),
                           torch.stack((corner + 1, corner + side, corner + side + 1), 1)))  # fmt: skip
    z = (x / 5).sin()
    picture = rasterise(x[:, None], y[:, None], z[:, None], torch.zeros(len(x), 1), triangles, size)
    place = torch.arange(size) + 0.5
    px, py = place[None, :] - 12, place[:, None] + 4
    along = (px * math.cos(turn) + py * math.sin(turn)) / 2.17
    across = (py * math.cos(turn) - px * math.sin(turn)) / 2.17
    inside = (along > 0.01) & (along < side - 1.01) & (across > 0.01) & (across < side - 1.01)
    assert inside.sum() > 1500 and (picture.grey[0][inside] == 0).all()


def test_frames_do_not_touch_one_another() -> None:
    x, y, z, grey, triangles = random_mesh(5, 20, 3, 20)
    z[0], z[1] = -1, 6  # the steps of depth are those of the whole batch
    together = rasterise(x, y, z, grey, triangles, 20).grey
    alone = [rasterise(*(value[:, [k]] for value in (x, y, z, grey)), triangles, 20).grey[0] for k in range(3)]
    assert torch.equal(together, torch.stack(alone))


def test_a_coarse_picture_is_the_mean_of_squares() -> None:
    x, y, z, grey, triangles = random_mesh(6, 20, 2, 24)
    picture = rasterise(x, y, z, grey, triangles, 24, background=0.5)
    expected = picture.grey.view(2, 8, 3, 8, 3).mean((2, 4))
    assert torch.allclose(picture.mean(3), expected, atol=1e-5)
    assert float(picture.grey[0][~picture.depth[0].isfinite()].mean()) == pytest.approx(0.5, abs=1e-3)


def test_nothing_in_sight() -> None:
    x = torch.tensor([[-9.0], [-5.0], [-7.0]])
    assert (rasterise(x, x, x, x.abs() / 9, torch.tensor([[0, 1, 2]]), 8).grey == 1).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_same() -> None:
    x, y, z, grey, triangles = random_mesh(7, 200, 3, 64)
    there = rasterise(*(value.cuda() for value in (x, y, z, grey, triangles)), 64)
    assert ((rasterise(x, y, z, grey, triangles, 64).grey - there.grey.cpu()).abs() < 1e-3).float().mean() > 0.999
