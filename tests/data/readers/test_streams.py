"""Generators of frames: pictures, or one clip for a model of video; kept on disk where they do not fit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import untaught
from untaught.data.source import open_data
from untaught.errors import DataError

FRAMES = np.random.default_rng(3).integers(0, 256, (40, 10, 12, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("untaught.data.readers.frame_store.cache_folder", lambda: tmp_path)
    return tmp_path / "streams"


def frames() -> Iterator[np.ndarray]:
    buffer = np.empty((10, 12, 3), np.uint8)  # readers of video give the same array again and again
    for frame in FRAMES:
        buffer[:] = frame
        yield buffer


@pytest.mark.parametrize("memory", [2**30, 5_000])
def test_frames_of_a_generator(memory: int, cache: Path) -> None:
    """In order, whether all are in memory or the first in memory and the others on disk, in a file without a name."""
    source = open_data(frames(), memory=memory, video=True)
    assert source.is_video and source.train.length.tolist() == [40] and source.shape == (3, 10, 12)
    read = source.train.frames.read(torch.arange(40))
    assert torch.equal(read, torch.from_numpy(FRAMES).permute(0, 3, 1, 2))
    assert (source.train.frames.in_memory is None) == (memory == 5_000)
    assert cache.exists() == (memory == 5_000) and not list(cache.glob("*"))
    assert not open_data(frames(), memory=memory).is_video


def test_a_limit_ends_an_endless_one() -> None:
    def endless() -> Iterator[Any]:
        while True:
            yield from frames()

    assert len(open_data(endless(), options={"limit": 50}).train) == 50


def test_a_nearly_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.data.readers.frame_store.SPARE", 2**70)
    monkeypatch.setattr("untaught.data.readers.frame_store.ASKED", 1_000)
    with pytest.raises(DataError, match="(?s)generator has given .* nearly full; limit=N"):
        open_data(frames(), memory=100)


def test_one_that_breaks_off_is_named() -> None:
    def broken() -> Iterator[Any]:
        yield FRAMES[0]
        raise OSError("camera unplugged")

    with pytest.raises(DataError, match="example 1 of generator cannot be read: OSError: camera unplugged"):
        open_data(broken(), on_bad="skip")


def test_a_model_of_video_learns_from_a_generator() -> None:
    training = untaught.Training(epochs=1, device="cpu", threads=1)
    plan = untaught.plan(untaught.Asked("pgn", {}, training), frames())
    assert plan.source.is_video and plan.settings.data == "python:generator"
    assert [record for record in untaught.fit(plan) if record.losses]
