"""Progress of a training: a bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Column

from untaught.cli.place import is_first_process

if TYPE_CHECKING:
    from untaught.training.fit import Record
    from untaught.training.memory import Needs

NOTHING_LEFT = "nothing is left to train"
Records: TypeAlias = "Generator[Record, None, None]"

SECONDS_BETWEEN_LINES = 5.0
"""Shortest time between plain lines, so that logs stay short."""


def follow(records: Records) -> Record | None:
    """Train by iterating over the records, show each, and give the last one.

    Raises:
        KeyboardInterrupt: The user interrupted; the training has saved its checkpoint.
    """
    show = _bar if sys.stderr.isatty() else _lines
    try:
        return show(_announcing(records)) if is_first_process() else deque(records, maxlen=1).pop()
    except KeyboardInterrupt:
        # The training writes a checkpoint when it is interrupted; if the interrupt reached us, it must be passed on.
        records.throw(KeyboardInterrupt())
        raise


def _announcing(records: Records) -> Iterator[Record]:
    """Print what a stage needs before its first step, and another number of threads; pass the other records on."""
    threads = 0
    for record in records:
        if record.needs is None:
            if record.threads != threads:
                _say(f"{record.stage}: {in_threads(record)} from here on, which now takes less time than {threads}")
            yield record
        else:
            ahead = f"{rate(record)} {in_threads(record)}, {record.precision}; {_left(record)}"
            _say(f"{record.stage}: {announced(record.needs)}; {ahead if record.progress < 1 else NOTHING_LEFT}")
        threads = record.threads


def announced(needs: Needs) -> str:
    """Weights and memory in one line."""
    return f"{needs.weights:,} weights, {needs.bytes / 2**20:,.0f} MiB of memory"


def _bar(records: Iterator[Record]) -> Record | None:
    """One bar for each stage."""
    last = None
    told_column = TextColumn("{task.fields[told]}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(), told_column)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}
        held_out: Mapping[str, float] = {}
        for record in records:
            if record.stage not in tasks:
                tasks[record.stage] = progress.add_task(record.stage, total=1.0, told="")
            held_out = record.held_out or held_out
            progress.update(tasks[record.stage], completed=record.progress, told=told(record, held_out))
            last = record
    return last


def _lines(records: Iterator[Record], now: Callable[[], float] = time.monotonic) -> Record | None:
    """One line per record, at most every few seconds; a stage's last record is always shown."""
    last: Record | None = None
    shown: Record | None = None
    when = -math.inf
    for record in records:
        if last is not None and last is not shown and last.stage != record.stage:
            _say(line(last))
        if now() - when >= SECONDS_BETWEEN_LINES:
            _say(line(record))
            shown, when = record, now()
        last = record
    if last is not None and last is not shown:
        _say(line(last))
    return last


def line(record: Record) -> str:
    """One record as a line of a log.

    Example:
        >>> from untaught.training.fit import Record
        >>> line(Record("train", 20, 1.0, 2.0, 0.5, {"total": 0.25}, {"total": 0.5}, 1000.0, 61.0))
        'train   50 %  epoch 1.0  step 20  total 0.25  (held out 0.5)  1,000 examples/s  1:01 left'
    """
    return f"{record.stage}  {record.progress:>4.0%}".replace("%", " %") + (
        f"  epoch {record.epoch:.1f}  step {record.step}  {told(record, record.held_out)}"
    )


def told(record: Record, held_out: Mapping[str, float]) -> str:
    """Loss parts with their held-out values, rate, time left."""
    pieces = [_part(name, value, held_out) for name, value in record.losses.items()]
    return "  ".join([*pieces, rate(record), _left(record)])


def rate(record: Record) -> str:
    """Examples a second, to three digits."""
    return f"{record.rate:,.0f} examples/s" if record.rate >= 10 else f"{record.rate:.1f} examples/s"


def in_threads(record: Record) -> str:
    """The number of processor threads, in words."""
    return "in 1 thread" if record.threads == 1 else f"in {record.threads} threads"


def _part(name: str, value: float, held_out: Mapping[str, float]) -> str:
    return f"{name} {value:.4g}" + (f"  (held out {held_out[name]:.4g})" if name in held_out else "")


def _left(record: Record) -> str:
    if not math.isfinite(record.seconds_left):
        return "time left unknown"
    minutes, seconds = divmod(round(record.seconds_left), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}") + " left"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
