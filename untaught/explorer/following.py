"""The records and pictures of a training, as they come: the run's own files, read while another process writes them.

What is kept of metrics.jsonl is where the last whole line ended; a page asks from there on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from untaught.errors import ConfigError, RunError
from untaught.explorer.panel import Answer, Asked
from untaught.explorer.wire import finite
from untaught.runs.run import Run

AT_ONCE = 2**20
"""Bytes of records in one answer."""
LARGEST = 2**24
"""Bytes of a picture at most."""
SHOWN = 200
"""Pictures that are listed, the newest first."""


def records(run: Run, asked: Asked) -> dict[str, Any]:
    """Records from a place in the file on, the place behind them, and what else is new."""
    path = run.path / "metrics.jsonl"
    size = path.stat().st_size if is_own_file(run, path) else 0
    place = asked.whole("from", 0, 2**53, 0)
    begin = place if place <= size else 0  # a run that is resumed cuts records off
    content = b""
    if size > begin:
        with path.open("rb") as file:
            file.seek(begin)
            content = file.read(AT_ONCE)
    whole = content[: content.rfind(b"\n") + 1]
    found = [kept(line) for line in whole.splitlines()]
    return {
        "records": [record for record in found if record],
        "place": begin + len(whole),
        "more": begin + len(whole) < size and bool(whole),
        "restarted": begin != place,
        "checkpoint": run.best_name(),
        "pictures": [{"name": name, "at": at} for name, at in pictures(run)],
    }


def kept(line: bytes) -> dict[str, Any]:
    """What curves need of one record; nothing where the line is damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(record, dict):
        return {}
    names = ("stage", "step", "seconds", "losses", "held_out", "progress", "seconds_left", "best", "epoch")
    return finite({name: value for name, value in cast(dict[str, Any], record).items() if name in names})


def pictures(run: Run) -> list[tuple[str, float]]:
    """Names of the run's pictures, those of a step in a folder of theirs, and when each was written; newest first."""
    written = [path for pattern in ("*.png", "*/*.png") for path in run.pictures.glob(pattern)]
    found = [(path, path.stat().st_mtime) for path in written if is_own_file(run, path)]
    newest = sorted(found, key=lambda item: -item[1])[:SHOWN]
    return [(path.relative_to(run.pictures).as_posix(), at) for path, at in newest]


def picture(run: Run, asked: Asked) -> Answer:
    """The bytes of one of these pictures.

    Raises:
        ConfigError: There is none of that name.
        RunError: It is too large.
    """
    name = asked.query.get("name", "")
    if name not in {name for name, _ in pictures(run)}:
        raise ConfigError(f"the run has no picture {name[:60]!r}")
    path = run.pictures / name
    if path.stat().st_size > LARGEST:
        raise RunError(f"{name} is too large to be shown")
    return path.read_bytes()


def is_own_file(run: Run, path: Path) -> bool:
    """Whether a file lies in the run's folder, and not behind a link that leads out of it."""
    return path.is_file() and path.resolve().is_relative_to(run.path.resolve())
