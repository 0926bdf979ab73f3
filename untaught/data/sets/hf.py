"""Data sets of the Hugging Face hub, or saved by their library: hf:NAME, hf:FOLDER.

What stands behind the colon is the name of a set on the hub, which is downloaded into that library's own cache, or a
folder: one that `save_to_disk` wrote, or one with files of Parquet, CSV, JSON or pictures as that library reads them.
A file of these kinds can stand there too. `train`, `validation` and `test` become the parts; `?split=NAME` takes one.
With `?streaming=true` nothing is downloaded beforehand: examples are read one after another, in order. The library
`datasets` is needed: `pip install untaught[stream]`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from untaught.config import Flat, configuration
from untaught.data.readers.reader import Reader
from untaught.data.readers.sources import RecordOptions, read_source
from untaught.data.readers.things import reader_of
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.errors import DataError

BUILDERS = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "json", ".arrow": "arrow"}
"""What opens a file by its ending."""
SAVED = ("dataset_dict.json", "state.json")
"""Files by which a folder is known that `save_to_disk` wrote."""


@configuration
class Options:
    """Which part of a set, and how it is read."""

    split: str | None = None
    """One part by its name, `train`, or a piece of one, `train[:10%]`; by default all."""
    config: str | None = None
    """The set's configuration, where it has several."""
    streaming: bool = False
    """Read examples one after another from the network, instead of downloading all first."""
    records: Flat[RecordOptions] = RecordOptions()
    """What is taken of each example."""


def load(path: Path | None, options: Options) -> Source:
    """Open a set."""
    return open_path(path, options, Reading())


def open_path(path: Path | None, options: Options, reading: Reading) -> Source:
    """Open a set; what does not fit into memory is read by number, and a stream is kept on disk.

    Raises:
        DataError: The library is missing, the set is not to be had, or an example is broken.
    """
    if path is None:
        raise DataError("hf takes the name of a data set, or a folder: hf:ylecun/mnist, hf:FOLDER")
    place = f"hf:{path}"
    found = _loaded(path, options, place)
    parts: Mapping[str, Any] = cast(Any, found) if isinstance(found, Mapping) else {options.split or "train": found}
    several = len(parts) > 1
    readers: dict[str, Reader] = {
        name: reader_of(part, f"{name} of {place}" if several else place) for name, part in parts.items()
    }
    return read_source(readers, place, options.records, reading)


def _loaded(path: Path, options: Options, place: str) -> Any:
    """What the library makes of a name or a folder: a set, or one for each part."""
    try:
        datasets: Any = importlib.import_module("datasets")
    except ImportError as error:
        raise DataError("hf needs the library datasets: pip install untaught[stream]") from error
    try:
        if any((path / name).exists() for name in SAVED):
            return _saved(datasets.load_from_disk(str(path)), options, place)
        return _fetched(datasets, path, options)
    except DataError:
        raise
    except Exception as error:  # the library raises a dozen kinds, for wrong names and for a network that is missing
        said = str(error).strip().partition("\n")[0][:200]
        hint = (
            ""
            if path.exists()
            else "\na name is that of a set on the hub, as ylecun/mnist; a folder is given by its path"
        )
        raise DataError(f"cannot open {place}: {type(error).__name__}: {said}{hint}") from error


def _fetched(datasets: Any, path: Path, options: Options) -> Any:
    said: dict[str, Any] = {"name": options.config, "split": options.split, "streaming": options.streaming}
    if path.is_file():
        builder = BUILDERS.get(path.suffix.lower())
        if builder is None:
            raise DataError(f"{path} is no file that hf reads; known: {' '.join(BUILDERS)}")
        return datasets.load_dataset(builder, data_files=str(path), **said)
    return datasets.load_dataset(str(path), **said)


def _saved(found: Any, options: Options, place: str) -> Any:
    """A set that was saved, or one of its parts; streamed where that is asked for."""
    parts: Mapping[str, Any] = cast(Any, found) if isinstance(found, Mapping) else {"train": found}
    if options.split is not None:
        if options.split not in parts:
            raise DataError(f"{place} has no part {options.split!r}; there are: {', '.join(parts)}")
        parts = {options.split: parts[options.split]}
    return {name: part.to_iterable_dataset() if options.streaming else part for name, part in parts.items()}
