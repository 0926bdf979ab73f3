"""Digits that are named from few labels: one classifier at every budget, and error against the number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.experiments.figures import Record, over_seeds
from untaught.experiments.paper import Budget, Experiment, Take
from untaught.runs.settings import Training

ERROR = "classification.error_rate"
"""Place of the error among the measures."""


def named_digits(
    system: str,
    config: Mapping[str, Any],
    small: Mapping[str, Any],
    training: Training,
    minutes: Mapping[Budget, float],
    draws: int,
    takes: Sequence[Take] = (Take("classification"),),
) -> dict[Budget, Experiment]:
    """One classifier of MNIST at every budget, and of the 8x8 digits for the smoke test.

    Args:
        system: The model.
        config: Its configuration.
        small: What is otherwise in the smoke test.
        training: Labels, rates and sizes of batches.
        minutes: How long it learns from one draw of the labels.
        draws: Draws of the labels, but in the smoke test.
        takes: What is measured.
    """
    few = replace(training, epochs=2, threads=1, labels_per_class=10)
    found: dict[Budget, Experiment] = {"smoke": Experiment(system, "digits", tuple(takes), {**config, **small}, few)}
    for budget, length in minutes.items():
        own = replace(training, minutes=length)
        found[budget] = Experiment(system, "mnist", tuple(takes), dict(config), own, seeds=draws)
    return found


def draw_against_labels(
    records: Sequence[Record], folder: Path, lines: Mapping[str, Mapping[int, str]]
) -> Sequence[Path]:
    """Draw the error, a line for each kind of network that was run; nothing while all have one number of labels.

    Args:
        records: Of all experiments.
        folder: Where labels.png goes.
        lines: By the line's name, the experiment at each number of labels.
    """
    ran = {record["experiment"] for record in records}
    drawn = {kind: own for kind, own in lines.items() if ran.intersection(own.values())}
    numbers = {number for own in drawn.values() for number, name in own.items() if name in ran}
    if len(numbers) < 2:
        return []
    picture = over_seeds(records, {"MNIST": drawn}, ERROR, "labels", "test error, fraction")
    if picture is None:
        return []
    path = folder / "labels.png"
    write_picture(path, picture)
    return [path]
