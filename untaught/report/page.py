"""The page, top to bottom: headline number, film, measures, training, pictures, and how it was made.

One file without scripts and without anything from the network; whatever part of a run is missing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, cast

from untaught.evaluate.quantity import significant
from untaught.evaluate.subject import Subject
from untaught.report.gallery import draw_pictures, figure, ordered_pictures, progress
from untaught.report.learning_curves import training_section
from untaught.report.measures import headline, measure_section
from untaught.report.style import STYLE
from untaught.report.words import spoken
from untaught.runs.checkpoint import replacing, write_json
from untaught.runs.run import Run, open_run

LEADING = ("prediction", "rollout", "reconstruction", "decode", "probe", "cluster")
"""Measures that a reader wants first; others follow by name."""


def write_report(run_path: Path | str, subject: Subject | None = None) -> Path:
    """Write report.html into a run's folder, and the pictures that it shows where they are missing.

    Arguments:
        run_path: The run's folder.
        subject: The run's best model on its data, where the caller has it at hand; else it is opened if a picture is
            to be drawn.

    Raises:
        RunError: There is no run there.
    """
    run = open_run(run_path)
    trouble = draw_pictures(run, subject)
    path = run.path / "report.html"
    with replacing(path) as part:
        part.write_text(page(run, trouble), encoding="utf-8")
    return path


def record_evaluation(run_path: Path | str, measures: Mapping[str, Any], **about: Any) -> Path:
    """Keep what `evaluate` gave in the run's evaluation.json, with what it was taken of (`data`, `step`)."""
    path = open_run(run_path).path / "evaluation.json"
    write_json(path, {"run": str(run_path), **about, "measures": dict(measures)})
    return path


def record_verdict(run_path: Path | str, found: Verdict, tries: Sequence[str]) -> Path:
    """Keep the verdict on the run's best checkpoint in verdict.json, with what to try."""
    run = open_run(run_path)
    path = run.path / "verdict.json"
    write_json(path, {"checkpoint": run.best_name(), **asdict(found), "to_try": list(tries)})
    return path


def page(run: Run, trouble: str | None = None) -> str:
    """The page as text."""
    evaluation = _evaluation(run)
    measures = _ordered(evaluation.get("measures"))
    records = run.records()
    pictures = ordered_pictures(run.pictures)
    leading = [path for path in pictures if path.stem == pictures[0].stem]
    body = [
        _top(run, measures, records),
        *map(figure, leading),
        _trouble(trouble),
        *(measure_section(name, measure) for name, measure in measures.items()),
        "" if measures else '<p class="note">Not evaluated yet: <code>untaught evaluate</code> adds measures here.</p>',
        training_section(records),
        progress(run.pictures),
        _gallery([path for path in pictures if path not in leading]),
        _made(run, records, evaluation),
    ]
    title = escape(f"{run.settings.model} on {run.settings.data}")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style><main>{''.join(body)}</main></html>\n"
    )


def _top(run: Run, measures: Mapping[str, Any], records: list[dict[str, Any]]) -> str:
    """The headline: the first measured number, else the last held-out loss."""
    told = headline(measures) or _loss(records)
    kicker = f"{run.settings.model} trained on {run.settings.data}"
    if told is None:
        return f'<p class="kicker">untaught</p><h1>{escape(kicker)}</h1>'
    value, name, beside = told
    return (
        f'<p class="kicker">{escape(kicker)}</p><h1>{escape(value)} <small>{escape(name)}</small></h1>'
        f'<p class="lead">{escape(beside)}</p>'
    )


def _loss(records: list[dict[str, Any]]) -> tuple[str, str, str] | None:
    for record in reversed(records):
        held_out: dict[str, float] = record.get("held_out") or {}
        named = [name for name in held_out if name != "total"] or list(held_out)
        if named:
            return significant(held_out[named[0]]), f"{spoken(named[0])} on held-out data", ""
    return None


def _ordered(measures: Any) -> dict[str, dict[str, Any]]:
    found = cast(dict[str, Any], measures) if isinstance(measures, dict) else {}
    found = {name: measure for name, measure in found.items() if isinstance(measure, dict)}
    return {
        name: found[name] for name in [*(n for n in LEADING if n in found), *(n for n in found if n not in LEADING)]
    }


def _evaluation(run: Run) -> dict[str, Any]:
    try:
        found = json.loads((run.path / "evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _trouble(trouble: str | None) -> str:
    return f'<p class="note">Pictures could not be drawn: {escape(trouble)}</p>' if trouble else ""


def _gallery(paths: list[Path]) -> str:
    return "<h2>Pictures</h2>" + "".join(map(figure, paths)) if paths else ""


def _made(run: Run, records: list[dict[str, Any]], evaluation: dict[str, Any]) -> str:
    """How the run was made: the command, how long it took, versions and hardware, the configuration."""
    about = run.environment()
    facts = {**_effort(records), **_machine(about), "measured on": evaluation.get("data")}
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items() if v not in (None, ""))
    config = (run.path / "config.json").read_text(encoding="utf-8")
    command = f"<pre>{escape(str(about['command']))}</pre>" if about.get("command") else ""
    return (
        f"<h2>How it was made</h2>{command}<dl>{rows}</dl>"
        f"<details><summary>Every setting (config.json)</summary><pre>{escape(config)}</pre></details>"
    )


def _effort(records: list[dict[str, Any]]) -> dict[str, str]:
    if not records:
        return {}
    longest = {str(record.get("stage")): float(record.get("seconds", 0)) for record in records}
    steps = {str(record.get("stage")): int(record.get("step", 0)) for record in records}
    weights = next((record["needs"]["weights"] for record in records if record.get("needs")), None)
    return {
        "weights": "" if weights is None else f"{weights:,}",
        "training": f"{sum(steps.values()):,} steps in {_time(sum(longest.values()))}",
        "passes over the data": significant(float(records[-1].get("epoch", 0))),
    }


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _machine(about: dict[str, Any]) -> dict[str, str]:
    versions = cast(dict[str, str], about.get("versions") or {})
    cores, threads = about.get("cores"), about.get("threads")
    return {
        "processor": ", ".join(
            str(part)
            for part in (about.get("processor"), cores and f"{cores} cores", threads and f"{threads} threads")
            if part
        ),
        "GPU": about.get("gpu") or "",
        "system": ", ".join(str(part) for part in (about.get("system"), f"Python {about.get('python', '?')}") if part),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "commit": about.get("commit") or "",
    }
