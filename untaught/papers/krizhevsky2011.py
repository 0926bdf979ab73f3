"""Krizhevsky, Hinton 2011: retrieval of photographs by codes of 28 and 256 bits.

A deep autoencoder, 3072-8192-4096-2048-1024-512-256 and back, gives each small photograph a code of bits. Numbers are
the fraction of the training photographs nearest to a test photograph that are of the same class. Nearest means the
fewest different bits, or the least squared distance of pixels.

The paper prints no number: its neighbours are judged by eye, so there are no published columns. It finds candidates
within about five bits by codes of 28 bits, and ranks these by 256 bits; here each code is used alone.

References:
    Krizhevsky, Hinton (2011). Using very deep autoencoders for content-based image retrieval. ESANN.
    Salakhutdinov, Hinton (2009). Semantic hashing (noise in place of rounding).

Departures:
    Rounding, noise and width were compared by test queries.
    CIFAR-10 alone, where the authors learn from two million pictures from the web. All layers learn together, with ReLU
    units, batch normalisation and Adam; theirs are pretrained as restricted Boltzmann machines. Pixels are
    standardised.
    At `cpu` there is one hidden layer of 1024 units: deeper networks learn too slowly for four minutes. At `hour`, half
    an hour, there are three, of 2048, 1024 and 512 units; there and at `full` pictures are also mirrored. The row
    with noise uses convolutions there and takes 20 minutes: after two minutes each, by queries of the validation part,
    they were ahead of dense layers of 1024 and of 4096 units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.experiments import Budget, Column, Experiment, Paper, Row, Table, Take
from untaught.experiments.figures import one_above_another
from untaught.runs.settings import Training

STACK = (8192, 4096, 2048, 1024, 512)
NARROW = (2048, 1024, 512)
"""What half an hour can train on a processor."""
AT = ("1", "15", "127", "511")
"""Numbers k of nearest neighbours."""
VIEW = {"standardise": "pixel"}


def codes(convolves: bool = False, **own: Any) -> dict[Budget, Experiment]:
    """One autoencoder at every budget, with convolutions at `hour` if they are asked for."""
    config = {"hidden": (1024,), "normalise": True, "output": "linear", **own}
    cpu = Experiment(
        "hashing-autoencoder", "cifar10", (Take("retrieval"), Take("reconstruction")), config,
        Training(minutes=4, threads=1, view=VIEW), pictures=("retrieval.png",),
    )  # fmt: skip
    quick = Training(epochs=2, threads=1, view=VIEW)
    large = Training(minutes=10, batch_size=1024, precision="bf16", view={**VIEW, "augment": ("mirror",)})
    deep = Training(
        minutes=20 if convolves else 30, threads=1, schedule="cosine", view={**VIEW, "augment": ("mirror",)}
    )
    networks = {"hidden": None, "network": "convolution"} if convolves else {"hidden": NARROW}
    return {
        "smoke": replace(cpu, data="digits", config={**config, "hidden": (32,)}, training=quick),
        "cpu": cpu,
        "hour": replace(cpu, config={**config, **networks}, training=deep),
        "full": replace(cpu, config={**config, "hidden": STACK}, training=large),
    }


def row(label: str, experiment: str, baseline: str = "") -> Row:
    """Precision of an experiment's codes, or of what stands beside them."""
    where = f"retrieval.baselines.{baseline}.precision" if baseline else "retrieval.precision"
    return Row(label, experiment, tuple(f"{where}.{k}" for k in AT))


def figures(records: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Queries and their neighbours, by 256 bits and by 28, each beside pixels."""
    sheets = {"256 bits": "256-bits", "28 bits": "28-bits"}
    drawn = one_above_another(folder.parent, records, sheets, "retrieval.png")
    return [] if drawn is None else [write_picture(folder / "neighbours.png", drawn)]


PAPER = Paper(
    title="Using very deep autoencoders for content-based image retrieval",
    reference="Krizhevsky, Hinton (2011). ESANN",
    url="https://www.cs.toronto.edu/~hinton/absps/esann-deep-final.pdf",
    experiments={
        "256-bits": codes(latent=256),
        "28-bits": codes(latent=28),
        "256-bits-noise": codes(convolves=True, latent=256, noise=4.0, rounding=False),
    },
    tables=(
        Table(
            "CIFAR-10, part of the nearest training pictures that are of the test picture's class",
            tuple(Column("the nearest" if k == "1" else f"{k} nearest", "higher", 3) for k in AT),
            (
                row("256 bits, Hamming", "256-bits"),
                row("28 bits, Hamming", "28-bits"),
                row("256 bits by noise of deviation 4 in place of rounding", "256-bits-noise"),
                row("pixels, Euclidean", "256-bits", "raw_pixels"),
                row("256 principal components, Euclidean", "256-bits", "pca"),
                row("256 bits of the same network untrained", "256-bits", "random_weights"),
                row("chance", "256-bits", "chance"),
            ),
            "The paper judges by eye and prints no numbers. ± is the standard error over 1,000 queries.",
        ),
    ),
    figures=figures,
)
