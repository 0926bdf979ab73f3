"""What the axes of an array mean.

    2 axes  (n, feature)                            vectors
    3 axes  (n, height, width)                      grey pictures
    4 axes  (n, channel, height, width)             pictures; or (n, height, width, channel)
            (n, time, height, width)                grey clips; or (time, n, height, width)
    5 axes  (n, time, channel, height, width)       clips; or (n, time, height, width, channel)

Channels are taken to come last where the last axis is 1 to 4 long and the axis where they would come first is not;
where both are, they come first. Four axes of which neither is 1 to 4 long are grey clips, and of the first two axes
that along which neighbours differ less is time; where neither stands out, the second, or the first of `(20, n, 64,
64)`, as Moving MNIST is published. Where the second and third are equal and the fourth is not, that one has channels.
`?axes=nchw` says it outright: a letter for each axis, of n, t, c, h, w, or `nf` for vectors. Values are the matter of
`scale.py`; floats must be finite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.data.scale import BYTE, Scale, Values
from untaught.data.telling import counted
from untaught.errors import ConfigError, DataError
from untaught.shapes import Shape

CHANNELS = (1, 2, 3, 4)
ORDER = "ntchw"
"""The axes of clips as we store them."""
CHUNK = 2**24
"""Values that are looked at at once."""
LOOKED_AT = 8
"""Neighbours along an axis that are compared."""
STANDS_OUT = 0.8
"""Neighbours along time differ at most this much of what those along the other axis do."""
MOVING_MNIST = (20, 64)
"""Frames of a clip, and the side of a frame."""


@dataclass(frozen=True)
class Layout:
    """How an array whose axes are in our order becomes frames."""

    shape: Shape
    """One frame's shape as we store it, channels first."""
    count: int
    """Clips, pictures or vectors."""
    time: int | None
    """Frames in a clip, where there are clips."""
    dtype: torch.dtype
    """How frames are stored."""
    one: float
    """The value that becomes 1."""

    def frames(self, rows: NDArray[Any]) -> Tensor:
        """Turn rows, one frame in each, into frames `(row, *shape)`."""
        return _stored(rows, self.dtype, self.one).reshape(len(rows), *self.shape)


def axes_of(array: NDArray[Any], name: str, asked: str | None = None) -> tuple[str, str]:
    """A letter for each axis, and how they were found where it is not plain.

    Raises:
        ConfigError: The user's letters do not fit the array.
        DataError: The number of axes is wrong, or the array is empty.

    Example:
        >>> axes_of(np.zeros((6, 8, 9, 3)), "x")
        ('nhwc', '')
    """
    shape = array.shape
    if asked is not None:
        _refuse_letters(asked, shape, name)
    if not 2 <= len(shape) <= 5:
        raise DataError(
            f"{name} has {len(shape)} axes, {shape}; wanted: 2 (n, feature), 3 (n, height, width), 4 with channels, "
            "5 (n, time, channel, height, width)"
        )
    if 0 in shape:
        raise DataError(f"{name} is empty: its shape is {shape}")
    if asked is not None:
        return asked, ""
    last = shape[-1] in CHANNELS and shape[-3] not in CHANNELS if len(shape) > 3 else False
    if len(shape) == 4 and not last and shape[1] not in CHANNELS:
        return _of_clips(array, name)
    usual = {2: "nf", 3: "nhw", 4: "nhwc" if last else "nchw", 5: "nthwc" if last else "ntchw"}[len(shape)]
    return _as_published(array, usual, name) if _is_moving_mnist(shape) else (usual, "")


