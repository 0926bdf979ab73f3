"""Erhan et al. 2010: why unsupervised pretraining helps deep networks, if it does.

Networks of one to five layers of logistic units learn MNIST's classes by backpropagation, from weights that stacked
restricted Boltzmann machines have learnt without labels, or from random ones. A second experiment tests the reason that
Hinton gives in his lectures: pretraining helps where labels depend on the causes of pictures (causes -> picture, causes
-> label), but not where they depend on the picture itself (causes -> picture -> label). Both worlds have the same
pictures; the label is the parity of two causes, or of two pixels. Machines learn from 20,000 pictures without labels;
few of these have labels.

References:
    Erhan, Manzagol, Bengio, Bengio, Vincent (2009). The difficulty of training deep architectures and the effect of
    unsupervised pre-training. AISTATS.
    Erhan, Bengio, Courville, Manzagol, Vincent, Bengio (2010). Why does unsupervised pre-training help deep learning?
    Journal of machine learning research 11.
    Hinton (2007). To recognize shapes, first learn to generate images.

Departures:
    At `cpu`, three passes are too few for random networks of three layers and more: they are at chance without any
    spread, so they have not started, and say nothing of whether they get stuck; in an hour those of up to four layers
    learn. That three passes tell depths apart was seen on test digits.
    On processors 100 units a layer, two passes of pretraining a layer, three of backpropagation and three seeds, where
    the papers have up to 2000 units, 50 passes and 400 seeds; in an hour 400 units a layer, 50 passes of each stage in
    batches of 20, on 20,000 digits, and ten seeds, three of the deep ones; tables say how many were run. All depths
    share one learning rate, not the best of each.
    Random networks have as many passes of backpropagation as pretrained ones, so fewer in all: a deep one that fails
    here may only be slow. Seeds change weights and order; the world and its labelled pictures are the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take, Watch
from untaught.experiments.figures import one_above_another, over_seeds, trajectories
from untaught.runs.settings import Training

DEPTHS = range(1, 6)
WORLDS = ("causes", "pixels")
LABELLED = (100, 300, 1000)
ERROR = "classification.error_rate"
WATCHED = 3
"""Depth of the networks whose outputs are followed, and whose filters are shown."""
PRINTED = {
    (1, False): Published(0.0181, 0.0007, "table 1", recalled=True),
    (1, True): Published(0.0141, 0.0007, "table 1", recalled=True),
    (2, False): Published(0.0177, 0.0010, "table 1", recalled=True),
    (2, True): Published(0.0137, 0.0009, "table 1", recalled=True),
}
FEWER = "mnist?train=20000&validation=5000"
WAYS = {True: "pretrained", False: "random"}


def deep(depth: int, pretrained: bool) -> dict[Budget, Experiment]:
    """A network of some depth on MNIST."""
    own = {"pretraining": pretrained, "persistent_chains": 0, "centred_between": False}
    config: dict[str, Any] = {"classes": 10, "fine_tuning": "backpropagation", **own}
    watch = Watch((Take("outputs"), Take("classification")), fractions=(0, 0.03, 0.1, 0.2, 0.4, 0.7, 1))
    training = Training(learning_rate=0.1, momentum=0.5, batch_size=100, threads=1)
    takes, seen = (Take("classification"),), depth == WATCHED

    def layers(passes: float) -> dict[str, float]:
        return {f"layer-{k + 1}": passes for k in range(depth)} if pretrained else {}

    cpu = Experiment(
        "dbn", "mnist", takes, {**config, "hidden": (100,) * depth},
        replace(training, epochs=3, stage_epochs=layers(2)), seeds=3,
        watch=watch if seen else None, pictures=("filters.png",) if seen else (),
    )  # fmt: skip
    quick = replace(training, epochs=2, stage_epochs=layers(1))
    long = replace(training, epochs=50, stage_epochs=layers(50), batch_size=20)
    large = replace(training, epochs=50, stage_epochs=layers(50), threads=None)
    return {
        "smoke": replace(cpu, data="digits", config={**config, "hidden": (12,) * depth}, training=quick, seeds=1),
        "cpu": cpu,
        "hour": replace(
            cpu, data=FEWER, config={**config, "hidden": (400,) * depth}, training=long, seeds=10 if depth < 4 else 3
        ),
        "full": replace(cpu, config={**config, "hidden": (1000,) * depth}, training=large, seeds=10),
    }


def world(label: str, examples: int) -> str:
    """Pictures of one world."""
    return f"causes?label={label}&examples={examples}"


def unlabelled(label: str) -> dict[Budget, Experiment]:
    """Machines that learn a world's pictures without labels."""
    config = {"hidden": (100, 100), "persistent_chains": 0, "centred_between": False}
    training = Training(learning_rate=0.05, momentum=0.5, epochs=10, stage_epochs={"layer-1": 10.0}, threads=1)
    cpu = Experiment("dbn", world(label, 20_000), (Take("reconstruction"),), config, training, seeds=5)
    quick = replace(training, epochs=1, stage_epochs={"layer-1": 1.0})
    return {
        "smoke": replace(cpu, data=world(label, 500) + "&test=100", training=quick, seeds=1),
        "cpu": cpu,
        "hour": replace(cpu, seeds=10),
        "full": replace(cpu, seeds=20),
    }


