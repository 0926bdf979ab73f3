r"""What samples have in common with real examples, by measures that fail in different ways.

Up to 2,000 samples are compared with as many test examples:

    frechet            distance of two Gaussians fitted to features           sees both quality and variety
    classifier_score   how sure a classifier is of each, and how varied       perfect for a copy of the training set
    precision, recall  which set lies within the other                        tells quality from variety
    copying            P(a sample is nearer to the training set than a        1/2 for new examples, 1 for copies; above
                       test example is)                                       1/2 for blurred ones too

Features and answers are those of a classifier of the data's own classes (`untaught.evaluate.samples.judge`), and the
numbers stand under its name, such as `mnist_v1`: they mean nothing beside those of another. `judge` tells judges of
one name apart. Without labels there is no
such classifier, and precision and recall are taken on the values themselves. Beside each number is that of real
training examples in the samples' place, the best that a measure can be expected to give. No single number is enough:
samples of one class are precise, the training set has a perfect score.

Of a model that encodes and decodes, what random codes are decoded to is measured too: codes from a Gaussian fitted to
those of the training set, and from one of mean 0 and variance 1. A plain autoencoder has no other samples, and those
from the fitted Gaussian count as its own.

The picture: samples, each with the training examples that are nearest to it.

References:
    See `untaught.evaluate.samples`.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.drawing.pictures import Picture, colours, enlarged, mosaic
from untaught.evaluate.measure import Drawing, Groups, Measure, Quantities
from untaught.evaluate.quantity import MODEL, Axis, Quantity, facts
from untaught.evaluate.samples.frechet import frechet_distance
from untaught.evaluate.samples.judge import MOST, RECIPE, SMALLEST, Judge, digest, judge_for, opinion
from untaught.evaluate.samples.nearest import copied, copying, nearest
from untaught.evaluate.samples.precision import NEIGHBOURS, precision_and_recall
from untaught.evaluate.samples.score import classifier_score
from untaught.evaluate.subject import Subject
from untaught.model import Decodes, Encodes, Samples
from untaught.shapes import Examples, Features

Known = Float[Tensor, "train *example"]
SAMPLES = 2_000
"""Samples, and test examples, at most: fewer where the test part is smaller, for sets are of one size."""
LEAST = 20
SHOWN, NEAR, SIDE = 10, 4, 56
"""Samples in the picture, their neighbours, and the side of a tile in pixels."""
REAL, FITTED, UNIT = "training_examples", "codes_like_the_data", "codes_of_unit_variance"
"""What stands beside the model's samples."""

FRECHET = Quantity(
    "frechet",
    title="Fréchet distance",
    better="lower",
    axis=Axis(label="Fréchet distance by {}"),
    meaning="How far the features of samples are from those of test examples, as two Gaussians. Beside it the same for "
    "real training examples, which the classifier has seen: what is left for two sets of this size.",
)
SCORE = Quantity(
    "classifier_score",
    title="classifier score",
    better="higher",
    axis=Axis(label="classifier score by {}"),
    meaning="1 where a classifier gives each sample the same answer; as many as classes where it is sure of each and "
    "all classes come up. A copy of the training set has a perfect score.",
)
PRECISION = Quantity(
    "precision",
    unit="%",
    better="higher",
    meaning="Which part of the samples lies as near to a test example as test examples lie to one another.",
)
RECALL = Quantity(
    "recall",
    unit="%",
    better="higher",
    meaning="Which part of the test examples lies as near to a sample as samples lie to one another.",
)
COPYING = Quantity(
    "copying",
    title="nearer to the training set than unseen examples",
    digits=2,
    meaning="The probability that a sample is nearer to a training example than a test example is: 0.5 for new ones, "
    "1 for copies, and above 0.5 for blurred samples too.",
)
COPIED = Quantity(
    "copied",
    title="nearer to the training set than 99 % of unseen examples",
    unit="%",
    better="lower",
    meaning="Which part of the samples is as near to a training example as the nearest hundredth of test examples.",
)


def applies(subject: Subject) -> str | None:
    """None for models that draw pictures or vectors, or decode codes."""
    model = subject.model
    if not isinstance(model, Samples) and not (isinstance(model, Encodes) and isinstance(model, Decodes)):
        return "the model neither draws samples nor decodes codes"
    if subject.view.frames is not None:
        return "samples are compared as single pictures, and the model's are video"
    return None if len(subject.parts.test) >= LEAST else f"this takes at least {LEAST} test examples"


