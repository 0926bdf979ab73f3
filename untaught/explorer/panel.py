"""A panel of the page: when a run has it, what the page must know of it, and the requests that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from untaught.errors import ConfigError
from untaught.explorer.explored import Explored

Number = TypeVar("Number", int, float)
Answer = bytes | dict[str, Any]
"""A message of `wire.pack`, or JSON."""

SMALL = 2**22
"""Bytes of a request, unless it says otherwise."""


@dataclass(frozen=True)
class Asked:
    """A request: the words behind the question mark, and its body."""

    query: Mapping[str, str]
    body: bytes = b""

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within bounds.

        Raises:
            ConfigError: It is missing, no number, or out of bounds.

        Example:
            >>> Asked({"count": "3"}).whole("count", 1, 9)
            3
        """
        return self._between(name, "" if default is None else str(default), int, "whole number", low, high)

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A number within bounds.

        Raises:
            ConfigError: It is no number, or out of bounds.
        """
        return self._between(name, str(default), float, "number", low, high)

    def _between(
        self, name: str, default: str, read: Callable[[str], Number], kind: str, low: Number, high: Number
    ) -> Number:
        text = self.query.get(name, default)[:40]
        try:
            value = read(text)
        except ValueError:
            raise ConfigError(f"{name} = {text!r} is no {kind}") from None
        if not low <= value <= high:
            raise ConfigError(f"{name} = {value}: should be from {low} to {high}")
        return value

    def word(self, name: str, allowed: Sequence[str]) -> str:
        """One of several words; the first where none is given.

        Raises:
            ConfigError: It is none of them.
        """
        value = self.query.get(name, allowed[0])
        if value not in allowed:
            raise ConfigError(f"{name} = {value[:40]!r}: there are {', '.join(allowed[:20])}")
        return value


@dataclass(frozen=True)
class Request:
    """One kind of request."""

    answer: Callable[[Explored, Asked], Answer]
    slow: bool = False
    """Whether it may take seconds; such requests wait for each other, and quick ones do not wait for them."""
    most: int = SMALL
    """Bytes that its body may have."""


@dataclass(frozen=True)
class Panel:
    """A panel of the page."""

    name: str
    applies: Callable[[Explored], bool]
    about: Callable[[Explored], dict[str, Any]]
    """What the page must know before its first request."""
    requests: Mapping[str, Request] = field(default_factory=lambda: {})
