"""Burda, Grosse, Salakhutdinov 2016: importance-weighted autoencoders on MNIST.

One and two stochastic layers, learnt with 1, 5 and 50 draws of the importance-weighted bound or of the variational one.
Numbers are negative log-likelihoods in nats per test digit by 5,000 importance samples, each pixel drawn once as 0 or 1
with its grey value as the probability, and how many latents have a variance above 0.01.

References:
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders. ICLR.

Departures:
    Training lasts as many minutes as the budget allows, at `hour` 85 with one draw, 40 with five and 65 with 50, where
    the paper makes 3,280 passes; the learning rate falls on a cosine, where the paper has eight stages.
    Batches of 100, where the paper has 20. On processors the likelihood is that of every fifth test digit, and with 50
    draws the gradient of the importance-weighted bound goes through five of them, chosen by their weight; as recalled,
    section 3 proposes one where time is short.
    Biases of the pixels begin at the mean of the data, as the paper's do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

LAYERS: dict[int, dict[str, Any]] = {
    1: {"latent": (50,), "hidden": (200,)},
    2: {"latent": (100, 50), "hidden": (200, 100)},
}
SMALL: dict[int, dict[str, Any]] = {
    1: {"latent": (5,), "hidden": (16,)},
    2: {"latent": (6, 3), "hidden": (16, 8)},
}
"""For 8x8 digits."""
PRINTED = {
    (1, "vae", 1): 86.76,
    (1, "vae", 5): 86.47,
    (1, "vae", 50): 86.35,
    (1, "iwae", 5): 85.54,
    (1, "iwae", 50): 84.78,
    (2, "vae", 1): 85.33,
    (2, "vae", 5): 85.01,
    (2, "vae", 50): 84.78,
    (2, "iwae", 5): 83.89,
    (2, "iwae", 50): 82.90,
}
"""By layers, objective and draws."""
READ = {(1, "vae", 1), (1, "iwae", 5), (1, "iwae", 50)}
"""Numbers that were read in print; the others are recalled."""
FIXED = {("vae", 1): 88.71, ("iwae", 5): 87.63, ("iwae", 50): 87.10}
"""The same with one layer on pixels that were drawn once and for all, as another implementation quotes them."""
FOLDERS = {"binarized-mnist": "binarized-mnist"}
"""In the cache folder, of a set that is not downloaded."""
TESTED = 2_000
"""Test digits on processors."""
MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 85.0, "full": 30.0}
"""A row's training."""
HOURS = {5: 40.0, 50: 65.0}
"""The same at `hour` by draws, where it is less."""
CHOSEN = 5
"""Of 50 draws of the importance-weighted bound, those through which the gradient goes on processors."""
PLACES = ("many_draws.log_likelihood_nats", "many_draws.evidence_lower_bound_nats", "active_units.active_units")


def learnt(layers: int, objective: str, draws: int, data: str = "mnist") -> dict[Budget, Experiment]:
    """An autoencoder of some layers that ascends a bound of some draws."""
    config = {**LAYERS[layers], "objective": objective, "samples": draws}
    takes = (Take("many_draws", limit=TESTED), Take("active_units"))
    training = Training(learning_rate=1e-3, batch_size=100)
    found: dict[Budget, Experiment] = {
        "smoke": Experiment(
            "iwae", "digits", takes, {**config, **SMALL[layers]}, replace(training, epochs=2, threads=1)
        )
    }
    for budget, minutes in MINUTES.items():
        whole = budget == "full"
        used = (Take("many_draws"), takes[1]) if whole else takes
        learning = replace(training, minutes=HOURS.get(draws, minutes) if budget == "hour" else minutes)
        some = {"resampled": CHOSEN} if (objective, draws, whole) == ("iwae", 50, False) else {}
        found[budget] = Experiment("iwae", data, used, {**config, **some}, learning, folder=FOLDERS.get(data, ""))
    return found


def named(layers: int, objective: str, draws: int) -> str:
    """The experiment's name."""
    return f"{objective}-{draws}-{layers}"


def row(layers: int, objective: str, draws: int) -> Row:
    """One autoencoder beside its number."""
    key = (layers, objective, draws)
    printed = Published(-PRINTED[key], source="table 1", recalled=key not in READ)
    return Row(titled(*key), named(*key), PLACES, (printed, None, None))


def titled(layers: int, objective: str, draws: int) -> str:
    """What stands in a table's first column."""
    title = f"{'IWAE' if objective == 'iwae' else 'VAE'}, {draws} draw{'' if draws == 1 else 's'}"
    return f"{title}, {layers} stochastic layer{'s' * (layers - 1)}"


def row_fixed(objective: str, draws: int) -> Row:
    """One autoencoder of fixed pixels beside its number."""
    printed = Published(-FIXED[objective, draws], source="appendix, quoted by another implementation", recalled=True)
    return Row(titled(1, objective, draws), f"fixed-{objective}-{draws}", PLACES, (printed, None, None))


COLUMNS = (
    Column("test log-likelihood, nats", "higher"),
    Column("evidence lower bound, nats", "higher"),
    Column("active latents", digits=0),
)
PAPER = Paper(
    title="Importance weighted autoencoders",
    reference="Burda, Grosse, Salakhutdinov (2016). ICLR",
    url="https://arxiv.org/abs/1509.00519",
    experiments={
        **{named(*key): learnt(*key) for key in PRINTED},
        **{f"fixed-{objective}-{draws}": learnt(1, objective, draws, "binarized-mnist") for objective, draws in FIXED},
    },
    tables=(
        Table(
            "MNIST, pixels drawn anew in each step",
            COLUMNS,
            (
                *(row(*key) for key in PRINTED),
                Row("independent pixels", "vae-1-1", ("many_draws.baselines.independent_pixels", "", "")),
            ),
            "The log-likelihood is a lower bound in expectation, by 5,000 importance samples. Latents are active where "
            "their mean given a digit has a variance above 0.01 over digits.",
        ),
        Table(
            "Binarized MNIST, pixels drawn once and for all",
            COLUMNS,
            (
                *(row_fixed(*key) for key in FIXED),
                Row("independent pixels", "fixed-vae-1", ("many_draws.baselines.independent_pixels", "", "")),
            ),
            "There are fewer digits to learn from than draws of them, so that models copy sooner; these numbers cannot "
            "be compared with those above. `untaught data binarized-mnist` says where the set is to be put.",
        ),
    ),
)
