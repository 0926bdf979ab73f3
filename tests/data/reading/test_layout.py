"""Axes of arrays: which of them is time, in memory and on disk, and letters that say it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from untaught.data.reading.arrays import from_array
from untaught.data.source import Source, open_data
from untaught.errors import ConfigError

Clips = NDArray[np.uint8]


def moving(clips: int, frames: int, side: int, seed: int = 0) -> Clips:
    """Squares that move, `(clip, frame, side, side)`."""
    random = np.random.default_rng(seed)
    x = np.zeros((clips, frames, side, side), np.uint8)
    size = side // 4
    for clip in x:
        place, speed = random.integers(0, side - size, 2), random.integers(-2, 3, 2)
        for number, frame in enumerate(clip):
            row, column = np.clip(place + number * speed // 2, 0, side - size)
            frame[row : row + size, column : column + size] = 255
    return x


def read(source: Source) -> Clips:
    """All clips, `(clip, frame, height, width)`."""
    part = source.train
    assert source.is_video and source.shape[0] == 1
    index = part.first[:, None] + torch.arange(int(part.length[0]))
    return part.frames.read(index)[:, :, 0].numpy()


@pytest.mark.parametrize("memory", [0, 2**30])
@pytest.mark.parametrize("clips", [5, 20, 23])
def test_moving_mnist_is_clips_of_twenty_frames(clips: int, memory: int, tmp_path: Path) -> None:
    x = moving(clips, 20, 64)
    for time_first in (True, False):
        np.save(tmp_path / "x.npy", x.swapaxes(0, 1) if time_first else x)
        source = open_data(tmp_path / "x.npy", memory=memory)
        assert np.array_equal(read(source), x)
        assert f"{clips} grey clips of 20 frames" in source.notes[0]


@pytest.mark.parametrize(("clips", "frames", "side"), [(9, 14, 32), (40, 6, 24), (6, 40, 24)])
def test_time_is_where_neighbours_are_alike(clips: int, frames: int, side: int) -> None:
    x = moving(clips, frames, side)
    assert np.array_equal(read(from_array(x)), x)
    assert np.array_equal(read(from_array(np.ascontiguousarray(x.swapaxes(0, 1)))), x)
    assert np.array_equal(read(from_array(x / 255)) * 255, x)


@pytest.mark.parametrize(("shape", "clips"), [((20, 7, 64, 64), 7), ((12, 7, 16, 16), 12)])
def test_where_nothing_is_alike_time_is_where_it_is_by_habit(shape: tuple[int, ...], clips: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert len(from_array(noise).train) == clips


@pytest.mark.parametrize(("place", "axes"), [(2, "tnchw"), (4, "tnhwc")])
def test_moving_mnist_with_an_axis_of_one_channel(place: int, axes: str) -> None:
    x = moving(6, 20, 64)
    five = np.expand_dims(x.swapaxes(0, 1), place)
    source = from_array(five)
    assert np.array_equal(read(source), x) and "6 clips of 20 frames" in source.notes[0]
    assert np.array_equal(read(from_array(five, axes=axes)), x)
    assert np.array_equal(read(from_array(np.expand_dims(x, place))), x)


def test_few_clips_may_be_channels_which_is_told() -> None:
    x = np.ascontiguousarray(moving(3, 20, 64).swapaxes(0, 1))
    source = from_array(x)
    assert source.shape == (3, 64, 64) and "?axes=tnhw takes it for 3 grey clips" in source.notes[0]
    assert np.array_equal(read(from_array(x, axes="tnhw")), x.swapaxes(0, 1))


@pytest.mark.parametrize("axes", ["nchw", "nhwc", "hwnc", "tnhw", "thw", "thwc", "nhw", "hwn", "ntchw", "wthnc"])
@pytest.mark.parametrize("memory", [0, 2**30])
def test_letters_say_what_axes_are(axes: str, memory: int, tmp_path: Path) -> None:
    length = {"n": 5, "t": 6, "c": 7, "h": 8, "w": 9}
    x = np.random.default_rng(1).integers(0, 256, [length[axis] for axis in axes], np.uint8)
    np.save(tmp_path / "x.npy", x)
    source = open_data(f"{tmp_path}/x.npy?axes={axes}", memory=memory)
    whole = np.einsum(f"{axes}->{''.join(axis for axis in 'ntchw' if axis in axes)}", x)
    frames = source.train.frames.read(torch.arange(source.train.frames.count)).numpy()
    assert np.array_equal(frames.ravel(), whole.ravel()) and source.is_video == ("t" in axes)
    assert source.shape == (7 if "c" in axes else 1, 8, 9) and len(source.train) == (5 if "n" in axes else 1)


@pytest.mark.parametrize("axes", ["nchw", "hw", "chw", "nhh", "nxyz", "", "nf", "nh"])
def test_letters_that_do_not_fit_are_refused(axes: str) -> None:
    with pytest.raises(ConfigError, match=f"axes = '{axes}'"):
        from_array(np.zeros((5, 8, 9)), axes=axes)


@pytest.mark.parametrize("shape", [(5, 16, 16, 9), (20, 64, 64, 20)])
def test_channels_behind_squares(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    source = from_array(x)
    assert source.shape == (shape[3], *shape[1:3]) and "channels, which come last" in source.notes[0]
    assert np.array_equal(source.train.frames.read(torch.tensor([2]))[0].numpy(), x[2].transpose(2, 0, 1))
    assert len(from_array(x, axes="nhwt").train) == shape[0] and from_array(x, axes="nhwt").is_video
