"""Kingma, Rezende, Mohamed, Welling 2014: classes of MNIST from 100 and 1,000 labels.

M2, a density of digits with a class and latents, alone and on the features of M1, a variational autoencoder of all
digits. Numbers are the fraction of misclassified digits among the 10,000 test digits.

References:
    Kingma, Rezende, Mohamed, Welling (2014). Semi-supervised learning with deep generative models. NIPS.

Departures:
    Training lasts as many minutes as the budget allows, and M1 makes forty passes at `hour`; the learning rate falls
    along a cosine. As many labels are learnt from as in the paper; a quarter as many are drawn beside them and watched;
    they select nothing, since the last weights are kept. ReLU units where the paper has softplus units. The divergence
    of M1's features from their prior counts gradually. Learning rate and warm-up were chosen on digits of the training
    part.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table
from untaught.experiments.few_labels import ERROR, named_digits
from untaught.runs.settings import Training

MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 28.0, "full": 30.0}
"""One draw of the labels, both stages."""
PASSES, UPPER = 40.0, 20.0
"""At the budget hour, passes of M1 and minutes of M2 on its features: these need many more updates than M1 does."""
DRAWS = 3
"""Draws of the labels, but in the smoke test."""
DRAWN = {100: 12, 1000: 125}
"""Labels of each class that are drawn, a fifth of which are only watched, by the number that is learnt from."""


def learnt(system: str, labels: int, **config: Any) -> dict[Budget, Experiment]:
    """One classifier from so many labels."""
    training = Training(
        learning_rate=1e-3,
        stage_learning_rates={"classes": 3e-3} if config.get("model") == "m1-m2" else {},
        schedule="cosine",
        batch_size=100,
        labels_per_class=DRAWN[labels],
        keep="last",
    )
    small: dict[str, Any] = {"hidden": (16,)}
    if system == "semi-supervised-vae":
        small |= {"class_hidden": (8,), "latent": 4}
        config["alpha"] = 0.1 * labels  # the paper's 0.1 N on the sum over labelled examples, on means over examples
    found = named_digits(system, config, small, training, MINUTES, DRAWS)
    if config.get("model") == "m1-m2":
        longer = replace(training, stage_epochs={"features": PASSES})
        found["hour"] = named_digits(system, config, small, longer, {"hour": UPPER}, DRAWS)["hour"]
    return found


EXPERIMENTS = {
    "both-100": learnt("semi-supervised-vae", 100, model="m1-m2"),
    "both-1000": learnt("semi-supervised-vae", 1000, model="m1-m2"),
    "m2-100": learnt("semi-supervised-vae", 100, model="m2"),
    "m2-1000": learnt("semi-supervised-vae", 1000, model="m2"),
    "labels-100": learnt("finetuned-classifier", 100, hidden=(500,)),
    "labels-1000": learnt("finetuned-classifier", 1000, hidden=(500,)),
}


def row(label: str, experiment: str, value: float | None = None, spread: float | None = None) -> Row:
    """One classifier beside its number."""
    printed = None if value is None else Published(value, spread, source="table 1", recalled=True)
    return Row(label, experiment, (ERROR,), (printed,))


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
