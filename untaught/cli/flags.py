"""Flags: a command's arguments are fields of configurations.

tyro writes the help and tells flags from values; pydantic checks every value; what is wrong is said here, in one or
two lines. A flag's help is its field's docstring, its default the configuration's.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

import pydantic
import tyro
from pydantic_core import PydanticUndefined
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from untaught.config import fields
from untaught.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The fields of one configuration, shown together in a command's help."""

    title: str
    config: type[Any]
    defaults: Mapping[str, Any] = field(default_factory=lambda: {})
    """Where the defaults are not the configuration's own."""
    hidden: frozenset[str] = frozenset()
    """Fields that are no flags."""
    positional: frozenset[str] = frozenset()
    """Fields that are given by their place."""


@dataclass(frozen=True)
class Words:
    """What a person typed after a flag."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Flag:
    """One field as a person types it."""

    group: str
    field: str
    name: str
    """`--name`, or the name alone where it is positional."""
    hint: Any
    default: Any
    """`PydanticUndefined` where the field must be given."""
    text: str
    positional: bool

    @property
    def is_switch(self) -> bool:
        """Whether it stands without a value: `--name` or `--no-name`."""
        return _bare(self.hint) is bool

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is PydanticUndefined

    @property
    def key(self) -> str:
        """Its name among all flags of a command."""
        return f"{self.group}_{self.field}"

    @property
    def spec(self) -> PrimitiveConstructorSpec[Any]:
        """How many words it takes and how help shows them, by tyro's own rule for the type; the words stay words."""
        found = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(_bare(self.hint), set()))
        if not isinstance(found, PrimitiveConstructorSpec):
            raise TypeError(f"a field of type {self.hint} cannot be a flag: {self.group}.{self.field}")
        return PrimitiveConstructorSpec(
            nargs=found.nargs,
            metavar=self.field.upper() if _bare(self.hint) is str else _metavar(found.metavar),
            instance_from_str=lambda words: Words(tuple(words)),
            is_instance=lambda value: True,
            str_from_instance=_shown,
        )


def parse(groups: Sequence[Group], words: Sequence[str], prog: str, about: str) -> dict[str, dict[str, Any]]:
    """Read arguments: for each group, by title, the fields that were given, checked.

    Raises:
        ConfigError: A flag is unknown, or a value is missing or not allowed; the message names it.
        SystemExit: Help was asked for and has been printed.
    """
    flags = flags_of(groups)
    asks_help = any(word in ("-h", "--help") for word in words)
    if not asks_help:
        _check_names(flags, words, prog)
    answer, left = _split(groups, flags, words, prog, about, asks_help)
    if left:
        raise ConfigError(f"{prog} has no place for {' '.join(left)!r}; see {prog} --help")
    given = {group.title: _given([flag for flag in flags if flag.group == group.title], answer) for group in groups}
    missing = [flag for flag in flags if flag.is_required and flag.field not in given[flag.group]]
    if missing:
        wanted = ", ".join(flag.spec.metavar if flag.positional else f"--{flag.name}" for flag in missing)
        raise ConfigError(f"{prog} needs {wanted}; see {prog} --help")
    return given


def read(cls: type[T], words: Sequence[str], prog: str, positional: Sequence[str] = ()) -> T:
    """Read the arguments of a command that has one configuration.

    Raises:
        ConfigError: As `parse`.
        SystemExit: Help was asked for and has been printed.
    """
    group = Group("command", cls, positional=frozenset(positional))
    return cls(**parse([group], words, prog, inspect.cleandoc(cls.__doc__ or ""))["command"])


def flags_of(groups: Iterable[Group]) -> list[Flag]:
    """Every flag of some configurations; the second of two fields with one name is prefixed with its group's title."""
    flags: list[Flag] = []
    for group in groups:
        hints = typing.get_type_hints(group.config, include_extras=True)
        own = typing.cast(Any, group.config).__pydantic_fields__
        for described in fields(group.config):
            name, plain = described.name, described.name.replace("_", "-")
            if name in group.hidden:
                continue
            shown = f"{group.title}-{plain}" if any(flag.name == plain for flag in flags) else plain
            default = group.defaults.get(name, own[name].get_default(call_default_factory=True))
            flags.append(Flag(group.title, name, shown, hints[name], default, described.text, name in group.positional))
    return flags


