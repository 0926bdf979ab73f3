"""One flag: a field of a configuration on the command line.

tyro knows how many words a type takes and how help shows them; pydantic checks the value; error messages are
written here.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Annotated, Any

import pydantic
import tyro
from pydantic_core import PydanticUndefined
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from untaught.errors import ConfigError


@dataclass(frozen=True)
class Words:
    """The words that follow a flag."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Flag:
    """One field as a command-line flag."""

    group: str
    field: str
    name: str
    """`--name`, or the name alone where it is positional."""
    hint: Any
    default: Any
    """`PydanticUndefined` if the field must be given."""
    text: str
    positional: bool = False
    entry: str = ""
    """The key, where the field holds values by key and this flag gives one of them."""

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value: `--name` or `--no-name`."""
        return bare(self.hint) is bool

    @property
    def is_keyed(self) -> bool:
        """Whether it holds values by key, each given by a flag of its own: `--epochs.NAME`."""
        return typing.get_origin(bare(self.hint)) is dict

    @property
    def value_hint(self) -> Any:
        """The type of the value that follows the flag."""
        return typing.get_args(bare(self.hint))[1] if self.is_keyed else self.hint

    @property
    def _is_text(self) -> bool:
        kinds = typing.get_args(self.value_hint) or (self.value_hint,)
        return set(kinds) <= {str, type(None)}

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is PydanticUndefined

    @property
    def key(self) -> str:
        """Its name among all flags of a command."""
        return re.sub(r"\W", "_", f"{self.group}_{self.field}_{self.entry}")

    def entries(self, words: Sequence[str]) -> list[Flag]:
        """For a field that holds values by key: a flag for each key that was given, `--epochs.lower`."""
        prefix = f"--{self.name.rpartition('.')[0]}."
        keys = [word.removeprefix(prefix).partition("=")[0] for word in words if word.startswith(prefix)]
        return [replace(self, name=f"{prefix[2:]}{key}", entry=key) for key in keys]

    @property
    def shown_name(self) -> str:
        """Its name in messages."""
        return self.field.upper() if self.positional else f"--{self.name}"

    @property
    def spec(self) -> PrimitiveConstructorSpec[Any]:
        """How many words it takes and how help shows them, by tyro's rule for the type; the words are not converted."""
        found = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(bare(self.value_hint), set()))
        if not isinstance(found, PrimitiveConstructorSpec):
            raise TypeError(f"a field of type {self.hint} cannot be a flag: {self.group}.{self.field}")
        return PrimitiveConstructorSpec(
            nargs=found.nargs,
            metavar=self.field.upper() if self._is_text else _metavar(found.metavar),
            instance_from_str=lambda words: Words(tuple(words)),
            is_instance=lambda value: True,
            str_from_instance=_shown,
        )


def checked(flag: Flag, words: tuple[str, ...]) -> Any:
    """Turn typed words into a value of the field's type.

    Raises:
        ConfigError: The value is not allowed.
    """
    several = typing.get_origin(bare(flag.value_hint)) is tuple or flag.spec.nargs != 1
    empty = words in (("none",), ("None",)) and type(None) in typing.get_args(bare(flag.value_hint))
    value = None if empty else list(words) if several else words[0]
    try:
        return pydantic.TypeAdapter(flag.value_hint).validate_python(value)
    except pydantic.ValidationError as error:
        raise ConfigError(_explained(flag, words, error)) from error


def _explained(flag: Flag, words: tuple[str, ...], error: pydantic.ValidationError) -> str:
    wrong = error.errors(include_url=False)[0]
    allowed = [str(choice) for choice in typing.get_args(bare(flag.value_hint))]
    close = get_close_matches(" ".join(words), allowed, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{flag.shown_name} {' '.join(words)}: {wrong['msg'][0].lower()}{wrong['msg'][1:]}{hint}"


def tyro_field(flag: Flag) -> tuple[str, Any, Any]:
    """One flag as a field for tyro, with help, a default and the number of words it takes."""
    told = tyro.conf.arg(
        name=flag.name,
        help=" ".join(flag.text.split()),
        help_behavior_hint="(required)"
        if flag.is_required
        else f"(default: {' '.join(_shown(flag.default)) or 'none'})",
    )
    kind: Any = Annotated[bool, told] if flag.is_switch else Annotated[Any, flag.spec, told]
    default = flag.default if flag.is_switch else None
    return flag.key, tyro.conf.Positional[kind] if flag.positional else kind, dataclasses.field(default=default)


def bare(hint: Any) -> Any:
    """A type without pydantic's limits."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def _metavar(metavar: str) -> str:
    """Write tyro's `[INT [INT ...]]` as `INT ...`, and its `{None}|INT` as `none|INT`."""
    return re.sub(r"\{?\[(.+?) \[\1 \.\.\.\]\]\}?", r"\1 ...", metavar.replace("{None}", "none")).replace(
        "{None,", "{none,"
    )


def _shown(value: Any) -> list[str]:
    if value is None or value == {}:
        return ["none"]
    return [str(part) for part in value] if isinstance(value, (tuple, list)) else [str(value)]
