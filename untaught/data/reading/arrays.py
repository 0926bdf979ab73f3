"""Arrays from `.npy` and `.npz` files, or straight from memory; `layout.py` says what axes and values mean.

Of an `.npz` the array `x` is taken, or `images`, `data`, `frames`, or its only array. `y`, `label` or `labels` are
classes, numbers or names, one for each example. `x_test` and `y_test` make the test part. `latent_NAME` is a true
variable, `(n, k)` or `(n, time, k)`, and `latent_NAME_test` that of the test part. An `.npy` that is larger than the
memory for it is read from disk by piece. Nothing is unpickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from untaught.ambient import as_torch_begins
from untaught.config import configuration
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.reading.layout import Layout, layout_of, read_all
from untaught.data.reading.resize import resized
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.errors import DataError

EXAMPLES = ("x", "images", "data", "frames")
LABELS = ("y", "label", "labels")
LATENT = "latent_"
TEST = "_test"


@configuration
class Options:
    """Arrays have no options."""


class MappedFrames(Frames):
    """Frames of an `.npy` file that stays on disk."""

    def __init__(self, array: NDArray[Any], layout: Layout) -> None:
        self.array = array
        self.layout = layout
        self.shape = layout.shape
        self.dtype = layout.dtype
        self.count = layout.count * (layout.time or 1)

    def read(self, index: Tensor) -> Tensor:
        """Read frames from the file."""
        number = index.flatten().numpy()
        time = self.layout.time
        rows = self.array[number] if time is None else self.array[number // time, number % time]
        return self.layout.frames(rows).view(*index.shape, *self.shape)


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open an array file.

    Raises:
        DataError: The file is broken, or holds something else than numbers in one of the layouts.
    """
    del options
    arrays = (
        _from_npz(path, reading.memory) if path.suffix.lower() == ".npz" else {"x": _from_npy(path, reading.memory)}
    )
    name = _examples(arrays, path)
    train = _part(arrays, name, "", path)
    test = _part(arrays, name, TEST, path) if name + TEST in arrays else None
    if test is not None and test.shape != train.shape:
        raise DataError(f"{name} and {name + TEST} of {path} differ in shape: {train.shape} and {test.shape}")
    if reading.size is not None:
        train, test = resized(train, reading.size), test and resized(test, reading.size)
    return Source(str(path), train, test=test, label_names=_label_names(arrays))


@as_torch_begins()
def from_array(
    x: Tensor | ArrayLike,
    label: Tensor | ArrayLike | None = None,
    latents: Mapping[str, Tensor | ArrayLike] | None = None,
) -> Source:
    """Make a source of an array in memory.

    Arguments:
        x: Vectors, pictures or clips, in one of the layouts of `layout.py`.
        label: Classes, numbers or names, one for each example.
        latents: Named true variables, `(n, k)` for each example or `(n, time, k)` for each frame.

    Raises:
        DataError: The number of axes, the type or a value is wrong.

    Example:
        >>> from_array(torch.rand(10, 8, 8)).shape
        (1, 8, 8)
    """
    arrays = {"x": _numbers(x)}
    if label is not None:
        arrays["y"] = _numbers(label)
    for name, value in (latents or {}).items():
        arrays[LATENT + name] = _numbers(value)
    return Source("array", _part(arrays, "x", "", None), label_names=_label_names(arrays))


def _numbers(x: Tensor | ArrayLike) -> NDArray[Any]:
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        return (x.float() if x.dtype == torch.bfloat16 else x).numpy()
    return np.asarray(x)


def _part(arrays: Mapping[str, NDArray[Any]], name: str, ending: str, path: Path | None) -> Part:
    """Make a part of the arrays whose names have an ending."""
    place = f"{name}{ending} of {path}" if path is not None and path.suffix == ".npz" else str(path or name)
    array = arrays[name + ending]
    layout = layout_of(array, place)
    mapped = isinstance(array, np.memmap)
    frames = MappedFrames(array, layout) if mapped else WholeFrames(read_all(array, layout))
    length = None if layout.time is None else torch.full((layout.count,), layout.time)
    part = Part.over(frames, length, _labels(arrays, ending, layout.count, place))
    return replace(part, latents=_latents(arrays, ending, layout, place))


