"""Errors of classifiers that are right, wrong and undecided as they are told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import log_loss, top_k_accuracy_score, zero_one_loss
from torch import Tensor

from tests.evaluate.fakes import Linear, subject_of
from untaught.data.part import Part
from untaught.errors import ConfigError
from untaught.evaluate.measures.classification import (
    MEASURE,
    applies,
    calibration_error,
    cross_entropy_nats,
    error_rate,
    frequencies,
    picture,
    quick,
    top_error_rate,
)
from untaught.evaluate.subject import Subject
from untaught.model import Classifies, Model, Samples, Stage

RANDOM = torch.Generator().manual_seed(0)
LABEL = torch.randint(0, 3, (90,), generator=RANDOM)
PROBABILITY = torch.softmax(torch.randn(90, 3, generator=RANDOM), 1)


class Told(Model, Classifies):
    """Examples are the probabilities that it gives."""

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def class_probabilities(self, x: Tensor) -> Tensor:
        """As told."""
        return x


def subject(label: Tensor = LABEL, x: Tensor = PROBABILITY) -> Subject:
    train = Part.of(torch.zeros(10, 3), torch.tensor([0] * 6 + [1] * 3 + [-1]))
    return subject_of(Told().eval(), train, Part.of(x, label), label_names=("cat", "dog", "cow"))


def test_numbers_are_scikit_learns() -> None:
    found, probability = MEASURE.take(subject()), torch.softmax(PROBABILITY.double().log(), 1).numpy()
    assert found["error_rate"] == pytest.approx(zero_one_loss(LABEL, PROBABILITY.argmax(1)))
    assert found["cross_entropy_nats"] == pytest.approx(log_loss(LABEL, probability), rel=1e-5)
    error = found["error_rate"]
    assert found["error_rate_std_error"] == pytest.approx(math.sqrt(error * (1 - error) / 90))


def test_every_class_has_its_own_error() -> None:
    found = MEASURE.take(subject())
    share = LABEL.bincount() / 90
    total = sum(float(share[n]) * found["class_error_rates"][name] for n, name in enumerate(("cat", "dog", "cow")))
    assert total == pytest.approx(found["error_rate"])


def test_the_baseline_names_the_most_frequent_class_of_the_training_part() -> None:
    trivial = MEASURE.take(subject())["baselines"]["most_frequent_class"]
    assert trivial["error_rate"] == pytest.approx(float((LABEL != 0).double().mean()))
    expected = -sum(math.log([7 / 12, 4 / 12, 1 / 12][n]) for n in LABEL.tolist()) / 90
    assert trivial["cross_entropy_nats"] == pytest.approx(expected, rel=1e-6)
    assert frequencies(torch.tensor([-1, 5]), 2).tolist() == [0.5, 0.5]


def test_absent_labels_are_left_out() -> None:
    some = torch.where(torch.arange(90) < 30, LABEL, -1)
    found = MEASURE.take(subject(some))
    assert found["examples"] == 30
    assert found["error_rate"] == pytest.approx(error_rate(PROBABILITY[:30], LABEL[:30]))


def test_certainty_of_what_is_wrong_is_finite() -> None:
    certain = torch.tensor([[1.0, 0.0]])
    assert cross_entropy_nats(certain, torch.tensor([0])) == 0
    assert cross_entropy_nats(certain, torch.tensor([1])) == pytest.approx(-math.log(1e-12))


def test_examples_of_a_class_that_the_model_does_not_know_are_left_out_and_counted() -> None:
    found, known = MEASURE.take(subject(LABEL + 1)), LABEL < 2
    assert found["left_out"] == int((LABEL == 2).sum()) and found["unknown_classes"] == "3"
    assert found["examples"] == int(known.sum())
    assert found["error_rate"] == pytest.approx(error_rate(PROBABILITY[known], LABEL[known] + 1))
    assert "left_out" not in MEASURE.take(subject()) and applies(subject(LABEL + 3)) is not None


class Painter(Told, Samples):
    """Draws a grey picture for each class that it knows, brighter for later ones."""

    def sample(self, count: int, label: int | None = None) -> Tensor:
        """One shade for each class."""
        if label is None or label > 2:
            raise ConfigError("there is no such class")
        return torch.full((count, 1, 4, 4), 0.3 * (1 + label))


def test_classes_are_drawn_in_rows() -> None:
    part = Part.of(torch.rand(3, 1, 4, 4), torch.arange(3))
    drawn = picture(subject_of(Painter().eval(), part, part, label_names=("cat", "dog", "cow")))
    assert drawn is not None
    shades = [int(drawn[row, -20, 0]) for row in (28, 80, 132)]
    assert shades == [round(255 * 0.3 * (1 + label)) for label in range(3)]
    assert picture(subject_of(Painter().eval(), part, part, label_names=("a", "b", "c", "d"))) is None
    assert picture(subject_of(Told().eval(), part, part, label_names=("cat", "dog", "cow"))) is None


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(subject()) is None
    assert applies(subject(torch.full((90,), -1))) == "the data have no labels"
    assert applies(replace(subject(), model=Linear(Linear.Config(), (3,)))) == "the model does not classify"


def test_quick_numbers_are_of_a_thousand_examples() -> None:
    many = subject(LABEL.repeat(12), PROBABILITY.repeat(12, 1))
    for limit, count in ((None, 1000), (50, 50)):
        found = {one.name: one.value for group in quick(replace(many, limit=limit)) for one in group}
        assert found["examples"] == count


def test_top_five_counts_the_five_most_probable() -> None:
    probability = torch.tensor([[0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05]]).repeat(7, 1)
    assert top_error_rate(probability, torch.arange(7)) == pytest.approx(2 / 7)
    assert top_error_rate(probability, torch.arange(7), 1) == error_rate(probability, torch.arange(7))
    wide = torch.softmax(torch.randn(40, 7, generator=RANDOM), 1)
    label = torch.randint(0, 7, (40,), generator=RANDOM)
    found = MEASURE.take(subject(label, wide))
    assert found["top_5_error_rate"] == pytest.approx(1 - top_k_accuracy_score(label, wide, k=5, labels=range(7)))
    assert "top_5_error_rate" not in MEASURE.take(subject()), "of three classes all are among five"


def test_calibration_is_the_distance_of_confidence_from_how_often_it_is_right() -> None:
    """By a loop over ranges; examples that are right as often as they say have none."""
    named, confidence = PROBABILITY.max(1).indices, PROBABILITY.max(1).values
    total = 0.0
    for n in range(15):
        inside = (confidence > n / 15) & (confidence <= (n + 1) / 15)
        if inside.any():
            right = (named == LABEL)[inside].double().mean()
            total += float(inside.sum()) / 90 * abs(float(right) - float(confidence[inside].double().mean()))
    assert calibration_error(PROBABILITY, LABEL) == pytest.approx(total, rel=1e-5)
    honest = torch.tensor([[0.75, 0.25]]).repeat(4, 1)
    assert calibration_error(honest, torch.tensor([0, 0, 0, 1])) == 0
