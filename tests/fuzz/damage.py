"""What is done to good input: to the bytes of files, to folders, to values in JSON, to words of a command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, cast

WORDS = (
    "",
    " ",
    "-1",
    "0",
    "1",
    "2",
    "3.5",
    "1e-30",
    "1e30",
    "nan",
    "inf",
    "-inf",
    "none",
    "true",
    "x" * 300,
    "9" * 25,
    "1000000000",
    "ü\u202e",
    "a\nb",
    "\udce9",
    "../..",
    "/dev/null",
    "0x10",
    "1,2",
    "[1]",
    "{}",
    "--help",
    "8x8",
    "%04d",
    "8x",
    "?",
)
"""Values that nobody expects."""
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    10**9,
    10**25,
    0.5,
    1e300,
    "",
    "x",
    "no such",
    [],
    [1, 2],
    {},
    {"a": 1},
)
"""The same in JSON."""
OPTIONS = [
    "size",
    "on_bad",
    "scale",
    "grey",
    "pages",
    "axes",
    "minus_one",
    "from",
    "to",
    "every",
    "stream",
    "video",
    "cuts",
    "clips",
    "frames",
    "count",
    "seed",
    "words",
    "common",
    "on_empty",
    "of",
    "classes",
    "label",
    "balls",
    "units",
    "digits",
    "hidden",
]
"""Keys behind a question mark."""


def spoil_bytes(content: bytes, draw: Random) -> bytes:
    """Change some bytes; how many and where is drawn."""
    data, size = bytearray(content), len(content)
    kind = draw.choice(["flip", "flip", "flip", "head", "truncate", "zeros", "insert", "double", "number", "empty"])
    if not size or kind == "empty":
        return b""
    if kind in ("flip", "head"):
        return _flipped(data, min(size, 64) if kind == "head" else size, draw)
    at = int(draw.random() * size)  # one draw, whatever the size: files of runs hold times, and vary in length
    if kind == "truncate":
        del data[at:]
    elif kind == "zeros":
        data[at : at + 32] = bytes(len(data[at : at + 32]))
    elif kind == "insert":
        data[at:at] = draw.randbytes(9)
    elif kind == "double":
        data *= 2
    elif kind == "number":
        data[at : at + 4] = draw.choice([b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80"])
    return bytes(data)


def _flipped(data: bytearray, size: int, draw: Random) -> bytes:
    """Other bits, somewhere in the first `size` bytes."""
    for _ in range(draw.choice([1, 2, 16])):
        data[int(draw.random() * size)] ^= 1 << draw.randrange(8)
    return bytes(data)


def spoil_files(folder: Path, draw: Random, times: int) -> None:
    """Damage some of the files in a folder, or put something odd beside them."""
    for _ in range(times):
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        if files:
            draw.choice(FILE_DAMAGES)(draw.choice(files), draw)


def _spoil_content(path: Path, draw: Random) -> None:
    path.write_bytes(spoil_bytes(path.read_bytes(), draw))


def _spoil_text(path: Path, draw: Random) -> None:
    """Other values where a file holds JSON; other bytes where it does not."""
    try:
        values = json.loads(path.read_text())
    except ValueError:
        return _spoil_content(path, draw)
    path.write_text(json.dumps(spoil_values(values, draw)))


def _rename(path: Path, draw: Random) -> None:
    ending = draw.choice([".png", ".jpg", ".npy", ".npz", ".mp4", ".gif", ".tif", ".txt", ".json", "", ".PNG"])
    path.rename(path.with_name(draw.choice([path.stem, "ü", "a b", "\udcff", "x\ny", ".hidden"]) + ending))


def _replace(path: Path, draw: Random) -> None:
    """A folder, a link to nowhere, a link to itself or a pipe where there was a file."""
    path.unlink()
    kind = draw.choice(["folder", "nowhere", "itself", "pipe", "gone", "up"])
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "gone":
        path.symlink_to({"nowhere": "no-such-file", "itself": path.name, "up": ".."}[kind])


def _add(path: Path, draw: Random) -> None:
    (path.parent / draw.choice(["Thumbs.db", "notes.txt", "more.png", "x.npy", ".DS_Store"])).write_bytes(b"other")


FILE_DAMAGES: tuple[Callable[[Path, Random], None], ...] = (
    _spoil_content,
    _spoil_content,
    _spoil_content,
    _spoil_text,
    _spoil_text,
    _rename,
    _replace,
    _add,
)


def spoil_values(values: Any, draw: Random) -> Any:
    """Change one value of a tree of lists and dictionaries, take a key out, or add one."""
    if isinstance(values, dict) and values and draw.random() < 0.9:
        tree = dict(cast(dict[str, Any], values))
        key = draw.choice(sorted(tree))
        kind = draw.random()
        if kind < 0.1:
            del tree[key]
        elif kind < 0.2:
            tree[draw.choice(["unknown", key + "x"])] = draw.choice(VALUES)
        else:
            tree[key] = spoil_values(tree[key], draw)
        return tree
    if isinstance(values, list) and values and draw.random() < 0.7:
        row = list(cast(list[Any], values))
        at = draw.randrange(len(row))
        row[at] = spoil_values(row[at], draw)
        return row
    return draw.choice(VALUES)


def spoil_words(words: list[str], draw: Random) -> list[str]:
    """Change, add, leave out or swap words of a command behind its name."""
    words = list(words)
    at = draw.randrange(1, len(words) + 1)
    kind = draw.choice(["change", "change", "add", "drop", "double", "letter"])
    if kind == "add" or at == len(words):
        words.insert(at, draw.choice(WORDS))
    elif kind == "change":
        words[at] = draw.choice(WORDS)
    elif kind == "drop":
        del words[at]
    elif kind == "double":
        words.insert(at, words[at])
    elif words[at]:
        spot = draw.randrange(len(words[at]))
        words[at] = words[at][:spot] + draw.choice("x-=?:&/.0") + words[at][spot + 1 :]
    return words


def odd_options(spec: str, draw: Random) -> str:
    """A spec with options that it may or may not take."""
    more = "&".join(f"{draw.choice(OPTIONS)}={draw.choice(WORDS)}" for _ in range(draw.randint(1, 2)))
    return f"{spec}{'&' if '?' in spec else '?'}{more}"
