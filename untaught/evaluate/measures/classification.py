r"""How well a model that gives class probabilities names the test examples.

For N labelled test examples x_n of class y_n and the model's probabilities p(c | x),

    error rate    = 1/N sum_n [argmax_c p(c | x_n) != y_n]                                 (1)
    cross-entropy = -1/N sum_n log p(y_n | x_n)                                            (2)
    top-5 error rate = 1/N sum_n [y_n not among the five most probable classes]            (3)
    calibration error = sum_b |B_b| / N |mean right in B_b - mean confidence in B_b|       (4)

(3) is given where there are more than five classes. In (4) confidence is max_c p(c | x), and B_1, ..., B_15 are the
examples whose confidence lies in each fifteenth of 0 to 1.
A model trained on binarised pixels is given grey ones, as probabilities. The baseline predicts the training part's
class frequencies, so always the most frequent class. Probabilities below 1e-12 count as 1e-12. Examples of classes that
the model does not know are left out and counted.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from torch import Tensor

from untaught.errors import ConfigError
from untaught.evaluate.drawing.pictures import Picture, colours, enlarged, mosaic
from untaught.evaluate.judgement.paired import beside_model
from untaught.evaluate.measure import Drawing, Groups, Headline, Measure
from untaught.evaluate.quantity import Axis, Quantity, facts, quoted
from untaught.evaluate.representations import own_labels
from untaught.evaluate.subject import Subject
from untaught.model import Classifies, Samples
from untaught.shapes import Features, Labels, PerExample

LEAST = 1e-12
QUICK = 1_000
"""Test examples of the quick measure."""
DRAWN, SIDE = 10, 48
"""Pictures of each class, and their sides in pixels of the screen."""
ERROR = Quantity(
    "error_rate",
    unit="%",
    better="lower",
    spread_is="std_error",
    spoken="the rate of wrongly named classes",
    meaning="The part of the test examples whose most probable class is another one ± its standard error.",
)
CROSS_ENTROPY = Quantity(
    "cross_entropy_nats",
    title="cross-entropy",
    unit="nats",
    better="lower",
    meaning="The mean of −log p of the true class.",
)


TOP = Quantity(
    "top_5_error_rate",
    title="top-5 error rate",
    unit="%",
    better="lower",
    meaning="The part of the test examples whose class is not among the five most probable.",
)
CALIBRATION = Quantity(
    "calibration_error",
    unit="%",
    better="lower",
    meaning="How far the probability of the most probable class is from how often it is right, on average over fifteen "
    "ranges of that probability.",
)
TOP_CLASSES, BINS = 5, 15
OF_CLASSES = Quantity(
    "class_error_rates",
    title="error rate of each class",
    unit="%",
    better="lower",
    axis=Axis(entry=quoted, label="error rate of {}"),
)


def applies(subject: Subject) -> str | None:
    """None for models that classify, on data with labels in both parts."""
    if not isinstance(subject.model, Classifies):
        return "the model does not classify"
    if not all(len(own_labels(part)) for part in (subject.parts.train, subject.parts.test)):
        return "the data have no labels"
    try:
        given = subject.apply(subject.model.class_probabilities, subject.pixels(subject.parts.test, 1).x)
    except ConfigError as error:  # it was built without classes
        return str(error)
    known = bool((own_labels(subject.parts.test) < given.shape[1]).any())
    return None if known else "the model knows none of the data's classes"


def measure(subject: Subject) -> Groups:
    """Error rate and cross-entropy on the test part, of every class too, and of the most frequent class."""
    assert isinstance(subject.model, Classifies)
    batch = subject.tested().labelled
    given = subject.apply(subject.model.class_probabilities, batch.x)
    known = batch.label < given.shape[1]
    label, given, new = batch.label[known], given[known], batch.label[~known]
    trivial = frequencies(own_labels(subject.parts.train), given.shape[1]).expand_as(given)
    error, nats = error_rate(given, label), cross_entropy_nats(given, label)
    deviation = math.sqrt(error * (1 - error) / len(label))
    of_classes = {_name(subject, c): error_rate(given[label == c], label[label == c]) for c in label.unique().tolist()}
    wrong = beside_model(_wrong(given, label), _wrong(trivial, label), "lower")
    calibrated = CALIBRATION.of(
        calibration_error(given, label), baselines={"most_frequent_class": calibration_error(trivial, label)}
    )
    top = [TOP.of(top_error_rate(given, label), baselines={"most_frequent_class": top_error_rate(trivial, label)})]
    return [
        [
            ERROR.of(error, deviation, {"most_frequent_class": wrong}),
            CROSS_ENTROPY.of(nats, baselines={"most_frequent_class": cross_entropy_nats(trivial, label)}),
            *(top if given.shape[1] > TOP_CLASSES else []),
            calibrated,
        ],
        [OF_CLASSES.of(of_classes), *facts(examples=len(label), **_of_new_classes(subject, new))],
    ]


def _of_new_classes(subject: Subject, label: Labels) -> dict[str, Any]:
    """How many examples were left out, and of which classes."""
    names = [_name(subject, c) for c in label.unique().tolist()]
    return {"left_out": len(label), "unknown_classes": ", ".join(names)} if names else {}


def picture(subject: Subject) -> Picture | None:
    """New pictures of each class on demand, a row for each; None where the model draws no classes."""
    model = subject.model
    if not isinstance(model, Samples) or len(subject.parts.test.shape) != 3 or not subject.label_names:
        return None
    try:
        rows = [model.sample(DRAWN, label) for label in range(len(subject.label_names))]
    except ConfigError:  # it knows other classes, or none
        return None
    tiles = [[enlarged(tile, SIDE) for tile in colours(subject.shown(row.float().cpu()))] for row in rows]
    return mosaic(tiles, subject.label_names)


def quick(subject: Subject) -> Groups:
    """The same on fewer examples: the baseline costs nothing."""
    return measure(replace(subject, limit=subject.limit or QUICK))


def error_rate(probability: Features, label: Labels) -> float:
    """Part of the examples whose most probable class is another one, equation (1)."""
    return float(_wrong(probability, label).mean())


def _wrong(probability: Features, label: Labels) -> PerExample:
    """1 where the most probable class is another one, else 0."""
    return (probability.argmax(1) != label).double()


def cross_entropy_nats(probability: Features, label: Labels) -> float:
    """Mean of -log of the true class's probability, equation (2)."""
    right = probability.double().gather(1, label[:, None])
    return -float(right.clamp_min(LEAST).log().mean())


