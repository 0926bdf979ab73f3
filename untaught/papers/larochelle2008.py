"""Larochelle, Bengio 2008: restricted Boltzmann machines that classify, on MNIST.

One machine over pictures and labels is trained for the joint likelihood, for that of the label given the picture, and
for a hybrid in which the joint one has a small weight; the hybrid also with sparse hidden units. Numbers are the
fraction of misclassified digits among the 10,000 test digits.

References:
    Larochelle, Bengio (2008). Classification using discriminative restricted Boltzmann machines. ICML.

Departures:
    The last tenth of the training digits is held out where the paper holds out 10,000 of 60,000.
    Adam in batches of 100 for as long as the budget allows, where the paper updates after each digit and stops when the
    error on held-out digits no longer falls. Here the weights are kept that give wrong classes the least probability on
    held-out digits; for the generative machine, those of the lowest reconstruction error.
    At `cpu` the generative machine has 2,000 hidden units.
"""

from __future__ import annotations

from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

TAKES = (Take("classification"),)
PLACE = "classification.error_rate"
SMALL = 64
"""Hidden units for 8x8 digits."""


def learnt(rate: float, cpu: int, full: int, **config: Any) -> dict[Budget, Experiment]:
    """A machine with one objective; hidden units on a processor and in the paper."""

    def experiment(data: str, hidden: int, training: Training, pictures: tuple[str, ...] = ()) -> Experiment:
        return Experiment("discriminative-rbm", data, TAKES, {**config, "hidden": hidden}, training, pictures=pictures)

    return {
        "smoke": experiment("digits", SMALL, Training(epochs=5, learning_rate=rate, threads=1)),
        "cpu": experiment("mnist", cpu, Training(minutes=3, learning_rate=rate, threads=1), ("filters.png",)),
        "hour": experiment(
            "mnist", full, Training(minutes=30, learning_rate=rate, schedule="linear", threads=1), ("filters.png",)
        ),
        "full": experiment("mnist", full, Training(epochs=200, learning_rate=rate)),
    }


EXPERIMENTS = {
    "generative": learnt(3e-3, 2000, 6000, objective="generative"),
    "discriminative": learnt(1e-2, 500, 500, objective="discriminative"),
    "hybrid": learnt(1e-2, 1500, 1500, alpha=0.01),
    "sparse": learnt(1e-2, 3000, 3000, alpha=0.01, sparsity=1e-4),
}


def row(label: str, experiment: str, value: float, departures: str = "") -> Row:
    """One machine beside its number."""
    published = (Published(value, source="table 1", recalled=True),)
    return Row(label, experiment, (PLACE,) if experiment else (), published, departures)


PAPER = Paper(
    title="Classification using discriminative restricted Boltzmann machines",
    reference="Larochelle, Bengio (2008). ICML",
    url="https://icml.cc/Conferences/2008/papers/601.pdf",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "MNIST, labels",
            (Column("test error, fraction", "lower", 4),),
            (
                row("RBM, 6000 hidden", "generative", 0.0339, "2000 hidden units at cpu"),
                row("discriminative RBM, 500 hidden", "discriminative", 0.0181),
                row("hybrid RBM, 1500 hidden", "hybrid", 0.0128),
                row("sparse hybrid RBM, 3000 hidden", "sparse", 0.0116, "how sparse is our choice"),
                row("RBM, then a network", "", 0.0141),
                row("support vector machine", "", 0.0140),
                row("network", "", 0.0193),
                Row("most frequent class", "hybrid", ("classification.baselines.most_frequent_class.error_rate",)),
            ),
            "Fraction of test digits whose most probable class is a wrong one.",
        ),
    ),
)
