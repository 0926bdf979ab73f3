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
from untaught.cli.terminal.progress import follow
from untaught.cli.terminal.streams import tell
from untaught.config import Count, Whole, configuration
from untaught.errors import ConfigError, TrainingError
from untaught.experiments import BUDGETS, Budget, Table
from untaught.experiments.cells import RECORDED, as_json, departures, grids, recorded
from untaught.experiments.find import paper_named, paper_names, refuse_unknown
from untaught.experiments.records import Records, results_folder

if TYPE_CHECKING:
    from untaught.experiments.rows.job_order import Job

RUNS = "runs/tables"
"""Where rows are trained unless their runs are kept elsewhere."""


@configuration
class Tables:
    """Print papers' tables: their own results beside those recorded here; without a paper, list the papers.

    With --budget, first train and measure what is not recorded yet. A row that was stopped goes on from its checkpoint.
    A cell without a record reads `not run`.
    """

    paper: tuple[str, ...] = ()
    """Papers, by author and year."""
    all: bool = False
    """Take all papers."""
    budget: Budget | None = None
    """Run what is missing at this budget: smoke, a minute for everything; cpu, at most 10 minutes per row on two
    cores, more where the paper's file says so; hour, at most 90 minutes per row on one core; full, one GPU. By default
    nothing is run."""
    experiment: tuple[str, ...] = ()
    """Run only these experiments; by default all that have the budget."""
    seeds: Count | None = None
    """Trainings of each experiment; by default as many as the paper's file says."""
    seed: Whole | None = None
    """Run only the trainings with this seed."""
    jobs: Count | None = None
    """Run so many rows at a time, the longest first, each in a process of its own on one thread and at low priority;
    by default one after the other in this process."""
    results: str | None = None
    """Folder of the records; by default results/ in the checkout, or in the current folder."""
    again: bool = False
    """Run experiments that are already recorded as well, and replace their records."""
    keep_runs: str | None = None
    """Keep the runs, with checkpoints and reports, in this folder; by default they are in runs/tables until they are
    recorded."""
    json: bool = False
    """Print one JSON object, or a list of them for several papers, and everything else on standard error."""


def tables(words: Sequence[str]) -> None:
    """List the papers, or run what is missing and print papers' tables."""
    asked = read(Tables, words, "untaught tables", positional=["paper"])
    papers = paper_names() if asked.all else asked.paper
    if not papers:
        _list()
        return
    folder = Path(asked.results or results_folder())
    several = [Records(name, paper_named(name), folder / name) for name in papers]
    failed: dict[str, str] = {}
    if asked.budget is not None:
        failed = _run(asked, asked.budget, several)
    elif asked.experiment or asked.again or asked.keep_runs or asked.seeds or asked.jobs or asked.seed is not None:
        raise ConfigError(f"nothing is run without a budget: give --budget {', '.join(BUDGETS)}")
    if asked.json:
        found = [as_json(records) for records in several]
        print(json.dumps(found if len(found) > 1 else found[0]))
    elif asked.jobs is None or len(several) == 1:
        for records in several:
            _print(records)
    if failed:
        raise TrainingError(f"{len(failed)} of the rows failed; what they said is in {asked.keep_runs or RUNS}")


def _list() -> None:
    for name in paper_names():
        print(f"{name:<20} {paper_named(name).title}")


def _run(asked: Tables, budget: Budget, several: Sequence[Records]) -> dict[str, str]:
    """Run the experiments that were asked for and are not recorded, and draw the papers' figures; what failed."""
    # Fabric takes a second to import; printing a table does not need it.
    from untaught.experiments.rows.job_order import jobs
    from untaught.experiments.rows.runner import device_of

    wanted: list[Job] = []
    for records in several:
        names = _names(asked, budget, records)
        wanted += jobs(records, budget, names, asked.seeds, asked.again)
    wanted = [job for job in wanted if asked.seed in (None, job.key[2])]
    device_of(budget)
    if asked.jobs is None:
        _run_each(asked, budget, several, wanted)
        failed: dict[str, str] = {}
    else:
        failed = _run_at_once(asked, budget, asked.jobs, wanted)
    if asked.seed is None:
        for records in several:
            _draw(records, budget)
    return failed


def _names(asked: Tables, budget: Budget, records: Records) -> Sequence[str]:
    """Experiments of a paper that are to be run."""
    experiments = records.paper.experiments
    for name in asked.experiment:
        refuse_unknown(f"experiment of {records.name}", name, experiments)
        if budget not in experiments[name]:
            raise ConfigError(f"experiment {name} has no budget {budget}; it has: {', '.join(experiments[name])}")
    return asked.experiment or _with_data(records, budget)


def _with_data(records: Records, budget: Budget) -> list[str]:
    """Experiments of a budget whose data are there or can be had; of the others it is said what they lack."""
    every = {name: own[budget] for name, own in records.paper.experiments.items() if budget in own}
    lacking: dict[Path, list[str]] = {}
    for name, experiment in every.items():
        if experiment.lacks is not None:
            lacking.setdefault(experiment.lacks, []).append(name)
    for folder, names in lacking.items():
        told = f"not run without your own data: {', '.join(names)}; put or link the folder of classes as {folder}"
        print(told, file=sys.stderr)
    return [name for name, experiment in every.items() if experiment.lacks is None]


def _draw(records: Records, budget: Budget) -> None:
    """Draw a paper's figures from what is recorded."""
    if records.paper.figures is None:
        return
    there = [record for record in records.all([budget]) if not records.is_stale(record)]
    folder = records.folder / f"figures-{budget}"
    folder.mkdir(parents=True, exist_ok=True)
    for path in records.paper.figures(there, folder):
        tell(f"figure: {path}", file=sys.stderr)


def _run_each(asked: Tables, budget: Budget, several: Sequence[Records], wanted: Sequence[Job]) -> None:
    """One after the other, in this process."""
    from untaught.experiments.rows.runner import Runner

    kept = asked.keep_runs is not None
    folder = Path(asked.keep_runs or RUNS)
    runners = {records.name: Runner(records, budget, follow, folder, kept) for records in several}
    for number, job in enumerate(wanted, 1):
        paper, name, seed = job.key
        print(f"{name}, seed {seed}: {number} of {len(wanted)}", file=sys.stderr)
        tell(f"recorded: {runners[paper].run(name, seed, asked.again)}", file=sys.stderr)


def _run_at_once(asked: Tables, budget: Budget, count: int, wanted: Sequence[Job]) -> dict[str, str]:
    """Several at a time, each in a process of its own."""
    from untaught.experiments.rows.at_once import run_at_once

    given = [("results", asked.results), ("keep-runs", asked.keep_runs)]
    shared = [word for name, value in given if value is not None for word in (f"--{name}", value)]

    def words(job: Job) -> list[str]:
        paper, name, seed = job.key
        row = ["--budget", budget, "--experiment", name, "--seed", str(seed), "--seeds", str(seed + 1)]
        again = ["--again"] if asked.again else []
        return [sys.executable, "-m", "untaught", "tables", paper, *row, *shared, *again]

    def log(job: Job) -> Path:
        paper, name, seed = job.key
        return Path(asked.keep_runs or RUNS) / f"{paper}-{name}-{budget}-{seed}.log"

    return run_at_once(wanted, count, words, log, lambda said: print(said, file=sys.stderr, flush=True))


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
