"""Higgins and others 2017: what each latent of a variational autoencoder means, with the divergence weighted by beta.

Rotating heads, whose true variables are known, one picture at a time. The divergence from a prior with independent
latents is weighted by 1, which is the variational autoencoder, or by 4. Numbers are how well the best single latent
tells the angle and the first coefficients of a head's shape, how far latents are correlated over the data, how many say
anything, and what the weight costs: the squared error of what comes back.

References:
    Higgins, Matthey, Pal, Burgess, Glorot, Botvinick, Mohamed, Lerchner (2017). beta-VAE: learning basic visual
    concepts with a constrained variational framework. ICLR.

Departures:
    The paper's faces, chairs and sprites are not these heads, so that no number of the paper can stand beside ours.
    Training lasts as many minutes as the budget allows. Its measure of disentanglement needs pairs of examples that
    share a cause; here each latent alone is asked for each cause.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Row, Table, Take
from untaught.runs.settings import Training

HEADS: dict[Budget, str] = {
    "smoke": "heads?clips=60&validation=20&test=20&size=24",
    "cpu": "heads?size=40&validation=1000&test=1000",
    "hour": "heads?size=40&validation=1000&test=1000",
    "full": "heads?validation=1000&test=1000&size=64",
}
MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 85.0, "full": 30.0}
"""A row's training."""
TAKES = (Take("latent_space"), Take("active_units"), Take("reconstruction"))
BETAS = (1.0, 4.0)
NAMED = ("angle", "identity_1", "identity_2")
"""The true variables that the table shows."""
ERROR = "reconstruction.squared_error_per_image"


def learnt(beta: float) -> dict[Budget, Experiment]:
    """One autoencoder of heads, a picture at a time."""
    config: dict[str, Any] = {"latent": 10, "beta": beta}
    training = Training(batch_size=100)
    found: dict[Budget, Experiment] = {}
    for budget, data in HEADS.items():
        own = replace(training, epochs=2, threads=1) if budget == "smoke" else training
        own = own if budget == "smoke" else replace(own, minutes=MINUTES[budget])
        pictures = () if budget == "smoke" else ("traversals.png", "samples.png")
        found[budget] = Experiment("vae", data, TAKES, config, own, pictures=pictures)
    return found


def row(label: str, experiment: str) -> Row:
    """One autoencoder."""
    told = (f"latent_space.single_latent_r2.{name}" for name in NAMED)
    return Row(label, experiment, (*told, "latent_space.correlation", "latent_space.active_latents", ERROR))


PAPER = Paper(
    title="beta-VAE: learning basic visual concepts with a constrained variational framework",
    reference="Higgins and others (2017). ICLR",
    url="https://openreview.net/forum?id=Sy2fzU9gl",
    experiments={f"beta-{beta:g}": learnt(beta) for beta in BETAS},
    tables=(
        Table(
            "Heads, ten latents",
            (
                Column("R² of the angle from one latent", "higher", 2),
                Column("of the first coefficient", "higher", 2),
                Column("of the second", "higher", 2),
                Column("mean correlation of two latents", "lower", 3),
                Column("active latents", digits=0),
                Column("squared error", "lower"),
            ),
            (
                *(row(f"beta {beta:g}", f"beta-{beta:g}") for beta in BETAS),
                Row(
                    "principal components",
                    "beta-1",
                    (
                        *(f"latent_space.single_latent_r2_baselines.pca.{name}" for name in NAMED),
                        "",
                        "",
                        "reconstruction.baselines.pca",
                    ),
                ),
            ),
            "R² is that of a cubic polynomial of the one latent that tells most, on examples that it was not fitted "
            "on. Coefficients are those of the head's shape, which come in the order of how much they change the "
            "picture. Heads turn all the way round and more, so that no single number tells their angle well "
            "and latents share it. Latents that are not active stay at the prior and say nothing.",
        ),
    ),
)