def in_our_order(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """The array with its axes in our order, `(n, [time,] [channel,] height, width)` or vectors; nothing is copied."""
    if axes == "nf":
        return array
    ours = array.transpose([axes.index(axis) for axis in ORDER if axis in axes])
    return ours if "n" in axes else ours[None]


def layout_of(array: NDArray[Any], axes: str, values: Values, scale: Scale) -> Layout:
    """How an array in our order is stored."""
    time = array.shape[1] if "t" in axes else None
    frame = array.shape[1 if time is None else 2 :]
    shape = frame if "c" in axes or axes == "nf" else (1, *frame)
    return Layout(shape, len(array), time, _dtype(array, values, scale), scale.one)


def read_all(array: NDArray[Any], layout: Layout) -> Tensor:
    """Turn a whole array in our order into frames `(frame, *shape)`, clip by clip."""
    rows = array if layout.time is None else array.reshape(-1, *array.shape[2:])
    return layout.frames(rows)


def values_of(array: NDArray[Any], name: str) -> Values:
    """Look at every value once, by piece, so that a mapped file larger than memory can be checked.

    Raises:
        DataError: They are no numbers, or some are not finite.
    """
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds values of type {array.dtype}; wanted: numbers")
    if array.dtype.kind == "f":
        _check_finite(array, name)
    low = min(float(rows.min()) for rows in _pieces(array))
    high = max(float(rows.max()) for rows in _pieces(array))
    return Values(low, high, array.dtype.kind != "f")


def _refuse_letters(axes: str, shape: Shape, name: str) -> None:
    if axes != "nf" and not (set("hw") <= set(axes) <= set(ORDER) and len(set(axes)) == len(axes)):
        raise ConfigError(
            f"axes = {axes!r}: give a letter for each axis of {name}, of n, t, c, h, w, as in tnhw; or nf"
        )
    if len(axes) != len(shape):
        raise ConfigError(f"axes = {axes!r} has {len(axes)} letters, and {name} has {len(shape)} axes, {shape}")
    if not set("nt") & set(axes):
        raise ConfigError(f"axes = {axes!r} says neither which axis counts pictures, n, nor which is time, t")


def _of_clips(array: NDArray[Any], name: str) -> tuple[str, str]:
    """Which of the first two axes of grey clips is time; squares before another length are pictures with channels."""
    if array.shape[1] == array.shape[2] != array.shape[3]:
        told = f"{name} of {array.shape} is taken for pictures of {array.shape[3]:,} channels, which come last"
        return "nhwc", f"{told}; ?axes=nhwt takes the last axis for time, ?axes=nthw the second"
    first, second = _change(array, 0), _change(array, 1)
    published = _is_moving_mnist(array.shape)
    time_first = first < STANDS_OUT * second or (published and second >= STANDS_OUT * first)
    axes = "tnhw" if time_first else "nthw"
    clips, frames = (array.shape[axes.index(axis)] for axis in "nt")
    other = "nthw" if time_first else "tnhw"
    return axes, (
        f"{name} of {array.shape} is taken for {counted(clips, 'grey clip')} of {counted(frames, 'frame')}; "
        f"?axes={other} takes the other axis for time, ?axes=nchw pictures of {array.shape[1]:,} channels"
    )


def _is_moving_mnist(shape: Shape) -> bool:
    """Whether the lengths are those of Moving MNIST as it is published, perhaps with an axis of one channel."""
    sides = (MOVING_MNIST[1],) * 2
    return len(shape) > 3 and shape[0] == MOVING_MNIST[0] and sides in (shape[2:4], shape[3:5])


def _as_published(array: NDArray[Any], usual: str, name: str) -> tuple[str, str]:
    """Axes of clips whose first may be time, and what is told where it is, or where channels may be clips."""
    swapped = usual.replace("nt", "tn")
    if swapped == usual:
        told = f"{name} of {array.shape} is taken for {array.shape[0]} pictures of {array.shape[1]} channels"
        return usual, f"{told}; ?axes=tnhw takes it for {array.shape[1]} grey clips" if usual == "nchw" else ""
    if _change(array, 0) >= STANDS_OUT * _change(array, 1):
        return usual, ""
    told = f"{name} of {array.shape} is taken for {array.shape[1]:,} clips of {array.shape[0]} frames"
    return swapped, f"{told}; ?axes={usual} takes the second axis for time"


def _change(array: NDArray[Any], axis: int) -> float:
    """Mean change between neighbours along one of the first two axes."""
    steps = tuple(slice(None, None, max(1, side // LOOKED_AT**2)) for side in array.shape[2:])
    some = np.asarray(array[:LOOKED_AT, :LOOKED_AT, *steps], dtype=np.float32)
    return float(np.abs(np.diff(some, axis=axis)).mean()) if some.shape[axis] > 1 else np.inf


def _dtype(array: NDArray[Any], values: Values, scale: Scale) -> torch.dtype:
    """Bytes where these hold the values exactly."""
    truth, white = scale.one == 1 and values.high <= 1, scale.one == BYTE and values.high <= BYTE
    if values.whole and values.low >= 0 and (truth or white):
        return torch.uint8
    return torch.float16 if array.dtype == np.float16 and scale.one == 1 else torch.float32


def _stored(rows: NDArray[Any], dtype: torch.dtype, one: float) -> Tensor:
    if dtype == torch.uint8:
        rows = rows.astype(np.uint8)
        return torch.from_numpy(rows * np.uint8(BYTE) if one == 1 else rows)
    rows = np.ascontiguousarray(rows, dtype=np.float16 if dtype == torch.float16 else np.float32)
    if one != 1:
        return torch.from_numpy(rows / np.float32(one))
    # A mapped or read-only array would warn, and would let a write through to the file.
    return torch.from_numpy(rows if rows.flags.writeable else rows.copy())


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
