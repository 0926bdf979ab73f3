"""Frames of pandas and polars: a row is an example.

A column may hold pictures: arrays, pictures of Pillow's, bytes of files, paths. Where none does, the columns of numbers
are the values of a vector, but for the label's.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.data.readers.fields import LABELS, PICTURES, named
from untaught.data.readers.reader import Ask, Reader
from untaught.data.telling import listed
from untaught.errors import DataError


class Columns(ABC):
    """What both kinds of frame give."""

    names: Sequence[str]
    count: int

    @abstractmethod
    def values(self, name: str) -> Sequence[Any]:
        """All values of a column, None where there is none."""

    @abstractmethod
    def is_number(self, name: str) -> bool:
        """Whether a column holds numbers or truth values."""

    @abstractmethod
    def numbers(self, name: str) -> NDArray[Any]:
        """A column of numbers."""

    def matrix(self, names: Sequence[str]) -> NDArray[Any]:
        """Columns of numbers side by side, `(row, column)`."""
        return np.stack([self.numbers(name) for name in names], 1)


class _Pandas(Columns):
    def __init__(self, frame: Any) -> None:
        self.frame = frame
        self.count = len(frame)
        self.names = [str(name) for name in frame.columns]

    def values(self, name: str) -> Sequence[Any]:
        column = self._column(name)
        return column.astype(object).where(column.notna(), None).tolist()

    def is_number(self, name: str) -> bool:
        return getattr(self._column(name).dtype, "kind", "O") in "biuf"

    def numbers(self, name: str) -> NDArray[Any]:
        column = self._column(name)
        return column.to_numpy(dtype=float, na_value=float("nan")) if column.hasnans else column.to_numpy()

    def _column(self, name: str) -> Any:
        return self.frame.iloc[:, self.names.index(name)]


class _Polars(Columns):
    def __init__(self, frame: Any) -> None:
        self.frame = frame
        self.count = len(frame)
        self.names = list(frame.columns)

    def values(self, name: str) -> Sequence[Any]:
        return self.frame[name].to_list()

    def is_number(self, name: str) -> bool:
        dtype: Any = self.frame[name].dtype
        return dtype.is_numeric() or str(dtype) == "Boolean"

    def numbers(self, name: str) -> NDArray[Any]:
        return self.frame[name].to_numpy()


def as_columns(thing: object, place: str) -> Columns | None:
    """The columns of a frame; None where a thing is no frame.

    Raises:
        DataError: The frame is lazy.
    """
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")  # a frame's library is there already
    if pandas is not None and isinstance(thing, pandas.DataFrame):
        return _Pandas(thing)
    if polars is not None and isinstance(thing, polars.LazyFrame):
        raise DataError(f"{place} is lazy; give frame.collect()")
    return _Polars(thing) if polars is not None and isinstance(thing, polars.DataFrame) else None


class Table(Reader):
    """Rows of a frame."""

    def __init__(self, columns: Columns, place: str) -> None:
        self.columns, self.place = columns, place
        self.fields: dict[str, Sequence[Any] | NDArray[Any]] = {}

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.columns.count

    def asks(self) -> Iterator[Ask]:
        """Go through all rows."""
        return (partial(self.record, number) for number in range(self.columns.count))

    def record(self, number: int) -> dict[str, Any]:
        """The picture, the label and the clip of a row, by the names of their columns, and empty fields of others."""
        others = dict.fromkeys(name for name in self.left_out)
        return {**others, **{name: values[number] for name, values in self.fields.items()}}

    def choose(self, image: str | int | None, label: str | int | None, clip: str | None) -> None:
        """Choose the columns.

        Raises:
            DataError: There is no such column, or none with pictures or numbers.
        """
        names = self.columns.names
        for name in (image, label, clip):
            if name is not None and name not in names:
                raise DataError(f"{self.place} has no column {name!r}; there are: {listed(names, 20)}")
        numbers = [name for name in names if self.columns.is_number(name)]
        picture = image if image is not None else named([name for name in names if name not in numbers], PICTURES)
        label = label if label is not None else named(names, LABELS)
        beside = [str(name) for name in (label, clip) if name is not None]
        values = [name for name in numbers if name not in beside]
        if picture is None and not values:
            raise DataError(
                f"{self.place} has no column of pictures or of numbers; there are: {listed(names, 20)}\n"
                "image=NAME says which one has pictures, paths or arrays"
            )
        own = {"x": self.columns.matrix(values)} if picture is None else {str(picture): self._values(str(picture))}
        self.fields = {**own, **{name: self._values(name) for name in beside}}
        used = values if picture is None else [str(picture)]
        self.left_out = [name for name in names if name not in (*used, *beside)]

    def _values(self, name: str) -> Sequence[Any]:
        return self.columns.values(name)
