"""`untaught tables`: the results of papers beside those measured here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table as Lines

from untaught.cli.flags import read
from untaught.cli.output import console
from untaught.cli.progress import follow
from untaught.config import Count, configuration
from untaught.errors import ConfigError
from untaught.experiments import BUDGETS, Budget, Table
from untaught.experiments.cells import RECORDED, as_json, departures, grids, recorded
from untaught.experiments.find import paper_named, paper_names, refuse_unknown
from untaught.experiments.records import Records, results_folder

if TYPE_CHECKING:
    from untaught.experiments.runner import Runner


@configuration
class Tables:
    """Print a paper's tables: its own results beside those recorded here; without a paper, list the papers.

    With --budget, first train and measure what is not recorded yet. A cell without a record reads `not run`.
    """

    paper: str = ""
    """A paper, author and year."""
    budget: Budget | None = None
    """Run what is missing at this budget: smoke, a minute for everything; cpu, at most 10 minutes per row on two
    cores, more where the paper's file says so; full, one GPU. By default nothing is run."""
    experiment: tuple[str, ...] = ()
    """Run only these experiments; by default all that have the budget."""
    seeds: Count | None = None
    """Trainings of each experiment; by default as many as the paper's file says."""
    results: str | None = None
    """Folder of the records; by default results/ in the checkout, or in the current folder."""
    again: bool = False
    """Run experiments that are already recorded as well, and replace their records."""
    keep_runs: str | None = None
    """Keep the runs, with checkpoints and reports, in this folder; by default only the measured numbers are kept."""
    json: bool = False
    """Print one JSON object, and everything else on standard error."""


def tables(words: Sequence[str]) -> None:
    """List the papers, or run what is missing and print one paper's tables."""
    asked = read(Tables, words, "untaught tables", positional=["paper"])
    if not asked.paper:
        _list()
        return
    paper = paper_named(asked.paper)
    records = Records(asked.paper, paper, Path(asked.results or results_folder()) / asked.paper)
    if asked.budget is not None:
        _run(asked, asked.budget, records)
    elif asked.experiment or asked.again or asked.keep_runs or asked.seeds:
        raise ConfigError(f"nothing is run without a budget: give --budget {', '.join(BUDGETS)}")
    if asked.json:
        print(json.dumps(as_json(records)))
    else:
        _print(records)


def _list() -> None:
    for name in paper_names():
        print(f"{name:<20} {paper_named(name).title}")


def _run(asked: Tables, budget: Budget, records: Records) -> None:
    """Run the experiments that were asked for and are not recorded, and draw the paper's figures."""
    # Fabric takes a second to import; printing a table does not need it.
    from untaught.experiments.runner import Runner, device_of

    experiments = records.paper.experiments
    for name in asked.experiment:
        refuse_unknown("experiment", name, experiments)
        if budget not in experiments[name]:
            raise ConfigError(f"experiment {name} has no budget {budget}; it has: {', '.join(experiments[name])}")
    device_of(budget)
    names = asked.experiment or [name for name, own in experiments.items() if budget in own]
    runner = Runner(records, budget, follow, None if asked.keep_runs is None else Path(asked.keep_runs))
    _run_each(runner, [(name, seed) for name in names for seed in _seeds(asked, budget, records, name)])
    if records.paper.figures is not None:
        there = [record for record in records.all([budget]) if not records.is_stale(record)]
        folder = records.folder / f"figures-{budget}"
        folder.mkdir(parents=True, exist_ok=True)
        for path in records.paper.figures(there, folder):
            print(f"figure: {path}", file=sys.stderr)


def _seeds(asked: Tables, budget: Budget, records: Records, name: str) -> Iterable[int]:
    if asked.again:
        return range(asked.seeds or records.paper.experiments[name][budget].seeds)
    return records.missing(name, budget, asked.seeds)


def _run_each(runner: Runner, wanted: Sequence[tuple[str, int]]) -> None:
    for number, (name, seed) in enumerate(wanted, 1):
        print(f"{name}, seed {seed}: {number} of {len(wanted)}", file=sys.stderr)
        print(f"recorded: {runner.run(name, seed)}", file=sys.stderr)


def _print(records: Records) -> None:
    """Print every table, and the records behind them."""
    out, paper = console(), records.paper
    out.print(f"[bold]{paper.title}[/bold]\n{paper.reference}\n{paper.url}\n", highlight=False)
    for table in paper.tables:
        _print_table(records, table)
    there = records.all(BUDGETS)
    if there:
        out.print("records", style="bold")
        out.print(_grid(RECORDED, map(recorded, there)))


def _print_table(records: Records, table: Table) -> None:
    out = console()
    for grid in grids(records, table):
        out.print(f"{table.title}: {grid.heading}", style="bold", highlight=False)
        if grid.rows:
            out.print(_grid(grid.head, grid.rows))
        out.print()
    for line in [*([table.caption] if table.caption else []), *departures(table)]:
        out.print(line, style="dim", highlight=False)
    out.print()


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Lines:
    grid = Lines(box=None, header_style="dim", pad_edge=False)
    for name in head:
        grid.add_column(name)
    for row in rows:
        grid.add_row(*row)
    return grid
