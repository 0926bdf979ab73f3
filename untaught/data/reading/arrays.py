"""Arrays from `.npy` and `.npz` files, or straight from memory; `layout.py` says what axes mean, `scale.py` values.

Of an `.npz` the array `x` is taken, or `images`, `data`, `frames`, or its only array. `y`, `label` or `labels` are
classes, numbers or names, one for each example. `x_test` and `y_test` make the test part. `latent_NAME` is a true
variable, `(n, k)` or `(n, time, k)`, and `latent_NAME_test` that of the test part. An `.npy` that is larger than the
memory for it is read from disk by piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from untaught.ambient import as_torch_begins
from untaught.config import configuration
from untaught.data.classes.class_names import MinusOne, Numbered, numbered
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.reading.array_files import holds_several, read_one, read_several
from untaught.data.reading.layout import Layout, axes_of, in_our_order, layout_of, read_all, values_of
from untaught.data.reading.resize import resized
from untaught.data.scale import Finite, Scale, Values, decided
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.data.telling import counted, listed
from untaught.errors import DataError

EXAMPLES = ("x", "images", "data", "frames")
LABELS = ("y", "label", "labels")
LATENT = "latent_"
TEST = "_test"


@configuration
class Options:
    """What the axes and the values of an array mean, where it is not to be found out."""

    scale: Finite | None = None
    """The value that becomes 1, which in pictures is white; by default the type and the range of the values decide."""
    axes: str | None = None
    """A letter for each axis, of n, t (time), c (channel), h, w: tnhw; vectors are nf. By default their number and
    lengths decide."""
    minus_one: MinusOne = "auto"
    """What the label -1 means: that an example has none (`absent`), or a class; by default a class where the only other
    label is 1."""


class MappedFrames(Frames):
    """Frames of an `.npy` file that stays on disk; the array's axes are in our order."""

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


@dataclass(frozen=True)
class Meaning:
    """What the arrays of all parts mean."""

    axes: str
    values: Mapping[bool, Values]
    """The range of all arrays of whole numbers, and of all of floats."""
    scales: Mapping[bool, Scale]
    """The value that becomes 1 in either."""
    notes: tuple[str, ...]

    @property
    def one(self) -> float | None:
        """What becomes 1 in whole numbers; none where there are none."""
        return self.scales[True].one if True in self.scales else None


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open an array file.

    Raises:
        DataError: The file is broken, or holds something else than numbers in one of the layouts.
    """
    several = holds_several(path)
    arrays = read_several(path, reading.memory) if several else {"x": read_one(path, reading.memory)}
    source = _source(arrays, str(path), options, reading.scale, several)
    if reading.size is None:
        return source
    small = {name: resized(part, reading.size) for name, part in source.all_parts().items()}
    return replace(source, **small)


@as_torch_begins()
def from_array(
    x: Tensor | ArrayLike,
    label: Tensor | ArrayLike | None = None,
    latents: Mapping[str, Tensor | ArrayLike] | None = None,
    *,
    scale: float | None = None,
    axes: str | None = None,
) -> Source:
    """Make a source of an array in memory.

    Arguments:
        x: Vectors, pictures or clips, in one of the layouts of `layout.py`.
        label: Classes, numbers or names, one for each example.
        latents: Named true variables, `(n, k)` for each example or `(n, time, k)` for each frame.
        scale: The value that becomes 1; by default `scale.py` decides.
        axes: A letter for each axis, as in "tnhw"; by default `layout.py` decides.

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
    return replace(_source(arrays, "x", Options(scale=scale, axes=axes), None, False), spec="array")


def _numbers(x: Tensor | ArrayLike) -> NDArray[Any]:
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        return (x.float() if x.dtype == torch.bfloat16 else x).numpy()
    return np.asarray(x)


def _source(
    arrays: Mapping[str, NDArray[Any]], place: str, options: Options, held: float | None, several: bool
) -> Source:
    """Make a source of arrays by name; `held` is the scale of a run, to whose model it is shown."""
    arrays = {_without_train(name, arrays): array for name, array in arrays.items()}
    name = _examples(arrays, place)
    endings = ("", TEST) if name + TEST in arrays else ("",)
    called = [f"{name}{ending} of {place}" if several else place for ending in endings]
    meaning = _meaning([arrays[name + ending] for ending in endings], called, options, held)
    classes = _classes(arrays, place if not several else called[0], options)
    parts = [_part(arrays, name, ending, at, meaning, classes) for ending, at in zip(endings, called, strict=True)]
    train, test = parts[0], parts[1] if len(parts) > 1 else None
    if test is not None and test.shape != train.shape:
        raise DataError(f"{name} and {name + TEST} of {place} differ in shape: {train.shape} and {test.shape}")
    notes = (*meaning.notes, *classes.notes, *_unused(arrays, name, endings))
    return Source(place, train, test=test, label_names=classes.names, scale=meaning.one, notes=notes)


