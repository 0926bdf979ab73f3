"""`untaught evaluate`: every measure that a model's capabilities and the data allow, with trivial baselines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from rich.table import Table

from untaught.cli.flags import read
from untaught.cli.opening import device_named, open_source, subject_of
from untaught.cli.output import console
from untaught.config import Whole, configuration
from untaught.evaluate.baselines.names import short
from untaught.evaluate.drawing.illustrate import illustrate_measures
from untaught.evaluate.evaluate import evaluate as measured
from untaught.evaluate.evaluate import measures, reasons
from untaught.evaluate.quantity import MODEL, Measured, Quantity
from untaught.evaluate.subject import Subject
from untaught.report import record_evaluation, write_report
from untaught.runs.run import open_run

Row: TypeAlias = Mapping[str, Measured]
"""A number of the model and of each baseline."""


@configuration
class Evaluate:
    """Compute every measure that applies to a run, each with trivial baselines, and write the results into the run.

    The results are in evaluation.json in the run's folder, and in its report.html.
    """

    run: str
    """Folder of the run."""
    data: str | None = None
    """What to measure on; by default the held-out part of the data that the run was trained on."""
    measure: tuple[str, ...] = ()
    """Measures to compute; by default all that apply."""
    json: bool = False
    """Print one JSON object, and everything else on standard error."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64; by default the run's."""
    on_bad: Literal["stop", "skip"] | None = None
    """What to do with a broken file: stop, or leave it out and count it; by default as in the run."""
    step: Whole | None = None
    """Take the checkpoint of this step; by default the best."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""


def evaluate(words: Sequence[str]) -> None:
    """Measure, print, write evaluation.json and the report."""
    asked = read(Evaluate, words, "untaught evaluate", positional=["run"])
    run = open_run(asked.run)
    source = open_source(run, asked.data, asked.size, asked.on_bad)
    subject = subject_of(run, source, asked.step, device_named(asked.device))
    about = {"data": source.spec, "step": asked.step}
    groups: dict[str, Groups] = {}
    begins = lambda name: print(f"measuring {name}", file=sys.stderr)  # noqa: E731
    taken = measured(subject, list(asked.measure) or None, begins, groups.__setitem__)
    if not taken:
        print(_nothing_to_measure(subject), file=sys.stderr)
    record_evaluation(run.path, {**_before(run.path, about), **taken}, **about)
    illustrate_measures(subject, run.pictures, taken)
    own = source.spec == run.settings.data and asked.step is None
    judgement = judged_by(run, subject, groups, own)
    report = write_report(run.path, subject if own else None)
    if asked.json:
        print(json.dumps({"run": str(run.path), **about, "measures": taken}))
    else:
        print_measures(taken, vectors=len(subject.parts.test.shape) == 1)
    if judgement:
        print("\n".join(judgement), file=sys.stderr if asked.json else sys.stdout)
    print(f"report: {report}", file=sys.stderr)


def _nothing_to_measure(subject: Subject) -> str:
    """Why no measure can be taken."""
    why = [f"  {name}: {reason}" for name, reason in reasons(subject).items() if reason is not None]
    return "\n".join(["no measure applies:", *why])


def _before(path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Earlier results for the same checkpoint on the same data."""
    try:
        held = json.loads((path / "evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    same = isinstance(held, dict) and all(held.get(key) == value for key, value in about.items())
    return held["measures"] if same else {}


def print_measures(taken: Mapping[str, Mapping[str, Any]]) -> None:
    """Print every measure: quantities with baselines as a table, the others in a line below."""
    out, known = console(), measures()
    for name, stored in taken.items():
        given = known[name].read(stored).values()
        numbers = [(quantity, *pair) for quantity in given for pair in quantity.rows(_few).items()]
        compared = [(quantity.label(path), row) for quantity, path, row in numbers if len(row) > 1]
        alone = [f"{one.label(path)}: {_alone(one, row)}" for one, path, row in numbers if len(row) == 1]
        if compared:
            out.print(table_of(name, compared))
        out.print("; ".join(alone), style="dim", highlight=False)
        out.print()


def _few(length: int) -> list[int]:
    """The first index of a list, the middle one and the last."""
    return sorted({0, length // 2, length - 1}) if length else []


def _alone(quantity: Quantity, row: Row) -> str:
    """A quantity that has no baseline, as text."""
    one = row[MODEL]
    return _cell(one) if isinstance(one.value, float) else quantity.text(one.value)


def table_of(name: str, compared: Sequence[tuple[str, Row]]) -> Table:
    """One measure's numbers for the model and its baselines; whichever there are more of become the rows."""
    columns = list(dict.fromkeys(other for _, row in compared for other in row))
    table = Table(title=name, title_justify="left", title_style="bold", box=None, header_style="dim")
    models_down = len(columns) >= len(compared)
    for heading in ("", *([label for label, _ in compared] if models_down else map(short, columns))):
        table.add_column(heading, justify="right" if heading else "left")
    if models_down:
        for one in columns:
            cells = [_cell(row.get(one)) for _, row in compared]
            table.add_row(short(one), *cells, style="bold" if one == MODEL else None)
    else:
        for label, row in compared:
            table.add_row(label, *(_cell(row.get(one)) for one in columns))
    return table


def _cell(one: Measured | None) -> str:
    """A number with its spread, where it has one."""
    if one is None:
        return ""
    return f"{one.value:.4g}" + ("" if one.spread is None else f" ± {one.spread:.2g}")
