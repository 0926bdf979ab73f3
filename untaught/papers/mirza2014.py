"""Mirza, Osindero 2014: conditional adversarial nets on MNIST.

Generator and discriminator are given the class. Numbers are Parzen log-likelihoods in nats per test digit, as in the
paper that introduced adversarial nets.

References:
    Mirza, Osindero (2014). Conditional generative adversarial nets. arXiv:1411.1784.

Departures:
    Training lasts as many minutes as the budget allows. Adam with a falling learning rate instead of gradient descent
    with momentum; the weights that are kept are running averages.
    The class stands beside the latents at the generator's input, and has weights of its own on the discriminator's last
    hidden layer; in the paper each has a layer of its own before they join.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

PAPERS: dict[str, Any] = {
    "network": "dense",
    "latent": 100,
    "prior": "uniform",
    "generator": (1200, 1200),
    "discriminator": (240, 240),
    "discriminator_units": "maxout",
    "dropout": (0.2, 0.5, 0.5),
}
"""Networks of the paper's sizes."""
SMALL: dict[str, Any] = {"latent": 5, "generator": (16,), "discriminator": (8, 8)}
"""For 8x8 digits."""
MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 85.0, "full": 30.0}
"""A row's training."""
TAKES = (Take("parzen"),)
PLACE = "parzen.parzen_nats"


def learnt(**config: Any) -> dict[Budget, Experiment]:
    """One game."""
    training = Training(batch_size=100)
    small = {name: value for name, value in {**config, **SMALL}.items() if name != "dropout"}
    found: dict[Budget, Experiment] = {
        "smoke": Experiment("conditional-gan", "digits", TAKES, small, replace(training, epochs=2, threads=1))
    }
    for budget, minutes in MINUTES.items():
        own = replace(training, minutes=minutes)
        found[budget] = Experiment(
            "conditional-gan", "mnist", TAKES, config, own, pictures=("classes.png", "samples.png")
        )
    return found


PAPER = Paper(
    title="Conditional generative adversarial nets",
    reference="Mirza, Osindero (2014)",
    url="https://arxiv.org/abs/1411.1784",
    experiments={"dense": learnt(**PAPERS), "convolutional": learnt(network="convolution")},
    tables=(
        Table(
            "MNIST",
            (Column("Parzen log-likelihood, nats", "higher", 1),),
            (
                Row(
                    "conditional adversarial nets",
                    "dense",
                    (PLACE,),
                    (Published(132.0, 1.8, source="table 1", recalled=True),),
                ),
                Row("convolutional networks", "convolutional", (PLACE,)),
                Row("training digits in place of samples", "dense", ("parzen.baselines.training_examples",)),
            ),
            "Samples have classes drawn evenly. In nine minutes the convolutional networks failed: their samples, "
            "looked at, are mostly broken strokes.",
        ),
    ),
)
