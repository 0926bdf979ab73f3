"""What every reader does: give its records by number, or one after another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from untaught.errors import DataError

Ask = Callable[[], Any]
"""Gives a record, or raises what is wrong with it."""


class Reader(ABC):
    """A series of records in a fixed order."""

    place: str
    """What errors and notes call it."""
    draws: bool = False
    """Whether it may apply random transforms."""

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many records there are, where each can be read by its number; None where they only follow one another."""

    @abstractmethod
    def asks(self) -> Iterator[Ask]:
        """Go through all records in order; each is read when it is asked for.

        Raises:
            DataError: The reader broke off.
        """

    @abstractmethod
    def record(self, number: int) -> Any:
        """Read one record by its number.

        Raises:
            DataError: It cannot be read.
        """

    def class_names(self, field: str | None) -> Sequence[str]:
        """Names of the classes in the order of their numbers, where the reader knows them."""
        del field
        return ()


def cannot_read(name: str, error: Exception) -> DataError:
    """What is said where a reader raises an error of its own."""
    said = str(error).strip().partition("\n")[0][:200]
    return DataError(f"{name} cannot be read: {type(error).__name__}{': ' if said else ''}{said}")
