"""Goodfellow and others 2014: generative adversarial nets on MNIST.

A dense generator against a discriminator of maxout units. Numbers are Parzen log-likelihoods in nats per test digit:
bumps on 10,000 samples, whose width is chosen on validation digits. Beside them stands the same with training digits in
place of samples, the figure that samples as good as digits would have.

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio (2014). Generative adversarial nets.
    NIPS.
    Theis, van den Oord, Bethge (2016). A note on the evaluation of generative models. ICLR (training digits).

Departures:
    Training lasts as many minutes as the budget allows; at `hour` outputs that begin at the mean have 40, the others
    85. Adam with a falling learning rate instead of gradient descent with momentum; the weights that are kept are
    running averages. Latents are uniform from -1 to 1; in the code that the authors published they are normal, and
    outputs begin at the mean of the digits.
    The Toronto faces are not available.
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
"""The paper's networks."""
SMALL: dict[str, Any] = {"latent": 5, "generator": (16,), "discriminator": (8, 8)}
"""For 8x8 digits."""
MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 85.0, "full": 30.0}
"""A row's training."""
TAKES = (Take("parzen"),)
PLACE = "parzen.parzen_nats"


def learnt(hour: float = MINUTES["hour"], **config: Any) -> dict[Budget, Experiment]:
    """One game, and its minutes at `hour`."""
    training = Training(batch_size=100)
    small = {name: value for name, value in {**config, **SMALL}.items() if name != "dropout"}
    found: dict[Budget, Experiment] = {
        "smoke": Experiment("gan", "digits", TAKES, small, replace(training, epochs=2, threads=1))
    }
    for budget, minutes in MINUTES.items():
        own = replace(training, minutes=hour if budget == "hour" else minutes)
        found[budget] = Experiment("gan", "mnist", TAKES, config, own, pictures=("samples.png",))
    return found


def row(label: str, value: float, spread: float) -> Row:
    """A model that was only published."""
    return Row(label, "", (), (Published(value, spread, source="table 1"),))


EXPERIMENTS = {
    "dense": learnt(**PAPERS),
    "begun": learnt(40, **PAPERS, start="mean"),
    "normalised": learnt(**PAPERS, generator_norm="batch"),
    "minimax": learnt(**PAPERS, objective="minimax"),
    "smoothed": learnt(**PAPERS, smoothing=0.1),
    "convolutional": learnt(network="convolution"),
}
PAPER = Paper(
    title="Generative adversarial nets",
    reference="Goodfellow and others (2014). NIPS",
    url="https://arxiv.org/abs/1406.2661",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "MNIST",
            (Column("Parzen log-likelihood, nats", "higher", 1),),
            (
                Row(
                    "adversarial nets",
                    "dense",
                    (PLACE,),
                    (Published(225.0, 2.0, source="table 1"),),
                ),
                Row(
                    "the same with outputs that begin at the mean of the digits",
                    "begun",
                    (PLACE,),
                    departures="40 minutes at hour, the others 85",
                ),
                Row("the same with a generator normalised by the batch", "normalised", (PLACE,)),
                Row("the same with the minimax loss", "minimax", (PLACE,)),
                Row("the same with targets of 0.9 for digits", "smoothed", (PLACE,)),
                Row("convolutional networks of the DCGAN", "convolutional", (PLACE,)),
                row("deep belief net", 138.0, 2.0),
                row("stacked contractive autoencoders", 121.0, 1.6),
                row("deep generative stochastic network", 214.0, 1.1),
                Row(
                    "training digits in place of samples",
                    "dense",
                    ("parzen.baselines.training_examples",),
                    (Published(243.0, source="Theis et al. 2016, table 1", recalled=True),),
                ),
                Row("pixels drawn one by one", "dense", ("parzen.baselines.independent_pixels",)),
            ),
            "More says little of how samples look: sharp ones of few kinds may have less than blurred ones.",
        ),
    ),
)
