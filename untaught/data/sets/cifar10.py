"""CIFAR-10: small photographs, 32x32 colour, 50,000 to train and 10,000 to test, ten classes.

Read from the folder behind the colon, `cifar10:DIR`; without one from the cache, else downloaded. A folder holds the
binary version (`cifar-10-binary.tar.gz`, or its files `data_batch_1.bin` to `test_batch.bin`), or sheets:
`train.webp` and `test.webp` with 50 pictures in a row, in the order of `train_labels.npy` and `test_labels.npy`. The
version that Python would have to unpickle is not read: unpickling runs what the file says.

References:
    Krizhevsky 2009, Learning multiple layers of features from tiny images.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from untaught.config import configuration
from untaught.data.part import Part
from untaught.data.reading.array_files import read_one
from untaught.data.reading.download import Remote, cache_folder, fetch
from untaught.data.source import Source
from untaught.data.spec import MEMORY
from untaught.errors import DataError

ARCHIVE = Remote("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", ("https://www.cs.toronto.edu/~kriz/",))
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
"""Bytes of one picture: its class, then its red, green and blue planes."""
ROW = 50
"""Pictures in a row of a sheet."""


@configuration
class Options:
    """CIFAR-10 has no options."""


def load(path: Path | None, options: Options) -> Source:
    """Open CIFAR-10 from a folder, the cache or the network; it brings its own test part."""
    del options
    folder = path or cache_folder() / "cifar10"
    if path is None and not (folder / "train.webp").is_file():
        folder = fetch((ARCHIVE,), "cifar10")
    train, test = _parts(folder)
    return Source("cifar10", train, test=test, label_names=CLASSES)


def _parts(folder: Path) -> tuple[Part, Part]:
    """Read whichever form of the set lies in a folder."""
    for place in (folder, folder / "cifar-10-batches-bin"):
        if (place / TEST[0]).is_file():
            return _from_files(place, TRAIN), _from_files(place, TEST)
    archive = folder if folder.is_file() else folder / ARCHIVE.name
    if archive.is_file():
        return _from_archive(archive)
    if (folder / "train.webp").is_file():
        return _from_sheet(folder, "train"), _from_sheet(folder, "test")
    pickled = next((name for name in ("cifar-10-batches-py", "cifar-10-python.tar.gz") if (folder / name).exists()), "")
    problem = f"{folder / pickled} is pickled, which is never read" if pickled else f"no CIFAR-10 in {folder}"
    raise DataError(f"{problem}\nwanted there: {ARCHIVE.name}, the binary version, from {ARCHIVE.mirrors[0]}")


def records(raw: bytes, name: str) -> tuple[Tensor, Tensor]:
    """Read the records of one binary file: pictures `(n, 3, 32, 32)` and their classes `(n,)`, both uint8.

    Raises:
        DataError: The length is no multiple of a record's, or a class is not from 0 to 9.
    """
    if not raw or len(raw) % RECORD:
        raise DataError(f"{name} has {len(raw)} bytes, which is no multiple of {RECORD}: it is cut off, or no CIFAR-10")
    rows = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(-1, RECORD)
    if int(rows[:, 0].max()) >= len(CLASSES):
        raise DataError(f"{name} has the class {int(rows[:, 0].max())}; CIFAR-10 has classes 0 to 9")
    return rows[:, 1:].reshape(-1, 3, SIDE, SIDE), rows[:, 0]


def _from_files(folder: Path, names: Sequence[str]) -> Part:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(f"no {missing[0]} in {folder}")
    return _joined([records((folder / name).read_bytes(), name) for name in names])


def _from_archive(archive: Path) -> tuple[Part, Part]:
    """Read the archive's files straight from it; nothing is unpacked on to the disk."""
    try:
        with tarfile.open(archive) as tar:
            members = {Path(member.name).name: member for member in tar if member.isfile()}
            found = {name: tar.extractfile(members[name]) for name in (*TRAIN, *TEST)}
            read = {name: records(file.read(), name) for name, file in found.items() if file is not None}
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{archive} is a broken archive: {error}") from error
    except KeyError as error:
        raise DataError(f"{archive} has no {error.args[0]}; the binary version of CIFAR-10 is wanted") from error
    return _joined([read[name] for name in TRAIN]), _joined([read[name] for name in TEST])


def _joined(read: Sequence[tuple[Tensor, Tensor]]) -> Part:
    return Part.of(torch.cat([x for x, _ in read]), torch.cat([label for _, label in read]))


def _from_sheet(folder: Path, name: str) -> Part:
    """Cut a sheet of pictures apart: row by row, from left to right."""
    sheet, labels = folder / f"{name}.webp", folder / f"{name}_labels.npy"
    try:
        label = torch.from_numpy(read_one(labels, MEMORY).astype(np.int64))
        with Image.open(sheet) as image:
            pixels = torch.from_numpy(np.array(image.convert("RGB")))
    except Exception as error:  # Pillow's readers raise a dozen kinds for a broken file
        raise DataError(f"cannot read {sheet.name} with {labels.name} in {folder}: {error}") from error
    rows, wide = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
    if wide != ROW or len(label) > rows * wide:
        raise DataError(f"{sheet} has {rows} rows of {wide} pictures for {len(label)} labels; rows of {ROW} are wanted")
    x = pixels.view(rows, SIDE, wide, SIDE, 3).permute(0, 2, 4, 1, 3).reshape(-1, 3, SIDE, SIDE)
    return Part.of(x[: len(label)].contiguous(), label)
