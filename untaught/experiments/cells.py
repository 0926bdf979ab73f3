"""Records become the cells of a table: mean and spread over seeds, or the measure's own spread where there is one seed.

A cell without a record says so. Where an experiment has changed since it was recorded, its number is marked as stale.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from untaught.evaluate.measure import inside, spread_keys
from untaught.evaluate.quantity import plain
from untaught.experiments.paper import BUDGETS, Budget, Column, Published, Row, Table
from untaught.experiments.records import Records, seconds_of, steps_of

NOTHING = "–"


@dataclass(frozen=True)
class Ours:
    """Our number in one cell."""

    mean: float
    spread: float | None
    """Standard deviation over seeds; of a single seed, what the measure says: over its test examples."""
    seeds: int
    stale: bool

    def text(self, digits: int) -> str:
        """The cell as it is printed.

        Example:
            >>> Ours(0.651, 0.02, 3, False).text(2)
            '0.65 ± 0.02 (3 seeds)'
        """
        over = f" ({self.seeds} seeds)" if self.seeds > 1 else ""
        return f"{number(self.mean, self.spread, digits)}{over}{' stale' if self.stale else ''}"


def number(value: float, spread: float | None, digits: int) -> str:
    """A number with its spread.

    Example:
        >>> number(3.308, None, 2), number(2.789, 0.39, 2)
        ('3.31', '2.79 ± 0.39')
    """
    return f"{value:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")


def published(row: Row, column: int) -> Published | None:
    """What the paper printed in a column of a row."""
    return row.published[column] if row.published else None


def published_text(what: Published | None, digits: int) -> str:
    """The published number as it is printed, marked where it was written down from memory."""
    if what is None:
        return NOTHING
    return number(what.value, what.spread, digits) + (" recalled" if what.recalled else "")


def ours(records: Records, row: Row, column: int, budget: Budget) -> Ours | str:
    """Our number in one cell, or why there is none."""
    place = row.places[column] if row.places else ""
    if not place or budget not in records.paper.experiments[row.experiment]:
        return NOTHING
    there = records.of(row.experiment, budget)
    if not there:
        return "not run"
    fresh = [record for record in there if not records.is_stale(record)]
    found = [found for record in fresh or there if (found := at(record, place)) is not None]
    if not found:
        return "not measured"
    means = [mean for mean, _ in found]
    spread = statistics.stdev(means) if len(means) > 1 else found[0][1]
    return Ours(statistics.fmean(means), spread, len(means), not fresh)


def at(record: Mapping[str, Any], place: str) -> tuple[float, float | None] | None:
    """The number at a place of a record, and its own spread, where it has one: deviation, or standard error in a list.

    None where no number is there. `ever.PLACE` is the highest at that place at any moment that was watched, or the end.

    Example:
        >>> at({"measures": {"prediction": {"error": 2.0, "error_std": 0.5}}}, "prediction.error")
        (2.0, 0.5)
    """
    if place.startswith("ever."):
        moments = [moment["measures"] for moment in (*record["watched"], record)]
        found = [inside(moment, place.split(".")[1:]) for moment in moments]
        return max(((float(one), None) for one in found if isinstance(one, (int, float))), default=None)
    root, keys = {**record, **record["measures"]}, place.split(".")
    value = inside(root, keys)
    if not isinstance(value, (int, float)):
        return None
    _, of_list = spread_keys(keys, "std_error")
    told = [inside(root, where) for where in (*spread_keys(keys, "std"), of_list)]
    spreads = [spread for spread in told if isinstance(spread, (int, float))]
    return float(value), float(spreads[0]) if spreads else None


def heading(column: Column) -> str:
    """A quantity, and which way is better."""
    return f"{column.name}, {column.better} is better" if column.better else column.name


@dataclass(frozen=True)
class Grid:
    """What is printed together: cells under a heading; without rows, why there are none."""

    heading: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def grids(records: Records, table: Table) -> list[Grid]:
    """A table as it is printed.

    Where something was published, one grid for each quantity: published beside ours at each budget. Else one for each
    budget, with the quantities side by side.
    """
    if any(what is not None for row in table.rows for what in row.published):
        return [_beside_published(records, table, column) for column in range(len(table.columns))]
    return [_of_budget(records, table, budget) for budget in _budgets(records, table)]


def _budgets(records: Records, table: Table) -> list[Budget]:
    """Budgets that the table's experiments have; a smoke test's only where it is recorded."""
    paper, names = records.paper, {row.experiment for row in table.rows if row.experiment}
    had: list[Budget] = [budget for budget in BUDGETS if any(budget in paper.experiments[name] for name in names)]
    return [budget for budget in had if budget != "smoke" or any(records.of(name, budget) for name in names)]


def _beside_published(records: Records, table: Table, column: int) -> Grid:
    budgets, digits = _budgets(records, table), table.columns[column].digits
    rows = [
        (
            row.label,
            published_text(published(row, column), digits),
            *(_text(ours(records, row, column, budget), digits) for budget in budgets),
        )
        for row in table.rows
    ]
    told = tuple(row for row in rows if set(row[1:]) != {NOTHING})
    return Grid(heading(table.columns[column]), ("", "published", *budgets), told)


def _of_budget(records: Records, table: Table, budget: Budget) -> Grid:
    rows = [
        (row.label, *(_text(ours(records, row, n, budget), column.digits) for n, column in enumerate(table.columns)))
        for row in table.rows
    ]
    if all(set(row[1:]) <= {NOTHING, "not run"} for row in rows):
        return Grid(f"{budget}: not run")
    better = {column.better for column in table.columns}
    which = f", {better.pop()} is better" if len(better) == 1 and better != {""} else ""
    return Grid(f"{budget}{which}", ("", *(column.name for column in table.columns)), tuple(rows))


def _text(cell: Ours | str, digits: int) -> str:
    return cell if isinstance(cell, str) else cell.text(digits)


def departures(table: Table) -> list[str]:
    """How ours differs, row by row."""
    return [f"{row.label}: {row.departures}" for row in table.rows if row.departures]


def sources(table: Table) -> list[str]:
    """Where published numbers stand, each place once."""
    told = [what.source for row in table.rows for what in row.published if what is not None and what.source]
    return list(dict.fromkeys(told))


def recorded(record: Mapping[str, Any]) -> list[str]:
    """What a reader must know of a record: experiment, seed, updates, minutes, hardware, commit, date."""
    environment, trained = record["environment"], record["trained"]
    # Records older than the choice of threads do not say what was used.
    threads = trained.get("threads") or record["settings"]["training"]["threads"] or environment["threads"]
    where = environment["gpu"] or f"{environment['processor']}, {threads} of {environment['cores']} cores"
    where += ", bf16" if trained.get("precision") == "bf16" else ""
    commit = (environment["commit"] or "none")[:8]
    about = [record["experiment"], record["budget"], str(record["seed"])]
    return [*about, *how_long(trained), where, commit, record["date"]]


def how_long(trained: Mapping[str, Any]) -> list[str]:
    """Updates and minutes of all stages and of what came before them, which update's weights were kept, and why.

    Older records know the last stage only: "+" says that there may have been more.
    """
    if "step" not in trained:
        return ["untrained", NOTHING, NOTHING]
    more = "" if "stages" in trained else "+"
    kept = f"{trained['kept']:,}{_why(trained.get('kept_by'))}" if "kept" in trained else NOTHING
    return [f"{steps_of(trained):,}{more}", kept, f"{seconds_of(trained) / 60:.1f}{more}"]


def _why(selects: str | None) -> str:
    """What selected weights, in words: a held-out number, or that they are the last; older records do not say."""
    if selects is None:
        return ""
    return ", the last" if selects == "last" else f", by {'loss' if selects == 'total' else plain(selects)}"


RECORDED = ("experiment", "budget", "seed", "updates", "kept", "minutes", "hardware", "commit", "date")


def as_json(records: Records) -> dict[str, Any]:
    """All tables of a paper as one object; a cell of ours is an object, or a word that says why there is no number."""
    tables = [
        {
            "title": table.title,
            "rows": [
                {
                    "label": row.label,
                    "departures": row.departures,
                    "columns": {column.name: _cell(records, row, index) for index, column in enumerate(table.columns)},
                }
                for row in table.rows
            ],
        }
        for table in records.paper.tables
    ]
    paper = records.paper
    about = {"paper": records.name, "title": paper.title, "reference": paper.reference, "url": paper.url}
    return {**about, "results": str(records.folder), "tables": tables}


def _cell(records: Records, row: Row, column: int) -> dict[str, Any]:
    what = published(row, column)
    cells = {budget: ours(records, row, column, budget) for budget in BUDGETS}
    mine = {budget: cell if isinstance(cell, str) else asdict(cell) for budget, cell in cells.items()}
    return {"published": None if what is None else asdict(what), **mine}
