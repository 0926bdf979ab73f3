"""The page, top to bottom: verdict, pictures, commands, measures, training, and how it was made.

One file without scripts and without anything from the network; whatever part of a run is missing is left out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any, cast

from untaught.evaluate.judgement.verdict import Verdict
from untaught.evaluate.quantity import significant
from untaught.evaluate.subject import Subject
from untaught.legible import legible
from untaught.report.gallery import draw_pictures, figure, ordered_pictures, pictures_of, progress
from untaught.report.learning_curves import training_section
from untaught.report.measures import headline, measure_section
from untaught.report.next_steps import USUAL, commands_section
from untaught.report.style import STYLE
from untaught.report.words import sentence, spoken
from untaught.runs.checkpoint import replacing, write_json
from untaught.runs.run import Run, open_run

LEADING = ("prediction", "rollout", "reconstruction", "decode", "probe", "cluster")
"""Measures that a reader wants first; others follow by name."""


def write_report(run_path: Path | str, subject: Subject | None = None, commands: Collection[str] = USUAL) -> Path:
    """Write report.html into a run's folder, and the pictures that it shows where they are missing.

    Arguments:
        run_path: The run's folder.
        subject: The run's best model on its data, where the caller has it at hand; else it is opened if a picture is
            to be drawn.
        commands: Commands that the page may propose.

    Raises:
        RunError: There is no run there.
    """
    run = open_run(run_path)
    trouble = draw_pictures(run, subject)
    path = run.path / "report.html"
    with replacing(path) as part:
        part.write_text(legible(page(run, trouble, commands)), encoding="utf-8")
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


def page(run: Run, trouble: str | None = None, commands: Collection[str] = USUAL) -> str:
    """The page as text."""
    evaluation = _stored(run.path / "evaluation.json")
    measures = _ordered(evaluation.get("measures"))
    records = run.records()
    pictures = {path.name: path for path in ordered_pictures(run.pictures)}
    vectors = len(run.settings.shape) == 1
    sections = [
        measure_section(name, measure, vectors) + _figures(pictures.pop(file, None) for file in pictures_of(name))
        for name, measure in measures.items()
    ]
    body = [
        _top(run, measures, records),
        _figures(pictures.values()),
        _trouble(trouble),
        commands_section(run, commands),
        *sections,
        "" if measures else '<p class="note">Not evaluated yet: <code>untaught evaluate</code> adds measures here.</p>',
        training_section(records),
        progress(run.pictures),
        _made(run, records, evaluation),
    ]
    title = escape(_named(run))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style><main>{''.join(body)}</main></html>\n"
    )


def _top(run: Run, measures: Mapping[str, Any], records: list[dict[str, Any]]) -> str:
    """The verdict; of a run without one the first measured number, else the last held-out loss."""
    head = f'<p class="kicker">untaught</p><h1>{escape(_named(run))}</h1>'
    if (known := _verdict(run)) is not None:
        return head + known
    told = headline(measures) or _loss(records)
    if told is None:
        return head
    value, name, beside = told
    return f'{head}<p class="lead"><strong>{escape(value)}</strong> {escape(name)}. {escape(beside)}</p>'


def _named(run: Run) -> str:
    """The model and its data; of a file or folder the last part of its path alone."""
    data, _, options = run.settings.data.partition("?")
    return f"{run.settings.model} trained on {Path(data).name or data}{'?' if options else ''}{options}"


def _verdict(run: Run) -> str | None:
    """How the best checkpoint stands beside the trivial answer, with what to try; None where that is not known."""
    found = _stored(run.path / "verdict.json")
    if "words" not in found or found.get("checkpoint") != run.best_name():
        return None
    tries = "".join(f"<li>{escape(str(one))}</li>" for one in found.get("to_try", []))
    listed = f'<p class="note">What to try:</p><ul>{tries}</ul>' if tries else ""
    told = escape(sentence(str(found["words"])))
    return f'<div class="verdict {escape(str(found.get("standing")))}"><p>{told}.</p>{listed}</div>'


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


def _stored(path: Path) -> dict[str, Any]:
    """The content of a JSON file; nothing where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _trouble(trouble: str | None) -> str:
    return f'<p class="note">Pictures could not be drawn: {escape(trouble)}</p>' if trouble else ""


def _figures(paths: Iterable[Path | None]) -> str:
    return "".join(figure(path) for path in paths if path is not None)


def _made(run: Run, records: list[dict[str, Any]], evaluation: dict[str, Any]) -> str:
    """How the run was made: the command, how long it took, versions and hardware, the configuration."""
    about = run.environment()
    machine = _machine(_as_computed(about, records))
    facts = {"data": run.settings.data, **_effort(records), **machine, "measured on": evaluation.get("data")}
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items() if v not in (None, ""))
    config = (run.path / "config.json").read_text(encoding="utf-8")
    return (
        f"<h2>How it was made</h2><dl>{rows}</dl>"
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


def _as_computed(about: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    """The environment with the threads and the precision of the last step."""
    last = records[-1] if records else {}
    return {**about, "threads": last.get("threads", about.get("threads")), "precision": last.get("precision")}


def _machine(about: dict[str, Any]) -> dict[str, str]:
    versions = cast(dict[str, str], about.get("versions") or {})
    cores, threads = about.get("cores"), about.get("threads")
    used = threads and f"{threads} thread{'s' * (threads > 1)}"
    return {
        "processor": ", ".join(
            str(part)
            for part in (about.get("processor"), cores and f"{cores} cores", used, about.get("precision"))
            if part
        ),
        "GPU": about.get("gpu") or "",
        "system": ", ".join(str(part) for part in (about.get("system"), f"Python {about.get('python', '?')}") if part),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "commit": about.get("commit") or "",
    }
