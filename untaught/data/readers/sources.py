"""What was gathered from readers as a source: one scale, one number of channels and the same classes in every part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import accumulate, groupby
from typing import Any

import numpy as np
import torch

from untaught.config import Count, configuration
from untaught.data.classes.class_names import MinusOne, Numbered
from untaught.data.origin import Origin
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.readers.class_labels import classes_of
from untaught.data.readers.decoded_records import VECTOR
from untaught.data.readers.fields import Wanted
from untaught.data.readers.gathering import Gathered, gather
from untaught.data.readers.reader import Reader
from untaught.data.readers.reader_frames import ReaderFrames
from untaught.data.reading.arrays import MappedFrames
from untaught.data.reading.layout import Layout, layout_of, read_all
from untaught.data.scale import Finite, Scale, Values, decided
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.data.telling import counted, listed
from untaught.errors import ConfigError, DataError

PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""The part that is meant by each name of one."""
WORDS = {"train": "training", "validation": "validation", "test": "testing"}


@configuration
class RecordOptions:
    """What is taken of each record of a reader."""

    image: str | int | None = None
    """The field with the picture, or its place in a tuple, from 0; by default the first that has a usual name."""
    label: str | int | None = None
    """The field with the class; by default the first that has a usual name."""
    clip: str | None = None
    """The field that says to which clip a frame belongs: neighbours that agree in it are frames of one clip."""
    video: bool = False
    """Take all examples for the frames of one clip."""
    axes: str | None = None
    """A letter for each axis of an example, of t (time), c (channel), h, w: hwc; by default their lengths decide."""
    scale: Finite | None = None
    """The value that becomes 1; by default the type and the range of the values decide."""
    limit: Count | None = None
    """Take this many examples at most, the first ones."""
    minus_one: MinusOne = "auto"
    """What the label -1 means: that there is none (`absent`), or a class."""


Readers = Mapping[str, Reader]
"""A reader for each part."""


def read_source(readers: Readers, spec: str, options: RecordOptions, reading: Reading) -> Source:
    """Read every part, and make a source of them.

    Raises:
        DataError: A part is empty or broken, or parts differ.
    """
    wanted = Wanted(options.image, options.label, options.clip, options.axes, reading.size)
    found: dict[str, Gathered] = {}
    for name, reader in parts_of(readers, spec).items():
        found[name] = gather(reader, wanted, reading, options.limit)
        wanted = found[name].wanted  # the size of the first part is that of all
    _refuse_different(found)
    every, scales, classes = list(found.values()), _scales(found, options, reading), _classes(found, options)
    channels = max(one.channels or 0 for one in every) or None
    parts = {
        name: _part(one, scales[one.values.whole], channels, label, options)
        for (name, one), label in zip(found.items(), classes.labels, strict=True)
    }
    return Source(
        spec,
        parts["train"],
        parts.get("validation"),
        parts.get("test"),
        label_names=classes.names,
        skipped=tuple(name for one in every for name in one.skipped),
        chosen_size=wanted.size if any(one.brought for one in every) else None,
        scale=scales[True].one if True in scales else None,
        notes=(*_notes(found), *(one.told for one in scales.values() if one.told), *classes.notes),
    )


def parts_of(readers: Readers, spec: str) -> dict[str, Reader]:
    """Readers by the names that parts have here; a single one is the training part, whatever it is called.

    Raises:
        DataError: A name is none of a part, or there is no training part.
    """
    if len(readers) == 1:
        return {"train": next(iter(readers.values()))}
    named = {PARTS.get(name.lower(), ""): reader for name, reader in readers.items()}
    if "" in named or "train" not in named or len(named) < len(readers):
        raise DataError(
            f"{spec} has the parts {listed(list(readers), 20)}; wanted: train, and validation and test if there are\n"
            "give one of them, behind hf: as ?split=NAME"
        )
    return {name: named[name] for name in ("train", "validation", "test") if name in named}


def _refuse_different(found: Mapping[str, Gathered]) -> None:
    first = found["train"].first
    for name, one in found.items():
        other = one.first
        if (other.form, other.decoded, other.values.whole) != (first.form, first.decoded, first.values.whole):
            raise DataError(
                f"the {name} part of {one.reader.place} has a {other.form} of {other.frames.dtype}, and the training "
                f"part a {first.form} of {first.frames.dtype}"
            )


