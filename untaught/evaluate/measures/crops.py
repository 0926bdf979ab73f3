r"""Classes of pictures that are larger than what the model sees: from the middle alone, and from everywhere.

    centre: the most probable class of the square in the middle                            (1)
    dense:  the most probable class by the mean of p(c | square) over squares everywhere   (2)

Squares are those that the model was trained on, in (2) a quarter of their side apart, as a convolutional network
evaluated on a larger picture sees them. Numbers are the parts of the test pictures whose class is not that, and not
among the five most probable where there are more than five classes. The baseline names the most frequent class.

References:
    Simonyan, Zisserman (2015). Very deep convolutional networks for large-scale image recognition. Section 3.2.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from untaught.evaluate.in_squares import whole_view
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.measures.classification import TOP_CLASSES, error_rate, frequencies, top_error_rate
from untaught.evaluate.quantity import Quantity, facts
from untaught.evaluate.representations import own_labels
from untaught.evaluate.subject import Subject
from untaught.model import Classifies
from untaught.shapes import Features, Images

APART = 4
"""Squares that begin within the side of one."""
MOST = 2_000
"""Test pictures."""
CENTRE = Quantity("centre_error_rate", title="error rate, centre", unit="%", better="lower", meaning="By the middle.")
CENTRE_TOP = Quantity("centre_top_5_error_rate", title="top-5 error rate, centre", unit="%", better="lower")
DENSE = Quantity("dense_error_rate", title="error rate, dense", unit="%", better="lower", meaning="By all squares.")
DENSE_TOP = Quantity("dense_top_5_error_rate", title="top-5 error rate, dense", unit="%", better="lower")


def applies(subject: Subject) -> str | None:
    """None for classifiers that were trained on squares of pictures that have labels."""
    if not isinstance(subject.model, Classifies):
        return "the model does not classify"
    if subject.view.patch is None or subject.view.frames is not None:
        return "the model sees whole pictures; train it on squares of them, --view.patch"
    if not all(len(own_labels(part)) for part in (subject.parts.train, subject.parts.test)):
        return "the data have no labels"
    side = min(subject.parts.test.shape[-2:])
    return None if subject.view.patch < side else "pictures are no larger than what the model sees"


def measure(subject: Subject) -> Groups:
    """Errors by both, and of the most frequent class."""
    side = subject.view.patch
    assert side is not None
    batch = replace(subject, view=whole_view(subject)).pixels(subject.parts.test, subject.limit or MOST).labelled
    places = {"centre": [middle(batch.x, side)], "dense": everywhere(batch.x, side)}
    given = {name: _probability(subject, batch.x, own, side) for name, own in places.items()}
    classes = given["centre"].shape[1]
    trivial = frequencies(own_labels(subject.parts.train), classes).expand(len(batch.x), -1)
    kinds = [(CENTRE, "centre", error_rate), (DENSE, "dense", error_rate)]
    if classes > TOP_CLASSES:
        kinds += [(CENTRE_TOP, "centre", top_error_rate), (DENSE_TOP, "dense", top_error_rate)]
    found = [
        quantity.of(rate(given[name], batch.label), baselines={"most_frequent_class": rate(trivial, batch.label)})
        for quantity, name, rate in kinds
    ]
    return [[*found, *facts(examples=len(batch.x), squares=len(places["dense"]))]]


def middle(x: Images, side: int) -> tuple[int, int]:
    """Top and left of the square in the middle.

    Example:
        >>> middle(torch.zeros(1, 1, 8, 12), 4)
        (2, 4)
    """
    return (x.shape[-2] - side) // 2, (x.shape[-1] - side) // 2


def everywhere(x: Images, side: int) -> list[tuple[int, int]]:
    """Tops and lefts of evenly spaced squares up to all edges, a quarter of their side apart at most.

    Example:
        >>> everywhere(torch.zeros(1, 1, 4, 6), 4)
        [(0, 0), (0, 1), (0, 2)]
    """
    step = max(1, side // APART)
    down, across = (
        torch.linspace(0, length - side, -(-(length - side) // step) + 1).round().int().tolist()
        for length in x.shape[-2:]
    )
    return [(top, left) for top in down for left in across]


def _probability(subject: Subject, x: Images, places: list[tuple[int, int]], side: int) -> Features:
    """Mean over squares of the probability of each class."""
    assert isinstance(subject.model, Classifies)
    total: Tensor | None = None
    for top, left in places:
        given = subject.apply(subject.model.class_probabilities, x[..., top : top + side, left : left + side])
        total = given if total is None else total + given
    assert total is not None
    return total / len(places)


MEASURE = Measure(
    title="Classes of whole pictures, from the middle and from everywhere",
    meaning="How well a classifier that sees squares names pictures that are larger.",
    applies=applies,
    measure=measure,
    quantities=(DENSE, CENTRE, DENSE_TOP, CENTRE_TOP),
    together=True,
    whole=True,
)
