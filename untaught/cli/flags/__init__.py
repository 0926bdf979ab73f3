"""Flags: a command's arguments are fields of configurations.

A flag's help is its field's docstring; its default is that of the configuration. tyro writes the help and separates
flags from values; error messages, of one or two lines, are written here.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

import tyro

from untaught.cli.flags.flag import Flag, Words, checked, tyro_field
from untaught.config import fields
from untaught.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The fields of one configuration, shown together in a command's help."""

    title: str
    config: type[Any]
    defaults: Mapping[str, Any] = field(default_factory=lambda: {})
    """Defaults that replace those of the configuration."""
    hidden: frozenset[str] = frozenset()
    """Fields that are not offered as flags."""
    positional: frozenset[str] = frozenset()
    """Fields that are positional arguments."""
    notes: Mapping[str, str] = field(default_factory=lambda: {})
    """Addition to a field's help: how it is chosen from the data."""
    names: Mapping[str, str] = field(default_factory=lambda: {})
    """Flags that are not named like their field; a field that holds values by key has one such as `epochs.NAME`."""


def parse(groups: Sequence[Group], words: Sequence[str], prog: str, about: str) -> dict[str, dict[str, Any]]:
    """Read arguments: for each group, by title, the fields that were given, checked.

    Raises:
        ConfigError: A flag is unknown, or a value is missing or not allowed; the message names it.
        SystemExit: Help was asked for and has been printed.
    """
    flags = [made for flag in flags_of(groups) for made in (flag, *flag.entries(words))]
    asks_help = any(word in ("-h", "--help") for word in words)
    if not asks_help:
        _check_names(flags, words, prog)
    answer, left = _split(groups, flags, words, prog, about, asks_help)
    if left:
        raise ConfigError(f"{prog} has no place for {' '.join(left)!r}; see {prog} --help")
    typed = {word[2:].partition("=")[0].replace("_", "-") for word in words if word.startswith("--")}
    given = {
        group.title: _given([flag for flag in flags if flag.group == group.title], answer, typed) for group in groups
    }
    missing = [flag for flag in flags if flag.is_required and flag.field not in given[flag.group]]
    if missing:
        wanted = ", ".join(flag.shown_name for flag in missing)
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
        for described in fields(group.config):
            name = described.name
            if name in group.hidden:
                continue
            plain = group.names.get(name, name.replace("_", "-"))
            shown = f"{group.title}-{plain}" if any(flag.name == plain for flag in flags) else plain
            default = group.defaults.get(name, described.value)
            text = " ".join([described.text, group.notes.get(name, "")]).strip()
            flags.append(Flag(group.title, name, shown, described.hint, default, text, name in group.positional))
    return flags


def _check_names(flags: Sequence[Flag], words: Sequence[str], prog: str) -> None:
    """Refuse a flag that does not exist, and one whose value is missing."""
    known = {flag.name.replace("_", "-"): flag for flag in flags if not flag.positional}
    spellings = ["help", *known, *(f"no-{flag.name}" for flag in flags if flag.is_switch)]
    for place, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, _ = word[2:].partition("=")
        name = name.replace("_", "-")
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
    """Let tyro split the words or print the help; its error messages are replaced by ours."""
    made = {
        group.title: dataclasses.make_dataclass(
            group.title.capitalize(),
            [tyro_field(flag) for flag in flags if flag.group == group.title],
            namespace={"__doc__": (group.config.__doc__ or "").partition("\n")[0]},
        )
        for group in groups
    }
    first, *others = made.items()
    inner = [(title, tyro.conf.OmitArgPrefixes[cls], dataclasses.field(default_factory=cls)) for title, cls in others]
    arguments: Any = dataclasses.make_dataclass("Arguments", inner, bases=(first[1],))
    try:
        return tyro.cli(
            arguments,
            args=["--help"] if asks_help else words,  # other words may be wrong, and the help is what is wanted
            prog=prog,
            description=about,
            console_outputs=asks_help,
            return_unknown_args=True,
        )
    except SystemExit as exit:
        if asks_help:
            raise
        raise ConfigError(f"{prog} cannot read {' '.join(words)!r}; see {prog} --help") from exit


def _given(flags: Sequence[Flag], answer: Any, typed: Set[str]) -> dict[str, Any]:
    """The fields that were given, checked."""
    given: dict[str, Any] = {}
    for flag in flags:
        value = getattr(getattr(answer, flag.group, answer), flag.key)
        if isinstance(value, Words):
            value = checked(flag, value.words)
            given[flag.field] = {**given.get(flag.field, {}), flag.entry: value} if flag.entry else value
        elif flag.is_switch and {flag.name, f"no-{flag.name}"} & typed:
            given[flag.field] = value
    return given