def labelled(label: str, examples: int, pretrained: bool) -> dict[Budget, Experiment]:
    """A network that learns a world's labels from some of its pictures, in a fixed number of steps."""
    config = {
        "hidden": (100, 100), "classes": 2, "fine_tuning": "backpropagation", "pretraining": False,
        "persistent_chains": 0, "centred_between": False,
    }  # fmt: skip
    training = Training(learning_rate=0.1, momentum=0.5, epochs=100_000 / examples, batch_size=20, threads=1)
    base = f"{label}-unlabelled" if pretrained else None
    cpu = Experiment(
        "dbn", world(label, examples), (Take("classification"),), config, training, seeds=5, begin_from=base
    )
    quick = {"data": world(label, examples) + "&test=100", "training": replace(training, epochs=100 / examples)}
    return {
        "smoke": replace(cpu, **quick, seeds=1),
        "cpu": cpu,
        "hour": replace(cpu, seeds=10),
        "full": replace(cpu, seeds=20),
    }


def of_depth(depth: int, pretrained: bool) -> str:
    """Name of an experiment."""
    return f"depth-{depth}-{WAYS[pretrained]}"


def of_world(label: str, examples: int, pretrained: bool) -> str:
    """Name of an experiment."""
    return f"{label}-{examples}-{WAYS[pretrained]}"


def figures(records: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Error against depth, and against labels in both worlds; trajectories in function space; first filters."""
    depth = {way: {d: of_depth(d, own) for d in DEPTHS} for own, way in WAYS.items()}
    labels = {
        f"labels from {label}": {way: {n: of_world(label, n, own) for n in LABELLED} for own, way in WAYS.items()}
        for label in WORLDS
    }
    ways = {way: of_depth(WATCHED, own) for own, way in WAYS.items()}
    drawn = {
        "depth": over_seeds(records, {"": depth}, ERROR, "hidden layers", "test error", counted=True),
        "labels": over_seeds(records, labels, ERROR, "labelled pictures", "test error"),
        "trajectories": trajectories(records, ways, "outputs.probabilities"),
        "filters": one_above_another(folder.parent, records, ways, "filters.png"),
    }
    return [write_picture(folder / f"{name}.png", picture) for name, picture in drawn.items() if picture is not None]


PAPER = Paper(
    title="Why does unsupervised pre-training help deep learning?",
    reference="Erhan, Bengio, Courville, Manzagol, Vincent, Bengio (2010). JMLR 11",
    url="https://jmlr.org/papers/v11/erhan10a.html",
    experiments={
        **{of_depth(d, own): deep(d, own) for d in DEPTHS for own in WAYS},
        **{f"{label}-unlabelled": unlabelled(label) for label in WORLDS},
        **{of_world(label, n, own): labelled(label, n, own) for label in WORLDS for n in LABELLED for own in WAYS},
    },
    tables=(
        Table(
            "MNIST, error on test digits by depth",
            (Column("error rate", "lower", 4),),
            tuple(
                Row(
                    f"{d} hidden layer{'s' * (d > 1)}, {way} weights",
                    of_depth(d, own),
                    (ERROR,),
                    (PRINTED.get((d, own)),),
                )
                for d in DEPTHS
                for own, way in WAYS.items()
            ),
        ),
        Table(
            "Labels from causes or from pixels, error on test pictures",
            (Column("error rate", "lower", 4),),
            tuple(
                Row(f"parity of two {label}, {n} labelled, {way} weights", of_world(label, n, own), (ERROR,))
                for label in WORLDS
                for n in LABELLED
                for own, way in WAYS.items()
            ),
            "Half of the pictures have odd parity. Validation pictures have labels, and decide when to stop.",
        ),
    ),
    figures=figures,
)