def _meaning(found: list[NDArray[Any]], called: list[str], options: Options, held: float | None) -> Meaning:
    """Decide the axes by the first array, and a scale for all that have whole numbers, and for all that have floats."""
    axes, told = axes_of(found[0], called[0], options.axes)
    for array, at in zip(found[1:], called[1:], strict=True):
        axes_of(array, at, axes)
    each = [values_of(array, at) for array, at in zip(found, called, strict=True)]
    kinds = [[(one, at) for one, at in zip(each, called, strict=True) if one.whole is whole] for whole in (True, False)]
    values = {some[0][0].whole: reduce(Values.joined, [one for one, _ in some]) for some in kinds if some}
    named = {some[0][0].whole: max(some, key=lambda pair: pair[0].high)[1] for some in kinds if some}
    scales = {whole: decided(one, axes != "nf", named[whole], options.scale, held) for whole, one in values.items()}
    plain = all(array.dtype.kind == "b" for array in found)  # of truth values it is clear what 1 is
    notes = (told, *("" if plain else one.told for one in scales.values()))
    return Meaning(axes, values, scales, tuple(note for note in notes if note))


def _unused(arrays: Mapping[str, NDArray[Any]], name: str, endings: tuple[str, ...]) -> tuple[str, ...]:
    """What is said of arrays that have no name of ours."""
    ours = {stem + ending for stem in (name, *LABELS) for ending in endings}
    others = [other for other in arrays if other not in ours and not other.startswith(LATENT)]
    return (f"left out {counted(len(others), 'array')}, not used: {listed(sorted(others))}",) if others else ()


def _part(
    arrays: Mapping[str, NDArray[Any]], name: str, ending: str, place: str, meaning: Meaning, classes: Numbered
) -> Part:
    """Make a part of the arrays whose names have an ending."""
    array = arrays[name + ending]
    whole = array.dtype.kind != "f"
    ours = in_our_order(array, meaning.axes)
    layout = layout_of(ours, meaning.axes, meaning.values[whole], meaning.scales[whole])
    mapped = isinstance(array, np.memmap)
    frames = MappedFrames(ours, layout) if mapped else WholeFrames(read_all(ours, layout))
    length = None if layout.time is None else torch.full((layout.count,), layout.time)
    label = classes.labels[0 if ending == "" else 1]
    if label is not None and len(label) != layout.count:
        raise DataError(f"{place} has {layout.count} examples and {len(label)} labels")
    part = Part.over(frames, length, label)
    return replace(part, latents=_latents(arrays, ending, layout, place))


def _without_train(name: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    """`x_train` is `x`, where there is no `x`."""
    plain = name.removesuffix("_train")
    return name if plain in arrays else plain


def _examples(arrays: Mapping[str, NDArray[Any]], place: str) -> str:
    """Find the name of the array that holds the examples."""
    named = [name for name in EXAMPLES if name in arrays]
    if named or len(arrays) == 1:
        return named[0] if named else next(iter(arrays))
    raise DataError(f"{place} holds {', '.join(sorted(arrays)) or 'nothing'}; the examples should be called x")


def _classes(arrays: Mapping[str, NDArray[Any]], place: str, options: Options) -> Numbered:
    """Labels of both parts."""
    found = [next((arrays[name + ending] for name in LABELS if name + ending in arrays), None) for ending in ("", TEST)]
    return numbered(found, place, options.minus_one)


def _latents(arrays: Mapping[str, NDArray[Any]], ending: str, layout: Layout, place: str) -> dict[str, Tensor]:
    """True variables of each frame, `(frame, variable)`."""
    time = layout.time or 1
    found: dict[str, Tensor] = {}
    for key, array in arrays.items():
        if not key.startswith(LATENT) or key.endswith(TEST) != (ending == TEST):
            continue
        if array.dtype.kind not in "biuf" or not array.ndim:
            raise DataError(f"{key} of {place} should be numbers for each example, not {array.dtype} {array.shape}")
        value = torch.from_numpy(np.array(array, dtype=np.float32))
        if len(value) != layout.count or (value.ndim == 3 and value.shape[1] != time) or value.ndim > 3:
            raise DataError(
                f"{key} is {tuple(value.shape)}; for {place} wanted: ({layout.count}, k) or ({layout.count}, {time}, k)"
            )
        each = value.flatten(0, 1) if value.ndim == 3 else value.reshape(len(value), -1).repeat_interleave(time, 0)
        found[key.removeprefix(LATENT).removesuffix(TEST)] = each
    return found
