"""The population of heads: the average is symmetric and closed; every coefficient is seen and means one thing."""

import math

import pytest
import torch

from untaught.data.heads.head_model import HeadModel, render_all
from untaught.data.heads.head_sculpture import COLUMNS, PATCHES, ROWS, distance, sculpture
from untaught.data.heads.head_shape import NAMES, SHAPES, hair_logit, population

ANGLES = torch.tensor([[-0.4, 0.2, 1.2]])


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return population()


@pytest.fixture(scope="module")
def change(model: HeadModel) -> torch.Tensor:
    """Mean squared change of a pixel by one deviation of each coefficient, either way."""
    c = torch.cat((torch.zeros(1, len(NAMES)), torch.eye(len(NAMES)), -torch.eye(len(NAMES))))
    pan = ANGLES.expand(len(c), -1)
    drawn = render_all(model, c, pan, 0 * pan, 48).float() / 255
    return (drawn[1:] - drawn[:1]).square().mean((1, 2, 3, 4)).view(2, -1).mean(0)


@pytest.mark.slow
def test_there_are_enough_coefficients_and_each_is_independent(model: HeadModel) -> None:
    assert len(model.modes) == len(NAMES) >= 20 and len(set(NAMES)) == len(NAMES)
    shapes = model.modes[: len(SHAPES)].flatten(1).double()
    assert torch.linalg.matrix_rank(shapes / shapes.norm(dim=1, keepdim=True), rtol=1e-3) == len(SHAPES)
    assert not model.modes[len(SHAPES) :].any()


def test_no_coefficients_give_the_average_head(model: HeadModel) -> None:
    none = torch.zeros(1, len(NAMES))
    assert torch.equal(model.shape(none)[..., 0], sculpture().vertices)


@pytest.mark.slow
def test_every_coefficient_is_seen(change: torch.Tensor) -> None:
    assert (change > 1e-6).all(), [NAMES[k] for k in (change <= 1e-6).nonzero()[:, 0]]


@pytest.mark.slow
def test_coefficients_come_in_the_order_of_what_they_change(change: torch.Tensor) -> None:
    """The first changes most of all; afterwards each group falls, give or take a few places."""
    assert int(change.argmax()) == 0
    for group in (change[: len(SHAPES)], change[len(SHAPES) :]):
        place = group.argsort(descending=True).argsort()
        assert (place - torch.arange(len(group))).abs().max() <= 4


def test_a_larger_coefficient_does_what_its_name_says(model: HeadModel) -> None:
    def measured(name: str, value: float) -> dict[str, float]:
        c = torch.zeros(1, len(NAMES))
        c[0, NAMES.index(name)] = value
        p = model.shape(c)[: ROWS * COLUMNS, :, 0]
        face = p[:, 1].abs() < 9
        middle = (p[:, 0].abs() < 1) & (p[:, 1] > -4) & (p[:, 1] < -1)
        return {"wide": float(p[face, 0].max()), "high": float(p[:, 1].max()), "nose": float(p[middle, 2].max())}

    for name, what in (("fullness", "wide"), ("crown", "high"), ("hair", "high"), ("nose_length", "nose")):
        assert measured(name, 2.0)[what] > measured(name, 0.0)[what] + 0.3 > measured(name, -2.0)[what] + 0.6


def test_paint_changes_no_shape(model: HeadModel) -> None:
    c = torch.zeros(2, len(NAMES))
    c[1, len(SHAPES) :] = 2
    assert torch.equal(*model.shape(c).unbind(2)) and not torch.equal(*model.albedo(c).unbind(1))
    c = torch.randn(60, len(NAMES), generator=torch.Generator().manual_seed(0))
    assert float(model.albedo(c).min()) >= 0.05 and float(model.albedo(c).max()) <= 0.95


def test_the_average_head_is_symmetric() -> None:
    p = sculpture().vertices
    mirrored = p * torch.tensor([-1.0, 1.0, 1.0])
    nearest = torch.cat([torch.cdist(some, p).amin(1) for some in mirrored[::7].split(200)])
    assert float(nearest.max()) < 0.02


def test_the_surface_is_where_the_distance_is_nought() -> None:
    made = sculpture()
    skin = made.vertices[made.patch == PATCHES["skin"]]
    assert len(skin) == ROWS * COLUMNS and float(distance(skin).abs().max()) < 0.03
    assert float(distance(1.03 * skin).min()) > 0
    assert (distance(0.97 * skin) < 0).float().mean() > 0.99


def test_distance_to_a_lone_solid_is_known() -> None:
    """Far above, the crown's ellipsoid is all there is: its top is at 3.5 + 8.3."""
    p = torch.tensor([[0.0, 11.8, -1.0], [0.0, 12.8, -1.0], [0.0, 10.8, -1.0]])
    assert torch.allclose(distance(p), torch.tensor([0.0, 1.0, -1.0]), atol=0.25)
    assert abs(float(distance(p[:1]))) < 0.02


def test_triangles_face_outwards_and_close_the_skin() -> None:
    made = sculpture()
    a, b, c = (made.vertices[corner] for corner in made.triangles.T)
    normal, middle = torch.linalg.cross(b - a, c - a), (a + b + c) / 3
    skin = (made.patch[made.triangles] == PATCHES["skin"]).all(1)
    assert ((normal * middle).sum(1)[skin] > 0).float().mean() > 0.99
    edges = torch.cat([made.triangles[skin][:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    key = edges.sort(1).values @ torch.tensor([len(made.vertices), 1])
    open_edges = int((key.unique(return_counts=True)[1] == 1).sum())
    assert open_edges == COLUMNS  # below the neck, out of every picture
    lowest = made.vertices[:COLUMNS, 1]
    assert float(lowest.max()) < -25


def test_hair_is_above_and_behind() -> None:
    crown, nape, nose, chin = hair_logit(torch.tensor([[0.0, 11, 0], [0, -3, -9], [0, -2, 11], [0, -10, 8]])).tolist()
    assert crown > 2 and nape > 2 and nose < -2 and chin < -2


def test_a_head_fits_into_the_picture_at_every_angle(model: HeadModel) -> None:
    c = torch.randn(25, len(NAMES), generator=torch.Generator().manual_seed(3))
    pan = torch.linspace(-math.pi / 2, 1.3 * math.pi, 4).expand(25, -1)
    seen = render_all(model, c, pan, 0 * pan, 48)[:, :, 0] < 250
    assert seen[..., -1, :].any(-1).all()  # the neck goes on
    touching = seen[..., 0, :].any(-1) | seen[..., :40, 0].any(-1) | seen[..., :40, -1].any(-1)
    assert touching.float().mean() < 0.03
    assert 0.15 < float(seen.float().mean()) < 0.6
