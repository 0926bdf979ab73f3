"""Ng 2011: sparse autoencoders of natural picture patches and of digits, and a classifier on a stack of two.

The filters of the first are edges at many orientations, those of the second pen strokes; both are shown as figures. A
softmax layer is trained on a stack of two sparse layers: before and after the stack is fine-tuned with labels.

References:
    Ng (2011). CS294A lecture notes: sparse autoencoder; and the exercises that go with them, on patches, on digits, and
    on a stack of 200 and 200 units (87.7 % of test digits right before fine-tuning, 97.6 % after).

Departures:
    Patches are of 10,000 photographs of CIFAR-10, whitened and brought to deviation 1, where the exercise has ten of
    Olshausen and Field between 0.1 and 0.9; outputs are linear, and costs higher: 50 for sparsity, 0.01 for weights,
    where 3 and 0.0001 left noise. Training is by Adam, with a target activation of 0.035, not 0.01.
    On digits, L-BFGS on batches of 5,000, each for 20 iterations; the exercise takes 400 iterations on one batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.experiments.figures import one_above_another
from untaught.runs.settings import Training


def sparse(
    data: str,
    config: dict[str, Any],
    cpu: Training,
    full: Training,
    small: dict[str, Any],
    view: dict[str, Any] | None = None,
) -> dict[Budget, Experiment]:
    """A sparse autoencoder, or a stack of them."""
    takes = (Take("active_units", limit=10_000), Take("reconstruction", limit=2_000))
    own = Experiment(
        "sparse-autoencoder", data, takes, config, replace(cpu, view=view, threads=1), pictures=("filters.png",)
    )
    quick = Training(epochs=2, threads=1, batch_size=500)
    return {
        "smoke": replace(own, data="digits", config={**config, **small}, training=quick, pictures=()),
        "cpu": own,
        "hour": replace(own, training=replace(cpu, view=view, threads=1, minutes=10 * (cpu.minutes or 1))),
        "full": replace(own, training=replace(full, view=view)),
    }


def classifier(tuned: bool) -> dict[Budget, Experiment]:
    """A softmax layer on the stack, alone or before all layers learn."""
    frozen = {"frozen": 10.0} if tuned else {}
    config, takes = {"fine_tuning": tuned}, (Take("classification"),)
    cpu = Experiment(
        "finetuned-classifier", "mnist", takes, config,
        Training(epochs=10, stage_epochs=frozen, threads=1), encoder="stack",
    )  # fmt: skip
    quick = Training(epochs=2, stage_epochs=dict.fromkeys(frozen, 1.0), threads=1)
    full = Training(epochs=100, stage_epochs=dict.fromkeys(frozen, 50.0))
    hour = replace(full, threads=1)
    return {
        "smoke": replace(cpu, data="digits", training=quick),
        "cpu": cpu,
        "hour": replace(cpu, training=hour),
        "full": replace(cpu, training=full),
    }


def right(label: str, experiment: str, percent: float) -> Row:
    """Error rate; the exercise prints the accuracy."""
    said = Published(round(1 - percent / 100, 3), source="exercise", recalled=True)
    return Row(label, experiment, ("classification.error_rate",), (said,))


def active(label: str, experiment: str) -> Row:
    """Mean activation of a layer's units, lowest and highest unit too."""
    place = "active_units.activation_"
    return Row(label, experiment, (f"{place}mean", f"{place}of_units.lowest", f"{place}of_units.highest"))


def figures(records: Sequence[Mapping[str, Any]], folder: Path) -> Sequence[Path]:
    """Filters of patches and of digits."""
    named = {"patches": "patches", "digits": "strokes"}
    picture = one_above_another(folder.parent, records, named, "filters.png")
    return [] if picture is None else [write_picture(folder / "filters.png", picture)]


LINES = Training(optimiser="lbfgs", batch_size=5000, minutes=4)
PATCHES: dict[str, Any] = {
    "hidden": (64,), "sparsity": 0.035, "weight_cost": 0.01, "sparsity_cost": 50.0, "output": "linear"
}  # fmt: skip
MANY = Training(learning_rate=0.01, batch_size=200, minutes=4)
STROKES: dict[str, Any] = {"hidden": (196,), "sparsity": 0.1, "weight_cost": 3e-3, "sparsity_cost": 3.0}
STACK: dict[str, Any] = {**STROKES, "hidden": (200, 200)}
PAPER = Paper(
    title="Sparse autoencoder (CS294A lecture notes)",
    reference="Ng (2011). Stanford University",
    url="https://web.stanford.edu/class/cs294a/sparseAutoencoder_2011new.pdf",
    experiments={
        "patches": sparse(
            "whitened?of=cifar10", PATCHES, MANY, replace(MANY, minutes=None, epochs=400), {"hidden": (9,)},
            {"patch": 8, "standardise": 'all'},
        ),
        "strokes": sparse("mnist", STROKES, LINES, replace(LINES, minutes=None, epochs=40), {"hidden": (9,)}),
        "stack": sparse("mnist", STACK, LINES, replace(LINES, minutes=None, epochs=40), {"hidden": (9, 8)}),
        "before": classifier(tuned=False),
        "after": classifier(tuned=True),
    },
    tables=(
        Table(
            "Mean activation of units",
            (Column("mean", "", 3), Column("lowest unit", "", 3), Column("highest unit", "", 3)),
            (
                active("patches, 64 units drawn to 0.035", "patches"),
                active("digits, 196 units drawn to 0.1", "strokes"),
                active("digits, second layer of 200 and 200 drawn to 0.1", "stack"),
            ),
            "On test examples.",
        ),
        Table(
            "MNIST, error on test digits",
            (Column("error rate", "lower", 4),),
            (
                right("200-200, softmax layer alone", "before", 87.7),
                right("then all layers", "after", 97.6),
            ),
        ),
    ),
    figures=figures,
)  # fmt: skip
