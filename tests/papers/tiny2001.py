"""A paper small enough for tests: an autoencoder of 8x8 digits, one pass over a few of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.experiments import Column, Experiment, Paper, Published, Row, Table, Take, Watch
from untaught.runs.settings import Training

ONE = Experiment(
    model="autoencoder",
    config={"hidden": (8,), "latent": 3},
    data="digits",
    training=Training(epochs=2, threads=1, precision="float32"),
    takes=(Take("reconstruction"), Take("reconstruction", data="digits", name="some", limit=7)),
    watch=Watch((Take("reconstruction", limit=7),), epochs=(0, 1)),
    pictures=("reconstruction.png",),
    seeds=2,
)


def figures(records: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write down how many records there were."""
    path = folder / "count.txt"
    path.write_text(str(len(records)))
    return [path]


PAPER = Paper(
    title="Tiny codes",
    reference="Nobody (2001). Tiny codes.",
    url="https://example.org/tiny",
    experiments={
        "code": {"smoke": ONE, "full": ONE},
        "untrained": {"smoke": replace(ONE, training=None, watch=None, pictures=(), seeds=1)},
        "longer": {"smoke": replace(ONE, begin_from="code", watch=None, pictures=(), seeds=1)},
    },
    tables=(
        Table(
            "digits",
            columns=(Column("squared error per image", "lower"), Column("updates", digits=0)),
            rows=(
                Row("elsewhere", published=(Published(3.5, 0.25, "Table 1", recalled=True), None)),
                Row(
                    "code of 3",
                    "code",
                    ("reconstruction.squared_error_per_image", "trained.step"),
                    (Published(9.0, source="Table 2"), None),
                    departures="two passes only",
                ),
                Row("components", "code", ("reconstruction.baselines.pca", "")),
                Row("untrained", "untrained", ("some.squared_error_per_image", "")),
                Row("longer", "longer", ("reconstruction.squared_error_per_image", "trained.step")),
                Row("misplaced", "code", ("reconstruction.no_such_number", "")),
            ),
            caption="Codes of three numbers.",
        ),
    ),
    figures=figures,
)
