"""The idx format of MNIST and of the sets that took it over: four files, gzipped or plain.

A file begins with two zero bytes, a type (8 for unsigned bytes) and the number of axes, then the length of each axis
as a big-endian 32-bit number, then the values.

References:
    LeCun, Cortes, Burges 1998, The MNIST database of handwritten digits.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.reading.download import Remote, fetch
from untaught.data.scale import BYTE, Values, decided
from untaught.data.source import Source
from untaught.errors import DataError

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""Without the ending `.gz`."""


def remotes(digests: Sequence[str], mirrors: tuple[str, ...]) -> tuple[Remote, ...]:
    """Name the four files of a set as published, with their md5 digests in the order of `NAMES`."""
    return tuple(Remote(f"{name}.gz", md5, mirrors) for name, md5 in zip(NAMES, digests, strict=True))


def load_idx(path: Path | None, data_set: str, files: Sequence[Remote], label_names: tuple[str, ...]) -> Source:
    """Open a set from a folder, or else from the cache or the network; it brings its own test part."""
    folder = fetch(files, data_set) if path is None else path
    found = [find_idx(folder, name) for name in NAMES]
    (x, label), (x_test, label_test) = (_read_pair(images, labels) for images, labels in (found[:2], found[2:]))
    high = max(int(one.max()) if one.numel() else 0 for one in (x, x_test))
    scale = decided(Values(0, high, whole=True), True, data_set, None)
    train, test = Part.of(_white_at_255(x, scale.one), label), Part.of(_white_at_255(x_test, scale.one), label_test)
    told = (scale.told,) if scale.told else ()
    return Source(data_set, train, test=test, label_names=label_names, scale=scale.one, notes=told)


def find_idx(folder: Path, name: str) -> Path:
    """Find one of the four files in a folder, gzipped or plain, with a dot or a dash before `idx`."""
    names = (f"{name}.gz", name, name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz")
    for candidate in names:
        if (folder / candidate).is_file():
            return folder / candidate
    raise DataError(f"no {names[0]} in {folder}\nwanted there, gzipped or plain: {', '.join(NAMES)}")


def read_idx(path: Path) -> Tensor:
    """Read one file of unsigned bytes, uint8 with as many axes as its header says.

    Raises:
        DataError: The header is not idx, or the file is shorter or longer than it says.
    """
    raw = _bytes_of(path)
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise DataError(f"{path} is no idx file of bytes: it begins with {raw[:4].hex(' ') or 'nothing'}, not 00 00 08")
    axes = raw[3]
    if axes == 0 or len(raw) < 4 + 4 * axes:
        raise DataError(f"{path} is no idx file of bytes: its header is cut off")
    shape = struct.unpack_from(f">{axes}I", raw, 4)
    values = memoryview(raw)[4 + 4 * axes :]
    if len(values) != math.prod(shape):
        raise DataError(f"{path} should hold {math.prod(shape)} values, as its header says, and has {len(values)}")
    return torch.frombuffer(bytearray(values), dtype=torch.uint8).view(shape)


def _bytes_of(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a broken gzip file: {error}") from error


def _read_pair(images: Path, labels: Path) -> tuple[Tensor, Tensor]:
    """Pictures `(n, 1, height, width)` and their labels."""
    x, label = read_idx(images), read_idx(labels)
    if x.ndim != 3 or label.ndim != 1 or len(x) != len(label):
        raise DataError(f"{images.name} {tuple(x.shape)} and {labels.name} {tuple(label.shape)} do not belong together")
    return x[:, None], label


def _white_at_255(x: Tensor, white: float) -> Tensor:
    """Bytes of which `white` is white, as bytes of which 255 is."""
    return x if white == BYTE else (x.float() * (BYTE / white)).round().to(torch.uint8)
