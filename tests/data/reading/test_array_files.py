"""Array files that are damaged, or called what they are not: every door names the file in a line or two."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from untaught.data.source import open_data
from untaught.errors import DataError

DOORS = ("", "documents:", "olivetti:", "frey:", "whitened:", "without:")
X = np.random.default_rng(0).integers(0, 256, (30, 20, 20), np.uint8)


def content(compressed: bool) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, x=X, y=np.arange(30) % 3)
    return stream.getvalue()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("compressed", [True, False])
def test_flipped_bytes_are_told(door: str, compressed: bool, tmp_path: Path) -> None:
    whole, random = content(compressed), np.random.default_rng(1)
    spec = f"{door}{tmp_path / 'x.npz'}" + ("?classes=1" if door == "without:" else "")
    for _ in range(12):
        raw = bytearray(whole)
        for place in random.integers(0, len(raw), 2):
            raw[place] ^= int(random.integers(1, 256))
        (tmp_path / "x.npz").write_bytes(raw)
        try:
            open_data(spec)
        except DataError as error:
            assert "x.npz" in str(error) and len(str(error).splitlines()) <= 3  # noqa: PT017


def test_damaged_compression_is_told(tmp_path: Path) -> None:
    """Two bytes in the middle of the compressed values, as zlib finds them, and not the checksum of the archive."""
    raw = bytearray(content(True))
    begin = raw.index(b"x.npy") + 40
    raw[begin : begin + 2] = b"\xff\xff"
    (tmp_path / "x.npz").write_bytes(raw)
    for door in DOORS:
        with pytest.raises(DataError, match=r"x\.npz"):
            open_data(f"{door}{tmp_path / 'x.npz'}" + ("?classes=1" if door == "without:" else ""))


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions(kind: int, tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, X)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", kind) as archive:
        archive.writestr("x.npy", stream.getvalue())
    assert len(open_data(tmp_path / "x.npz").train) == 30
    raw = bytearray((tmp_path / "x.npz").read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 9] = b"\xff" * 9
    (tmp_path / "x.npz").write_bytes(raw)
    for door in DOORS[:2]:
        with pytest.raises(DataError, match=r"x\.npz is a broken array file"):
            open_data(f"{door}{tmp_path / 'x.npz'}")


@pytest.mark.parametrize("memory", [0, 2**30])
def test_a_file_is_told_by_its_content(memory: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "archive.npz", x=X)
    (tmp_path / "archive.npz").rename(tmp_path / "archive.npy")
    np.save(tmp_path / "one.npy", X)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    every = torch.arange(30)
    assert np.array_equal(open_data(tmp_path / "one.npz", memory=memory).train.frames.read(every)[:, 0].numpy(), X)
    if memory:
        assert np.array_equal(open_data(tmp_path / "archive.npy").train.frames.read(every)[:, 0].numpy(), X)
    else:
        with pytest.raises(DataError, match="unpacks to"):
            open_data(tmp_path / "archive.npy", memory=memory)


def test_what_is_in_an_archive_and_not_used_is_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, y=np.zeros(30, int), weights=X, mean=X[0], latent_a=np.zeros(30))
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("readme.txt", "about")
    assert open_data(tmp_path / "x.npz").notes == ("left out 2 arrays, not used: mean, weights",)


@pytest.mark.parametrize("latent", [np.array(5.0), np.array(["a"] * 30)])
def test_latents_that_are_no_numbers_for_each_are_refused(latent: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, latent_a=latent)
    with pytest.raises(DataError, match="latent_a of .* should be numbers for each example"):
        open_data(tmp_path / "x.npz")


def test_arrays_are_named_as_keras_names_them(tmp_path: Path) -> None:
    parts = {"x_train": (6, 0), "x_test": (3, 1)}
    arrays = {name: np.full((count, 4, 4), 10 * value + 5, np.uint8) for name, (count, value) in parts.items()}
    np.savez(tmp_path / "k.npz", y_train=np.arange(6) % 2, y_test=np.arange(3) % 2, **arrays)
    source = open_data(tmp_path / "k.npz")
    assert source.test is not None and (len(source.train), len(source.test)) == (6, 3)
    assert source.label_names or source.train.label is not None
