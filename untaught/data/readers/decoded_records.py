"""One record as frames and a label.

A picture is an array or tensor, numbers in lists, a picture of Pillow's, the bytes of a picture's file, or its path.
Pictures that are decoded here are laid on white and turned upright, as those of a folder are. The axes of arrays mean
what `layout.py` says, without the first one that counts examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from untaught.data.channels import to_channels
from untaught.data.readers.fields import Taken, Wanted, is_encoded, is_picture, take
from untaught.data.reading.layout import axes_of, in_our_order, values_of
from untaught.data.reading.picture import decode, decode_bytes, decode_image
from untaught.data.reading.resize import fit
from untaught.data.scale import Values
from untaught.errors import DataError

VECTOR = "nf"


class Sample(NamedTuple):
    """One record, read."""

    frames: NDArray[Any]
    """Values as they are in the reader, `(frame, channel, height, width)` or `(1, feature)`."""
    is_clip: bool
    axes: str
    """What the axes of the array meant, as `layout.py` writes it."""
    values: Values
    decoded: bool
    """Whether it is of pictures that were decoded, which are bytes in three channels."""
    coloured: bool
    """Whether such pictures are not grey."""
    taken: Taken
    """The fields of the record."""
    told: str = ""
    """How the axes were found, where it is not plain."""

    @property
    def form(self) -> str:
        """What examples of one source have in common, in words."""
        shape = "x".join(map(str, self.frames.shape[1:]))
        return f"{'clip of frames' if self.is_clip else 'vector' if self.axes == VECTOR else 'picture'} of {shape}"


def sample_of(record: Any, wanted: Wanted, name: str) -> Sample:
    """Read a record.

    Args:
        record: What a reader gave.
        wanted: Which fields are taken, and the size that pictures are brought to.
        name: What an error calls the record.

    Raises:
        DataError: It has no picture, or one that is broken or of no known kind.
    """
    taken = take(record, wanted, name)
    pictures = _decoded(taken.picture, name)
    if pictures is not None:
        return _of_pictures(pictures, taken, wanted, name)
    array = _numbers(taken.picture, name)
    axes, told = axes_of(array[None], name, _with_count(wanted.axes))
    values = values_of(array, name)
    ours = in_our_order(array[None], axes)
    frames = ours if axes == VECTOR else _with_channels(ours, axes)
    if wanted.size is not None and axes != VECTOR:
        frames = _resized(frames, wanted.size)
    return Sample(frames, "t" in axes, axes, values, False, False, taken, told)


def _of_pictures(pictures: Sequence[Tensor] | Tensor, taken: Taken, wanted: Wanted, name: str) -> Sample:
    """One picture, or a clip of a sequence of them."""
    single = isinstance(pictures, Tensor)
    each = [pictures] if single else list(pictures)
    values = Values(min(int(one.min()) for one in each), max(int(one.max()) for one in each), whole=True)
    if wanted.size is not None:
        each = [fit(picture[None], wanted.size)[0] for picture in each]
    sizes = {tuple(picture.shape[1:]) for picture in each}
    if len(sizes) > 1:
        raise DataError(f"{name} is a clip whose frames differ in size: {_sizes(sizes)}\nsize=64 brings them to one")
    frames = torch.stack([to_channels(picture, 3) for picture in each]).numpy()
    coloured = any(len(picture) == 3 for picture in each)
    return Sample(frames, not single, "nchw" if single else "ntchw", values, True, coloured, taken)


def _decoded(value: Any, name: str) -> Tensor | list[Tensor] | None:
    """The pictures of a value that needs decoding, bytes `(1 or 3, height, width)`; None where it is numbers."""
    if isinstance(value, list | tuple) and value and all(map(_needs_decoding, cast(Sequence[Any], value))):
        return [_decode(each, name) for each in cast(Sequence[Any], value)]
    return _decode(value, name) if _needs_decoding(value) else None


def _needs_decoding(value: object) -> bool:
    return isinstance(value, str) or (is_picture(value) and not isinstance(value, Tensor | np.ndarray))


def _decode(value: Any, name: str) -> Tensor:
    if isinstance(value, Image.Image):
        return decode_image(value, name)
    if isinstance(value, bytes):
        return decode_bytes(value, name)
    if is_encoded(value):
        encoded = cast(Mapping[str, Any], value)
        return _decode(encoded["bytes"] if encoded["bytes"] is not None else encoded["path"], name)
    path = Path(str(value)).expanduser()
    if not path.is_file():
        raise DataError(f"{name} names a file that is not there: {str(value)[:200]}")
    return decode(path)


def _numbers(value: Any, name: str) -> NDArray[Any]:
    if isinstance(value, Tensor):
        plain = value.detach().cpu()
        return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{name} has rows of different lengths; wanted: the same in all") from error
    if array.dtype.kind == "O" and array.ndim == 1 and len(array):
        array = _stacked(array, name)
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        what = "a single number" if array.ndim == 0 and array.dtype.kind in "biuf" else f"a {type(value).__name__}"
        raise DataError(f"{name} is {what}; wanted: a picture, an array or tensor, or a pair of one and its label")
    return array


def _stacked(array: NDArray[Any], name: str) -> NDArray[Any]:
    """An array of arrays, as tables keep rows of pixels."""
    try:
        return np.stack([np.asarray(row) for row in array])
    except ValueError as error:
        raise DataError(f"{name} has rows of different lengths; wanted: the same in all") from error


def _with_count(axes: str | None) -> str | None:
    return axes if axes is None or axes.startswith("n") else "n" + axes


def _with_channels(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """Frames `(frame, channel, height, width)` of one example in our order."""
    frames = array[0] if "t" in axes else array
    return frames if "c" in axes else frames[:, None]


def _resized(frames: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Frames at another size; whole numbers of other types than bytes stay whole."""
    x = torch.from_numpy(np.ascontiguousarray(frames if frames.dtype == np.uint8 else frames.astype(np.float32)))
    small = fit(x, size).numpy()
    return np.rint(small).astype(frames.dtype) if frames.dtype.kind in "iu" else small.astype(frames.dtype)


def _sizes(sizes: set[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, size)) for size in sorted(sizes)[:3])
