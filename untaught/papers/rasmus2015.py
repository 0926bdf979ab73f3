"""Rasmus and others 2015: classes of MNIST from 100, 1,000 and all labels, by ladder networks.

Numbers are the fraction of misclassified digits among the 10,000 test digits.

References:
    Rasmus, Valpola, Honkala, Berglund, Raiko (2015). Semi-supervised learning with ladder networks. NIPS.

Departures:
    Training lasts as many minutes as the budget allows, where the paper makes 150 passes, and the learning rate falls
    along a cosine. Examples without labels are the training part's 50,000 to 54,000 digits: what is held out is not
    learnt from, not even without its labels. As many labels are learnt from as in the paper; a quarter as many are
    drawn beside them and watched; they select nothing, since the last weights are kept. The convolutional ladder halves
    by strides, where the paper has pooling.
    At `cpu` the rate begins at 0.005: of 0.002, 0.005 and 0.01 it left the fewest errors on digits of the training part
    after six passes. The published units were taken there, not half as many, which make twice as many updates in the
    same minutes, for their lower cross-entropy on the labelled digits that are watched, of one draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table
from untaught.experiments.few_labels import ERROR, draw_against_labels, named_digits
from untaught.runs.settings import Training

MINUTES: dict[Budget, float] = {"cpu": 9.0, "hour": 30.0, "full": 60.0}
"""One draw of the labels."""
DRAWS = 3
"""Draws of the labels, but in the smoke test."""
DRAWN = {100: 12, 1000: 125, 50000: None}
"""Labels of each class that are drawn, a fifth of which are only watched, by the number that is learnt from."""
NAMED = {100: "100 labels", 1000: "1,000 labels", 50000: "all labels"}
LADDER: dict[int, tuple[float, tuple[float, ...]]] = {
    100: (0.3, (1000.0, 10.0, 0.1)),
    1000: (0.2, (2000.0, 20.0, 0.1)),
    50000: (0.3, (1000.0, 1.0, 0.01)),
}
"""Noise, and weights of the costs."""
GAMMA = {100: 0.5, 1000: 10.0, 50000: 2.0}
"""Weight of the cost of the Gamma-model."""
BASELINE_NOISE = 0.5
UNITS = (1000, 500, 250, 250, 250)
"""Units of the dense layers."""
RATE, SHORT_RATE = 2e-3, 5e-3
"""The learning rate, and that of dense layers where there are minutes."""


def learnt(labels: int, **config: Any) -> dict[Budget, Experiment]:
    """One classifier from so many labels."""
    training = Training(labels_per_class=DRAWN[labels], learning_rate=RATE, batch_size=100)
    small = {"hidden": (4, 6) if config.get("network") == "convolution" else (20, 16)}
    if config.get("network") == "convolution":
        return named_digits("ladder", config, small, training, MINUTES, DRAWS)
    dense, quick = {**config, "hidden": UNITS}, replace(training, learning_rate=SHORT_RATE)
    found = named_digits("ladder", dense, small, training, MINUTES, DRAWS)
    return found | named_digits("ladder", dense, small, quick, {"cpu": MINUTES["cpu"]}, DRAWS)


def of_labels(labels: int) -> dict[str, dict[Budget, Experiment]]:
    """The four networks on so many labels."""
    noise, costs = LADDER[labels]
    gamma = (GAMMA[labels],)
    return {
        f"baseline-{labels}": learnt(labels, noise=BASELINE_NOISE, costs=()),
        f"gamma-{labels}": learnt(labels, noise=noise, variant="gamma", costs=gamma),
        f"bottom-{labels}": learnt(labels, noise=noise, variant="bottom", costs=costs),
        f"full-{labels}": learnt(labels, noise=noise, costs=costs),
    }


EXPERIMENTS: Mapping[str, Mapping[Budget, Experiment]] = {
    **{name: own for labels in DRAWN for name, own in of_labels(labels).items()},
    "convolutional-baseline-100": learnt(100, network="convolution", noise=BASELINE_NOISE, costs=()),
    "convolutional-gamma-100": learnt(100, network="convolution", variant="gamma", costs=(GAMMA[100],)),
    "convolutional-full-100": learnt(100, network="convolution"),
}
KINDS = {
    "baseline": "the network alone, with noise",
    "gamma": "Gamma-model",
    "bottom": "cost of the example alone",
    "full": "ladder",
}
PRINTED: dict[str, tuple[float, float, bool]] = {
    "baseline-100": (0.2174, 0.0177, True), "baseline-1000": (0.0570, 0.0020, True),
    "baseline-50000": (0.0080, 0.0003, True), "gamma-100": (0.0306, 0.0144, True),
    "gamma-1000": (0.0153, 0.0010, False), "gamma-50000": (0.0078, 0.0003, True),
    "bottom-100": (0.0109, 0.0032, True), "bottom-1000": (0.0090, 0.0005, True),
    "bottom-50000": (0.0059, 0.0003, True), "full-100": (0.0106, 0.0037, True),
    "full-1000": (0.0084, 0.0008, False), "full-50000": (0.0057, 0.0002, True),
    "convolutional-baseline-100": (0.0643, 0.0084, True), "convolutional-gamma-100": (0.0089, 0.0050, True),
}  # fmt: skip
"""Errors, their spread over draws, and whether they are recalled."""


def row(label: str, experiment: str) -> Row:
    """One network beside its number, if it has one."""
    printed = PRINTED.get(experiment)
    source = "table 2" if experiment.startswith("convolutional") else "table 1"
    published = None if printed is None else Published(*printed[:2], source=source, recalled=printed[2])
    return Row(label, experiment, (ERROR,), (published,))


def draw(records: Sequence[Mapping[str, Any]], folder: Path) -> Sequence[Path]:
    """Error against the number of labels."""
    lines = {label: {labels: f"{kind}-{labels}" for labels in DRAWN} for kind, label in KINDS.items()}
    return draw_against_labels(records, folder, lines)


COLUMNS = (Column("test error, fraction", "lower", 4),)
CAPTION = "Fraction of test digits whose most probable class is a wrong one."
PAPER = Paper(
    title="Semi-supervised learning with ladder networks",
    reference="Rasmus and others (2015). NIPS",
    url="https://arxiv.org/abs/1507.02672",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "MNIST",
            COLUMNS,
            tuple(
                row(f"{label}, {NAMED[labels]}", f"{kind}-{labels}")
                for labels in DRAWN
                for kind, label in KINDS.items()
            ),
            CAPTION,
        ),
        Table(
            "MNIST, convolutions, 100 labels",
            COLUMNS,
            (
                row("the network alone, with noise", "convolutional-baseline-100"),
                row("Gamma-model", "convolutional-gamma-100"),
                row("ladder", "convolutional-full-100"),
            ),
            CAPTION,
        ),
    ),
    figures=draw,
)
