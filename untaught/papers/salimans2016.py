"""Salimans and others 2016: classes of MNIST from few labels, by a game whose generator matches features.

Numbers are the fraction of misclassified digits among the 10,000 test digits.

References:
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs. NIPS.

Departures:
    Training lasts as many minutes as the budget allows, where the paper makes 300 passes; the running average of
    weights forgets sooner. ReLU units in the generator where the paper's code has softplus units.
    As many labels are learnt from as in the paper. Where there are five or more of a class, up to a quarter as many
    are drawn beside them and watched; they select nothing, since the last weights are kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 30.0, "full": 30.0}
"""A row's training: on a processor with bf16 units 30 minutes are some 100 passes."""
SEEDS: dict[Budget, int] = {"cpu": 1, "hour": 3, "full": 3}
"""Draws of the labels."""
DRAWN = {20: 2, 50: 6, 100: 12, 200: 25}
"""Labels of each class that are drawn, a fifth of which are only watched, by the number that is learnt from."""
PRINTED = {20: (0.1677, 0.0452), 50: (0.0221, 0.0136), 100: (0.0093, 0.00065), 200: (0.0090, 0.00042)}
"""Errors and their spread over draws."""
TAKES = (Take("classification"),)
PLACE = "classification.error_rate"
SMALL: dict[str, dict[str, Any]] = {
    "feature-matching-gan": {"latent": 5, "generator": (16,), "discriminator": (16, 8), "noise": (0.1,)},
    "finetuned-classifier": {"hidden": (16,)},
}
"""For 8x8 digits."""


def learnt(system: str, labels: int, **config: Any) -> dict[Budget, Experiment]:
    """One classifier from so many labels."""
    training = Training(labels_per_class=DRAWN[labels])
    few = replace(training, epochs=2, threads=1)
    found: dict[Budget, Experiment] = {
        "smoke": Experiment(system, "digits", TAKES, {**config, **SMALL[system]}, few),
    }
    for budget, minutes in MINUTES.items():
        own = replace(training, minutes=minutes)
        found[budget] = Experiment(system, "mnist", TAKES, config, own, seeds=SEEDS[budget])
    return found


def row(labels: int) -> Row:
    """One game beside its number."""
    printed = Published(*PRINTED[labels], source="table 1", recalled=True)
    return Row(f"feature matching, {labels} labels", f"matching-{labels}", (PLACE,), (printed,))


PAPER = Paper(
    title="Improved techniques for training GANs",
    reference="Salimans and others (2016). NIPS",
    url="https://arxiv.org/abs/1606.03498",
    experiments={
        **{f"matching-{labels}": learnt("feature-matching-gan", labels) for labels in DRAWN},
        "labels-100": learnt("finetuned-classifier", 100, hidden=(1000, 500, 250)),
    },
    tables=(
        Table(
            "MNIST, few labels",
            (Column("test error, fraction", "lower", 4),),
            (*(row(labels) for labels in DRAWN), Row("a network on the labelled digits alone", "labels-100", (PLACE,))),
            "Fraction of test digits whose most probable class is a wrong one.",
        ),
    ),
)
