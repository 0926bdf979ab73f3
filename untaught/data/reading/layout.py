"""What the axes and the values of an array mean.

    2 axes  (n, feature)                            vectors
    3 axes  (n, height, width)                      grey pictures
    4 axes  (n, channel, height, width)             pictures; or (n, height, width, channel)
    5 axes  (n, time, channel, height, width)       clips; or (n, time, height, width, channel)

Channels are taken to come last where the last axis is 1, 3 or 4 long and the axis where they would come first is not;
where both are, they come first. Truth values and bytes are kept as bytes, 0 to 255. Other whole numbers become bytes in
pictures, where they must lie in 0 to 255, and floats in vectors. Floats must be finite, and lie in [0, 1] in pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import DataError
from untaught.shapes import Shape

CHANNELS = (1, 3, 4)
CHUNK = 2**24
"""Values that are looked at at once."""
ROUNDING = 1e-5
"""How far beyond [0, 1] a picture's values may be: what float32 arithmetic leaves behind."""


@dataclass(frozen=True)
class Layout:
    """How an array's axes become frames."""

    shape: Shape
    """One frame's shape as we store it, channels first."""
    count: int
    """Clips, pictures or vectors."""
    time: int | None
    """Frames in a clip, where there are clips."""
    channels_last: bool
    dtype: torch.dtype
    """How frames are stored."""

    def frames(self, rows: NDArray[Any]) -> Tensor:
        """Turn rows, one frame in each, into frames `(row, *shape)`."""
        if self.channels_last:
            rows = np.moveaxis(rows, -1, 1)
        return _stored(rows, self.dtype).reshape(len(rows), *self.shape)


def layout_of(array: NDArray[Any], name: str) -> Layout:
    """Read an array's axes and check all its values.

    Raises:
        DataError: The number of axes, the type or a value is wrong; the message names what is.
    """
    shape = array.shape
    if not 2 <= len(shape) <= 5:
        raise DataError(
            f"{name} has {len(shape)} axes, {shape}; wanted: 2 (n, feature), 3 (n, height, width), 4 with channels, "
            "5 (n, time, channel, height, width)"
        )
    if 0 in shape:
        raise DataError(f"{name} is empty: its shape is {shape}")
    dtype = _dtype(array, name)
    last = len(shape) > 3 and shape[-1] in CHANNELS and shape[-3] not in CHANNELS
    _check_values(array, name)
    return Layout(_frame_shape(shape, last), len(array), shape[1] if len(shape) == 5 else None, last, dtype)


def read_all(array: NDArray[Any], layout: Layout) -> Tensor:
    """Turn a whole array into frames `(frame, *shape)`, clip by clip."""
    rows = array if layout.time is None else array.reshape(-1, *array.shape[2:])
    return layout.frames(rows)


def _frame_shape(shape: Shape, last: bool) -> Shape:
    if len(shape) == 2:
        return (shape[1],)
    if len(shape) == 3:
        return (1, *shape[1:])
    return (shape[-1], *shape[-3:-1]) if last else shape[-3:]


def _dtype(array: NDArray[Any], name: str) -> torch.dtype:
    if array.dtype.kind == "b" or array.dtype == np.uint8 or (array.dtype.kind in "iu" and array.ndim > 2):
        return torch.uint8
    if array.dtype.kind in "iuf":
        return torch.float16 if array.dtype == np.float16 else torch.float32
    raise DataError(f"{name} holds values of type {array.dtype}; wanted: numbers")


def _stored(rows: NDArray[Any], dtype: torch.dtype) -> Tensor:
    if rows.dtype.kind == "b":
        return torch.from_numpy(rows.astype(np.uint8) * np.uint8(255))
    wanted = {torch.uint8: np.uint8, torch.float16: np.float16, torch.float32: np.float32}[dtype]
    rows = np.ascontiguousarray(rows, dtype=wanted)
    # A mapped or read-only array would warn, and would let a write through to the file.
    return torch.from_numpy(rows if rows.flags.writeable else rows.copy())


def _check_values(array: NDArray[Any], name: str) -> None:
    """Look at every value once, by piece, so that a mapped file larger than memory can be checked."""
    if array.dtype.kind == "b" or array.dtype == np.uint8:
        return
    if array.dtype.kind == "f":
        _check_finite(array, name)
    if array.ndim == 2:
        return
    low = min(float(rows.min()) for rows in _pieces(array))
    high = max(float(rows.max()) for rows in _pieces(array))
    if array.dtype.kind == "f":
        _check_fraction(low, high, name)
    elif low < 0 or high > 255:
        raise DataError(
            f"whole numbers in {name} run from {low:g} to {high:g}; pictures take 0 to 255, or floats 0 to 1"
        )


def _pieces(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    rows = max(1, CHUNK // array[0].size)
    for start in range(0, len(array), rows):
        yield array[start : start + rows]


def _check_finite(array: NDArray[Any], name: str) -> None:
    """Refuse what is not finite, or is not once it is float32."""
    count, start, first = 0, 0, ""
    for rows in _pieces(array):
        with np.errstate(over="ignore"):
            bad = ~np.isfinite(rows.astype(np.float32, copy=False))
        if bad.any():
            where = np.argwhere(bad)[0]
            first = first or ", ".join(str(number) for number in (where[0] + start, *where[1:]))
            count += int(bad.sum())
        start += len(rows)
    if count:
        raise DataError(f"{name} has {count} values that are not finite (NaN or infinite); the first is at [{first}]")


def _check_fraction(low: float, high: float, name: str) -> None:
    if low >= -ROUNDING and high <= 1 + ROUNDING:
        return
    hint = "divide by 255, or store uint8" if low >= 0 and 1 < high <= 255 else "scale them to lie within"
    raise DataError(f"values of {name} run from {low:g} to {high:g}, and pictures must lie in [0, 1]\n{hint}")
