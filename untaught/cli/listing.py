"""`untaught models` and `untaught data`: lists of systems and sources, and a description of one source."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from rich.table import Table

from untaught.cli.asked import first_line
from untaught.cli.flags import read
from untaught.cli.output import check_ending, console
from untaught.cli.terminal.streams import tell
from untaught.config import configuration
from untaught.data.describe import describe
from untaught.data.source import Source, open_data, source_descriptions
from untaught.data.spec import size_of
from untaught.data.telling import counted, listed
from untaught.evaluate.drawing.contact_sheet import contact_sheet
from untaught.evaluate.drawing.picture_files import write_picture
from untaught.legible import one_line
from untaught.model import capabilities, in_words, model_class, model_names

SHOWN = 100
"""Classes that are listed with their counts."""
NAMED = 5
"""Skipped files that are named; the others are only counted."""
PATHS = """Or a path, opened by what it holds:
  a folder of pictures    its sub-folders are classes, or parts (train, val, test) with classes below them
  a video, or a folder of videos
  numbered pictures as video: clip/%04d.png, or clip?video=true for a folder of them or of such folders
  an array .npy or .npz   (n, feature), (n, h, w), (n, c, h, w), (n, h, w, c), or video (n, t, h, w), (n, t, c, h, w)
Options follow a question mark: balls?clips=100, photos/?size=64&on_bad=skip,
film.mp4?from=10s&to=1m&every=5&stream=1.
?scale=4095 says which value is white, photos/?pages=first reads no further pages, x.npy?axes=tnhw what the axes are."""


@configuration
class Models:
    """List every system: its name, what it is, what it can do."""


@configuration
class Data:
    """List the named sources, or describe one source: counts, shape, range, classes, and a contact sheet of it."""

    spec: str = ""
    """A path or a named source; without it, the list."""
    out: str | None = None
    """Write a contact sheet: a .png of evenly spaced pictures, or of frames of several clips, a row each."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What to do with a broken file: stop, or leave it out and count it."""
    json: bool = False
    """Print one JSON object, and everything else on standard error."""


def models(words: Sequence[str]) -> None:
    """Print the table of systems."""
    read(Models, words, "untaught models")
    kinds = [model_class(name) for name in model_names()]
    rows = [
        (name, first_line(kind), ", ".join(map(in_words, capabilities(kind))))
        for name, kind in zip(model_names(), kinds, strict=True)
    ]
    _print_table(("model", "what it is", "what it does"), rows)


def data(words: Sequence[str]) -> None:
    """Print the list of sources, or what is in one."""
    asked = read(Data, words, "untaught data", positional=["spec"])
    if not asked.spec:
        _print_table(("source", "what it is"), source_descriptions().items())
        print(f"\n{PATHS}")
        return
    out = None if asked.out is None else check_ending(asked.out, ".png")
    source = open_data(asked.spec, size=size_of(asked.size), on_bad=asked.on_bad)
    sheet = None if out is None else contact_sheet(source)  # before anything is printed: vectors have none
    found = {**describe(source), "notes": _decided(source)}
    if asked.json:
        print(json.dumps(found))
    for name, value in {} if asked.json else found.items():
        if name == "same" and not value:
            continue
        for told in value if name == "notes" else (_in_words(name, value),):
            print(f"{name.replace('_', ' '):<10} {one_line(told)}")
    if out is not None and sheet is not None:
        tell(write_picture(out, sheet), file=sys.stderr if asked.json else sys.stdout)


def tell_skipped(source: Source) -> None:
    """Print on standard error which broken files were left out, and what was decided while the others were read."""
    if source.skipped:
        count = len(source.skipped)
        more = f" and {count - NAMED} more" if count > NAMED else ""
        print(f"skipped {count} broken: {', '.join(map(one_line, source.skipped[:NAMED]))}{more}", file=sys.stderr)
    for note in _decided(source):
        tell(note, file=sys.stderr)


def _decided(source: Source) -> list[str]:
    """What was decided while the source was read, a line each."""
    told = list(source.notes)
    if source.chosen_size is not None:
        how = "frames are brought to {}" if source.is_video else "each picture is brought to {} around its centre"
        told.insert(0, f"{how.format(by(source.chosen_size))}; --size takes another")
    if count := len(source.train.cuts) - source.train.gaps:
        told.append(f"{counted(count, 'cut')} found, which no window crosses; the option ?cuts=false ignores them")
    return told


def by(shape: Sequence[int]) -> str:
    """A shape as text: 1x28x28."""
    return "x".join(str(side) for side in shape)


def _print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def _in_words(name: str, value: Any) -> str:
    """A value of a description, by its name."""
    match name:
        case "shape":
            return f"{by(value)}{' (channels x height x width)' if len(value) == 3 else ''}"
        case "skipped" | "same":
            return f"{len(value):,}: {listed(value)}" if value else "none"
        case "duplicates":
            return "not counted: too many, or drawn as they are needed" if value is None else str(value)
        case "scale" if value is None:
            return "the type's own: 255 in bytes, 65535 in 16 bits, 1 in floats"
        case _:
            return "none" if value is None else _told(value)


def _told(value: Any) -> str:
    """A value of a description in words."""
    if isinstance(value, Mapping):
        told = [
            f"{name} ({_told(inner)})" if isinstance(inner, Mapping) else f"{name} {_told(inner)}"
            for name, inner in cast(Mapping[str, Any], value).items()
        ]
        return ", ".join(told[:SHOWN]) or "none"
    if isinstance(value, list):
        between = "; " if any(isinstance(inner, str) for inner in cast(list[Any], value)) else " "
        return between.join(_told(inner) for inner in cast(list[Any], value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
