"""Kingma, Rezende, Mohamed, Welling 2014: classes of MNIST from 100 and 1,000 labels.

M2, a density of digits with a class and latents, alone and on the features of M1, a variational autoencoder of all
digits. Numbers are the fraction of misclassified digits among the 10,000 test digits.

References:
    Kingma, Rezende, Mohamed, Welling (2014). Semi-supervised learning with deep generative models. NIPS.

Departures:
    Of ten labels of a class two select the weights that are kept, and eight are learnt from.
    Training lasts as many minutes as the budget allows. ReLU units where the paper has softplus units. The weight of
    labelled examples is our choice. M2 learns from the means of M1's features, not from draws.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 85.0, "full": 30.0}
"""A row's training, both stages."""
SEEDS: dict[Budget, int] = {"cpu": 1, "hour": 3, "full": 3}
"""Draws of the labels."""
TAKES = (Take("classification"),)
PLACE = "classification.error_rate"


def learnt(system: str, per_class: int, **config: Any) -> dict[Budget, Experiment]:
    """One classifier from so many labels of each class."""
    training = Training(learning_rate=1e-3, batch_size=100, labels_per_class=per_class)
    small = {"hidden": (16,), **({"class_hidden": (8,), "latent": 4} if system == "semi-supervised-vae" else {})}
    few = replace(training, epochs=2, threads=1, labels_per_class=10)
    found: dict[Budget, Experiment] = {"smoke": Experiment(system, "digits", TAKES, {**config, **small}, few)}
    for budget, minutes in MINUTES.items():
        found[budget] = Experiment(
            system, "mnist", TAKES, config, replace(training, minutes=minutes), seeds=SEEDS[budget]
        )
    return found


EXPERIMENTS = {
    "both-100": learnt("semi-supervised-vae", 10, model="m1-m2"),
    "both-1000": learnt("semi-supervised-vae", 100, model="m1-m2"),
    "m2-100": learnt("semi-supervised-vae", 10, model="m2"),
    "m2-1000": learnt("semi-supervised-vae", 100, model="m2"),
    "labels-100": learnt("finetuned-classifier", 10, hidden=(500,)),
    "labels-1000": learnt("finetuned-classifier", 100, hidden=(500,)),
}


def row(label: str, experiment: str, value: float | None = None, spread: float | None = None) -> Row:
    """One classifier beside its number."""
    printed = None if value is None else Published(value, spread, source="table 1", recalled=True)
    return Row(label, experiment, (PLACE,), (printed,))


PAPER = Paper(
    title="Semi-supervised learning with deep generative models",
    reference="Kingma, Rezende, Mohamed, Welling (2014). NIPS",
    url="https://arxiv.org/abs/1406.5298",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "MNIST, few labels",
            (Column("test error, fraction", "lower", 4),),
            (
                row("M1+M2, 100 labels", "both-100", 0.0333, 0.0014),
                row("M2, 100 labels", "m2-100", 0.1197, 0.0171),
                row("a network on the labelled digits alone, 100 labels", "labels-100"),
                row("M1+M2, 1,000 labels", "both-1000", 0.0240),
                row("M2, 1,000 labels", "m2-1000", 0.0360),
                row("a network on the labelled digits alone, 1,000 labels", "labels-1000"),
            ),
            "Fraction of test digits whose most probable class is a wrong one.",
        ),
    ),
)
