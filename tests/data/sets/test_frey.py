"""Frey faces: both forms hold the same frames, as pictures or as a film."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from untaught.data.sets.frey import FILES
from untaught.data.source import open_data
from untaught.errors import DataError


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (30, 28, 20), np.uint8)


def write(folder: Path, frames: np.ndarray) -> None:
    """Both forms; a column of the matrix is a picture, row after row."""
    savemat(folder / FILES[0], {"ff": np.stack([frame.flatten() for frame in frames], 1)})
    np.savez(folder / FILES[1], x=frames)


@pytest.mark.parametrize("name", FILES)
def test_both_forms_are_read(name: str, frames: np.ndarray, tmp_path: Path) -> None:
    write(tmp_path, frames)
    source = open_data(f"frey:{tmp_path / name}")
    assert source.shape == (1, 28, 20) and not source.is_video and source.train.frames.dtype == torch.uint8
    assert np.array_equal(source.train.frames.read(torch.arange(30))[:, 0].numpy(), frames)


def test_the_film_is_one_clip(frames: np.ndarray, tmp_path: Path) -> None:
    write(tmp_path, frames)
    source = open_data(f"frey:{tmp_path}?video=true")
    assert source.is_video and len(source.train) == 1 and source.train.length.tolist() == [30]
    assert np.array_equal(source.train.frames.read(torch.arange(30))[:, 0].numpy(), frames)
    assert open_data(f"frey:{tmp_path}", size=14).shape == (1, 14, 14)


def test_the_cache_is_looked_at_first(frames: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.data.sets.frey.cache_folder", lambda: tmp_path)
    with pytest.raises(DataError) as caught:
        open_data("frey")
    assert str(tmp_path / "frey") in str(caught.value) and "frey:FILE" in str(caught.value)
    (tmp_path / "frey").mkdir()
    write(tmp_path / "frey", frames)
    assert len(open_data("frey").train) == 30


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.mat"
    file.write_bytes(b"no such thing" * 20)
    with pytest.raises(DataError, match="broken .mat file"):
        open_data(f"frey:{file}")
    savemat(file, {"x": np.zeros(3)})
    with pytest.raises(DataError, match=r"ff of .* is missing"):
        open_data(f"frey:{file}")
    savemat(file, {"ff": np.zeros((560, 4))})
    with pytest.raises(DataError, match=r"is float64 \(560, 4\)"):
        open_data(f"frey:{file}")
    np.savez(tmp_path / "b.npz", x=np.zeros((3, 20, 28), np.uint8))
    with pytest.raises(DataError, match=r"\(1, 20, 28\); Frey faces are \(1, 28, 20\)"):
        open_data(f"frey:{tmp_path / 'b.npz'}")


def test_frames_of_the_film(shared_data: Path) -> None:
    source = open_data(f"frey:{shared_data / 'frey' / 'freyfaces.npz'}")
    assert len(source.train) == 1965
    x = source.train.frames.read(torch.arange(1965)).double()
    step, stranger = (x[1:] - x[:-1]).square().mean(), (x[500:] - x[:-500]).square().mean()
    assert step < stranger / 2  # in the film's order a frame is like the one before
