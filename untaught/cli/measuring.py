"""`untaught evaluate`: every measure that a model's capabilities and the data allow, with trivial baselines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from untaught.cli import COMMANDS
from untaught.cli.flags import read
from untaught.cli.opening import device_named, open_source, subject_of
from untaught.cli.terminal.measured_tables import print_measures
from untaught.cli.terminal.streams import tell
from untaught.config import Whole, configuration
from untaught.data.coverage import uncovered
from untaught.data.source import Source, source_names
from untaught.data.spec import parse
from untaught.evaluate.drawing.illustrate import illustrate_measures
from untaught.evaluate.evaluate import evaluate as measured
from untaught.evaluate.evaluate import reasons
from untaught.evaluate.in_squares import whole_view
from untaught.evaluate.measure import Groups
from untaught.evaluate.subject import Subject
from untaught.runs.run import Run, open_run


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
    from untaught.report import record_evaluation, write_report  # help and errors in flags need no report
    from untaught.report.judging import judged_by

    run = open_run(asked.run)
    source = open_source(run, asked.data, asked.size, asked.on_bad)
    subject = subject_of(run, source, asked.step, device_named(asked.device), run.other_source())
    subject = judged_whole(run, source, subject)
    for line in uncovered(subject.as_whole.parts.test, whole_view(subject)):
        tell(line, file=sys.stderr)
    about = {"data": source.spec, "step": asked.step}
    groups: dict[str, Groups] = {}
    taken = measured(subject, list(asked.measure) or None, _begins, groups.__setitem__)
    if not taken:
        print(_nothing_to_measure(subject), file=sys.stderr)
    record_evaluation(run.path, {**_before(run.path, about), **taken}, **about)
    illustrate_measures(subject, run.pictures, taken)
    own = source.spec == run.settings.data and asked.step is None
    judgement = judged_by(run, subject, groups, own)
    report = write_report(run.path, subject if own else None, COMMANDS)
    if asked.json:
        print(json.dumps({"run": str(run.path), **about, "measures": taken}))
    else:
        print_measures(taken, vectors=len(subject.parts.test.shape) == 1)
    if judgement:
        print("\n".join(judgement), file=sys.stderr if asked.json else sys.stdout)
    tell(f"report: {report}", file=sys.stderr)


def judged_whole(run: Run, source: Source, subject: Subject) -> Subject:
    """Data that the model was not trained on are its test examples whole, unless they bring a test part of their own.

    Measures that learn from examples, such as a probe, still learn from one part and are judged on the other.
    """
    if _place(source.spec) == _place(run.settings.data):
        return subject
    parts, every = subject.parts, source.train
    if source.test is not None:
        tell(f"{source.spec} has a test part, {len(source.test):,} examples, and is judged by it", file=sys.stderr)
        return subject
    tell(
        f"{source.spec} was not trained on: all {len(every):,} examples are judged; measures that compare with what "
        f"can be learnt from examples learn from {len(parts.train):,} of them and judge {len(parts.test):,}",
        file=sys.stderr,
    )
    return replace(subject, whole=every.shots())


def _place(spec: str) -> str:
    """What is read, without options, by its real path where it has one."""
    asked = parse(spec, source_names())
    return f"{asked.name or ''}:{asked.path.resolve() if asked.path else ''}"


def _begins(measure: str) -> None:
    """Say which measure is being taken: some take minutes."""
    print(f"measuring {measure}", file=sys.stderr)


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
    measures = held.get("measures") if same else None
    return measures if isinstance(measures, dict) else {}
