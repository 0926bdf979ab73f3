"""Commands that made the run and that can come next: those that its model and data allow, ready to be copied."""

from __future__ import annotations

import shlex
from abc import ABC
from collections.abc import Collection
from dataclasses import dataclass
from html import escape

from untaught.model import Encodes, Energy, Model, Predicts, Reconstructs, Samples, Scores, Translates, model_class
from untaught.runs.run import Run


@dataclass(frozen=True)
class Step:
    """A command about a run."""

    command: str
    needs: tuple[type[ABC], ...]
    """Capabilities, one of which the model must have; none that it needs none."""
    out: str
    """The file that it writes: of pictures or video, of vectors; empty where it writes into the run."""
    of_vectors: str
    told: str


STEPS = (
    Step("evaluate", (), "", "", "every measure, each beside its baselines; this page shows them afterwards"),
    Step("explore", (), "", "", "a page to steer what was learnt; Ctrl-C ends it"),
    Step("predict", (Predicts,), "next.mp4", "", "the frames that follow"),
    Step(
        "unusual",
        (Predicts, Reconstructs, Energy, Scores),
        "unusual.png",
        "unusual.png",
        "what the model finds improbable",
    ),
    Step("reconstruct", (Reconstructs,), "copies.png", "copies.npz", "what comes back of every example"),
    Step(
        "translate", (Translates,), "translated.png", "", "every example as one of the other kind; --back the other way"
    ),
    Step("sample", (Samples,), "samples.png", "samples.npz", "new examples"),
    Step("encode", (Encodes,), "features.npz", "features.npz", "the features of every example"),
)
"""In the order in which a reader wants them."""
USUAL = frozenset(("evaluate", "predict", "reconstruct", "sample", "encode"))
"""Commands that there are wherever the caller does not say which."""


def next_steps(run: Run, commands: Collection[str]) -> list[tuple[str, str]]:
    """Each command that the run allows, and what it gives."""
    model, vectors = model_class(run.settings.model), len(run.settings.shape) == 1
    return [
        (_line(run, step, vectors), step.told)
        for step in STEPS
        if step.command in commands and _able(model, step.needs) and (not vectors or step.of_vectors or not step.out)
    ]


def commands_section(run: Run, commands: Collection[str]) -> str:
    """The command that made the run, and those that can come next."""
    made, rows = run.environment().get("command"), next_steps(run, commands)
    lines = "".join(f"<dt><code>{escape(line)}</code></dt><dd>{escape(told)}</dd>" for line, told in rows)
    before = f"<h3>Made by</h3><pre>{escape(str(made))}</pre>" if made else ""
    return f'<section class="commands">{before}<h3>Next to try</h3><dl class="steps">{lines}</dl></section>'


def _able(model: type[Model], needs: tuple[type[ABC], ...]) -> bool:
    return not needs or issubclass(model, needs)


def _line(run: Run, step: Step, vectors: bool) -> str:
    out = step.of_vectors if vectors else step.out
    return shlex.join(["untaught", step.command, str(run.path), *(["--out", out] if out else [])])
