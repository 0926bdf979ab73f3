"""The verdict on a model: told when a training ends and after `evaluate`, and kept for the page."""

from __future__ import annotations

from collections.abc import Mapping

from untaught.evaluate.judgement.advice import advice, course_of
from untaught.evaluate.judgement.verdict import Verdict, said, speaker, verdict
from untaught.evaluate.measure import Groups
from untaught.evaluate.subject import Subject, measuring
from untaught.report.page import record_verdict
from untaught.runs.run import Run

NOTHING = (
    "held out: no trivial answer stands beside what this model does here; `untaught evaluate` measures what it can"
)


def judged(run: Run, subject: Subject) -> list[str]:
    """Measure a model quickly, keep the verdict in its run, and give the lines to print."""
    return _kept(run, verdict(subject)) or [NOTHING]


def judged_by(run: Run, subject: Subject, taken: Mapping[str, Groups], own: bool) -> list[str]:
    """The verdict of what was measured; kept where it is about the run's best model on its own data."""
    with measuring(subject.model):
        name, measure = speaker(subject)
    if measure is None or measure.headline is None or name not in taken:
        return []
    found = said(name, measure.headline, taken[name], subject)
    return _kept(run, found) if own else _lines(found, _tries(run, found))


def _kept(run: Run, found: Verdict | None) -> list[str]:
    tries = _tries(run, found)
    if found is not None:
        record_verdict(run.path, found, tries)
    return _lines(found, tries)


def _tries(run: Run, found: Verdict | None) -> list[str]:
    """What to try where the trivial answer is as good."""
    return [] if found is None or not found.trivial else advice(course_of(run.records()), run.settings)


def _lines(found: Verdict | None, tries: list[str]) -> list[str]:
    if found is None:
        return []
    return [found.words, *([f"to try: {'; '.join(tries)}"] if tries else [])]
