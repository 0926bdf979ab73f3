"""What a spec says: `NAME[:PATH][?key=value&...]`, or a path with the same options behind it.

A path may be a pattern of numbered files, `clip/%04d.png`, or of shards of webdataset, `shards/*.tar` or
`shards/{000..009}.tar`.

A name wins over a file of that name in the current folder; `./digits` is the folder. An option that every source
knows is taken out here: `size=64` or `size=48x64` (height x width), and `on_bad=skip`. The others are checked by
the source that they are for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from untaught.data.readers.shard_names import shard_files
from untaught.data.reading.clips.frame_names import is_pattern, matching
from untaught.errors import ConfigError, DataError

OnBad = Literal["stop", "skip"]
GIVEN = "python:"
"""What the spec of a source begins with that a program handed over, and that cannot be opened by name again."""
ELSEWHERE = ("hf",)
"""Sets behind whose colon a name elsewhere may stand, as well as a path."""
MEMORY = 4 * 2**30
"""Bytes that a source may take in memory; what is larger is read from disk as it is needed."""


@dataclass(frozen=True)
class Reading:
    """How files are read, whatever they are."""

    size: tuple[int, int] | None = None
    """Height and width that every picture is brought to: resized to cover them, then cut around its centre."""
    on_bad: OnBad = "stop"
    """Refuse a source that has a broken file, or leave the file out and count it."""
    memory: int = MEMORY
    """Bytes that the decoded source may take in memory."""
    scale: float | None = None
    """The value of whole numbers that becomes 1 in the data of a run, to whose model these are shown."""
    classes: tuple[str, ...] = ()
    """The classes of that run by name."""


@dataclass(frozen=True)
class Spec:
    """A spec, taken apart.

    Example:
        >>> parse("balls?clips=10&size=60", names=["balls"])
        Spec(name='balls', path=None, options={'clips': '10', 'size': '60'})
    """

    name: str | None
    """The named set, or None where the spec is a path."""
    path: Path | None
    """Absolute, so that the spec can be opened again from another folder."""
    options: dict[str, str] = field(default_factory=lambda: {})

    @property
    def text(self) -> str:
        """The spec again, in full."""
        place = str(self.path) if self.path is not None else ""
        subject = place if self.name is None else f"{self.name}:{place}" if place else self.name
        return f"{subject}?{urlencode(self.options, safe='/')}" if self.options else subject


def parse(spec: str | Path, names: Iterable[str]) -> Spec:
    """Take a spec apart; a `Path` is always a path.

    Raises:
        ConfigError: An option has no value.
        DataError: There is no such data set, file or folder.
    """
    text = str(spec)
    if isinstance(spec, str):
        subject, _, query = text.partition("?")
        name, colon, place = subject.partition(":")
        if name in names:
            return Spec(name, _place(name, place, names) if colon else None, _options(query, text))
        if text.startswith(GIVEN):
            raise DataError(
                f"{text.removeprefix(GIVEN)} was handed over in Python, and cannot be opened by name\n"
                "open it there: untaught.open_run(PATH).source(THING); on the command line, give other --data"
            )
    if _exists(text):
        return Spec(None, _existing(text, names))
    place, mark, query = text.rpartition("?")
    return Spec(None, _existing(place, names), _options(query, text)) if mark else Spec(None, _existing(text, names))


def _place(name: str, place: str, names: Iterable[str]) -> Path:
    return Path(place) if name in ELSEWHERE and place and not _exists(place) else _existing(place, names)


def size_of(value: str | int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Read a size: one side of a square, or height and width.

    Example:
        >>> size_of(64), size_of("48x64"), size_of(None)
        ((64, 64), (48, 64), None)
    """
    if value is None:
        return None
    parts = value.lower().split("x") if isinstance(value, str) else value if isinstance(value, tuple) else (value,)
    sides = [int(part) if str(part).isdigit() else 0 for part in parts]
    if len(sides) not in (1, 2) or min(sides) < 1:
        raise ConfigError(f"size = {value!r}: give one side in pixels, 64, or height x width, 48x64")
    return sides[0], sides[-1]


def size_text(size: tuple[int, int]) -> str:
    """Write a size as `size_of` reads it."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def take_common(options: dict[str, str], reading: Reading) -> tuple[dict[str, str], Reading]:
    """Separate the options that every source knows; what the caller passed beside the spec wins."""
    rest = {key: value for key, value in options.items() if key not in ("size", "on_bad")}
    on_bad = options.get("on_bad", reading.on_bad)
    if on_bad not in ("stop", "skip"):
        raise ConfigError(f"on_bad = {on_bad!r}: should be 'stop' or 'skip'")
    if reading.on_bad == "skip":
        on_bad = "skip"
    size = reading.size if reading.size is not None else size_of(options.get("size"))
    return rest, replace(reading, size=size, on_bad=on_bad)


def _options(query: str, spec: str) -> dict[str, str]:
    if not query:
        return {}
    try:
        return dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))
    except ValueError as error:
        raise ConfigError(f"the options of {spec!r} should read ?key=value&key=value, not ?{query}") from error


def _exists(text: str) -> bool:
    if not text or "\0" in text:
        return False
    place = os.path.expanduser(text)
    return os.path.exists(place) or bool(shard_files(text)) or (is_pattern(text) and bool(matching(Path(place))))


def _existing(text: str, names: Iterable[str]) -> Path:
    """Find a path, or say what is missing and what is near to it."""
    path = Path(text).expanduser()
    if is_pipe(path):
        raise DataError(f"{text} is neither a file nor a folder; data are read from files alone")
    if _exists(text):
        return path.absolute()
    beside = [str(path.parent / name) for name in _names_in(path.parent)]
    close = get_close_matches(text.partition(":")[0], list(names), n=1) or get_close_matches(str(path), beside, n=1)
    hint = (
        f"did you mean {close[0]!r}?" if close else f"give a path, or one of the data sets: {', '.join(sorted(names))}"
    )
    raise DataError(f"no such file or folder: {text}\n{hint}")


def is_pipe(path: Path) -> bool:
    """Whether a pipe, a socket or a device is there, which may never end: neither a file nor a folder."""
    try:
        return path.exists() and not (path.is_file() or path.is_dir())
    except (OSError, ValueError):
        return False


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
