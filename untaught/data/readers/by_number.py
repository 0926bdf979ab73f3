"""Readers that know their length: lists, torch data sets, Hugging Face data sets, and all that are like them.

One record is read at a time, whatever the number of threads that ask: a data set of other people's may share a file
between its records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from torch.utils.data import Dataset

from untaught.data.readers.reader import Ask, Reader, cannot_read
from untaught.errors import DataError


@runtime_checkable
class Numbered(Protocol):
    """What has records by number, and says how many."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Any: ...


class Sequential(Reader):
    """Records of a thing that has them by number."""

    def __init__(self, thing: Numbered, place: str) -> None:
        self.thing, self.place = thing, place
        self._length = _length(thing, place)
        self.draws = isinstance(thing, Dataset)
        self._one_at_a_time = Lock()

    @property
    def count(self) -> int:
        """How many records there are."""
        return self._length

    def asks(self) -> Iterator[Ask]:
        """Go through all numbers."""
        return (partial(self.record, number) for number in range(self._length))

    def record(self, number: int) -> Any:
        """Read one record; an error of the thing's own is told in its words."""
        with self._one_at_a_time:
            return _read(lambda: self.thing[number], f"example {number} of {self.place}")

    def class_names(self, field: str | None) -> Sequence[str]:
        """Names that a Hugging Face data set has for a field, or a torch data set for all its classes."""
        return names_of(self.thing, field)


def names_of(thing: object, field: str | None) -> Sequence[str]:
    """Names of classes that a data set knows.

    Example:
        >>> names_of([1, 2], "label")
        ()
    """
    features: Any = getattr(thing, "features", None)
    if isinstance(features, Mapping):
        names: Any = getattr(features.get(field), "names", None)
    else:
        names = getattr(thing, "classes", None)
    return tuple(map(str, names)) if isinstance(names, Sequence) and not isinstance(names, str) else ()


def _length(thing: Numbered, place: str) -> int:
    try:
        return len(thing)
    except Exception as error:
        raise DataError(
            f"{place} does not say how many examples it has: {type(error).__name__}: {error}\n"
            "give it __len__, or give iter(...) of it, which is read one after another"
        ) from error


def _read(read: Callable[[], Any], name: str) -> Any:
    try:
        return read()
    except DataError:
        raise
    except Exception as error:  # whatever other people's readers raise
        raise cannot_read(name, error) from error
