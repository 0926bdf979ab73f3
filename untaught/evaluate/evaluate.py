"""Every measure that a model's capabilities and its data allow.

A measure is a file of `measures/` that defines `MEASURE` (`Measure`): when it applies, how it is taken, and what its
quantities are. The folder is the registry.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from untaught.ambient import as_torch_begins
from untaught.errors import ConfigError
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.subject import Subject as Subject
from untaught.evaluate.subject import measuring, subject_of_run
from untaught.randomness import seeded
from untaught.runs.run import Run, open_run


def measures() -> dict[str, Measure]:
    """Every measure by name, found by looking into the folder."""
    folder = importlib.import_module("untaught.evaluate.measures")
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    found = {name: vars(importlib.import_module(f"untaught.evaluate.measures.{name}")).get("MEASURE") for name in names}
    return {name: measure for name, measure in found.items() if isinstance(measure, Measure)}


def reasons(subject: Subject) -> dict[str, str | None]:
    """For every measure, None where it can be taken of the subject, else why not."""
    with measuring(subject.model):
        return {name: measure.applies(measure.judged(subject)) for name, measure in measures().items()}


@as_torch_begins()
def evaluate(
    what: Subject | Run | Path | str,
    names: Sequence[str] | None = None,
    begins: Callable[[str], None] = lambda name: None,
    ends: Callable[[str, Groups], None] = lambda name, groups: None,
) -> dict[str, Any]:
    """Take the named measures, or all that apply, in float32, the same every time under the subject's seed.

    Arguments:
        what: A model and the data to measure it on; or a run or its folder, which is measured on its own test part.
        names: Measures to take.
        begins: Is called with each measure's name before it is taken: some take minutes.
        ends: Is called with its name and its quantities after it was taken.

    Returns:
        Numbers by measure, as JSON: `{"prediction": {"squared_error_per_frame": ..., "baselines": {...}}}`.

    Raises:
        ConfigError: A measure is unknown, or was asked for by name and does not apply.
        RunError: There is no run in that folder.
    """
    if isinstance(what, (str, Path)):
        what = open_run(what)
    subject = subject_of_run(what) if isinstance(what, Run) else what
    known = measures()
    results: dict[str, Any] = {}
    with measuring(subject.model):
        chosen = _chosen(subject, known, names)
    for name in chosen:
        begins(name)
        with measuring(subject.model), seeded(subject.seed, subject.device):
            groups = known[name].measure(known[name].judged(subject))
        ends(name, groups)
        results[name] = known[name].as_json(groups)
    return results


def _chosen(subject: Subject, known: dict[str, Measure], names: Sequence[str] | None) -> list[str]:
    if names is None:
        usual = {name: measure for name, measure in known.items() if not measure.by_name}
        return [name for name, measure in usual.items() if measure.applies(measure.judged(subject)) is None]
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
            raise ConfigError(f"no measure is called {name!r}; {hint}")
        reason = known[name].applies(known[name].judged(subject))
        if reason is not None:
            raise ConfigError(f"{name} cannot be measured: {reason}")
    return list(names)
