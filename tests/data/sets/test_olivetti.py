"""Olivetti faces: patches against pixels that are known, people apart, the error of PCA."""

import math
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import scipy.ndimage
import sklearn.datasets
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from untaught.data.part import Part
from untaught.data.sets.olivetti import FILE, patches
from untaught.data.source import open_data
from untaught.data.view import View, as_float, cut, statistics
from untaught.errors import ConfigError, DataError


def pictures(part: Part | None) -> Tensor:
    assert part is not None
    return part.frames.read(part.first)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Faces of noise, each person's brighter than the one's before, in no order."""
    rng = np.random.default_rng(0)
    person = rng.permutation(np.repeat(np.arange(40, dtype=np.uint8), 10))
    x = rng.integers(0, 50, (400, 64, 64), np.uint8) + 5 * person[:, None, None]
    np.savez(tmp_path / FILE, x=x, y=person)
    return tmp_path / FILE


def smooth(count: int) -> Tensor:
    noise = np.random.default_rng(0).normal(size=(count, 64, 64))
    x = scipy.ndimage.gaussian_filter(noise, (0, 3, 3))
    return torch.as_tensor((x - x.min()) / (x.max() - x.min()) * 255).round().to(torch.uint8)[:, None]


def test_a_patch_is_the_turned_face() -> None:
    """Whole enlargement and right angles: every pixel is the mean of four, or one, of the face's."""
    face = smooth(1)
    middle = as_float(face)[0, 0]
    between = (middle[:-1, :-1] + middle[1:, :-1] + middle[:-1, 1:] + middle[1:, 1:]) / 4
    expected = between[31 - 12 : 31 + 13, 31 - 12 : 31 + 13]  # enlarged twice, every second: neighbours of the face
    for turns in range(-1, 3):
        made = patches(face, torch.tensor([turns * math.pi / 2]), torch.tensor([2.0]))
        assert (as_float(made)[0, 0] - expected.rot90(-turns)).abs().max() < 0.5 / 255 + 1e-4


def test_patches_against_scipy() -> None:
    faces = smooth(3)
    angle, factor = torch.tensor([0.3, -1.2, 1.5]), torch.tensor([1.4, 1.5, 1.8])
    step = 2.0 * (np.arange(25) - 12)
    for face, theta, s, made in zip(faces, angle, factor, patches(faces, angle, factor), strict=True):
        row, column = np.meshgrid(step, step, indexing="ij")
        # Clockwise by theta: what is at (row, column) came from there turned back.
        turned = (column + 1j * row) * np.exp(-1j * float(theta)) / float(s)
        expected = scipy.ndimage.map_coordinates(face[0].double(), [turned.imag + 31.5, turned.real + 31.5], order=1)
        assert np.abs(made[0].numpy() - expected).max() < 0.6


def test_faces_are_as_in_the_file(file: Path) -> None:
    with np.load(file) as arrays:
        for spec in (f"olivetti:{file}", f"olivetti:{file.parent}"):
            source = open_data(spec)
            assert np.array_equal(pictures(source.train)[:, 0].numpy(), arrays["x"])
            assert source.train.label.tolist() == arrays["y"].tolist() and source.test is None


def test_each_part_shows_other_people(file: Path) -> None:
    source = open_data(f"olivetti:{file}?patches=800")
    assert source.test is not None and source.validation is not None
    assert source.shape == (1, 25, 25) and source.train.frames.dtype == torch.uint8
    assert source.train.label.bincount().tolist() == [20] * 27
    assert source.validation.label.bincount().tolist() == [0] * 27 + [20] * 3
    assert source.test.label.bincount().tolist() == [0] * 30 + [20] * 10
    for part in (source.train, source.test):
        # Noise has the mean 24.5, with a deviation of half a grey value over a patch.
        assert (pictures(part).float().mean((1, 2, 3)) - 24.5 - 5 * part.label).abs().max() < 4
    angle, factor = source.train.latents["angle"], source.train.latents["factor"]
    assert angle.min() > -math.pi / 2 and angle.max() < math.pi / 2 and angle.std() == pytest.approx(0.907, rel=0.1)
    assert factor.min() > 1.4 and factor.max() < 1.8


def test_patches_come_from_the_seed(file: Path) -> None:
    def patch(more: str) -> Tensor:
        return pictures(open_data(f"olivetti:{file}?patches=40{more}").train)

    assert torch.equal(patch(""), patch("")) and not torch.equal(patch(""), patch("&seed=1"))


def test_what_cannot_be_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="multiple of 4"):
        open_data(f"olivetti:{file}?patches=3")
    np.savez(tmp_path / "other.npz", x=np.zeros((400, 64, 64), np.uint8))
    with pytest.raises(DataError, match="does not hold the Olivetti faces"):
        open_data(f"olivetti:{tmp_path / 'other.npz'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=f"no {FILE} in"):
        open_data(f"olivetti:{tmp_path / 'empty'}")


def test_without_a_file_scikit_learn_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.data.sets.olivetti.cache_folder", lambda: tmp_path)

    def offline(**_: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(sklearn.datasets, "fetch_olivetti_faces", offline)
    with pytest.raises(DataError) as caught:
        open_data("olivetti")
    assert str(tmp_path / "olivetti") in str(caught.value) and "no network" in str(caught.value)
    assert str(caught.value).count("\n") <= 2
    found = np.full((400, 64 * 64), 1 / 3, np.float32), np.repeat(np.arange(40), 10)
    monkeypatch.setattr(sklearn.datasets, "fetch_olivetti_faces", lambda **_: found)
    source = open_data("olivetti")
    assert source.shape == (1, 64, 64) and (pictures(source.train) == 85).all()


@pytest.mark.slow
def test_error_of_principal_components_is_near_the_papers(shared_data: Path) -> None:
    source = open_data(f"olivetti:{shared_data / 'olivetti'}?patches=20000")
    view = View(standardise="pixel")
    known = statistics(source.train, view)
    x, held = (cut(pictures(part), view, known, False).flatten(1).numpy() for part in (source.train, source.test))
    found = PCA(30, svd_solver="covariance_eigh").fit(x)
    error = ((found.inverse_transform(found.transform(held)) - held) ** 2).sum(1).mean()
    assert error == pytest.approx(135, rel=0.02)
