"""A paper's page: its tables, where they come from, and the records behind them."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import dedent

from untaught.experiments.cells import RECORDED, departures, grids, recorded, sources
from untaught.experiments.find import paper_named
from untaught.experiments.paper import BUDGETS, Table
from untaught.experiments.records import Records, results_folder

SPREAD = (
    "± is the standard deviation over seeds where their number is given, else over test examples. *recalled*: the"
    " published number was written down from memory. *stale*: recorded before the experiment was last changed."
)
TRAINED = (
    "Updates and minutes are those of all stages, with the trainings that a row begins from; *kept* is the update of"
    " the last stage whose weights were measured. Records with a + know their last stage only."
)


def markdown(name: str, results: Path | None = None) -> str:
    """The page of one paper, from what is recorded.

    Raises:
        ConfigError: There is no such paper.
        RunError: A record cannot be read.
    """
    paper = paper_named(name)
    records = Records(name, paper, (results or results_folder()) / name)
    there = records.all(BUDGETS)
    parts = [f"# {paper.title}", f"{paper.reference}\n<{paper.url}>", *_of_the_whole(name)]
    for table in paper.tables:
        parts += _table(records, table)
    parts += _figures(records)
    parts.append(SPREAD)
    if there:
        parts += ["## Records", TRAINED, _grid(RECORDED, map(recorded, there))]
    parts.append(f"```\nuntaught tables {name} --budget cpu\n```")
    return "\n\n".join(parts) + "\n"


def _of_the_whole(name: str) -> list[str]:
    """What the paper's file says of all its rows: the section `Departures` of its docstring, a line for a sentence."""
    said = inspect.getdoc(importlib.import_module(f"untaught.papers.{name}")) or ""
    _, _, section = said.partition("\nDepartures:\n")
    if not section:
        return []
    sentences = re.split(r"(?<=[.?])\s+(?=[A-Z`])", dedent(section).strip().replace("\n", " "))
    return ["## Departures", "\n".join(f"- {sentence}" for sentence in sentences)]


def _table(records: Records, table: Table) -> list[str]:
    parts = [f"## {table.title[0].upper()}{table.title[1:]}"]
    parts += [table.caption] if table.caption else []
    for grid in grids(records, table):
        parts += [f"**{grid.heading}**", *([_grid(grid.head, grid.rows)] if grid.rows else [])]
    where = sources(table)
    parts += [f"Published: {'; '.join(where)}."] if where else []
    told = departures(table)
    parts += ["Departures:\n\n" + "\n".join(f"- {line}" for line in told)] if told else []
    return parts


def _figures(records: Records) -> list[str]:
    """Each figure as it was drawn from the records of the largest budget that has it, as seen from `docs/tables/`."""
    parts: list[str] = []
    shown: set[str] = set()
    for budget in reversed(BUDGETS):
        drawn = sorted((records.folder / f"figures-{budget}").glob("*.png"))
        new = [path for path in drawn if path.name not in shown]
        shown |= {path.name for path in new}
        place = f"../../results/{records.name}/figures-{budget}"
        parts += [f"## Figures, {budget}"] * bool(new) + [f"![{path.stem}]({place}/{path.name})" for path in new]
    return parts


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    marked = [[cell.replace("|", "\\|").replace("recalled", "*recalled*") for cell in line] for line in cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in marked)