def drawn(subject: Subject, count: int) -> dict[str, Examples]:
    """Examples in [0, 1]: the model's samples, and what random codes are decoded to, by name.

    Of a model that draws none of its own, those from the fitted Gaussian are its samples.
    """
    model, found = subject.model, dict[str, Examples]()
    with torch.no_grad():
        if isinstance(model, Samples):
            found[MODEL] = subject.shown(model.sample(count).float().cpu()).clamp(0, 1)
        if isinstance(model, Encodes) and isinstance(model, Decodes):
            known = subject.features(subject.pixels(subject.parts.train, MOST).x).double()
            for name, codes in ((FITTED, _like(known, count)), (UNIT, torch.randn(count, known.shape[1]))):
                decoded = subject.apply_to_codes(model.decode, codes.float())
                found[name if MODEL in found else MODEL] = decoded.clamp(0, 1)
    return found


def _like(codes: Features, count: int) -> Float[Tensor, "count feature"]:
    """Draws from the Gaussian with the mean and covariance of some codes."""
    centred = (codes - codes.mean(0)) / math.sqrt(max(1, len(codes) - 1))
    return codes.mean(0) + torch.randn(count, len(centred), dtype=codes.dtype) @ centred


def measure(subject: Subject) -> Groups:
    """All of them, beside those of random codes and of training examples."""
    test, train = subject.tested(SAMPLES).x, subject.pixels(subject.parts.train, MOST)
    count = min(len(test), len(train.x))
    sets = drawn(subject, count) | {REAL: train.x[torch.randperm(len(train.x))[:count]]}
    test, judge = test[:count], judge_of(train)
    given, told = list[Quantity](), dict[str, str]()
    features = {name: x.flatten(1) for name, x in sets.items()}
    reference = test.flatten(1)
    if judge is not None:
        name = f"{subject.name or 'own'}_{RECIPE}"
        told["judge"] = f"{name} {digest(train.labelled.x, train.labelled.label)[:8]}"
        opinions = {key: opinion(judge, x) for key, x in sets.items()}
        features, reference = {key: one.features for key, one in opinions.items()}, opinion(judge, test).features
        given.append(_filled(FRECHET, {key: {name: frechet_distance(x, reference)} for key, x in features.items()}))
        scores = {key: {name: classifier_score(one.probabilities)} for key, one in opinions.items()}
        given.append(_filled(SCORE, scores))
    both = {key: precision_and_recall(reference, x, NEIGHBOURS) for key, x in features.items()}
    within = [_filled(one, {key: pair[n] for key, pair in both.items()}) for n, one in enumerate((PRECISION, RECALL))]
    return [*([given] if given else []), within, _nearness(sets, test, train.x), facts(samples=count, **told)]


def _filled(quantity: Quantity, values: dict[str, Any]) -> Quantity:
    """A quantity with the model's value and those of the others."""
    return quantity.of(values[MODEL], None, {name: one for name, one in values.items() if name != MODEL})


def _nearness(sets: dict[str, Examples], test: Examples, train: Known) -> list[Quantity]:
    known = train.flatten(1)
    unseen = nearest(test.flatten(1), known).distance[:, 0]
    apart = {name: nearest(x.flatten(1), known).distance[:, 0] for name, x in sets.items() if name != REAL}
    copies = _filled(COPYING, {name: copying(one, unseen) for name, one in apart.items()})
    return [copies, _filled(COPIED, {name: copied(one, unseen) for name, one in apart.items()})]


def judge_of(train: Batch) -> Judge | None:
    """The classifier of the labelled training examples; None where there are no two classes, or no pictures."""
    x, label = train.labelled.x, train.labelled.label
    if x.ndim != 4 or min(x.shape[2:]) < SMALLEST or len(label.unique()) < 2:
        return None
    return judge_for(x, label)


def neighbours(subject: Subject, found: Quantities) -> Picture | None:
    """Samples, each with the training examples nearest to it."""
    if len(subject.parts.test.shape) != 3:
        return None
    train = subject.pixels(subject.parts.train, MOST).x
    sampled = drawn(subject, SHOWN)[MODEL]
    places = nearest(sampled.flatten(1), train.flatten(1), min(NEAR, len(train))).place
    tiles = [colours(torch.cat([own[None], train[near]])) for own, near in zip(sampled, places, strict=True)]
    rows = [[enlarged(tile, SIDE) for tile in row] for row in tiles]
    halves = [[*left, *right] for left, right in zip(rows[::2], rows[1::2], strict=True)]
    names = ("sample", "nearest", *[""] * (len(rows[0]) - 2))
    return mosaic(halves, (), (*names, *names), "behind each sample the training examples nearest to it")


MEASURE = Measure(
    title="Samples beside real examples",
    meaning="How near samples come to the data, how much of it they cover, and whether they are new.",
    applies=applies,
    measure=measure,
    quantities=(FRECHET, SCORE, PRECISION, RECALL, COPYING, COPIED),
    pictures={"neighbours.png": Drawing(neighbours, "Samples, and the training examples that are nearest to each.")},
    by_name=True,
)
