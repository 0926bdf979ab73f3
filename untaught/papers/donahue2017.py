"""Donahue, Krahenbuhl, Darrell 2017: features of MNIST by a game that learns to encode.

Numbers are how often the nearest training digit has the class of a test digit, by the code and by the encoder's last
hidden layer, and the distance of a digit from its reconstruction beside that from another digit's.

References:
    Donahue, Krahenbuhl, Darrell (2017). Adversarial feature learning. ICLR; and the README of the authors' code, which
    takes the layer before the code.

Departures:
    Training lasts as many minutes as the budget allows, where the paper makes 400 passes. The weights that are kept are
    running averages. Noise is added to the inputs of the BiGAN's discriminator. The discriminator's features are those
    of a game of our own on the same digits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

WIDTHS = (1024, 1024)
MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 85.0, "full": 30.0}
"""A row's training."""
NEAREST, OWN = Take("nearest_class"), Take("own_reconstruction")
CODE, LAYER = "nearest_class.one_nearest_accuracy", "nearest_class.of_layers.encoder_2"
DISTANCE, OTHERS = "own_reconstruction.own_distance", "own_reconstruction.baselines.another_example"
BIGAN: dict[str, Any] = {"network": "dense", "latent": 50, "generator_norm": "batch"}
SMALL: dict[str, dict[str, Any]] = {
    "bigan": {"latent": 4, "generator": (16, 16), "discriminator": (16, 16)},
    "gan": {"latent": 4, "generator": (16, 16), "discriminator": (16, 16)},
    "autoencoder": {"latent": 4, "hidden": (16, 16)},
}
"""For 8x8 digits."""


def learnt(system: str, takes: tuple[Take, ...], **config: Any) -> dict[Budget, Experiment]:
    """One encoder."""
    small = {**config, **SMALL[system]}
    training = Training(batch_size=100)
    found: dict[Budget, Experiment] = {
        "smoke": Experiment(system, "digits", takes, small, replace(training, epochs=2, threads=1))
    }
    drawn = ("reconstruction.png",) if system != "gan" else ()
    pictures = (*drawn, "samples.png") if system != "autoencoder" else drawn
    for budget, minutes in MINUTES.items():
        own = replace(training, minutes=minutes)
        found[budget] = Experiment(system, "mnist", takes, config, own, pictures=pictures)
    return found


EXPERIMENTS = {
    "bigan": learnt("bigan", (NEAREST, OWN), **BIGAN, generator=WIDTHS, discriminator=WIDTHS),
    "stochastic": learnt(
        "bigan", (NEAREST, OWN), **BIGAN, generator=WIDTHS, discriminator=WIDTHS, inference="stochastic"
    ),
    "discriminator": learnt("gan", (NEAREST,), **BIGAN, generator=WIDTHS, discriminator=WIDTHS),
    "autoencoder": learnt("autoencoder", (NEAREST, OWN), network="dense", latent=50, hidden=WIDTHS),
}


def nearest(value: float) -> Published:
    """An accuracy of the paper."""
    return Published(value, source="table 1", recalled=True)


PAPER = Paper(
    title="Adversarial feature learning",
    reference="Donahue, Krahenbuhl, Darrell (2017). ICLR",
    url="https://arxiv.org/abs/1605.09782",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "MNIST, nearest training digit",
            (Column("accuracy by the code", "higher", 4), Column("accuracy by the layer below it", "higher", 4)),
            (
                Row(
                    "BiGAN",
                    "bigan",
                    (CODE, LAYER),
                    (nearest(0.9739), Published(0.9735, source="README of the code, 400 passes")),
                ),
                Row("stochastic encoder (ALI)", "stochastic", (CODE, LAYER)),
                Row("discriminator", "discriminator", (CODE, ""), (nearest(0.9730), None)),
                Row("latent regressor", "", (), (nearest(0.9744), None)),
                Row("joint latent regressor", "", (), (nearest(0.9713), None)),
                Row("autoencoder, squared error", "autoencoder", (CODE, ""), (nearest(0.9758), None)),
                Row("autoencoder, absolute error", "", (), (nearest(0.9763), None)),
                Row("pixels", "bigan", ("nearest_class.baselines.raw_pixels", "")),
            ),
            "Fraction of test digits whose nearest training digit is of the same class.",
        ),
        Table(
            "MNIST, what comes back",
            (Column("distance from the own digit", "lower"), Column("distance from another digit")),
            (
                Row(
                    "BiGAN",
                    "bigan",
                    (DISTANCE, OTHERS),
                    (Published(5.95, source="section 4"), Published(9.60, source="section 4")),
                ),
                Row("stochastic encoder (ALI)", "stochastic", (DISTANCE, OTHERS)),
                Row("autoencoder, squared error", "autoencoder", (DISTANCE, OTHERS)),
            ),
            "Euclidean distances, pixels from 0 to 1. A game does not see them.",
        ),
    ),
)
