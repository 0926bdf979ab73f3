"""Hinton, Dayan, Frey, Neal 1995: wake-sleep, and how near a Helmholtz machine comes to the distribution of bars.

The divergence is exact: the sum over the 30 pictures of 4 x 4 bars of p log2(p / q), q summed over all hidden states.

References:
    Hinton, Dayan, Frey, Neal (1995). The wake-sleep algorithm for unsupervised neural networks. Science 268.
    The open reimplementation: github.com/cybertronai/hinton-problems (bars).

Departures:
    Batches of 8 examples and 16 fantasies, and a learning rate that falls from 1 to 0 along a cosine.
    Initially pixels are dark (biases -4) and causes rare (-2): with zero biases units often learn to turn pixels off,
    and never recover.
    There are three passes over a fixed set of 100,000 examples, in an hour twenty, where the paper draws new ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

PLACES = ("divergence.divergence_bits",)


def bars(hidden: tuple[int, ...], **config: Any) -> dict[Budget, Experiment]:
    """A Helmholtz machine on bars, from several seeds, since the first steps decide where it converges."""
    begin = {"hidden": hidden, "fantasies": 2, "visible_bias": -4.0, "hidden_bias": -2.0, **config}
    whole = Experiment(
        "sigmoid-belief",
        "bars?examples=100000",
        (Take("divergence"),),
        begin,
        Training(epochs=3, batch_size=8, learning_rate=1.0, threads=1),
        seeds=3,
        pictures=("filters.png", "samples.png"),
    )
    training = Training(epochs=30, batch_size=8, learning_rate=1.0)
    return {
        "smoke": replace(whole, data="bars?examples=500", seeds=1),
        "cpu": whole,
        "hour": replace(whole, training=replace(training, epochs=20, threads=1), seeds=5),
        "full": replace(whole, training=training, seeds=10),
    }


def published(label: str, bits: float, recalled: bool, source: str) -> Row:
    """What others reached."""
    return Row(label, published=(Published(bits, source=source, recalled=recalled),))


PAPER = Paper(
    title="The wake-sleep algorithm for unsupervised neural networks: bars",
    reference="Hinton, Dayan, Frey, Neal (1995). Science 268, 1158-1161",
    url="https://www.cs.toronto.edu/~hinton/absps/ws.pdf",
    experiments={
        "bars-8-1": bars((8, 1)),
        "bars-12-4": bars((12, 4)),
        "bars-8-1-exact": bars((8, 1), inference="exact"),
    },
    tables=(
        Table(
            "bars of 4 x 4 pixels, divergence of the model from the data",
            (Column("bits", "lower", 3),),
            (
                published("16-8-1, wake-sleep", 0.10, True, "the text"),
                published("16-8-1, wake-sleep, an open reimplementation", 0.451, False, "its record"),
                Row("16-8-1, wake-sleep", "bars-8-1", PLACES),
                Row("16-12-4, wake-sleep", "bars-12-4", PLACES),
                Row("16-8-1, exact inference", "bars-8-1-exact", PLACES),
                Row("independent pixels", "bars-8-1", ("divergence.baselines.independent_pixels",)),
                Row("all pictures alike", "bars-8-1", ("divergence.baselines.uniform",)),
            ),
            "The best code for the data takes 3.43 bits a picture; the divergence is the excess of a model's code.",
        ),
    ),
)
