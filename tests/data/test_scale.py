"""One scale for whole numbers: every type, every door, vectors and pictures, what is told and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from untaught.data.part import Part
from untaught.data.reading.arrays import from_array
from untaught.data.reading.idx import NAMES
from untaught.data.source import Source, open_data
from untaught.data.view import as_float
from untaught.errors import ConfigError, DataError
from untaught.estimators import SigmoidBeliefEstimator

Array = NDArray[np.generic]
WHOLE = ("bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64")
RANDOM = np.random.default_rng(0)
BITS = RANDOM.random((60, 20)) < 1 / 3


def seen(source: Source, part: Part | None = None) -> Array:
    """What a model sees of all frames."""
    part = part or source.train
    return as_float(part.frames.read(torch.arange(part.frames.count))).numpy()


def saved(x: Array, tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", x)
    return tmp_path / "x.npy"


def archived(x: Array, tmp_path: Path) -> Path:
    np.savez(tmp_path / "x.npz", x=x)
    return tmp_path / "x.npz"


DOORS: dict[str, Callable[[Array, Path], Source]] = {
    "npy": lambda x, place: open_data(saved(x, place)),
    "mapped npy": lambda x, place: open_data(saved(x, place), memory=0),
    "npz": lambda x, place: open_data(archived(x, place)),
    "memory": lambda x, place: from_array(x),
    "tensor": lambda x, place: from_array(torch.from_numpy(x)),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("shape", [(60, 20), (12, 10, 10), (4, 3, 1, 10, 10)])
def test_zeros_and_ones_are_zeros_and_ones(door: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    x = BITS.reshape(shape)
    for dtype in WHOLE:
        source = DOORS[door](x.astype(dtype), tmp_path)
        assert np.array_equal(seen(source).ravel(), x.ravel().astype(np.float32)), dtype
        assert source.scale == 1 and source.train.frames.dtype == torch.uint8
        assert bool(source.notes) == (dtype != "bool")


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64"])
@pytest.mark.parametrize(
    ("high", "shape", "one"),
    [
        (16, (40, 8, 8), 16),
        (31, (40, 8, 8), 31),
        (100, (40, 8, 8), 255),
        (255, (40, 8, 8), 255),
        (255, (40, 64), 255),
        (99, (40, 64), 1),
        (16, (40, 64), 1),
    ],
)
def test_range_and_kind_decide_and_not_the_type(dtype: str, high: int, shape: tuple[int, ...], one: int) -> None:
    x = np.random.default_rng(1).integers(0, high + 1, shape)
    x.flat[0] = high
    source = from_array(x.astype(dtype))
    assert np.allclose(seen(source).reshape(shape), x / one, atol=1e-6) and source.scale == one
    assert bool(source.notes) == ((high, shape) != (255, (40, 8, 8)))


def test_both_parts_have_one_scale(tmp_path: Path) -> None:
    x = np.random.default_rng(2).integers(0, 17, (30, 8, 8)).astype(np.uint8)
    x[0, 0, 0] = 16
    np.savez(tmp_path / "x.npz", x=x, x_test=np.minimum(x[:7], 9).astype(np.int64))
    source = open_data(tmp_path / "x.npz")
    assert source.test is not None and seen(source, source.test).max() == pytest.approx(9 / 16)
    np.savez(tmp_path / "x.npz", x=x / 16, x_test=np.minimum(x[:7], 9))
    source = open_data(tmp_path / "x.npz")
    assert seen(source).max() == 1 and seen(source, source.test).max() == 1  # whole numbers of their own


@pytest.mark.parametrize("memory", [0, 2**30])
@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64", "uint8"])
def test_the_user_may_say_which_value_is_white(dtype: str, memory: int, tmp_path: Path) -> None:
    x = np.random.default_rng(3).integers(0, 200, (10, 6, 6)).astype(dtype)
    source = open_data(f"{saved(x, tmp_path)}?scale=200", memory=memory)
    assert np.allclose(seen(source)[:, 0], x / 200, atol=1e-6) and "scale=200" in source.spec
    for wrong in ("0", "nan", "inf", "white"):
        with pytest.raises(ConfigError, match="scale in x.npy"):
            open_data(f"{tmp_path}/x.npy?scale={wrong}")


@pytest.mark.parametrize(
    ("low", "high", "dtype", "remedy"),
    [
        (0, 16, "float64", "divide by 16"),
        (0, 100, "float32", "divide by 100"),
        (0, 255, "float32", "divide by 255"),
        (0, 4095, "uint16", "divide by 4095"),
        (0, 4000, "int32", "divide by 4095"),
        (0, 65535, "uint16", "divide by 65535"),
        (-1, 1, "float32", "add 1 and divide by 2"),
        (-3, 5, "float32", "subtract -3 and divide by 8"),
        (-3, 5, "int8", "subtract -3 and divide by 8"),
    ],
)
def test_the_remedy_that_is_named_is_right(low: float, high: float, dtype: str, remedy: str) -> None:
    x = np.linspace(low, high, 64).reshape(1, 8, 8).astype(dtype)
    with pytest.raises(DataError, match=remedy):
        from_array(x)
    amount = float(remedy.rpartition(" ")[2])
    better = (x + 1) / amount if "add" in remedy else (x - low) / amount if "subtract" in remedy else x / amount
    assert 0.9 < seen(from_array(better)).max() <= 1 and seen(from_array(better)).min() >= 0
    if low >= 0:
        assert np.allclose(seen(from_array(x, scale=amount)), seen(from_array(better)), atol=1e-6)


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "pgm", "gif"])
@pytest.mark.parametrize("memory", [0, 2**30])
def test_pictures_of_zeros_and_ones(ending: str, memory: int, tmp_path: Path) -> None:
    for number, mask in enumerate(BITS.reshape(3, 20, 20).astype(np.uint8)):
        Image.fromarray(mask).save(tmp_path / f"{number}.{ending}")
    source = open_data(tmp_path, memory=memory)
    assert np.array_equal(seen(source).ravel(), BITS.ravel()) and "0 or 1; 1 is taken for white" in source.notes[0]
    assert seen(open_data(f"{tmp_path}?scale=255", memory=memory)).max() == np.float32(1 / 255)


def test_a_black_picture_says_nothing(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    for source in (open_data(tmp_path), from_array(np.zeros((2, 8, 8), np.uint8))):
        assert seen(source).max() == 0 and source.notes == ()


def test_files_of_the_mnist_kind(tmp_path: Path) -> None:
    for name in NAMES:
        x = BITS[:6].reshape(6, 4, 5) if "images" in name else np.arange(6)
        head = bytes([0, 0, 8, x.ndim]) + b"".join(side.to_bytes(4, "big") for side in x.shape)
        (tmp_path / name).write_bytes(head + x.astype(np.uint8).tobytes())
    source = open_data(f"mnist:{tmp_path}")
    assert np.array_equal(seen(source).ravel(), BITS[:6].ravel()) and source.notes


def test_a_run_decides_for_other_data(tmp_path: Path) -> None:
    x = np.arange(16).reshape(1, 4, 4)
    assert seen(open_data(saved(x, tmp_path), scale=16)).max() == pytest.approx(15 / 16)
    assert seen(open_data(saved(x / 15, tmp_path), scale=16)).max() == 1  # floats are as they are
    assert seen(open_data(saved(x * 17, tmp_path), scale=16)).max() == 1  # cannot be of 16
    Image.fromarray((BITS.reshape(3, 20, 20)[0] * 30).astype(np.uint8)).save(tmp_path / "a.png")
    assert seen(open_data(tmp_path / "a.png", scale=255)).max() == np.float32(30 / 255)
    assert seen(open_data(tmp_path / "a.png")).max() == 1


def test_estimators_agree() -> None:
    """A belief net needs probabilities: it takes bytes of vectors and of pictures as files of them are taken."""
    belief = SigmoidBeliefEstimator(hidden=(2,), max_epochs=1, random_state=0)
    x = np.random.default_rng(4).integers(3, 251, (30, 64))
    x[0, 0] = 250
    for shape in ((30, 64), (30, 1, 8, 8)):
        fitted = belief.fit(x.reshape(shape).astype(np.uint8))
        assert fitted.chosen_["value_range"] == (0, 255)
        assert np.allclose(fitted._seen(x).ravel(), seen(from_array(x)).ravel(), atol=1e-6)
    bits = BITS.astype(np.uint8)
    assert np.array_equal(belief.fit(bits)._seen(bits), seen(from_array(bits)))
