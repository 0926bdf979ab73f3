"""Morphable heads: the angle recovered from silhouettes, equations against loops, and files that are no models."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from solid import FACES, SOLID, corners
from torch import Tensor

from untaught.data.heads.head_model import Coat, HeadModel, read_model, render, render_all
from untaught.data.heads.head_sculpture import _grid, _sphere
from untaught.errors import DataError


def solid(modes: Tensor | None = None, coats: tuple[Coat, ...] = ()) -> HeadModel:
    """A lopsided tetrahedron that turns about the y axis."""
    changes = torch.zeros(1, 4, 3) if modes is None else modes
    return HeadModel(SOLID, changes, FACES, coats, (0.0, 0.0), 4.0, -4.0)


def extents(pan: float, roll: float, size: int) -> Tensor:
    """Left, right, top and bottom of the silhouette in pixels."""
    right, up = zip(*corners(pan, roll, SOLID / 4), strict=True)
    half = size / 2
    return torch.tensor(
        [half + half * min(right), half + half * max(right), half - half * max(up), half - half * min(up)]
    )


def silhouette(picture: Tensor) -> Tensor:
    dark = picture < 250
    columns, rows = dark.any(0).nonzero(), dark.any(1).nonzero()
    return torch.stack((columns.min(), columns.max() + 1, rows.min(), rows.max() + 1)).float()


@pytest.mark.parametrize("roll", [0.0, 0.7])
@pytest.mark.parametrize("pan", [-1.4, -0.5, 0.0, 0.3, 1.1, 3.5])
def test_the_angle_is_recovered_from_the_silhouette(pan: float, roll: float) -> None:
    size = 200
    picture = render(solid(), torch.zeros(1, 1), torch.tensor([[pan]]), torch.tensor([[roll]]), size)[0, 0, 0]
    found = silhouette(picture)
    assert (found - extents(pan, roll, size)).abs().max() < 3  # a sharp corner covers less than a pixel at its end
    trials = torch.linspace(-math.pi / 2, 1.5 * math.pi, 721)
    error = torch.stack([(extents(float(angle), roll, size) - found).abs().sum() for angle in trials])
    assert abs(float(trials[error.argmin()]) - pan) < math.radians(3)


def test_a_turned_head_is_the_mirror_image_of_its_mirror_image_turned_back() -> None:
    mirrored = solid()._replace(mean=SOLID * torch.tensor([-1.0, 1.0, 1.0]), triangles=FACES.flip(1))
    pan, roll, none = torch.tensor([[0.4, 1.2]]), torch.tensor([[0.1, -0.3]]), torch.zeros(1, 1)
    one, other = render(solid(), none, pan, roll, 60), render(mirrored, none, -pan, -roll, 60)
    assert torch.equal(one < 255, other.flip(-1) < 255)


def test_the_light_stays_where_it_is_when_the_head_turns() -> None:
    """A ball looks the same from all sides; its brighter half is above and on the left, where the light is."""
    turn, up = torch.arange(80) * math.pi / 40, torch.linspace(-math.pi / 2, math.pi / 2, 41)
    vertices = _sphere(41, turn, up)
    ball = HeadModel(vertices, torch.zeros(1, *vertices.shape), _grid(41, 80, closed=True), (), (0.0, 0.0), 1.2, -1.2)
    pan, roll = torch.tensor([[0.0, 1.0, 2.5, -0.7]]), torch.tensor([[0.0, 0.8, -1.0, 0.0]])
    seen = render(ball, torch.zeros(1, 1), pan, roll, 48)[0, :, 0].float()
    assert ((seen - seen[:1]).abs() > 12).float().mean() < 0.02
    left, right, above, below = seen[:, 12:36, 8:24], seen[:, 12:36, 24:40], seen[:, 8:24, 12:36], seen[:, 24:40, 12:36]
    assert (left.mean((1, 2)) > right.mean((1, 2)) + 10).all() and (above.mean((1, 2)) > below.mean((1, 2)) + 10).all()


def test_shape_and_paint_against_loops() -> None:
    generator = torch.Generator().manual_seed(0)
    modes = torch.randn(3, 4, 3, generator=generator)
    coats = tuple(
        Coat(
            torch.randn(4, generator=generator),
            torch.randn(3, 4, generator=generator),
            0.5,
            torch.tensor([0.1, -0.2, 0]),
        )
        for _ in range(2)
    )
    model, c = solid(modes, coats), torch.randn(2, 3, generator=generator) / 2
    for clip in range(2):
        for vertex in range(4):
            place, rho = SOLID[vertex].clone(), 0.75
            for k in range(3):
                place += c[clip, k] * modes[k, vertex]
            for coat in coats:
                logit = float(coat.cover[vertex] + sum(c[clip, k] * coat.cover_modes[k, vertex] for k in range(3)))
                tone = coat.tone + float(sum(c[clip, k] * coat.tone_modes[k] for k in range(3)))
                share = 1 / (1 + math.exp(-logit))
                rho = (1 - share) * rho + share * tone
            assert torch.allclose(model.shape(c)[vertex, :, clip], place, atol=1e-5)
            assert float(model.albedo(c)[vertex, clip]) == pytest.approx(rho, abs=1e-5)


def test_many_clips_are_drawn_as_each_alone() -> None:
    generator = torch.Generator().manual_seed(2)
    model = solid(0.1 * torch.randn(2, 4, 3, generator=generator))
    c, pan = torch.randn(7, 2, generator=generator), torch.randn(7, 3, generator=generator)
    threads = torch.get_num_threads()
    together = render_all(model, c, pan, pan / 2, 20)
    assert torch.get_num_threads() == threads
    for k in range(7):
        alone = render(model, c[k : k + 1], pan[k : k + 1], pan[k : k + 1] / 2, 20)
        assert (together[k].int() - alone[0].int()).abs().max() <= 1


def write(path: Path, **changed: np.ndarray | None) -> Path:
    """A model file in miniature; None leaves an array out."""
    arrays = {"mean": SOLID.numpy(), "triangles": FACES.numpy(), "identity_modes": np.zeros((2, 4, 3), np.float16)}
    arrays |= changed
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mean": None}, "has no array 'mean'"),
        ({"triangles": None}, "has no array 'triangles'"),
        ({"identity_modes": None}, "has no array 'identity_modes'"),
        ({"mean": np.zeros((4, 2))}, "mean of"),
        ({"mean": np.full((4, 3), np.nan)}, "mean of"),
        ({"mean": np.zeros((0, 3))}, "mean of"),
        ({"triangles": np.zeros((3,), int)}, "triangles of"),
        ({"triangles": np.array([[0, 1, 4]])}, "whole numbers from 0 to 3"),
        ({"triangles": np.array([[0, 1, -1]])}, "whole numbers from 0 to 3"),
        ({"triangles": np.array([[0.0, 1.0, 2.0]])}, "whole numbers from 0 to 3"),
        ({"identity_modes": np.zeros((2, 5, 3))}, "identity_modes of"),
        ({"identity_modes": np.array([["a"]])}, "identity_modes of"),
        ({"triangle_material": np.zeros(3, int), "material_names": np.array(["lip"])}, "triangle_material of"),
    ],
)
def test_a_file_that_is_no_model_is_named_in_one_line(
    changed: dict[str, np.ndarray | None], message: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "head.npz", **changed)
    with pytest.raises(DataError) as caught:
        read_model(file)
    assert message in str(caught.value) and str(file) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_broken_file_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "head.npz"
    file.write_bytes(content)
    with pytest.raises(DataError, match="is no head model"):
        read_model(file)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataError, match="is no head model"):
        read_model(tmp_path / "one.npy")
    for missing in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(DataError, match="cannot read"):
            read_model(missing)


def test_materials_have_their_tones(tmp_path: Path) -> None:
    names = np.array(["M_Face", "M_Lips"])
    model = read_model(write(tmp_path / "h.npz", triangle_material=np.array([0, 1, 0, 0]), material_names=names))
    assert model.albedo(torch.zeros(1, 2))[:, 0].tolist() == pytest.approx([0.6, 0.75, 0.6, 0.6], abs=1e-4)
    plain = read_model(write(tmp_path / "p.npz"))
    assert plain.coats == () and plain.modes.shape == (2, 4, 3) and plain.modes.dtype == torch.float32


def test_the_scanned_model_is_read_and_stands_upright(shared_data: Path) -> None:
    model = read_model(shared_data / "heads" / "ict_head_skin_50.npz")
    assert model.mean.shape == (15_156, 3) and model.modes.shape == (50, 15_156, 3)
    c, pan = torch.zeros(1, 50), torch.tensor([[0.0, 1.2, -1.2]])
    front, right, left = render(model, c, pan, 0 * pan, 64)[0, :, 0].float()
    assert ((front < 255) ^ (front.flip(1) < 255)).float().mean() < 0.02
    assert 0.2 < float((front < 255).float().mean()) < 0.7 and (front[0] == 255).all() and (front[-1] < 255).any()
    # At the height of the mouth the face is on the side to which it looks.
    for seen, side in ((right, 1), (left, -1)):
        dark = (seen[34:42] < 255).float().sum(0)
        assert side * float(dark[32:].sum() - dark[:32].sum()) > 10
