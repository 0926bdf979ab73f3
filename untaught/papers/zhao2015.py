"""Zhao, Mathieu, Goroshin, LeCun 2015: classes of MNIST from few labels, by stacked what-where autoencoders.

Numbers are the fraction of misclassified digits among the 10,000 test digits. Beside the network of the paper stands
the same without switches, whose unpooling knows nothing of where maxima were, and the classifier alone.

References:
    Zhao, Mathieu, Goroshin, LeCun (2015). Stacked what-where auto-encoders. arXiv:1506.02351.

Departures:
    Training lasts as many minutes as the budget allows. As many labels are learnt from as in the paper; a quarter as
    many are drawn beside them and watched; they select nothing, since the last weights are kept. Two blocks of 32 and
    64 maps, of which the last pooling leaves 2x2 windows, and our own weights of the costs, where the paper searched
    for both. The network was chosen by its error on digits of the training part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.experiments.few_labels import ERROR, draw_against_labels, named_digits
from untaught.runs.settings import Training

MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 20.0, "full": 30.0}
"""One draw of the labels."""
DRAWN = {100: 12, 600: 75, 1000: 125, 3000: 375}
"""Labels of each class that are drawn, a fifth of which are only watched, by the number that is learnt from."""
PLAIN = {100: (0.0917, 0.0011), 600: (0.0416, None), 1000: (0.0339, 0.0001), 3000: (0.0250, 0.0001)}
DROPOUT = {100: (0.0871, 0.0034), 600: (0.0331, 0.0040), 1000: (0.0283, 0.0010), 3000: (0.0210, 0.0022)}
"""Errors and their spread over draws."""
DRAWS = 3
"""Draws of the labels, but in the smoke test."""
TAKES = (Take("classification"), Take("reconstruction", limit=1000))
BACK = "reconstruction.squared_error_per_image"
GRID = 2
"""Windows of the last pooling in each direction: of 7x7 places."""
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("SWWAE", {"dropout": 0.0}),
    "dropout": ("SWWAE with dropout", {}),
    "fixed": ("fixed switches, with dropout", {"switches": "fixed"}),
    "alone": ("the classifier alone, with dropout", {"image": 0.0, "layers": 0.0}),
}


def learnt(labels: int, kind: str) -> dict[Budget, Experiment]:
    """One network from so many labels."""
    training = Training(labels_per_class=DRAWN[labels], batch_size=100, keep="last")
    return named_digits(
        "swwae", {"grid": GRID, **KINDS[kind][1]}, {"maps": (4, 6), "units": (16,)}, training, MINUTES, DRAWS, TAKES
    )


EXPERIMENTS: Mapping[str, Mapping[Budget, Experiment]] = {
    f"{kind}-{labels}": learnt(labels, kind) for labels in DRAWN for kind in KINDS
}


def row(labels: int, kind: str) -> Row:
    """One network beside its number, if it has one."""
    printed = {"plain": PLAIN, "dropout": DROPOUT}.get(kind, {}).get(labels)
    published = None if printed is None else Published(*printed, source="table 3", recalled=True)
    back = "" if kind == "alone" else BACK
    return Row(f"{KINDS[kind][0]}, {labels:,} labels", f"{kind}-{labels}", (ERROR, back), (published, None))


def draw(records: Sequence[Mapping[str, Any]], folder: Path) -> Sequence[Path]:
    """Error against the number of labels."""
    lines = {label: {labels: f"{kind}-{labels}" for labels in DRAWN} for kind, (label, _) in KINDS.items()}
    return draw_against_labels(records, folder, lines)


PAPER = Paper(
    title="Stacked what-where auto-encoders",
    reference="Zhao, Mathieu, Goroshin, LeCun (2015)",
    url="https://arxiv.org/abs/1506.02351",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "MNIST, few labels",
            (
                Column("test error, fraction", "lower", 4),
                Column("squared error of what comes back from the top", "lower", 1),
            ),
            tuple(row(labels, kind) for labels in DRAWN for kind in KINDS),
            "Fraction of test digits whose most probable class is a wrong one; squared error per digit.",
        ),
    ),
    figures=draw,
)
