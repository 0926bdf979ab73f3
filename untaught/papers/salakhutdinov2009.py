"""Salakhutdinov, Hinton 2009: deep Boltzmann machines of two and three hidden layers on MNIST.

The lower bound on the log-likelihood of test digits, whose pixels are drawn as 0 or 1, with log Z by annealed
importance sampling; and the error rate of a network that is initialised from the machine and learns labels.

References:
    Salakhutdinov, Hinton (2009). Deep Boltzmann machines. AISTATS.

Departures:
    Adam in place of conjugate gradients for labels.
    Layers are pretrained for a few passes over the data; all rates fall to zero.
    On processors five sweeps of mean field and two Gibbs steps instead of ten and five, and few passes over the data.
    In an hour ten and five, 20 passes for each layer and 50 for all together, where the paper has 100 and 500.
    Log Z: temperatures in proportion to the odd units, on processors half of those and 20 runs.
"""

from __future__ import annotations

from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

BOUND, ERROR = "likelihood.log_likelihood_nats", "classification.error_rate"
QUICK = {"sweeps": 5, "gibbs_steps": 2}
SHOWN = ("samples.png", "filters.png")
SIZES: dict[str, tuple[int, ...]] = {"two": (500, 1000), "three": (500, 500, 1000)}
"""Hidden units of the paper's machines, from below."""
PASSES: dict[Budget, tuple[int, float]] = {"smoke": (1, 2), "cpu": (3, 12), "hour": (20, 50), "full": (100, 500)}
"""Passes over the data: for each layer alone, and for all together."""


def machine(name: str) -> dict[Budget, Experiment]:
    """A machine without labels."""
    takes = (Take("likelihood"),)

    def training(budget: Budget) -> Training:
        alone, together = PASSES[budget]
        stages = {f"layer-{k}": float(alone) for k in range(1, len(SIZES[name]) + 1)}
        return Training(epochs=together, stage_epochs=stages, threads=None if budget == "full" else 1)

    small = {**QUICK, "hidden": tuple(size // 25 for size in SIZES[name]), "sample_steps": 20}
    quick = {**QUICK, "hidden": SIZES[name]}
    return {
        "smoke": Experiment("dbm", "digits", takes, small, training("smoke")),
        "cpu": Experiment("dbm", "mnist", takes, quick, training("cpu"), pictures=SHOWN),
        **{
            budget: Experiment("dbm", "mnist", takes, {"hidden": SIZES[name]}, training(budget), pictures=SHOWN)
            for budget in ("hour", "full")
        },
    }


def labels(name: str) -> dict[Budget, Experiment]:
    """The network that is initialised from a machine; its input is grey pixels."""
    lengths: dict[Budget, dict[str, Any]] = {
        "smoke": {"epochs": 5, "threads": 1}, "cpu": {"minutes": 4, "threads": 1},
        "hour": {"epochs": 50, "threads": 1, "schedule": "cosine"}, "full": {"epochs": 100},
    }  # fmt: skip
    return {
        budget: Experiment(
            "dbm",
            experiment.data,
            (Take("classification"),),
            {**experiment.config, "classes": 10, "pretrained": True},
            Training(view={}, **lengths[budget]),
            begin_from=name,
        )
        for budget, experiment in machine(name).items()
    }


def printed(value: float, recalled: bool = True) -> tuple[Published]:
    """A number of the paper."""
    return (Published(value, source="section 4.1", recalled=recalled),)


PAPER = Paper(
    title="Deep Boltzmann machines",
    reference="Salakhutdinov, Hinton (2009). AISTATS",
    url="https://proceedings.mlr.press/v5/salakhutdinov09a.html",
    experiments={
        "two": machine("two"),
        "two-labels": labels("two"),
        "three": machine("three"),
        "three-labels": labels("three"),
    },
    tables=(
        Table(
            "MNIST, binarised: lower bound on the log-likelihood",
            (Column("nats of a test digit", "higher"),),
            (
                Row("500-1000", "two", (BOUND,), printed(-84.62)),
                Row("500-500-1000", "three", (BOUND,), printed(-85.10)),
                Row("independent pixels", "two", ("likelihood.baselines.independent_pixels",)),
            ),
            "Mean-field bound on 10,000 test digits, minus an estimate of log Z.",
        ),
        Table(
            "MNIST: labels, after backpropagation in a network that begins as the machine",
            (Column("test error, fraction", "lower", 4),),
            (
                Row("500-1000", "two-labels", (ERROR,), printed(0.0095, recalled=False)),
                Row("500-500-1000", "three-labels", (ERROR,), printed(0.0101)),
            ),
            "Fraction of test digits whose most probable class is a wrong one.",
        ),
    ),
)
