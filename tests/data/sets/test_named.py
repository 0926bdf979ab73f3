"""Sets that come in files: read as published, or refused with a reason."""

import gzip
import hashlib
import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from untaught.data.reading import idx
from untaught.data.sets import cifar10, fashion, mnist
from untaught.data.source import open_data
from untaught.errors import DataError


def idx_bytes(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def write_set(folder: Path, compress: bool, dot: bool = False) -> dict[str, np.ndarray]:
    """A set in miniature, as the four files."""
    rng = np.random.default_rng(0)
    made = {
        name: rng.integers(0, 256, (count, 5, 4), np.uint8)
        if "images" in name
        else rng.integers(0, 10, count, np.uint8)
        for name, count in zip(idx.NAMES, (7, 7, 3, 3), strict=True)
    }
    for name, values in made.items():
        file = name.replace("-idx", ".idx") if dot else name
        raw = idx_bytes(values)
        (folder / (file + ".gz" * compress)).write_bytes(gzip.compress(raw, mtime=0) if compress else raw)
    return made


@pytest.mark.parametrize("name", ["mnist", "fashion"])
@pytest.mark.parametrize(("compress", "dot"), [(True, False), (False, False), (False, True), (True, True)])
def test_idx_files_are_read(name: str, compress: bool, dot: bool, tmp_path: Path) -> None:
    made = write_set(tmp_path, compress, dot)
    source = open_data(f"{name}:{tmp_path}")
    assert source.test is not None
    for part, (images, labels) in ((source.train, idx.NAMES[:2]), (source.test, idx.NAMES[2:])):
        assert np.array_equal(part.frames.read(torch.arange(len(part)))[:, 0].numpy(), made[images])
        assert part.label.tolist() == made[labels].tolist()
    assert source.shape == (1, 5, 4) and source.train.frames.dtype == torch.uint8 and len(source.label_names) == 10


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG....", "begins with 89 50 4e 47"),
        (b"\0\0\x0d\x01\0\0\0\x01....", "begins with 00 00 0d 01"),
        (b"\0\0\x08\x03\0\0", "header is cut off"),
        (b"\0\0\x08\x00", "header is cut off"),
        (idx_bytes(np.zeros((4, 2, 2), np.uint8))[:-3], "should hold 16 values, as its header says, and has 13"),
        (idx_bytes(np.zeros((4, 2, 2), np.uint8)) + b"!", "should hold 16 values, as its header says, and has 17"),
        (gzip.compress(idx_bytes(np.zeros((400, 2, 2), np.uint8)), mtime=0)[:-9], "broken gzip"),
        (gzip.compress(b"\0\0\x08\x01", mtime=0)[:12] + b"garbage in the middle", "broken gzip"),
    ],
)
def test_a_broken_idx_file_is_named(raw: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "images"
    file.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        idx.read_idx(file)
    assert message in str(caught.value) and str(file) in str(caught.value)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    write_set(tmp_path, compress=False)
    (tmp_path / idx.NAMES[1]).write_bytes(idx_bytes(np.zeros(8, np.uint8)))
    with pytest.raises(DataError, match="do not belong together"):
        open_data(f"mnist:{tmp_path}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_set(tmp_path, compress=True)
    (tmp_path / f"{idx.NAMES[2]}.gz").unlink()
    with pytest.raises(DataError, match=f"no {idx.NAMES[2]}.gz in {tmp_path}"):
        open_data(f"mnist:{tmp_path}")


def test_mnist_can_be_learnt_from_few_digits_and_selected_by_others(tmp_path: Path) -> None:
    made = write_set(tmp_path, compress=False)[idx.NAMES[1]].tolist()

    def labels(options: str) -> list[list[int]]:
        source = open_data(f"mnist:{tmp_path}?{options}")
        parts = [source.train, *([source.validation] if source.validation is not None else [])]
        return [part.label[part.first].tolist() for part in parts]

    assert labels("train=4") == [made[:4]]
    assert labels("train=4&validation=2") == [made[:4], made[4:6]]
    assert labels("validation=2") == [made[:5], made[5:]]
    for options in ("train=6&validation=2", "validation=7"):
        with pytest.raises(DataError, match="mnist has 7 training digits"):
            labels(options)


def test_mnist_is_what_was_published(shared_data: Path) -> None:
    """Digests of the files; the mean and deviation that everyone divides by, 0.1307 and 0.3081."""
    folder = shared_data / "mnist"
    for remote in mnist.FILES:
        assert hashlib.md5((folder / remote.name).read_bytes()).hexdigest() == remote.md5
    source = open_data(f"mnist:{folder}")
    assert source.test is not None
    assert (len(source.train), len(source.test), source.shape) == (60_000, 10_000, (1, 28, 28))
    x = source.train.frames.read(torch.arange(60_000)).double() / 255
    assert float(x.mean()) == pytest.approx(0.1307, abs=5e-5) and float(x.std()) == pytest.approx(0.3081, abs=5e-5)
    assert source.train.label.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_fashion_names_four_files_and_ten_classes() -> None:
    assert [remote.name for remote in fashion.FILES] == [remote.name for remote in mnist.FILES]
    assert len({remote.md5 for remote in (*mnist.FILES, *fashion.FILES)}) == 8
    assert len(fashion.CLASSES) == len(cifar10.CLASSES) == 10


def test_digits_are_scikit_learns() -> None:
    bunch = load_digits()
    source = open_data("digits")
    x = source.train.frames.read(torch.arange(1797))
    assert np.allclose(x[:, 0].numpy() * 16, bunch.images) and source.train.label.tolist() == bunch.target.tolist()
    assert float(x.min()) == 0 and float(x.max()) == 1 and x.dtype == torch.float32


def records(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, bytes]:
    rng = np.random.default_rng(seed)
    pixels, label = rng.integers(0, 256, (count, 3, 32, 32), np.uint8), rng.integers(0, 10, count, np.uint8)
    return pixels, label, b"".join(bytes([one]) + x.tobytes() for one, x in zip(label, pixels, strict=True))


def write_cifar(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The binary version in miniature; gives the training pictures and their classes."""
    folder.mkdir(exist_ok=True)
    made = [records(3, number) for number in range(6)]
    for name, (_, _, raw) in zip((*cifar10.TRAIN, *cifar10.TEST), made, strict=True):
        (folder / name).write_bytes(raw)
    return np.concatenate([pixels for pixels, _, _ in made[:5]]), np.concatenate([label for _, label, _ in made[:5]])


@pytest.mark.parametrize("form", ["files", "folder", "archive"])
def test_cifar_binary_is_read(form: str, tmp_path: Path) -> None:
    inner = tmp_path / "cifar-10-batches-bin" if form == "folder" else tmp_path
    pixels, label = write_cifar(inner)
    if form == "archive":
        with tarfile.open(tmp_path / cifar10.ARCHIVE.name, "w:gz") as tar:
            for file in sorted(tmp_path.glob("*.bin")):
                tar.add(file, f"cifar-10-batches-bin/{file.name}")
                file.unlink()
    source = open_data(f"cifar10:{tmp_path}")
    assert np.array_equal(source.train.frames.read(torch.arange(15)).numpy(), pixels)
    assert source.train.label.tolist() == label.tolist() and source.test is not None and len(source.test) == 3


@pytest.mark.slow
def test_cifar_sheets_are_read(shared_data: Path) -> None:
    source = open_data(f"cifar10:{shared_data / 'cifar10'}")
    assert source.test is not None
    assert (len(source.train), len(source.test), source.shape) == (20_000, 5_000, (3, 32, 32))
    assert source.train.label.bincount().tolist() == [2000] * 10
    from PIL import Image

    with Image.open(shared_data / "cifar10" / "test.webp") as sheet:
        box = (32 * 7, 32 * 3, 32 * 8, 32 * 4)
        expected = np.array(sheet.convert("RGB").crop(box)).transpose(2, 0, 1)
    assert np.array_equal(source.test.frames.read(torch.tensor(3 * 50 + 7)).numpy(), expected)


def test_cifar_that_is_cut_off_or_no_cifar_is_refused(tmp_path: Path) -> None:
    write_cifar(tmp_path)
    raw = (tmp_path / "data_batch_2.bin").read_bytes()
    (tmp_path / "data_batch_2.bin").write_bytes(raw[:-1])
    with pytest.raises(DataError, match=r"data_batch_2.bin has 9218 bytes"):
        open_data(f"cifar10:{tmp_path}")
    (tmp_path / "data_batch_2.bin").write_bytes(b"\x0b" + raw[1:])
    with pytest.raises(DataError, match="the class 11"):
        open_data(f"cifar10:{tmp_path}")
    (tmp_path / "data_batch_2.bin").unlink()
    with pytest.raises(DataError, match=r"no data_batch_2\.bin"):
        open_data(f"cifar10:{tmp_path}")


def test_a_broken_or_wrong_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / cifar10.ARCHIVE.name
    archive.write_bytes(b"no archive")
    with pytest.raises(DataError, match="broken archive"):
        open_data(f"cifar10:{tmp_path}")
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("else.bin"), io.BytesIO())
    with pytest.raises(DataError, match=r"has no data_batch_1\.bin"):
        open_data(f"cifar10:{tmp_path}")


def test_pickled_cifar_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(DataError) as caught:
        open_data(f"cifar10:{tmp_path}")
    assert "pickled" in str(caught.value) and cifar10.ARCHIVE.name in str(caught.value)
