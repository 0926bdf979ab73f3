"""Donahue, Krahenbuhl, Darrell 2017: features of MNIST by a game that learns to encode.

Numbers are how often the nearest training digit has the class of a test digit, by the code and by the encoder's last
hidden layer, and the distance of a digit from its reconstruction beside that from another digit's. ALI, which is the
same game with a stochastic encoder, was also shown on 25 Gaussians in a lattice: which of them do games cover?

References:
    Donahue, Krahenbuhl, Darrell (2017). Adversarial feature learning. ICLR; and the README of the authors' code, which
    takes the layer before the code.
    Dumoulin and others (2017). Adversarially learned inference. ICLR (25 Gaussians).

Departures:
    Training lasts as many minutes as the budget allows, where the paper makes 400 passes; the BiGAN's learning rate
    falls linearly over all of them, where the paper's falls over the second half. The weights that are kept are running
    averages of the last ones. Noise is added to the inputs of the BiGAN's discriminator. The discriminator's features
    are those of a game of our own on the same digits. That the discriminator is normalised by the batch, and the rate,
    are the paper's; half an hour in place of a whole one was chosen since a game at a higher rate was lost after more
    passes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

WIDTHS = (1024, 1024)
MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 30.0, "full": 30.0}
"""A row's training."""
NEAREST, OWN = Take("nearest_class"), Take("own_reconstruction")
CODE, LAYER = "nearest_class.one_nearest_accuracy", "nearest_class.of_layers.encoder_2"
DISTANCE, OTHERS = "own_reconstruction.own_distance", "own_reconstruction.baselines.another_example"
GAME: dict[str, Any] = {"network": "dense", "latent": 50, "generator_norm": "batch"}
BIGAN: dict[str, Any] = {**GAME, "discriminator_norm": "batch"}
RATE = 2e-4
"""The BiGAN's learning rate."""
SMALL: dict[str, dict[str, Any]] = {
    "bigan": {"latent": 4, "generator": (16, 16), "discriminator": (16, 16)},
    "gan": {"latent": 4, "generator": (16, 16), "discriminator": (16, 16)},
    "autoencoder": {"latent": 4, "hidden": (16, 16)},
}
"""For 8x8 digits."""


def learnt(system: str, takes: tuple[Take, ...], **config: Any) -> dict[Budget, Experiment]:
    """One encoder."""
    small = {**config, **SMALL[system]}
    # The best would be chosen by the energy distance of samples, which is not a measure of features.
    training = Training(batch_size=100, keep="best" if system == "autoencoder" else "last")
    if system == "bigan":
        training = replace(training, learning_rate=RATE, schedule="linear")
    found: dict[Budget, Experiment] = {
        "smoke": Experiment(system, "digits", takes, small, replace(training, epochs=2, threads=1))
    }
    drawn = ("reconstruction.png",) if system != "gan" else ()
    pictures = (*drawn, "samples.png") if system != "autoencoder" else drawn
    for budget, minutes in MINUTES.items():
        own = replace(training, minutes=minutes)
        found[budget] = Experiment(system, "mnist", takes, config, own, pictures=pictures)
    return found


MODES = Take("modes")
PLAIN: dict[str, Any] = {
    "latent": 2,
    "generator": (128, 128, 128),
    "discriminator": (128, 128, 128),
    "output": "linear",  # logistic units end at the outermost examples, and there is where 16 of the 25 lie
}
"""Networks for 25 Gaussians in the plane."""


def spread_out(system: str, **config: Any) -> dict[Budget, Experiment]:
    """One game on 25 Gaussians, whose networks are so small that one core is enough."""
    # By the energy distance samples spread over the whole square are nearly as good as those in its 25 places.
    training = Training(
        batch_size=128,
        learning_rate=1e-3,
        keep="last",
        view={"standardise": "none"},  # places closer together take a discriminator longer to part
        threads=1,
        precision="float32",
    )
    small = {**PLAIN, **config, "generator": (16,), "discriminator": (16, 16)}
    few = "mixture?train=1000&validation=100&test=200"
    return {
        "smoke": Experiment(system, few, (MODES,), small, replace(training, epochs=1)),
        "cpu": Experiment(
            system,
            "mixture",
            (MODES,),
            {**PLAIN, **config},
            replace(training, epochs=100),
            seeds=3,
            pictures=("modes.png",),
        ),
    }


EXPERIMENTS = {
    "bigan": learnt("bigan", (NEAREST, OWN), **BIGAN, generator=WIDTHS, discriminator=WIDTHS),
    "stochastic": learnt(
        "bigan", (NEAREST, OWN), **BIGAN, generator=WIDTHS, discriminator=WIDTHS, inference="stochastic"
    ),
    "discriminator": learnt("gan", (NEAREST,), **GAME, generator=WIDTHS, discriminator=WIDTHS),
    "autoencoder": learnt("autoencoder", (NEAREST, OWN), network="dense", latent=50, hidden=WIDTHS),
    "lattice-gan": spread_out("gan"),
    "lattice-minibatch": spread_out("gan", minibatch=8),
    "lattice-bigan": spread_out("bigan", noise=(0.0,), generator_norm="none"),
}


def nearest(value: float) -> Published:
    """An accuracy of the paper."""
    return Published(value, source="table 1", recalled=True)


def covering(label: str, experiment: str, baseline: str = "") -> Row:
    """What samples cover."""
    beside = {"modes_covered": "", "high_quality": "high_quality_", "unevenness_nats": "unevenness_nats_"}
    if baseline:
        return Row(label, experiment, tuple(f"modes.{one}baselines.{baseline}" for one in beside.values()))
    return Row(label, experiment, tuple(f"modes.{name}" for name in beside))


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
        Table(
            "25 Gaussians in a lattice",
            (
                Column("modes covered", "higher", 1),
                Column("samples of high quality", "higher", 3),
                Column("unevenness, nats", "lower", 3),
            ),
            (
                covering("GAN", "lattice-gan"),
                covering("GAN with minibatch discrimination", "lattice-minibatch"),
                covering("BiGAN", "lattice-bigan"),
                covering("training examples in place of samples", "lattice-gan", "training_examples"),
                covering("one Gaussian", "lattice-gan", "one_gaussian"),
            ),
            "Of 2,500 samples, those within three deviations of a centre are good; a mode with one is covered.",
        ),
    ),
)