def _scales(found: Mapping[str, Gathered], options: RecordOptions, reading: Reading) -> dict[bool, Scale]:
    """The value that becomes 1, of all parts together."""
    train = found["train"]
    values = reduce(Values.joined, [one.values for one in found.values()])
    pictures = train.first.axes != VECTOR
    try:
        return {values.whole: decided(values, pictures, train.reader.place, options.scale, reading.scale)}
    except DataError as error:
        if values.whole or values.low >= 0:
            raise
        first = str(error).partition("\n")[0]
        raise DataError(
            f"{first}\nleave out the transform that standardises them, such as Normalize: models that need it have "
            "their own;\nor bring them into that range"
        ) from error


def _classes(found: Mapping[str, Gathered], options: RecordOptions) -> Numbered:
    every = list(found.values())
    fields = {taken.label_field for one in every for taken in one.taken}
    reader = every[0].reader
    known = reader.class_names(next(iter(fields)) if len(fields) == 1 else None)
    labels = [[taken.label for taken in one.taken] for one in every]
    return classes_of(labels, known, options.label is not None, reader.place, options.minus_one)


def _part(
    found: Gathered, scale: Scale, channels: int | None, label: torch.Tensor | None, options: RecordOptions
) -> Part:
    store, first = found.store, found.first
    shape = store.shape if channels is None else (channels, *store.shape[1:])
    like: Any = np.broadcast_to(np.zeros((), store.dtype), (store.count, *shape))
    layout = layout_of(like, VECTOR if first.axes == VECTOR else "nchw", found.values, scale)
    frames = _frames(found, layout, channels)
    lengths = _lengths(found, options)
    if label is not None and len(lengths or ()) not in (0, len(label)):
        starts = list(accumulate(lengths or (), initial=0))[:-1]
        of_frame = label.repeat_interleave(torch.tensor(found.lengths))
        label = of_frame[torch.tensor(starts)]
    part = Part.over(frames, None if lengths is None else torch.tensor(lengths), label)
    return replace(part, origin=_origin(found))


def _frames(found: Gathered, layout: Layout, channels: int | None) -> Frames:
    array = found.store.array()
    if array is None:
        return ReaderFrames(found.reader, found.wanted, found.numbers, found.lengths, layout)
    array = array if channels is None else array[:, :channels]
    return MappedFrames(array, layout) if found.store.file is not None else WholeFrames(read_all(array, layout))


def _lengths(found: Gathered, options: RecordOptions) -> list[int] | None:
    """Frames of each clip; None where examples are single."""
    if options.clip is not None:
        keys = [taken.clip for taken, frames in zip(found.taken, found.lengths, strict=True) for _ in range(frames)]
        return [len(list(same)) for _, same in groupby(keys)]
    if found.first.is_clip:
        return found.lengths
    if options.video and found.first.axes == VECTOR:
        raise ConfigError(f"video = true: {found.reader.place} has vectors, and frames are pictures")
    return [found.store.count] if options.video else None


def _origin(found: Gathered) -> Origin | None:
    """Records by their own names, where all have one."""
    keys = [taken.key for taken in found.taken if taken.key is not None]
    if len(keys) < len(found.taken):
        return None
    return Origin(tuple(keys), list(accumulate(found.lengths, initial=0))[:-1])


def _notes(found: Mapping[str, Gathered]) -> Sequence[str]:
    """How each part is kept, and which fields are not used."""
    told = [f"{one.reader.place}: {_kept(name, one)}" for name, one in found.items()]
    unused = dict.fromkeys(field for one in found.values() for taken in one.taken for field in taken.unused)
    if unused:
        told.append(f"left out {counted(len(unused), 'field')}, not used: {listed(list(unused))}")
    axes = [one.first.told for one in found.values() if one.first.told]
    return [*told, *axes[:1]]


def _kept(name: str, found: Gathered) -> str:
    count = f"{counted(len(found.numbers), 'example')} for {WORDS[name]}"
    drawn = found.reader.draws
    if found.store.dropped:
        return f"{count}, read by number when they are needed{'; random transforms draw anew each time' * drawn}"
    drawn_once = "; random transforms have drawn once" * drawn
    if found.store.file is not None:
        return f"{count}, read once in order and kept on disk, {found.store.nbytes / 2**30:.2g} GiB{drawn_once}"
    return f"{count}, read once in order and kept in memory{drawn_once}"