def _check_names(flags: Sequence[Flag], words: Sequence[str], prog: str) -> None:
    """Refuse a flag that there is not, and one whose value is missing."""
    known = {flag.name: flag for flag in flags if not flag.positional}
    spellings = ["help", *known, *(f"no-{flag.name}" for flag in flags if flag.is_switch)]
    for place, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, _ = word[2:].replace("_", "-").partition("=")
        if name not in spellings:
            close = get_close_matches(name, spellings, n=1)
            raise ConfigError(
                f"unknown flag --{name}; {f'did you mean --{close[0]}?' if close else f'see {prog} --help'}"
            )
        flag = known.get(name)
        values = list(itertools.takewhile(lambda word: not word.startswith("--"), words[place + 1 :]))
        needed = 0 if flag is None or flag.is_switch or equals else flag.spec.nargs
        if flag and isinstance(needed, int) and len(values) < needed:
            raise ConfigError(f"--{name} needs {flag.spec.metavar}")


def _split(
    groups: Sequence[Group], flags: Sequence[Flag], words: Sequence[str], prog: str, about: str, asks_help: bool
) -> tuple[Any, list[str]]:
    """Let tyro split the words or print the help; what it would say about an error, we say."""
    made = {
        group.title: dataclasses.make_dataclass(
            group.title.capitalize(),
            [_tyro_field(flag) for flag in flags if flag.group == group.title],
            namespace={"__doc__": (group.config.__doc__ or "").partition("\n")[0]},
        )
        for group in groups
    }
    first, *others = made.items()
    inner = [(title, tyro.conf.OmitArgPrefixes[cls], dataclasses.field(default_factory=cls)) for title, cls in others]
    arguments: Any = dataclasses.make_dataclass("Arguments", inner, bases=(first[1],))
    try:
        return tyro.cli(
            arguments, args=words, prog=prog, description=about, console_outputs=asks_help, return_unknown_args=True
        )
    except SystemExit as exit:
        if asks_help:
            raise
        raise ConfigError(f"{prog} cannot read {' '.join(words)!r}; see {prog} --help") from exit


def _tyro_field(flag: Flag) -> tuple[str, Any, Any]:
    """One flag as tyro wants it: a field with help, a default and how many words it takes."""
    told = tyro.conf.arg(
        name=flag.name,
        help=" ".join(flag.text.split()),
        help_behavior_hint="(required)"
        if flag.is_required
        else f"(default: {' '.join(_shown(flag.default)) or 'none'})",
    )
    kind: Any = Annotated[bool, told] if flag.is_switch else Annotated[Any, flag.spec, told]
    default = None if flag.is_required else flag.default
    return flag.key, tyro.conf.Positional[kind] if flag.positional else kind, dataclasses.field(default=default)


def _given(flags: Sequence[Flag], answer: Any) -> dict[str, Any]:
    """The fields that were typed, checked, and the switches that were turned."""
    given: dict[str, Any] = {}
    for flag in flags:
        value = getattr(getattr(answer, flag.group, answer), flag.key)
        if isinstance(value, Words):
            given[flag.field] = _checked(flag, value.words)
        elif flag.is_switch and value != flag.default:
            given[flag.field] = value
    return given


def _checked(flag: Flag, words: tuple[str, ...]) -> Any:
    """Turn typed words into a value of the field's type.

    Raises:
        ConfigError: The value is not allowed.
    """
    several = typing.get_origin(_bare(flag.hint)) in (tuple, list) or flag.spec.nargs != 1
    value = None if words in (("none",), ("None",)) and _optional(flag.hint) else list(words) if several else words[0]
    try:
        return pydantic.TypeAdapter(flag.hint).validate_python(value)
    except pydantic.ValidationError as error:
        raise ConfigError(_explained(flag, words, error)) from error


def _explained(flag: Flag, words: tuple[str, ...], error: pydantic.ValidationError) -> str:
    name = flag.name if flag.positional else f"--{flag.name}"
    wrong = error.errors(include_url=False)[0]
    allowed = [str(choice) for choice in typing.get_args(_bare(flag.hint))]
    close = get_close_matches(" ".join(words), allowed, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{name} {' '.join(words)}: {wrong['msg'][0].lower()}{wrong['msg'][1:]}{hint}"


def _bare(hint: Any) -> Any:
    """A type without pydantic's limits."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def _optional(hint: Any) -> bool:
    return type(None) in typing.get_args(_bare(hint))


def _metavar(metavar: str) -> str:
    """Write tyro's `[INT [INT ...]]` as `INT ...`, and its `{None}|INT` as `none|INT`."""
    return re.sub(r"\{?\[(.+?) \[\1 \.\.\.\]\]\}?", r"\1 ...", metavar.replace("{None}", "none"))


def _shown(value: Any) -> list[str]:
    if value is None:
        return ["none"]
    return [str(part) for part in value] if isinstance(value, (tuple, list)) else [str(value)]
