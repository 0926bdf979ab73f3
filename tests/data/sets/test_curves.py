"""Curves: strokes against distances by brute force, six numbers that draw the picture again, the error of PCA."""

import math
from pathlib import Path

import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from untaught.data.part import Part
from untaught.data.sets.curves import HALF_WIDTH, MARGIN, SIDE, SOFTNESS, Options, curve, draw, load
from untaught.data.source import open_data
from untaught.data.view import as_float
from untaught.errors import ConfigError, DataError
from untaught.evaluate.baselines.logistic_principal import linear_code


def pictures(part: Part | None, count: int | None = None) -> Tensor:
    assert part is not None
    return part.frames.read(torch.arange(count or len(part)))


def test_parabolas_are_those_that_interpolate() -> None:
    points = torch.rand(1, 3, 2, dtype=torch.float64)
    t = torch.linspace(0, 1, 7, dtype=torch.float64)
    powers = torch.stack([t**power for power in range(3)], 1)
    fitted = torch.linalg.solve(powers[[0, 3, 6]], points[0])
    assert torch.allclose(curve(points, t)[0], powers @ fitted)


def test_strokes_against_brute_force() -> None:
    points = load(None, Options(train=40, validation=1, test=1)).train.latents["points"].view(-1, 3, 2)
    place = curve(points, torch.linspace(0, 1, 1500))
    row, column = torch.meshgrid(torch.arange(SIDE) + 0.5, torch.arange(SIDE) + 0.5, indexing="ij")
    pixel = torch.stack((column, row), -1).view(-1, 2)
    away = torch.stack([torch.cdist(pixel, one).amin(1) for one in place])
    expected = 1 / (1 + torch.exp((away - HALF_WIDTH) / SOFTNESS))
    far = (as_float(draw(points)).view(40, -1) - expected).abs()
    assert far.max() < 0.06 and far.mean() < 0.002  # a thirtieth of a pixel beside the curve is 0.045 of ink at most


def test_a_straight_stroke_is_known() -> None:
    x = draw(torch.tensor([[[8.5, 14.5], [14.5, 14.5], [20.5, 14.5]]]))[0].int()
    ink = [round(255 / (1 + math.exp((away - HALF_WIDTH) / SOFTNESS))) for away in (0, 1, 2)]
    assert ink == [249, 48, 0]
    assert (x[14, 8:21] == ink[0]).all() and (x[13, 8:21] == ink[1]).all() and (x[12, 8:21] == ink[2]).all()
    assert x[14, 21] == x[14, 7] == x[13, 14] and x[14, 22] == ink[2]
    assert torch.equal(draw(torch.full((1, 3, 2), 14.0)), draw(torch.full((1, 3, 2), 14.0)).flip(1, 2))


def test_six_numbers_draw_the_picture_again() -> None:
    train = open_data("curves?train=300&validation=1&test=1").train
    points = train.latents["points"]
    assert points.shape == (300, 6) and points.min() >= MARGIN and points.max() <= SIDE - MARGIN
    thirds = torch.tensor([MARGIN + (SIDE - 2 * MARGIN) * share / 3 for share in range(4)])
    assert (points[:, ::2] >= thirds[:3]).all() and (points[:, ::2] <= thirds[1:]).all()
    assert torch.equal(draw(points.view(-1, 3, 2)), pictures(train)[:, 0])
    assert torch.linalg.matrix_rank(points - points.mean(0)) == 6


def test_parts_differ_and_come_from_the_seed() -> None:
    source, again = open_data("curves?train=60&test=30"), open_data("curves?train=30&test=60&validation=5")
    assert source.shape == (1, SIDE, SIDE) and not source.is_video and source.train.frames.dtype == torch.uint8
    assert torch.equal(pictures(source.train, 30), pictures(again.train))
    assert torch.equal(pictures(source.test), pictures(again.test, 30))
    assert not torch.equal(pictures(source.train, 30), pictures(source.test))
    assert not torch.equal(pictures(source.train, 30), pictures(open_data("curves?train=30&test=30&seed=1").train))


def drawn(train: int, test: int) -> tuple[Tensor, Tensor]:
    """Training and test pictures as vectors."""
    source = open_data(f"curves?train={train}&test={test}&validation=1")
    return as_float(pictures(source.train)).flatten(1), as_float(pictures(source.test)).flatten(1)


def principal_error(x: Tensor, held: Tensor) -> float:
    """Squared error of a test picture by 18 components, through scikit-learn."""
    found = PCA(18, svd_solver="covariance_eigh").fit(x.numpy())
    return float(((found.inverse_transform(found.transform(held.numpy())) - held.numpy()) ** 2).sum(1).mean())


def test_error_of_principal_components_on_fewer() -> None:
    assert principal_error(*drawn(2500, 1500)) == pytest.approx(5.9, rel=0.06)


@pytest.mark.slow
def test_errors_of_planes_are_the_papers() -> None:
    x, held = drawn(20_000, 10_000)
    assert principal_error(x, held) == pytest.approx(5.90, rel=0.02)
    for numbers, published in ((18, 2.45), (6, 7.64)):
        error = (linear_code(x, numbers).reconstruct(held) - held).square().sum(1).mean()
        assert float(error) == pytest.approx(published, rel=0.02)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="train in curves"):
        open_data("curves?train=0")
    with pytest.raises(DataError, match="take no path"):
        load(Path("somewhere"), Options())
