"""Pictures that took long to draw, kept in the cache folder under a digest of all that they depend on."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from untaught.data.reading.download import cache_folder


def kept(key: Mapping[str, object], shape: tuple[int, ...], folder: str, draw: Callable[[], Tensor]) -> Tensor:
    """Give what was drawn before under a key, or draw it and keep it.

    A file that is cut off or holds something else is drawn again; where it cannot be kept, a warning says so.

    Arguments:
        key: All that the pictures depend on, as JSON values.
        shape: Shape of the pictures, uint8.
        folder: Inside the cache folder, the set's name.
        draw: Makes them.
    """
    name = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:24]
    file = cache_folder() / folder / f"{name}.npy"
    found = _read(file, shape)
    if found is None:
        found = draw()
        _write(file, found)
    return found


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(file: Path, shape: tuple[int, ...]) -> Tensor | None:
    try:
        array = np.load(file)
    except (OSError, ValueError, EOFError):
        return None
    right = isinstance(array, np.ndarray) and array.shape == shape and array.dtype == np.uint8
    return torch.from_numpy(array) if right else None


def _write(file: Path, x: Tensor) -> None:
    """Write under another name first, so that no other process finds half of it."""
    part: Path | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as stream:
            part = Path(stream.name)
            np.save(stream, x.numpy())
        part.replace(file)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        warnings.warn(f"pictures are not kept in {file.parent}: {error.strerror or error}", stacklevel=2)
