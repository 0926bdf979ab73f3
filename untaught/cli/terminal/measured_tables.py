"""Measures as tables in the terminal: the main numbers first, then a few points of each curve.

A quantity without an axis is one number for the model and one for each baseline. Of a curve the first point, the middle
one and the last are shown; evaluation.json and the report have all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from rich.table import Table

from untaught.cli.output import console
from untaught.evaluate.baselines.names import largest, short
from untaught.evaluate.evaluate import measures
from untaught.evaluate.quantity import MODEL, Axis, Measured, Quantity, plain
from untaught.evaluate.wording import worded

Cells: TypeAlias = Mapping[str, str]
"""What is written under each column, by its heading."""
SHOWN = 5
"""Points of a curve that are shown together; of more only three."""
DOWN = 3
"""Quantities that stand side by side at most, with the models as rows."""
FEW_FACTS = 5
"""Facts that stand in one line at most."""


def print_measures(taken: Mapping[str, Mapping[str, Any]], vectors: bool = False) -> None:
    """Print every measure.

    Args:
        taken: Measures as JSON, by name.
        vectors: Whether examples are rows of numbers and not pictures.
    """
    out, known = console(), measures()
    for name, stored in taken.items():
        found = known[name].read(stored)
        out.print(f"[bold]{name}[/]  [dim]{worded(known[name].title, vectors)}[/]")
        for number, table in enumerate(tables(list(found.values()), vectors)):
            out.print(*([""] if number else []), table, sep="\n")
        if doubt := known[name].caution(found):
            out.print(doubt, style="yellow", highlight=False)
        alone = [one for one in found.values() if not one.baselines and one.axis is None]
        out.print(_facts(alone, vectors), style="dim", highlight=False)
        out.print()


def tables(quantities: Sequence[Quantity], vectors: bool = False) -> list[Table]:
    """One table of all single numbers, and one for each curve or table."""
    numbers = [one for one in quantities if one.baselines and one.axis is None]
    found = [_numbers(numbers, vectors)] if numbers else []
    return found + [_points(one, vectors) for one in quantities if one.axis is not None and one.rows(_few)]


def _numbers(quantities: Sequence[Quantity], vectors: bool) -> Table:
    """Single numbers of the model and its baselines, the models as rows where the numbers are few."""
    models = list(dict.fromkeys(name for one in quantities for name in one.all))
    cells = {
        (one.heading, name): one.text(held.value, held.spread) for one in quantities for name, held in one.all.items()
    }
    headings = [one.heading for one in quantities]
    if len(quantities) <= DOWN:
        rows = {short(name): {head: cells.get((head, name), "") for head in headings} for name in models}
    else:
        rows = {head: {short(name): cells.get((head, name), "") for name in models} for head in headings}
    return _table("", rows, vectors)


def _points(quantity: Quantity, vectors: bool) -> Table:
    """A curve with the models as rows and a few points as columns; or a table as it is."""
    axis, rows = quantity.axis or Axis(), quantity.rows(_few)
    if not axis.across:
        entries = {quantity.entry(path): _cells(quantity, row) for path, row in rows.items()}
        return _table(quantity.heading, entries, vectors)
    drawn = axis.drawn({path[0]: None for path in rows}) if any(len(path) > 1 for path in rows) else {}
    lines: dict[str, dict[str, str]] = {}
    for path, row in rows.items():
        if drawn and path[0] not in drawn:
            continue
        for name in largest(list(row)):
            which = f", {quantity.entry(path[:-1])}" if len(path) > 1 and name == MODEL else ""
            cell = quantity.text(row[name].value, row[name].spread)
            lines.setdefault(short(name) + which, {})[_point(quantity, path)] = cell
    own = {head: cells for head, cells in lines.items() if head.startswith(short(MODEL))}
    points = _chosen(list(dict.fromkeys(point for cells in lines.values() for point in cells)))
    ordered = {head: {point: cells.get(point, "") for point in points} for head, cells in {**own, **lines}.items()}
    return _table(f"{quantity.heading}, by {axis.across}", ordered, vectors)


def _point(quantity: Quantity, path: tuple[str, ...]) -> str:
    """A point of a curve, where it is the only name that leads to a number by its own words."""
    return quantity.entry(path) if len(path) == 1 else plain(path[-1])


def _cells(quantity: Quantity, row: Mapping[str, Measured]) -> Cells:
    return {short(name): quantity.text(one.value, one.spread) for name, one in row.items()}


def _few(length: int) -> list[int]:
    """The first index of a list, the middle one and the last; all of a short one."""
    return _chosen(list(range(length)))


def _chosen(points: list[Any]) -> list[Any]:
    """All of a few points, or the first, the middle one and the last.

    Example:
        >>> _chosen([1, 2, 3]), _chosen(list(range(1, 15)))
        ([1, 2, 3], [1, 8, 14])
    """
    return points if len(points) <= SHOWN else [points[0], points[len(points) // 2], points[-1]]


def _table(title: str, rows: Mapping[str, Cells], vectors: bool) -> Table:
    """Rows by their headings, with the title over them; the model's own stand out."""
    columns = list(dict.fromkeys(head for cells in rows.values() for head in cells))
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(worded(title, vectors), justify="left", overflow="fold", max_width=44)
    for head in columns:
        table.add_column(worded(head, vectors), justify="right")
    for head, cells in rows.items():
        own = head.startswith(short(MODEL))
        table.add_row(worded(head, vectors), *(cells.get(one, "") for one in columns), style="bold" if own else None)
    return table


def _facts(quantities: Iterable[Quantity], vectors: bool) -> str:
    """Numbers without baselines: a few in one line, each of many in its own."""
    told = [worded(f"{one.heading}: {one.text(one.value, one.spread)}", vectors) for one in quantities]
    return ("; " if len(told) <= FEW_FACTS else "\n").join(told)
