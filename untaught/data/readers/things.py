"""Which reader a thing of Python's gets.

array, tensor                             as a file with such an array
frame of pandas or polars                 `tables.py`
torch's DataLoader                        its data set, in order; or its batches, taken apart
torch's Dataset, a Hugging Face data set, a list: what has a length and numbers    `by_number.py`
IterableDataset, generator, WebDataset: what can only be gone through              `one_by_one.py`
a dictionary of these, by the names of parts
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, RandomSampler, SequentialSampler, default_collate

from untaught.config import from_json
from untaught.data.readers.by_number import Numbered, Sequential
from untaught.data.readers.one_by_one import Stream
from untaught.data.readers.reader import Reader
from untaught.data.readers.sources import RecordOptions, read_source
from untaught.data.readers.tables import Table, as_columns
from untaught.data.reading.arrays import from_array
from untaught.data.reading.resize import resized
from untaught.data.source import Source
from untaught.data.spec import GIVEN, Reading
from untaught.errors import DataError

WANTED = (
    "wanted: an array or tensor, a torch Dataset or DataLoader, a Hugging Face data set, a frame of pandas or polars,\n"
    "a list or a generator of pictures, or a dictionary of these with train, validation and test"
)


def open_thing(thing: Any, options: Mapping[str, Any], reading: Reading) -> Source:
    """Open what somebody else's reader, or a program, holds.

    Raises:
        ConfigError: An option is unknown or out of range.
        DataError: The thing is none that can be read, or an example is broken.
    """
    place = place_of(thing)
    own = from_json(RecordOptions, dict(options), place)
    spec = GIVEN + place
    if isinstance(thing, Tensor | np.ndarray):
        return _of_array(thing, spec, own, reading)
    if isinstance(thing, Mapping):
        readers = {str(name): reader_of(part, f"{name} of {place}") for name, part in cast(Any, thing).items()}
        if not readers:
            raise DataError(f"{place} is empty\n{WANTED}")
    else:
        readers = {"train": reader_of(thing, place)}
    tables = [reader for reader in readers.values() if isinstance(reader, Table)]
    for table in tables:
        table.choose(own.image, own.label, own.clip)
    return read_source(readers, spec, own, reading)


def place_of(thing: object) -> str:
    """What a thing is called: the name of its class; a loader, that of its data set.

    Example:
        >>> place_of([1, 2])
        'list'
    """
    return place_of(thing.dataset) if isinstance(thing, DataLoader) else type(thing).__name__


def reader_of(thing: Any, place: str) -> Reader:
    """The reader of one part.

    Raises:
        DataError: There is none.
    """
    columns = as_columns(thing, place)
    if columns is not None:
        return Table(columns, place)
    if isinstance(thing, DataLoader):
        return _of_loader(cast("DataLoader[Any]", thing), place)
    if isinstance(thing, str | bytes | Path | Mapping | type):
        raise DataError(f"{str(thing)[:80]!r} is a {type(thing).__name__}, no reader\n{WANTED}")
    if isinstance(thing, Numbered) and not isinstance(thing, IterableDataset):
        return Sequential(thing, place)
    if isinstance(thing, Dataset) and not isinstance(thing, IterableDataset):
        raise DataError(
            f"{place} has no length (__len__), so its examples have no numbers\n"
            "give it __len__, or make it an IterableDataset, which is read one after another"
        )
    if isinstance(thing, Iterable):
        return Stream(cast("Iterable[Any]", thing), place)
    raise DataError(f"a {place} cannot be read\n{WANTED}")


def is_readable(thing: object) -> bool:
    """Whether a thing is a reader rather than rows: what estimators open before they take rows from it."""
    if isinstance(thing, Source | Dataset | DataLoader):
        return True
    datasets = sys.modules.get("datasets")
    if datasets is not None and isinstance(thing, datasets.Dataset | datasets.IterableDataset):
        return True
    return isinstance(thing, Iterable) and not isinstance(thing, Numbered) and not _is_array(thing)


def _is_array(thing: object) -> bool:
    return getattr(thing, "shape", None) is not None or getattr(thing, "__array__", None) is not None


def _of_loader(loader: DataLoader[Any], place: str) -> Reader:
    """A loader's data set where it gives each example once; else its batches, as it makes them."""
    sampler, data = loader.sampler, loader.dataset
    once = isinstance(sampler, SequentialSampler) or (
        isinstance(sampler, RandomSampler) and not sampler.replacement and sampler.num_samples == len(cast(Any, data))
    )
    if once and loader.collate_fn is default_collate and isinstance(data, Numbered):
        return Sequential(data, place)
    return Stream(loader, f"the loader of {place}", batched=loader.batch_sampler is not None)


def _of_array(thing: Any, spec: str, options: RecordOptions, reading: Reading) -> Source:
    source = from_array(thing, scale=options.scale, axes=options.axes)
    if reading.size is not None:
        source = replace(source, train=resized(source.train, reading.size))
    return replace(source, spec=spec)
