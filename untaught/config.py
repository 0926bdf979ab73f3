"""Configurations: validated frozen dataclasses that become flags, JSON and documentation.

A field's docstring is the only description of it: the command line's help, the documentation's tables and the
JSON schema all read it here. A configuration never inherits from another. Fields that several share
form a configuration of their own, which each holds in a `Flat` field: keywords, flags, JSON and documentation treat
the inner fields as if they were the outer configuration's own.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar, dataclass_transform

import pydantic
from pydantic import ConfigDict, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import ArgsKwargs

from untaught.errors import ConfigError

T = TypeVar("T")

# What torch computes in has bounds: whole numbers of 64 bits, others of float32.
_MOST, _LARGEST = 2**62, 1e38

Count = Annotated[int, pydantic.Field(ge=1, le=_MOST)]
"""A whole number from 1."""
Whole = Annotated[int, pydantic.Field(ge=0, le=_MOST)]
"""A whole number from 0."""
Positive = Annotated[float, pydantic.Field(gt=0, le=_LARGEST)]
"""A number above 0."""
NonNegative = Annotated[float, pydantic.Field(ge=0, le=_LARGEST)]
"""A number from 0."""
Probability = Annotated[float, pydantic.Field(ge=0, le=1)]
"""A number from 0 to 1."""
Fraction = Annotated[float, pydantic.Field(ge=0, lt=1)]
"""A number from 0 to below 1."""

_FLAT = "flat"
Flat: TypeAlias = Annotated[T, _FLAT]
"""A configuration inside another, whose fields are treated as the outer one's."""


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
    within, by_name = typing.cast(Any, cls), typing.cast(Any, classmethod(_gathered))
    within.gathered = model_validator(mode="before")(by_name)
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
    hint: Any
    """Its type with pydantic's limits."""
    value: Any
    """Its default; `PydanticUndefined` where it must be given."""


@cache
def fields(cls: type[Any]) -> tuple[FieldDescription, ...]:
    """Describe every field of a configuration, in order."""
    hints, plain = typing.get_type_hints(cls, include_extras=True), typing.get_type_hints(cls)
    schema: dict[str, Any] = cls.__pydantic_fields__
    described: list[FieldDescription] = []
    for name, info in schema.items():
        default = info.get_default(call_default_factory=True)
        if name in _flat(cls):
            inside = values(default)
            for own in fields(plain[name]):
                value = inside[own.name]
                described.append(dataclasses.replace(own, default=repr(value), value=value))
        else:
            shown = _type_name(plain[name]), repr(default), info.description or ""
            described.append(FieldDescription(name, *shown, hints[name], default))
    return tuple(described)


def values(config: Any) -> dict[str, Any]:
    """Give every field of a configuration by name."""
    return _lifted(type(config), {field.name: getattr(config, field.name) for field in dataclasses.fields(config)})


def to_json(config: Any) -> dict[str, Any]:
    """Give a configuration as plain JSON values."""
    return _lifted(type(config), TypeAdapter(type(config)).dump_python(config, mode="json"))


def unusual(config: Any) -> dict[str, Any]:
    """Give the fields of a configuration that differ from their defaults, as plain JSON values."""
    usual = {field.name: field.value for field in fields(type(config))}
    own, shown = values(config), to_json(config)
    return {name: shown[name] for name, value in own.items() if value != usual[name]}


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
    place = ".".join(str(part) for part in first["loc"] if part not in _flat(cls))
    at = f" in {where}" if where else ""
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        # A field that Python keeps for itself, `from`, has an underscore in ours.
        known = [field.name.rstrip("_") for field in fields(_inside(cls, first["loc"][:-1]))]
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        return f"unknown field {place!r}{at}; {hint}"
    return f"{place}{at} = {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


@cache
def _flat(cls: type[Any]) -> dict[str, frozenset[str]]:
    """Fields that hold a `Flat` configuration, with the names inside."""
    hints = typing.get_type_hints(cls)
    schema: dict[str, Any] = cls.__pydantic_fields__
    held = [name for name, info in schema.items() if _FLAT in info.metadata]
    return {name: frozenset(own.name for own in fields(hints[name])) for name in held}


def _gathered(cls: type[Any], given: Any) -> Any:
    """Move values given by name into the `Flat` configuration with that field; its other fields keep their defaults."""
    found = given.kwargs if isinstance(given, ArgsKwargs) and not given.args else given
    if not isinstance(found, Mapping):
        return given
    left = dict(typing.cast("Mapping[str, Any]", found))
    for holder, names in _flat(cls).items():
        if inside := {name: left.pop(name) for name in names & left.keys()}:
            before = left.get(holder, cls.__pydantic_fields__[holder].get_default(call_default_factory=True))
            left[holder] = {**(before if isinstance(before, Mapping) else values(before)), **inside}
    return left


def _lifted(cls: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `_gathered`: replace each `Flat` configuration by its fields."""
    lifted: dict[str, Any] = {}
    for name, value in given.items():
        if name in _flat(cls):
            lifted |= value if isinstance(value, dict) else values(value)
        else:
            lifted[name] = value
    return lifted


def _inside(cls: type[Any], place: tuple[int | str, ...]) -> type[Any]:
    """The configuration nested at a place, also inside optional fields; the outer one where that is ambiguous."""
    for part in place:
        hint = typing.get_type_hints(cls).get(str(part))
        choices = [hint, *typing.get_args(hint)]
        nested = [choice for choice in choices if dataclasses.is_dataclass(choice)]
        cls = typing.cast("type[Any]", nested[0]) if nested else cls
    return cls


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