def top_error_rate(probability: Features, label: Labels, classes: int = TOP_CLASSES) -> float:
    """Part of the examples whose class is not among the most probable ones, equation (3)."""
    likely = probability.topk(min(classes, probability.shape[1]), 1).indices
    return float((likely != label[:, None]).all(1).double().mean())


def calibration_error(probability: Features, label: Labels, bins: int = BINS) -> float:
    """Mean distance between confidence and how often it is right, equation (4)."""
    confidence, named = probability.double().max(1)
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    apart = (named == label).double() - confidence
    sums = apart.new_zeros(bins).scatter_add(0, place, apart)
    return float(sums.abs().sum() / len(label))


def frequencies(label: Tensor, classes: int) -> Tensor:
    """How often each class occurs among the labels there are, each counted once more than it occurs, `(class,)`."""
    counts = label[(label >= 0) & (label < classes)].bincount(minlength=classes) + 1
    return counts / counts.sum()


def _name(subject: Subject, number: int) -> str:
    return subject.label_names[number] if number < len(subject.label_names) else str(number)


MEASURE = Measure(
    title="How well it names classes",
    meaning="How well a model that gives class probabilities names the test examples.",
    applies=applies,
    measure=measure,
    whole=True,
    quantities=(ERROR, CROSS_ENTROPY, TOP, CALIBRATION, OF_CLASSES),
    together=True,
    headline=Headline((ERROR.name,), ("most_frequent_class",), "examples", lambda subject: True, quick),
    pictures={
        "classes.png": Drawing(
            lambda subject, found: picture(subject), "New pictures that the model drew of each class on demand."
        )
    },
)
