"""`untaught evaluate`: every measure that a model's capabilities and the data allow, trivial baselines beside."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from untaught.cli.flags import read
from untaught.cli.opening import device_named, open_source, subject_of
from untaught.cli.output import console
from untaught.config import Whole, configuration
from untaught.evaluate.beside import who
from untaught.evaluate.drawing.illustrate import illustrate_measures
from untaught.evaluate.evaluate import evaluate as measured
from untaught.report import record_evaluation, write_report
from untaught.runs.run import open_run


@configuration
class Evaluate:
    """Take every measure that applies to a run, trivial baselines beside each, and write them into the run.

    They are in evaluation.json in the run's folder, and in its report.html.
    """

    run: str
    """Folder of the run."""
    data: str | None = None
    """What to measure on; none takes the held-out part of the data that the run was trained on."""
    measure: tuple[str, ...] = ()
    """Measures to take; none takes all that apply."""
    json: bool = False
    """Print one JSON object, and everything else on standard error."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64; none takes the run's."""
    on_bad: Literal["stop", "skip"] | None = None
    """What to do with a broken file: stop, or leave it out and count it; none does as the run did."""
    step: Whole | None = None
    """Take the checkpoint of this step; none takes the best."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""


def evaluate(words: Sequence[str]) -> None:
    """Measure, print, write evaluation.json and the report."""
    asked = read(Evaluate, words, "untaught evaluate", positional=["run"])
    run = open_run(asked.run)
    source = open_source(run, asked.data, asked.size, asked.on_bad)
    subject = subject_of(run, source, asked.step, device_named(asked.device))
    about = {"data": source.spec, "step": asked.step}
    taken = measured(subject, list(asked.measure) or None)
    record_evaluation(run.path, {**_before(run.path, about), **taken}, **about)
    illustrate_measures(subject, run.pictures, taken)
    own = source.spec == run.settings.data and asked.step is None
    report = write_report(run.path, subject if own else None)
    if asked.json:
        print(json.dumps({"run": str(run.path), **about, "measures": taken}))
    else:
        print_measures(taken)
    print(f"report: {report}", file=sys.stderr)


def _before(path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Measures that were taken before of the same checkpoint on the same data."""
    try:
        held = json.loads((path / "evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    same = isinstance(held, dict) and all(held.get(key) == value for key, value in about.items())
    return held["measures"] if same else {}


def print_measures(measures: Mapping[str, Mapping[str, Any]]) -> None:
    """Print every measure."""
    out = console()
    for name, measure in measures.items():
        out.print(table_of(name, measure))
        out.print(
            ", ".join(
                f"{key} {f'{value:.4g}' if isinstance(value, float) else value}"
                for key, value in {**alone(measure), **words(measure)}.items()
            ),
            style="dim",
        )
        out.print()


def table_of(name: str, measure: Mapping[str, Any]) -> Table:
    """One measure: the numbers that the model and its baselines have, the longer side downwards."""
    rows = who(measure)
    beside = {key for other, row in rows.items() if other != "model" for key in row}
    numbers = [key for key in rows["model"] if key in beside and not key.endswith("_std")]
    cells = {(other, key): _cell(row, key) for other, row in rows.items() for key in numbers}
    table = Table(title=name, title_justify="left", title_style="bold", box=None, header_style="dim")
    people_down = len(rows) >= len(numbers)
    down, across = (list(rows), numbers) if people_down else (numbers, list(rows))
    for heading in ("", *across):
        table.add_column(heading.replace("_", " "), justify="right" if heading else "left")
    for one in down:
        shown = [cells[(one, key) if people_down else (key, one)] for key in across]
        table.add_row(one.replace("_", " "), *shown, style="bold" if one == "model" else None)
    return table


def _cell(row: Mapping[str, float], key: str) -> str:
    """A number with its spread, where it has one."""
    spread = f" ± {row[f'{key}_std']:.2g}" if f"{key}_std" in row else ""
    return f"{row[key]:.4g}{spread}" if key in row else ""


def alone(measure: Mapping[str, Any]) -> dict[str, float]:
    """Numbers that have no baseline: counts of examples, a context."""
    rows = who(measure)
    beside = {key for other, row in rows.items() if other != "model" for key in row}
    spreads = {f"{key}_std" for key in beside}
    return {key: value for key, value in rows["model"].items() if key not in beside | spreads}


def words(measure: Mapping[str, Any]) -> dict[str, str]:
    """What a measure says in words: of what kind its number is; and bounds that have no end."""
    said = {key: value for key, value in measure.items() if isinstance(value, str)}
    return said | {key: "without end" for key in measure if measure[key] is None and key.endswith(("_low", "_high"))}
