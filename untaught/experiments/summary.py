"""Means and spreads over seeds of everything that was measured, for every variant and what stands beside it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from untaught.evaluate.baselines.names import short
from untaught.evaluate.evaluate import measures
from untaught.evaluate.quantity import MODEL
from untaught.experiments.variant import Budget, Variant

BESIDE = (MODEL, "random_weights", "pca", "sparse_coding", "raw_pixels")
COMPARED = {"decode": ("r2",)}
"""Quantities of a measure that are compared, where not all are."""
NOTHING = "–"
Values = dict[str, dict[str, dict[str, list[float]]]]
"""Numbers of all seeds, by quantity, variant, and `model` or baseline."""


def summary(
    variants: Sequence[Variant],
    budget: Budget,
    looks: Mapping[str, Mapping[str, Any]],
    trials: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """Everything that a comparison found, as JSON."""
    values = quantities(trials)
    return {
        "data": budget.data,
        "updates": budget.updates,
        "batch_size": budget.batch_size,
        "seeds": [trial["seed"] for trial in trials[variants[0].label]],
        "variants": [_about(variant, looks[variant.label], trials[variant.label]) for variant in variants],
        "quantities": {
            name: {
                label: {own: spread(numbers) for own, numbers in beside.items()} for label, beside in of_variant.items()
            }
            for name, of_variant in values.items()
        },
    }


def _about(variant: Variant, look: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    own = {key: look[key] for key in ("encoder_weights", "features", "frames")}
    seconds = statistics.fmean(trial["seconds"] for trial in trials)
    return {"label": variant.label, "model": variant.model, "config": variant.network, **own, "seconds": seconds}


def quantities(trials: Mapping[str, Sequence[Mapping[str, Any]]]) -> Values:
    """Numbers that have a baseline, of every trial: accuracies of `probe`, R2 of `decode`."""
    found: Values = {}
    for label, own in trials.items():
        for trial in own:
            for measure, stored in trial["measures"].items():
                for quantity, name, value in _numbers(measure, stored):
                    found.setdefault(quantity, {}).setdefault(label, {}).setdefault(name, []).append(value)
    return found


def _numbers(measure: str, stored: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    given = measures()[measure].read(stored)
    for quantity in given.values():
        if quantity.baselines and quantity.name in COMPARED.get(measure, given):
            for path, row in quantity.rows().items():
                for name in BESIDE:
                    if name in row and len(row) > 1:
                        yield f"{measure}: {quantity.label(path)}", name, row[name].value


def spread(numbers: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation of a sample; one number has none."""
    deviation = statistics.stdev(numbers) if len(numbers) > 1 else None
    return {"mean": statistics.fmean(numbers), "std": deviation, "values": list(numbers)}


def cell(found: Mapping[str, Any] | None) -> str:
    """A mean with its deviation.

    Example:
        >>> cell({"mean": 0.91234, "std": 0.0123}), cell(None)
        ('0.912 ± 0.012', '–')
    """
    if found is None:
        return NOTHING
    return f"{found['mean']:.3f}" + ("" if found["std"] is None else f" ± {found['std']:.3f}")


ENCODERS = ("", "weights of the encoder", "features", "looks at", "seconds")


def encoders(found: Mapping[str, Any]) -> list[list[str]]:
    """One line for each variant: where encoders differ, a comparison is not of training objectives alone."""
    return [
        [
            own["label"],
            f"{own['encoder_weights']:,}",
            f"{own['features']:,}",
            "single frames" if own["frames"] is None else f"{own['frames']} frames",
            f"{own['seconds']:.0f}",
        ]
        for own in found["variants"]
    ]


def tables(found: Mapping[str, Any]) -> dict[str, tuple[list[str], list[list[str]]]]:
    """For each quantity the heads of its columns, and a line for each variant."""
    shown: dict[str, tuple[list[str], list[list[str]]]] = {}
    for quantity, of_variant in found["quantities"].items():
        there = [name for name in BESIDE if any(name in beside for beside in of_variant.values())]
        lines = [[label, *(cell(beside.get(name)) for name in there)] for label, beside in of_variant.items()]
        shown[quantity] = ["", *("learnt" if name == MODEL else short(name) for name in there)], lines
    return shown


def title(found: Mapping[str, Any]) -> str:
    """What was the same for all."""
    seeds = len(found["seeds"])
    return (
        f"{found['data']}: {found['updates']:,} updates of {found['batch_size']} examples, "
        f"{seeds} seed{'s' if seeds > 1 else ''}"
    )


def markdown(found: Mapping[str, Any], picture: str) -> str:
    """The comparison as a page."""
    parts = [f"# {title(found)}", f"![points with spread over seeds]({picture})", _grid(ENCODERS, encoders(found))]
    for quantity, (head, lines) in tables(found).items():
        parts += [f"## {quantity}", _grid(head, lines)]
    parts.append("Mean ± standard deviation over seeds. Random weights: the same network untrained.")
    return "\n\n".join(parts) + "\n"


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines))
