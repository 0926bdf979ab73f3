"""Readers that do not know their length: generators, loaders of batches, streamed data sets.

A stream is read once, from its beginning to its end, and its frames are kept. What a loader puts into batches is taken
apart again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from untaught.data.readers.by_number import names_of
from untaught.data.readers.reader import Ask, Reader, cannot_read
from untaught.errors import DataError


class Stream(Reader):
    """Records that follow one another."""

    def __init__(self, thing: Iterable[Any], place: str, batched: bool = False) -> None:
        self.thing, self.place, self.batched = thing, place, batched
        self.draws = isinstance(thing, Dataset | DataLoader)

    @property
    def count(self) -> None:
        """Not known."""
        return None

    def asks(self) -> Iterator[Ask]:
        """Go through the stream once."""
        for each in self._each():
            for record in apart(each) if self.batched else (each,):
                yield partial(_given, record)

    def record(self, number: int) -> Any:
        """Records of a stream have no numbers."""
        raise DataError(f"{self.place} gives its examples one after another, and not by number")

    def class_names(self, field: str | None) -> Sequence[str]:
        """Names that a Hugging Face data set has for a field."""
        return names_of(self.thing, field)

    def _each(self) -> Iterator[Any]:
        number = 0
        try:
            for number, each in enumerate(self.thing, 1):  # noqa: B007
                yield each
        except DataError:
            raise
        except Exception as error:  # whatever other people's readers raise
            what = "batch" if self.batched else "example"
            raise cannot_read(f"{what} {number} of {self.place}", error) from error


def apart(batch: Any) -> Iterator[Any]:
    """Records of a batch: rows of a tensor; pairs of rows of several; fields of rows.

    Raises:
        DataError: It is nothing of that kind.

    Example:
        >>> [one for one in apart({"x": np.array([[1], [2]]), "label": ["a", "b"]})]
        [{'x': array([1]), 'label': 'a'}, {'x': array([2]), 'label': 'b'}]
    """
    if isinstance(batch, Mapping):
        fields = cast(Mapping[str, Any], batch)
        return (dict(zip(fields, row, strict=True)) for row in _rows(list(fields.values())))
    if isinstance(batch, tuple) or (isinstance(batch, list) and batch and isinstance(batch[0], Tensor | np.ndarray)):
        return iter(_rows(list(cast(Sequence[Any], batch))))
    if isinstance(batch, Tensor | np.ndarray | list):
        return iter(cast(Iterable[Any], batch))
    raise DataError(
        f"a batch of the loader is a {type(batch).__name__}; wanted: a tensor, a tuple or a mapping of them"
    )


def _rows(columns: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    counts = {len(column) for column in columns}
    if len(counts) > 1:
        raise DataError(
            f"tensors of one batch have {', '.join(map(str, sorted(counts)))} rows; wanted: as many in each"
        )
    return zip(*columns, strict=True)


def _given(record: Any) -> Any:
    return record
