"""Arrays in files, `.npy` and `.npz`, told apart by what is in them and not by their names. Nothing is unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import DataError

ONE, SEVERAL = b"\x93NUM", (b"PK\3\4", b"PK\5\6")
"""How a file of one array, and an archive of several, begin."""


def holds_several(path: Path) -> bool:
    """Whether a file is an archive of arrays, whatever its name says."""
    try:
        with path.open("rb") as file:
            return file.read(4) in SEVERAL
    except PermissionError as error:
        raise DataError(f"cannot read {path}: permission denied") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def read_one(path: Path, memory: int) -> NDArray[Any]:
    """Load the array of an `.npy` file, or map it where it is larger than the memory for it.

    Raises:
        DataError: The file is broken, or holds something else.
    """
    with _named(path):
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped if mapped.nbytes > memory else np.array(mapped)


def read_several(path: Path, memory: int | None = None) -> dict[str, NDArray[Any]]:
    """Load all arrays of an `.npz` archive, by name.

    Raises:
        DataError: The file is broken, holds something else, or unpacks to more than the memory for it.
    """
    with _named(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if memory is not None and size > memory:
            raise DataError(f"{path} unpacks to {size / 2**30:.1f} GiB\nsave its array as .npy, which is read by piece")
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        # numpy gives the bytes of members that are no arrays as they are.
        return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}


@contextmanager
def _named(path: Path) -> Generator[None]:
    """Name the file in whatever its damage makes zipfile, zlib, lzma or numpy raise."""
    try:
        yield
    except DataError:
        raise
    except PermissionError as error:
        raise DataError(f"cannot read {path}: permission denied") from error
    except Exception as error:  # a damaged header or a damaged stream raises any of a dozen kinds
        raise DataError(_why(path, error)) from error


def _why(path: Path, error: Exception) -> str:
    told = str(error).partition("\n")[0]
    if ("pickle" in told or "Python objects" in told) and path.read_bytes()[:4] in (ONE, *SEVERAL):
        return f"{path} holds Python objects, which would have to be unpickled; save an array of numbers"
    return f"{path} is a broken array file, or none: {told or type(error).__name__}"
