"""Binarized MNIST: all forms hold the same digits, and what is none of them is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from untaught.data.sets.binarized_mnist import PARTS, TEXTS
from untaught.data.source import Source, open_data
from untaught.errors import DataError

DIGITS = {part: np.random.default_rng(n).integers(0, 2, (3 + n, 784), np.uint8) for n, part in enumerate(PARTS)}


def texts(folder: Path) -> str:
    for name, digits in zip(TEXTS, DIGITS.values(), strict=True):
        (folder / name).write_text("".join(" ".join(map(str, row)) + "\r\n" for row in digits))
    return f"binarized-mnist:{folder}"


def packed(folder: Path) -> str:
    np.savez(folder / "binarized_mnist.npz", **{part: np.packbits(x, axis=1) for part, x in DIGITS.items()})
    return f"binarized-mnist:{folder}"


def plain(folder: Path) -> str:
    np.savez(folder / "x.npz", **{part: x.astype(float) for part, x in DIGITS.items()})
    return f"binarized-mnist:{folder / 'x.npz'}"


def parts(source: Source) -> dict[str, np.ndarray]:
    found = source.parts()
    each = zip(PARTS, (found.train, found.validation, found.test), strict=True)
    return {name: part.frames.read(torch.arange(len(part))).flatten(1).numpy() for name, part in each}


@pytest.mark.parametrize("write", [texts, packed, plain])
def test_all_forms_are_read(write: Callable[[Path], str], tmp_path: Path) -> None:
    source = open_data(write(tmp_path))
    assert source.shape == (1, 28, 28) and not source.is_video and not source.label_names
    for name, digits in parts(source).items():
        assert np.array_equal(digits, 255 * DIGITS[name])


def test_the_cache_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.data.sets.binarized_mnist.cache_folder", lambda: tmp_path)
    with pytest.raises(DataError, match=r"in .*binarized-mnist\nthe first are at http.*\n.*--data binarized-mnist:DIR"):
        open_data("binarized-mnist")
    (tmp_path / "binarized-mnist").mkdir()
    packed(tmp_path / "binarized-mnist")
    assert len(open_data("binarized-mnist").train) == 3


def test_other_files_are_refused(tmp_path: Path) -> None:
    spec = texts(tmp_path)
    (tmp_path / TEXTS[2]).write_text("0 1 " * 392 + "2")
    with pytest.raises(DataError, match=r"test\.amat is damaged or of another kind: wanted 784 zeros and ones"):
        open_data(spec)
    (tmp_path / TEXTS[2]).write_text("0 1 0")
    with pytest.raises(DataError, match=r"test\.amat is damaged"):
        open_data(spec)
    file = tmp_path / "a.npz"
    np.savez(file, train=np.zeros((2, 98), np.uint8))
    with pytest.raises(DataError, match=r"with the arrays train, valid, test"):
        open_data(f"binarized-mnist:{file}")
    np.savez(file, **{part: np.full((2, 784), 0.5) for part in PARTS})
    with pytest.raises(DataError, match=r"train of .* is float64 \(2, 784\); wanted: rows of 784"):
        open_data(f"binarized-mnist:{file}")
    packed(tmp_path)
    file.write_bytes((tmp_path / "binarized_mnist.npz").read_bytes()[:-40])  # cut off
    with pytest.raises(DataError, match=r"is no \.npz file"):
        open_data(f"binarized-mnist:{file}")
    file.write_bytes(b"no such thing" * 9)
    with pytest.raises(DataError, match=r"is no \.npz file"):
        open_data(f"binarized-mnist:{file}")


def test_the_published_digits(shared_data: Path) -> None:
    """As many as the authors say, and as bright as the grey digits that they were drawn from."""
    source = open_data(f"binarized-mnist:{shared_data / 'mnist' / 'binarized_mnist_larochelle.npz'}")
    found = source.parts()
    assert [len(part) for part in (found.train, found.validation, found.test)] == [50_000, 10_000, 10_000]
    mean = found.test.frames.read(torch.arange(10_000)).double().mean() / 255
    grey = open_data(f"mnist:{shared_data / 'mnist'}").test
    assert grey is not None
    assert float(mean) == pytest.approx(float(grey.frames.read(torch.arange(10_000)).double().mean() / 255), rel=0.005)
