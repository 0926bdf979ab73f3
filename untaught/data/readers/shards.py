"""Shards as webdataset writes them: tar files in which the files of one example follow one another.

`000017.jpg`, `000017.cls` and `000017.json` are one example, called 000017; what lies behind the first dot of a name
is its field. Of plain tar files a table of the places of all files is made, so that examples are read by number;
compressed ones are gone through in order. Fields: pictures; `cls`, a class, its number or name; `txt`, text; `json`,
whose own entries are fields too; `npy`, an array, and `npz`, of which `x` is taken. Nothing is unpickled: fields such
as `pyd`, `pickle` and `pth` are left out.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from untaught.data.readers.reader import Ask, Reader, cannot_read
from untaught.data.readers.shard_names import shard_files
from untaught.data.readers.sources import RecordOptions as Options
from untaught.data.readers.sources import read_source
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.errors import DataError

PICKLED = frozenset({"pyd", "pickle", "pkl", "pth", "pt", "ten", "tb"})
"""Fields that could only be unpickled, or are of formats that we do not read."""


class Span(NamedTuple):
    """Where one file lies in a shard."""

    shard: Path
    begin: int
    size: int


Spans = dict[str, Span]
"""The files of one example, by field."""


class PlainShards(Reader):
    """Examples of tar files that are not compressed, by number."""

    def __init__(self, files: Sequence[Path], place: str) -> None:
        self.place = place
        self.examples = [example for file in files for example in _table(file)]

    @property
    def count(self) -> int:
        """How many examples there are."""
        return len(self.examples)

    def asks(self) -> Iterator[Ask]:
        """Go through all shards in order."""
        return (partial(self.record, number) for number in range(len(self.examples)))

    def record(self, number: int) -> dict[str, Any]:
        """Read one example.

        Raises:
            DataError: Its shard has gone or is cut off, or a field is broken.
        """
        key, spans = self.examples[number]
        name = f"{key} of {self.place}"
        return decoded(key, {field: _content(span, name) for field, span in spans.items()}, name)


class PackedShards(Reader):
    """Examples of compressed tar files, one after another."""

    def __init__(self, files: Sequence[Path], place: str) -> None:
        self.files, self.place = files, place

    @property
    def count(self) -> None:
        """Not known."""
        return None

    def asks(self) -> Iterator[Ask]:
        """Go through all shards in order."""
        for file in self.files:
            key, fields = "", dict[str, bytes]()
            for own, field, content in _contents(file):
                if own != key and fields:
                    yield partial(decoded, key, fields, f"{key} of {self.place}")
                    fields = {}
                key, fields = own, {**fields, field: content}
            if fields:
                yield partial(decoded, key, fields, f"{key} of {self.place}")

    def record(self, number: int) -> Any:
        """Examples of compressed files have no places."""
        raise DataError(f"{self.place} is compressed, and gives its examples one after another")


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open shards; the path is a file, a folder or a pattern.

    Raises:
        DataError: A shard is missing or cut off, or an example is broken.
    """
    files = shard_files(str(path))
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise DataError(f"{len(missing)} of {len(files)} shards are missing, the first is {missing[0]}")
    plain = all(file.suffix.lower() == ".tar" for file in files)
    reader = PlainShards(files, path.name) if plain else PackedShards(files, path.name)
    return read_source({"train": reader}, str(path), options, reading)


def decoded(key: str, fields: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """The fields of one example: pictures stay bytes, all others become what their names say.

    Raises:
        DataError: A field is broken.

    Example:
        >>> decoded("7", {"cls": b"3", "json": b'{"who": "ann"}', "pyd": b""}, "7")
        {'__key__': '7', 'cls': 3, 'who': 'ann'}
    """
    record: dict[str, Any] = {"__key__": key}
    for field, content in fields.items():
        kind = field.rpartition(".")[2].lower()
        if kind in PICKLED:
            continue
        try:
            value = _value(kind, content)
        except Exception as error:  # as many kinds as there are formats
            raise cannot_read(f"{field} of {name}", error) from error
        record |= value if kind == "json" and isinstance(value, dict) else {field: value}
    return record


def _value(kind: str, content: bytes) -> Any:
    if kind in ("cls", "index", "inx", "id"):
        text = content.decode("utf-8").strip()
        return int(text) if text.lstrip("-").isdecimal() else text
    if kind in ("txt", "text", "transcript"):
        return content.decode("utf-8")
    if kind == "json":
        return json.loads(content)
    if kind == "npy":
        return np.load(BytesIO(content), allow_pickle=False)
    if kind == "npz":
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            return arrays["x" if "x" in arrays.files else arrays.files[0]]
    return content


def _members(shard: tarfile.TarFile) -> Iterator[tuple[str, str, tarfile.TarInfo]]:
    """Name and field of every file of an example."""
    for member in shard:
        path = PurePosixPath(member.name)
        own, dot, field = path.name.partition(".")
        if member.isfile() and own and dot:
            yield str(path.parent / own), field, member


def _table(file: Path) -> Iterator[tuple[str, Spans]]:
    """Examples of a shard in order; neighbours of one name are one example."""
    spans, key = Spans(), ""
    size = file.stat().st_size
    try:
        with tarfile.open(file, "r:") as shard:
            for own, field, member in _members(shard):
                if member.offset_data + member.size > size:
                    raise tarfile.ReadError(f"it ends inside {member.name}")
                if own != key and spans:
                    yield key, spans
                    spans = Spans()
                key, spans = own, {**spans, field: Span(file, member.offset_data, member.size)}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{file} is no tar file, or is cut off: {error}") from error
    if spans:
        yield key, spans


def _contents(file: Path) -> Iterator[tuple[str, str, bytes]]:
    """Name, field and content of every file of a compressed shard."""
    try:
        with tarfile.open(file, "r|*") as shard:
            for own, field, member in _members(shard):
                content = shard.extractfile(member)
                yield own, field, b"" if content is None else content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{file} is no tar file, or is cut off: {error}") from error


def _content(span: Span, name: str) -> bytes:
    try:
        with span.shard.open("rb") as file:
            file.seek(span.begin)
            content = file.read(span.size)
    except OSError as error:
        raise cannot_read(name, error) from error
    if len(content) < span.size:
        raise DataError(f"{name} is cut off: {span.shard} has changed since it was opened")
    return content
