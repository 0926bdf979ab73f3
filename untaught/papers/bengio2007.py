"""Bengio et al. 2007: does it help to train layers one by one, and how much does it help where labels are few?

Nets of three layers of logistic units learn MNIST's digits: from random weights, or from layers that were trained
without labels, one by one, as autoencoders or as Boltzmann machines. Numbers are fractions of wrong test digits.
In addition to the paper's table, the same question for few labels: 1, 3, 10 or 100 of each class, or all, with three
seeds of weights and of labels. A softmax layer on frozen features, and fine-tuning of all layers, are compared with
training all layers from random weights.

References:
    Bengio, Lamblin, Popovici, Larochelle (2007). Greedy layer-wise training of deep networks.

Departures:
    On processors, layers of 500 units and trainings of minutes; in an hour, 1000 units and 20 passes a layer. The
    optimiser is Adam. One width and learning rate for
    all, where the paper chooses them for each by validation. Autoencoders of layers have untied weights and logistic
    outputs. Supervised pretraining and the shallow net are left out.
    With fewer than five labels of a class none is held out, and the state of lowest training loss is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.experiments.figures import over_seeds
from untaught.runs.settings import Training

FEW = {1: 300, 3: 300, 10: 300, 100: 200}
"""Numbers of labels of each class, and passes over them on processors."""
ALL = 6000
"""Where all labels stand among the numbers of labels of each class."""
WAYS = {"frozen": "pretrained, frozen", "tuned": "pretrained, fine-tuned", "scratch": "from random weights"}

CAPTIONS = {
    "frozen": "A softmax layer on denoising layers that learnt without labels from all digits",
    "tuned": "Denoising layers that learnt without labels from all digits, and then from labels",
    "scratch": "The same layers from labels alone",
}


def stack(model: str, **config: Any) -> dict[Budget, Experiment]:
    """Three layers that learn without labels."""
    training = Training(momentum=0.5 if model == "dbn" else None)
    brief = replace(training, minutes=3, threads=1)
    cpu = Experiment(model, "mnist", (Take("probe"),), {"hidden": (500, 500, 500), **config}, brief)
    small, quick = {"hidden": (16, 16, 16), **config}, replace(training, epochs=2, threads=1)
    wide, layers = {"hidden": (1000, 1000, 1000), **config}, {"layer-1": 20.0, "layer-2": 20.0}
    return {
        "smoke": replace(cpu, data="digits", config=small, training=quick),
        "cpu": cpu,
        "hour": replace(cpu, config=wide, training=replace(training, epochs=20, stage_epochs=layers, threads=1)),
        "full": replace(cpu, config=wide, training=replace(training, epochs=50)),
    }


def classifier(
    encoder: str | None, labels: int | None = None, tuned: bool = True, seeds: int = 1
) -> dict[Budget, Experiment]:
    """A net on an encoder or from random weights, with so many labels of each class, or all."""
    passes = FEW[labels] if labels else 8
    frozen = {"frozen": passes / 4} if encoder and tuned else {}
    training = Training(epochs=passes, stage_epochs=frozen, labels_per_class=labels, threads=1)
    config = {"fine_tuning": tuned} if encoder else {"hidden": (500, 500, 500), "activation": "sigmoid"}
    cpu = Experiment(
        "finetuned-classifier", "mnist", (Take("classification"),), config, training, encoder=encoder, seeds=seeds
    )
    few = None if labels is None else min(labels, 10)
    quick = replace(training, epochs=2, stage_epochs=dict.fromkeys(frozen, 1.0), labels_per_class=few)
    more = replace(
        training, epochs=5 * passes, stage_epochs={name: 5 * own for name, own in frozen.items()}, threads=None
    )
    small = config if encoder else {**config, "hidden": (16, 16, 16)}
    wide = config if encoder else {**config, "hidden": (1000, 1000, 1000)}
    return {
        "smoke": replace(cpu, data="digits", config=small, training=quick, seeds=1),
        "cpu": cpu,
        "hour": replace(cpu, config=wide, training=replace(more, threads=1)),
        "full": replace(cpu, config=wide, training=more),
    }


def names(way: str) -> dict[int, str]:
    """Experiments of one way to begin, by labels of each class."""
    return {labels: f"{way}-{'all' if labels == ALL else labels}" for labels in (*FEW, ALL)}


def few_labels() -> dict[str, dict[Budget, Experiment]]:
    """Every way to begin with every number of labels."""
    return {
        name: classifier(
            None if way == "scratch" else "denoising", None if labels == ALL else labels, way == "tuned", seeds=3
        )
        for way in WAYS
        for labels, name in names(way).items()
    }


def figures(records: Sequence[Mapping[str, Any]], folder: Path) -> Sequence[Path]:
    """Error against labels of each class."""
    lines = {told: names(way) for way, told in WAYS.items()}
    picture = over_seeds(
        records, {"MNIST, three layers": lines}, "classification.error_rate", "labels of each class", "error rate"
    )
    return [] if picture is None else [write_picture(folder / "few-labels.png", picture)]


def row(label: str, experiment: str, percent: float | None = None) -> Row:
    """One net's error."""
    said = None if percent is None else Published(percent / 100, source="table", recalled=True)
    return Row(label, experiment, ("classification.error_rate",), (said,))


ERROR = (Column("error rate", "lower", 4),)
PAPER = Paper(
    title="Greedy layer-wise training of deep networks",
    reference="Bengio, Lamblin, Popovici, Larochelle (2007). Neural information processing systems 19",
    url="https://papers.nips.cc/paper/3048-greedy-layer-wise-training-of-deep-networks",
    experiments={
        "autoencoders": stack("denoising-autoencoder", level=0.0),
        "denoising": stack("denoising-autoencoder", level=0.25),
        "machines": stack("dbn", persistent_chains=0, centred_between=False),
        "autoencoders-tuned": classifier("autoencoders"),
        "machines-tuned": classifier("machines"),
        **few_labels(),
    },
    tables=(
        Table(
            "MNIST, error on test digits",
            ERROR,
            (
                row("deep net, pretrained as Boltzmann machines", "machines-tuned", 1.2),
                row("deep net, pretrained as autoencoders", "autoencoders-tuned", 1.4),
                row("deep net, pretrained as denoising autoencoders", "tuned-all"),
                row("deep net from random weights", "scratch-all", 2.4),
                Row("deep net, pretrained with labels", published=(Published(0.020, source="table", recalled=True),)),
                Row("shallow net", published=(Published(0.019, source="table", recalled=True),)),
            ),
        ),
        *(
            Table(
                f"MNIST, error with few labels: {told}",
                ERROR,
                tuple(
                    row(f"{'all' if labels == ALL else labels} of each class", name)
                    for labels, name in names(way).items()
                ),
                f"{CAPTIONS[way]}; mean and standard deviation over three seeds.",
            )
            for way, told in WAYS.items()
        ),
    ),
    figures=figures,
)
