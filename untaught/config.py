"""Configurations: validated frozen dataclasses that become flags, JSON and documentation.

A field's docstring is the only description of it: the command line's help, the documentation's tables and the
JSON schema all read it here. A configuration never inherits from another.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, dataclass_transform

import pydantic
from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as pydantic_dataclass

from untaught.errors import ConfigError

T = TypeVar("T")

Count = Annotated[int, pydantic.Field(ge=1)]
"""A whole number from 1."""
Whole = Annotated[int, pydantic.Field(ge=0)]
"""A whole number from 0."""
Positive = Annotated[float, pydantic.Field(gt=0)]
"""A number above 0."""
NonNegative = Annotated[float, pydantic.Field(ge=0)]
"""A number from 0."""
Fraction = Annotated[float, pydantic.Field(ge=0, lt=1)]
"""A number from 0 to below 1."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field,))
def configuration(cls: type[T]) -> type[T]:
    """Make a class a configuration: frozen, keyword-only, every value checked, unknown keys refused.

    Example:
        >>> @configuration
        ... class Config:
        ...     hidden: int = 500
        >>> Config(hidden=3).hidden
        3
    """
    settings = ConfigDict(extra="forbid", use_attribute_docstrings=True, arbitrary_types_allowed=False)
    make: Callable[[type[T]], type[T]] = pydantic_dataclass(frozen=True, kw_only=True, config=settings)  # type: ignore[assignment]
    return make(cls)


@dataclasses.dataclass(frozen=True)
class FieldDescription:
    """One field of a configuration, as documentation shows it."""

    name: str
    type: str
    default: str
    text: str


def fields(cls: type[Any]) -> tuple[FieldDescription, ...]:
    """Describe every field of a configuration, in order."""
    hints = typing.get_type_hints(cls)
    schema: dict[str, Any] = typing.cast(Any, cls).__pydantic_fields__
    described: list[FieldDescription] = []
    for name, info in schema.items():
        default = info.get_default(call_default_factory=True)
        described.append(FieldDescription(name, _type_name(hints[name]), repr(default), info.description or ""))
    return tuple(described)


def to_json(config: Any) -> dict[str, Any]:
    """Give a configuration as plain JSON values."""
    return TypeAdapter(type(config)).dump_python(config, mode="json")


def from_json(cls: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """Build a configuration from JSON values.

    Raises:
        ConfigError: A key is unknown or a value is not allowed; the message names it.
    """
    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except pydantic.ValidationError as error:
        raise ConfigError(explain(error, cls, where)) from error


def explain(error: pydantic.ValidationError, cls: type[Any], where: str = "") -> str:
    """Say in one or two lines which value is wrong and what would be right."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    at = f" in {where}" if where else ""
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = [field.name for field in fields(_inside(cls, first["loc"][:-1]))]
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        return f"unknown field {place!r}{at}; {hint}"
    return f"{place}{at} = {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _inside(cls: type[Any], place: tuple[int | str, ...]) -> type[Any]:
    """The configuration nested at a place, through optional fields too; the outer one where that is not clear."""
    for part in place:
        hint = typing.get_type_hints(cls).get(str(part))
        choices = [hint, *typing.get_args(hint)]
        nested = [choice for choice in choices if dataclasses.is_dataclass(choice)]
        cls = typing.cast("type[Any]", nested[0]) if nested else cls
    return cls


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
