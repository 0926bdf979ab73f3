"""Every record of a reader looked at once, in order.

So labels, lengths of clips, the range of values and broken examples are known before the first step. Random draws of a
reader are the same each time, where they come from torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.data.readers.decoded_records import VECTOR, Sample, sample_of
from untaught.data.readers.fields import Taken, Wanted
from untaught.data.readers.frame_store import FrameStore
from untaught.data.readers.reader import Ask, Reader
from untaught.data.reading.images import chosen_size
from untaught.data.scale import Values
from untaught.data.spec import Reading
from untaught.errors import DataError
from untaught.randomness import seeded


class _OtherSize(Exception):
    """A picture has another size than the first."""


@dataclass
class Gathered:
    """What was found in a reader."""

    reader: Reader
    wanted: Wanted
    store: FrameStore
    first: Sample
    """The first example, which the others are like."""
    values: Values
    coloured: bool = False
    numbers: list[int] = field(default_factory=lambda: [])
    """Number of each record that is kept."""
    lengths: list[int] = field(default_factory=lambda: [])
    taken: list[Taken] = field(default_factory=lambda: [])
    """Fields of each record, without the picture."""
    skipped: list[str] = field(default_factory=lambda: [])
    brought: bool = False
    """Whether the size was chosen here, since pictures are of several."""

    @property
    def channels(self) -> int | None:
        """Channels that are needed of pictures that were decoded; None of arrays."""
        return (3 if self.coloured else 1) if self.first.decoded else None


def gather(reader: Reader, wanted: Wanted, reading: Reading, limit: int | None = None) -> Gathered:
    """Look at every record once; where pictures that can be read again differ in size, twice more.

    Args:
        reader: Where records come from.
        wanted: Which fields are taken.
        reading: What to do with a broken example, and the memory for all.
        limit: How many records at most.

    Raises:
        DataError: There is no example, one is broken, or they differ in shape or type.
    """
    with seeded(0):
        try:
            return _walked(reader, wanted, reading, limit)
        except _OtherSize:
            size = chosen_size(list(_sizes(reader, wanted, limit)))
            found = _walked(reader, replace(wanted, size=size), reading, limit)
            found.brought = True
            return found


def _walked(reader: Reader, wanted: Wanted, reading: Reading, limit: int | None) -> Gathered:
    found: Gathered | None = None
    broken: list[tuple[str, DataError]] = []
    for number, ask in enumerate(islice(reader.asks(), limit)):
        name = f"example {number} of {reader.place}"
        try:
            sample = sample_of(ask(), wanted, name)
            found = found or _begun(reader, wanted, reading, sample)
            _refuse_other(found, sample, name)
        except DataError as error:
            if reading.on_bad == "stop":
                raise _with_way_out(error) from error
            broken.append((name, error))
            continue
        _keep(found, number, sample)
    if found is None:
        raise (
            DataError(f"all examples of {reader.place} are broken; the first:\n{broken[0][1]}")
            if broken
            else (DataError(f"{reader.place} gives no examples"))
        )
    found.skipped = [name for name, _ in broken]
    return found


def _with_way_out(error: DataError) -> DataError:
    lines = str(error).split("\n")
    return error if len(lines) > 1 else DataError(f"{lines[0]}\n--on-bad skip, in Python on_bad='skip', leaves it out")


def _begun(reader: Reader, wanted: Wanted, reading: Reading, sample: Sample) -> Gathered:
    store = FrameStore(reading.memory, reader.count is not None, reader.place)
    return Gathered(reader, wanted, store, sample, sample.values)


def _refuse_other(found: Gathered, sample: Sample, name: str) -> None:
    """Refuse an example that is not like the first."""
    first = found.first
    if sample.form == first.form and sample.axes == first.axes:
        if sample.frames.dtype != first.frames.dtype:
            raise DataError(f"{name} holds {sample.frames.dtype}, and the first {first.frames.dtype}; wanted: one type")
        return
    pictures = sample.axes != VECTOR != first.axes and sample.is_clip == first.is_clip
    if pictures and sample.frames.shape[1] == first.frames.shape[1]:
        if found.reader.count is not None:
            raise _OtherSize
        hint = "; size=64 brings all to one size"
    else:
        hint = ""
    raise DataError(f"{name} is a {sample.form}, and the first is a {first.form}{hint}")


def _keep(found: Gathered, number: int, sample: Sample) -> None:
    found.numbers.append(number)
    found.lengths.append(len(sample.frames))
    found.taken.append(sample.taken._replace(picture=None))
    found.values = found.values.joined(sample.values)
    found.coloured |= sample.coloured
    found.store.add(_single(sample.frames))


def _single(frames: NDArray[Any]) -> NDArray[Any]:
    return frames.astype(np.float32) if frames.dtype == np.float64 else frames


def _sizes(reader: Reader, wanted: Wanted, limit: int | None) -> Iterator[tuple[int, int]]:
    for ask in islice(reader.asks(), limit):
        size = _size(ask, wanted)
        if size is not None:
            yield size


def _size(ask: Ask, wanted: Wanted) -> tuple[int, int] | None:
    try:
        height, width = sample_of(ask(), wanted, "").frames.shape[-2:]
    except DataError:
        return None
    return height, width
