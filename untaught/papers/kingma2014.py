"""Kingma, Welling 2014: auto-encoding variational Bayes on MNIST and on Frey's face.

Variational autoencoders with one hidden layer and few to many latents; beside them the same decoder learnt from random
latents, without an encoder. Numbers are the evidence lower bound and the log-likelihood by importance sampling, in nats
per test picture; those of faces are densities, and positive.

References:
    Kingma, Welling (2014). Auto-encoding variational Bayes. ICLR.

Departures:
    Adam, and as many minutes as the budget allows, where the paper has Adagrad and 100 million samples. No prior on the
    weights.
    Pixels of digits are drawn as 0 or 1 anew in each step. Means of faces are squashed to the range of the data, as in
    the paper; their deviations are learnt, above 0.01.
    The paper printed curves; its numbers here are read off these from memory.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

MINUTES: dict[Budget, float] = {"cpu": 3.0, "hour": 30.0, "full": 10.0}
"""A row's training."""
TAKES = (Take("likelihood", limit=2_000), Take("active_units"))
PLANE = (*TAKES, Take("latent_space"))
"""Of two latents, which fill a plane that can be drawn."""
PLACES = ("likelihood.evidence_lower_bound_nats", "likelihood.log_likelihood_nats", "active_units.active_units")
DIGITS, FACES = (3, 5, 10, 20, 200), (2, 5, 10, 20)
BOUNDS = {("mnist", 10): -100.0, ("mnist", 20): -100.0}


def learnt(model: str, data: str, hidden: int, takes: tuple[Take, ...], **config: Any) -> dict[Budget, Experiment]:
    """One autoencoder, or a generator without an encoder."""
    own = {"hidden": (hidden,), "activation": "tanh", **config}
    if data == "frey":
        own |= {"output": "squashed", "start": "random"}
    training = Training(learning_rate=1e-3, batch_size=100)
    small = {**own, "hidden": (16,)}
    pictures = ("manifold.png", "samples.png") if takes is PLANE else ("samples.png",)
    found: dict[Budget, Experiment] = {
        "smoke": Experiment(model, "digits", takes, small, replace(training, epochs=2, threads=1))
    }
    for budget, minutes in MINUTES.items():
        found[budget] = Experiment(model, data, takes, own, replace(training, minutes=minutes), pictures=pictures)
    return found


EXPERIMENTS = {
    **{f"mnist-{latent}": learnt("vae", "mnist", 500, TAKES, latent=latent) for latent in DIGITS},
    **{f"frey-{n}": learnt("vae", "frey", 200, PLANE if n == 2 else TAKES, latent=n) for n in FACES},
    "naive-10": learnt("monte-carlo-generator", "mnist", 500, TAKES[:1], latent=10, samples=500),
    "plane": learnt("vae", "mnist", 500, PLANE, latent=2),
}


def row(data: str, latent: int) -> Row:
    """One autoencoder beside what the paper's curves reach."""
    value = BOUNDS.get((data, latent))
    printed = None if value is None else Published(value, source="figure 2", recalled=True)
    return Row(f"{latent} latents", f"{data}-{latent}", PLACES, (printed, None, None))


COLUMNS = (
    Column("evidence lower bound, nats", "higher"),
    Column("log-likelihood, nats", "higher"),
    Column("active latents", digits=0),
)
PAPER = Paper(
    title="Auto-encoding variational Bayes",
    reference="Kingma, Welling (2014). ICLR",
    url="https://arxiv.org/abs/1312.6114",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "MNIST, 500 hidden units",
            COLUMNS,
            (
                *(row("mnist", latent) for latent in DIGITS),
                Row("2 latents, for the picture of the plane", "plane", PLACES),
                Row("independent pixels", "mnist-20", ("", "likelihood.baselines.independent_pixels", "")),
            ),
            "Latents that say nothing go back to the prior as training goes on; a few minutes are too short for 200.",
        ),
        Table(
            "Frey's face, 200 hidden units, Gaussian outputs",
            COLUMNS,
            (
                *(row("frey", latent) for latent in FACES),
                Row("independent pixels", "frey-20", ("", "likelihood.baselines.independent_pixels", "")),
            ),
            "Densities of values from 0 to 1. Every fifth frame is a test frame, so it has its like among the others. "
            "The paper's curves end between 1,200 and 1,600.",
        ),
        Table(
            "Why an encoder: the same decoder, 10 latents, MNIST",
            (
                Column("bound by 500 draws, nats", "higher"),
                Column("bound by one draw, nats", "higher"),
                Column("draws that carry the bound", digits=1),
            ),
            (
                Row(
                    "with an encoder",
                    "mnist-10",
                    (
                        "likelihood.log_likelihood_nats",
                        "likelihood.evidence_lower_bound_nats",
                        "likelihood.effective_samples",
                    ),
                ),
                Row(
                    "random latents, 500 draws in each step",
                    "naive-10",
                    (
                        "likelihood.log_likelihood_nats",
                        "likelihood.evidence_lower_bound_nats",
                        "likelihood.effective_samples",
                    ),
                ),
            ),
            "Without an encoder nearly all draws say nothing of a given digit, so one of them carries the bound.",
        ),
    ),
)