def _examples(arrays: Mapping[str, NDArray[Any]], path: Path) -> str:
    """Find the name of the array that holds the examples."""
    named = [name for name in EXAMPLES if name in arrays]
    if named or len(arrays) == 1:
        return named[0] if named else next(iter(arrays))
    raise DataError(f"{path} holds {', '.join(sorted(arrays))}; the examples should be called x")


def _find_label(arrays: Mapping[str, NDArray[Any]], ending: str) -> NDArray[Any] | None:
    return next((arrays[name + ending] for name in LABELS if name + ending in arrays), None)


def _label_names(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """List the classes where labels are names, of both parts together."""
    found = [label for ending in ("", TEST) if (label := _find_label(arrays, ending)) is not None]
    return tuple(sorted({str(name) for label in found if label.dtype.kind in "US" for name in label.astype(str).flat}))


def _labels(arrays: Mapping[str, NDArray[Any]], ending: str, count: int, place: str) -> Tensor | None:
    label = _find_label(arrays, ending)
    if label is None:
        return None
    if label.size != count:
        raise DataError(f"{place} has {count} examples and {label.size} labels")
    if label.dtype.kind in "US":
        number = {name: position for position, name in enumerate(_label_names(arrays))}
        return torch.tensor([number[str(name)] for name in label.astype(str).flat])
    with np.errstate(invalid="ignore"):  # NaN is no whole number, and is told below
        whole = label.reshape(-1).astype(np.int64) if label.dtype.kind in "biuf" else None
    if whole is None or not (whole == label.reshape(-1)).all() or whole.min() < -1:
        raise DataError(f"labels of {place} should be whole numbers from 0, -1 where absent, or names")
    return torch.from_numpy(whole)


def _latents(arrays: Mapping[str, NDArray[Any]], ending: str, layout: Layout, place: str) -> dict[str, Tensor]:
    """True variables of each frame, `(frame, variable)`."""
    time = layout.time or 1
    found: dict[str, Tensor] = {}
    for key, array in arrays.items():
        if not key.startswith(LATENT) or key.endswith(TEST) != (ending == TEST):
            continue
        value = torch.from_numpy(np.array(array, dtype=np.float32))
        if len(value) != layout.count or (value.ndim == 3 and value.shape[1] != time) or value.ndim > 3:
            raise DataError(
                f"{key} is {tuple(value.shape)}; for {place} wanted: ({layout.count}, k) or ({layout.count}, {time}, k)"
            )
        each = value.flatten(0, 1) if value.ndim == 3 else value.reshape(len(value), -1).repeat_interleave(time, 0)
        found[key.removeprefix(LATENT).removesuffix(TEST)] = each
    return found


def _from_npy(path: Path, memory: int) -> NDArray[Any]:
    """Load an array, or map it where it is larger than the memory for it."""
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped if mapped.nbytes > memory else np.array(mapped)
    except (ValueError, EOFError) as error:
        raise DataError(_why(path, error)) from error


def _from_npz(path: Path, memory: int) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > memory:
            raise DataError(f"{path} unpacks to {size / 2**30:.1f} GiB\nsave its array as .npy, which is read by piece")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError) as error:
        raise DataError(_why(path, error)) from error


def _why(path: Path, error: Exception) -> str:
    if ("pickle" in str(error) or "Python objects" in str(error)) and path.read_bytes()[:4] in (b"\x93NUM", b"PK\3\4"):
        return f"{path} holds Python objects, which would have to be unpickled; save an array of numbers"
    return f"{path} is a broken array file, or none: {str(error).partition(chr(10))[0]}"
