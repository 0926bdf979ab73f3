"""The area under the curve by brute force and by scikit-learn; which examples count as odd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from tests.evaluate.fakes import Forecast, Linear, blobs, drifting, subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.baselines.outliers import outliers
from untaught.evaluate.measures.unusual import MEASURE, applies, area_under_roc
from untaught.evaluate.ranking.improbable import scores
from untaught.evaluate.subject import Subject

DRAWS = np.random.default_rng(0)


def cases() -> list[tuple[Tensor, Tensor]]:
    """Scores with and without ties, and which are odd."""
    odd = torch.from_numpy(DRAWS.random(60) < 0.3)
    whole = torch.from_numpy(DRAWS.integers(0, 5, 60)).float()
    return [(torch.from_numpy(DRAWS.random(60)).float() + 0.3 * odd, odd), (whole, odd), (torch.zeros(60), odd)]


@pytest.mark.parametrize("number", range(3))
def test_area_is_the_share_of_pairs_in_order(number: int) -> None:
    score, odd = cases()[number]
    pairs = [float(s > u) + float(s == u) / 2 for s in score[odd] for u in score[~odd]]
    area, _ = area_under_roc(score, odd)
    assert area == pytest.approx(sum(pairs) / len(pairs))
    assert area == pytest.approx(roc_auc_score(odd.numpy(), score.numpy()))


def test_standard_error_is_that_of_repeated_draws() -> None:
    areas, errors = [], []
    odd = torch.arange(90) < 30
    for _ in range(400):
        area, error = area_under_roc(torch.from_numpy(DRAWS.normal(size=90)).float() + 0.8 * odd, odd)
        areas.append(area)
        errors.append(error)
    spread = float(np.std(areas))
    assert np.mean(errors) == pytest.approx(spread, rel=4.5 / np.sqrt(2 * 400))


def subject(train: tuple[int, ...] = (0, 1), test: Part | None = None, keep: float = 0.5) -> Subject:
    """Pictures of three classes; of these some are in the training part."""
    whole = blobs(60)
    known = whole.clips(torch.isin(whole.label, torch.tensor(train)).nonzero()[:, 0])
    made = subject_of(Linear(Linear.Config(keep=keep), (1, 4, 4)).eval(), known, test or blobs(30, seed=1))
    return replace(made, parts=replace(made.parts, validation=known))


def test_odd_are_the_classes_that_training_lacks() -> None:
    one = subject()
    found = MEASURE.take(one)
    label = one.parts.test.label.numpy()
    score = scores(one, one.parts.test, "reconstruction").score.numpy()
    assert (found["odd"], found["usual"], found["score"]) == (10, 20, "reconstruction")
    assert found["area_under_roc"] == pytest.approx(roc_auc_score(label == 2, score))
    assert found["area_by_score"] == {"reconstruction": found["area_under_roc"]}


def test_baselines_are_judged_on_the_same_examples() -> None:
    one = subject()
    train, test = (part.frames.read(part.first).flatten(1) for part in (one.parts.train, one.parts.test))
    odd = (one.parts.test.label == 2).numpy()
    for name, score in outliers(train, test, 3, seed=0).items():
        assert MEASURE.take(one)["baselines"][name] == pytest.approx(roc_auc_score(odd, score.numpy())), name
    assert MEASURE.take(one)["pca_components"] == 3
    assert MEASURE.take(one)["baselines"]["nearest_example"] > 0.95


def test_examples_without_a_label_are_not_used() -> None:
    test = blobs(30, seed=1)
    hidden = replace(test, label=torch.where(torch.arange(30) < 9, -1, test.label))
    found = MEASURE.take(subject(test=hidden))
    assert (found["odd"], found["usual"]) == (7, 14)


def test_a_foreign_stretch_of_a_clip_is_told_by_its_frames() -> None:
    calm = 0.5 + 0.05 * (drifting(1, 60) - 0.5)
    x = calm.clone()
    x[0, 30:40] = drifting(1, 10, seed=5)[0]
    label = torch.zeros(60, dtype=torch.int64)
    test = replace(Part.of(x), label=torch.where((torch.arange(60) >= 30) & (torch.arange(60) < 40), 1, label))
    train = replace(Part.of(calm), label=label)
    watching = subject_of(Forecast(Forecast.Config(), (1, 6, 6)).eval(), train, test, View(frames=4))
    watching = replace(watching, parts=replace(watching.parts, validation=train))
    found = MEASURE.take(watching)
    assert (found["odd"], found["usual"], found["score"]) == (10, 47, "prediction")
    assert found["area_under_roc"] > 0.9
    assert found["baselines"]["previous_frame"] == pytest.approx(found["area_under_roc"])  # this model copies


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (subject((0, 1, 2)), "no class that the training part lacks"),
        (subject((0,), Part.of(torch.rand(9, 1, 4, 4))), "no class that the training part lacks"),
        (subject((0,), Part.of(torch.rand(9, 1, 4, 4), torch.ones(9))), "all classes of the test part are new"),
    ],
)
def test_it_says_why_it_does_not_apply(made: Subject, told: str) -> None:
    assert told in str(applies(made))
    assert applies(subject()) is None


def test_a_class_of_the_validation_part_is_usual() -> None:
    whole, one = blobs(60), subject((0,))
    validation = whole.clips((whole.label == 1).nonzero()[:, 0])
    found = MEASURE.take(replace(one, parts=replace(one.parts, validation=validation)))
    assert (found["odd"], found["usual"]) == (10, 20)
    assert MEASURE.take(one)["odd"] == 20


def test_standard_error_is_delongs() -> None:
    """The mean over one odd example's pairs, and over one usual example's, each in plain loops; ties count half."""
    for score, odd in cases():
        s, u = score[odd].tolist(), score[~odd].tolist()
        above = [sum((a > b) + (a == b) / 2 for b in u) / len(u) for a in s]
        below = [sum((a > b) + (a == b) / 2 for a in s) / len(s) for b in u]
        expected = np.var(above, ddof=1) / len(s) + np.var(below, ddof=1) / len(u)
        assert area_under_roc(score, odd)[1] == pytest.approx(expected**0.5)


def test_baselines_are_fitted_on_the_training_part() -> None:
    """Test pictures that are far from all training pictures, and alike among themselves: none is near."""
    one = subject()
    far = blobs(30, seed=1)
    moved = replace(one, parts=replace(one.parts, test=Part.of(1 - far.frames.read(far.first), far.label)))
    train, test = (part.frames.read(part.first).flatten(1) for part in (moved.parts.train, moved.parts.test))
    odd = (moved.parts.test.label == 2).numpy()
    found = MEASURE.take(moved)["baselines"]
    for name, score in outliers(train, test, 3, seed=0).items():
        assert found[name] == pytest.approx(roc_auc_score(odd, score.numpy())), name
