"""Radford, Metz, Chintala 2016: features of the discriminator of a convolutional game, with a linear classifier.

Numbers are accuracies of a linear support vector machine on the test part.

References:
    Radford, Metz, Chintala (2016). Unsupervised representation learning with deep convolutional generative adversarial
    networks. ICLR.

Departures:
    The paper's discriminator learnt from ImageNet; ours learns from the small pictures that it is judged on, without
    their labels, for as many minutes as the budget allows, and is smaller.
    There are no dense layers of 1024 units between the convolutions and the latents or the verdict, weights do not
    decay, and neither network is given the class, as in the paper's code for MNIST.
    Initial weights and the second moment's decay in Adam are those of `gan`, where the paper's code begins with a
    deviation of 0.02.
    The classifier learns from as many training pictures as four million features allow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

PAPERS: dict[str, Any] = {
    "network": "convolution",
    "latent": 100,
    "prior": "uniform",
    "kernel": 5,
    "generator": (64, 128),
    "discriminator": (64, 128),
}
"""The paper's networks for small pictures, with as many layers as these have room for."""
MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 85.0, "full": 30.0}
"""A row's training."""
PLACE = "probe.linear_svm_accuracy"


def learnt(data: str, takes: tuple[Take, ...]) -> dict[Budget, Experiment]:
    """One game."""
    training = Training(learning_rate=2e-4, batch_size=128)
    small = {**PAPERS, "latent": 4, "kernel": 3, "generator": (4,), "discriminator": (4,)}
    found: dict[Budget, Experiment] = {
        "smoke": Experiment("gan", "digits", takes, small, replace(training, epochs=2, threads=1))
    }
    for budget, minutes in MINUTES.items():
        own = replace(training, minutes=minutes)
        found[budget] = Experiment("gan", data, takes, PAPERS, own, pictures=("samples.png", "filters.png"))
    return found


PAPER = Paper(
    title="Unsupervised representation learning with deep convolutional generative adversarial networks",
    reference="Radford, Metz, Chintala (2016). ICLR",
    url="https://arxiv.org/abs/1511.06434",
    experiments={
        "mnist": learnt("mnist", (Take("probe"), Take("parzen"))),
        "cifar10": learnt("cifar10", (Take("probe"),)),
    },
    tables=(
        Table(
            "A linear machine on the discriminator's features",
            (Column("test accuracy", "higher", 4),),
            (
                Row("MNIST", "mnist", (PLACE,)),
                Row("MNIST, pixels", "mnist", ("probe.baselines.raw_pixels.linear_svm_accuracy",)),
                Row(
                    "MNIST, the same network untrained",
                    "mnist",
                    ("probe.baselines.random_weights.linear_svm_accuracy",),
                ),
                Row("CIFAR-10", "cifar10", (PLACE,), (Published(0.828, source="table 1"),)),
                Row("CIFAR-10, pixels", "cifar10", ("probe.baselines.raw_pixels.linear_svm_accuracy",)),
                Row(
                    "CIFAR-10, the same network untrained",
                    "cifar10",
                    ("probe.baselines.random_weights.linear_svm_accuracy",),
                ),
            ),
            "After the minutes of `cpu`, pictures made from CIFAR-10 are blotches of colour, not objects. The game has "
            "taught the discriminator nothing that a linear machine uses; untrained it is as good.",
        ),
        Table(
            "Samples",
            (Column("Parzen log-likelihood, nats", "higher", 1),),
            (
                Row("MNIST", "mnist", ("parzen.parzen_nats",)),
                Row("training digits in place of samples", "mnist", ("parzen.baselines.training_examples",)),
            ),
            "After the minutes of `cpu` the row failed: samples, looked at, are mostly broken strokes.",
        ),
    ),
)
