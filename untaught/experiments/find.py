"""Papers by name, found by looking into the folder; what is wrong with one is said before anything is trained."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from untaught.errors import ConfigError
from untaught.evaluate.evaluate import measures
from untaught.experiments.paper import Experiment, Paper, Table


def paper_names() -> tuple[str, ...]:
    """Every paper, by the name of its file."""
    folder = importlib.import_module("untaught.papers")
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folder.__path__)))


def paper_named(name: str) -> Paper:
    """The paper that a file defines.

    Raises:
        ConfigError: There is no such file, or what it says does not fit together.
    """
    refuse_unknown("paper", name, paper_names())
    paper = vars(importlib.import_module(f"untaught.papers.{name}")).get("PAPER")
    if not isinstance(paper, Paper):
        raise ConfigError(f"untaught/papers/{name}.py defines no PAPER, an untaught.experiments.Paper")
    for problem in problems(paper):
        raise ConfigError(f"{name}: {problem}")
    return paper


def refuse_unknown(kind: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that there is not.

    Raises:
        ConfigError: It is not among those known; the message says which is near.
    """
    names = list(known)
    if name not in names:
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names) or 'none'}"
        raise ConfigError(f"no {kind} is called {name!r}; {hint}")


def problems(paper: Paper) -> Iterator[str]:
    """Everything that does not fit together: unknown models, measures, fields and experiments, rows too short."""
    for name, budgets in paper.experiments.items():
        for budget, experiment in budgets.items():
            for problem in _of_experiment(experiment):
                yield f"experiment {name}, {budget}: {problem}"
            for base in experiment.bases:
                if budget not in paper.experiments.get(base, {}):
                    yield f"experiment {name}, {budget}: it begins from {base!r}, which has no {budget}"
    for table in paper.tables:
        for problem in _of_table(table, set(paper.experiments)):
            yield f"table {table.title!r}: {problem}"


def _of_experiment(experiment: Experiment) -> Iterator[str]:
    try:
        experiment.definition()
    except ConfigError as error:
        yield str(error)
    known = measures()
    for take in experiment.all_takes:
        if take.measure not in known:
            yield f"no measure is called {take.measure!r}; there are: {', '.join(known)}"
    watch = experiment.watch
    if watch is not None and bool(watch.epochs) == bool(watch.fractions):
        yield "it is watched at epochs or at fractions: give one of them"


def _of_table(table: Table, experiments: set[str]) -> Iterator[str]:
    for row in table.rows:
        if row.experiment and row.experiment not in experiments:
            yield f"row {row.label!r} is of experiment {row.experiment!r}, which there is not"
        for what, entries in (("places", row.places), ("published numbers", row.published)):
            if len(entries) not in (0, len(table.columns)):
                yield f"row {row.label!r} has {len(entries)} {what}, the table {len(table.columns)} columns"
        if bool(row.places) != bool(row.experiment):
            yield f"row {row.label!r} needs an experiment and places, or neither"
