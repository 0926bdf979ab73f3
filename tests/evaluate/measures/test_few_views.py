"""Support vector machines on few views: against scikit-learn's linear ones, and on galleries whose answer is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.svm import SVC
from torch import Tensor

from tests.evaluate.fakes import Linear, Watcher, stills, subject_of, turning
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import View
from untaught.evaluate.measures import few_views as module
from untaught.evaluate.measures.few_views import (
    MEASURE,
    accuracy,
    applies,
    best_penalty,
    chart,
    drawn_views,
    gallery,
    gram,
    picture,
)
from untaught.evaluate.quantity import Measured
from untaught.evaluate.subject import Subject

OBJECTS, VIEWS = 6, 7


def subject(objects: int = 5, views: int = 6) -> Subject:
    """A gallery cut into three parts at random places."""
    whole = stills(objects, views)
    parts = [whole.clips(some) for some in torch.arange(len(whole)).tensor_split([len(whole) // 2, len(whole) - 4])]
    return Subject(Watcher(Watcher.Config(), (1, 8, 8)).eval(), Parts(*parts), View(frames=6))


def features(noise: float) -> Tensor:
    """Objects, views and noise in 20 numbers."""
    generator = torch.Generator().manual_seed(0)
    objects = torch.randn(OBJECTS, 1, 20, generator=generator)
    views = torch.randn(1, VIEWS, 20, generator=generator)
    return (objects + views + noise * torch.randn(OBJECTS, VIEWS, 20, generator=generator)).flatten(0, 1)


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("count", [1, *(pytest.param(many, marks=pytest.mark.slow) for many in (2, 4))])
def test_accuracy_is_that_of_scikit_learns_linear_machine(noise: float, count: int) -> None:
    """Every C is fitted on the features themselves; the search is written out once more."""
    x = features(noise).double()
    scaled = x - x.mean(0)
    scaled = (scaled / scaled.square().sum(1).mean().sqrt()).numpy()
    for draw in drawn_views(VIEWS, count, seed=1)[:5]:
        view, label = np.tile(np.arange(VIEWS), OBJECTS), np.repeat(np.arange(OBJECTS), VIEWS)
        learnt, chosen = np.isin(view, draw[0]), view == draw[1]
        test = ~learnt & ~chosen
        machines = {c: SVC(C=c, kernel="linear").fit(scaled[learnt], label[learnt]) for c in 10.0 ** np.arange(-4, 6)}
        score = {c: machine.score(scaled[chosen], label[chosen]) for c, machine in machines.items()}
        tried = [1.0, 1e2, 1e4]
        while True:
            highest = max(score[c] for c in tried)
            best = [c for c in sorted(tried) if score[c] == highest]
            ends = {min(tried): min(tried) / 10, max(tried): max(tried) * 10}
            further = ends.get(best[0], 0) if len(best) == 1 else 0
            if not 0.9e-4 < further < 1.1e5:
                break
            tried.append(min(machines, key=lambda c: abs(c - further)))
        expected = machines[best[0]].score(scaled[test], label[test])
        assert accuracy(gram(features(noise)), OBJECTS, VIEWS, draw) == pytest.approx(expected)


def test_a_larger_penalty_without_effect_is_not_fitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[float] = []

    class Counted(SVC):
        def fit(self, X: np.ndarray, y: np.ndarray) -> SVC:
            fits.append(float(self.C))
            return super().fit(X, y)

    monkeypatch.setattr(module, "SVC", Counted)
    x = torch.eye(OBJECTS).repeat_interleave(VIEWS, 0)
    assert accuracy(gram(x), OBJECTS, VIEWS, drawn_views(VIEWS, 2, seed=0)[0]) == 1.0
    assert len(fits) < 3 and fits[0] == 1.0


@pytest.mark.parametrize(("peak", "expected"), [(100.0, 100.0), (1e5, 1e5), (1e-2, 1e-2), (1e-9, 1e-4), (1e9, 1e5)])
def test_the_search_goes_on_beyond_an_end(peak: float, expected: float) -> None:
    assert best_penalty(lambda c: -abs(math.log10(c / peak))) == pytest.approx(expected)


def test_of_equal_penalties_the_least_is_taken_and_the_search_ends() -> None:
    tried: list[float] = []
    assert best_penalty(lambda c: tried.append(c) or 0.5) == 1.0
    assert tried == [1.0, 1e2, 1e4]


def test_draws_are_different_and_leave_a_test() -> None:
    draws = drawn_views(12, 5, seed=0)
    assert len(set(draws)) == 40 and draws == drawn_views(12, 5, seed=0) != drawn_views(12, 5, seed=1)
    assert all(len(set(some)) == 5 and other not in some for some, other in draws)
    assert {view for some, other in draws for view in (*some, other)} == set(range(12))
    few = drawn_views(4, 2, seed=0)
    assert len(set(few)) == len(few) == 12


def test_the_gram_matrix_is_one_on_average() -> None:
    products = gram(3 * features(1.0) + 7)
    assert products.diagonal().mean() == pytest.approx(1) and np.allclose(products, gram(features(1.0)), atol=1e-5)


def test_a_gallery_has_every_object_from_every_view_in_order() -> None:
    held = subject()
    shown = gallery(held)
    assert (shown.objects, shown.views) == (5, 6) and shown.x.shape == (30, 5, 1, 8, 8)
    bright = shown.x.mean((1, 2, 3, 4)).view(5, 6)
    assert bool((bright.diff(dim=1) > 0).all())
    ratio = shown.x[:, 0].view(5, 6, -1)
    assert torch.allclose(ratio[:, 0] / bright[:, :1], ratio[:, 5] / bright[:, 5:], atol=1e-4)


def test_single_pictures_are_taken_once_from_each_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 3)
    held = subject()
    single = replace(held, model=Linear(Linear.Config(), (1, 8, 8)).eval(), view=View())
    assert gallery(single).x.shape == (30, 1, 8, 8)
    assert set(MEASURE.take(single)) == set(MEASURE.take(held))


class Told(Linear):
    """Features from a table, by example."""

    def encode(self, x: Tensor) -> Tensor:
        """One number for each object: which of the known ones its pixels are a multiple of."""
        flat = x.flatten(1)
        spots = gallery(replace(subject(), view=View())).x.view(5, 6, -1)[:, 0]
        likeness = torch.nn.functional.normalize(flat) @ torch.nn.functional.normalize(spots).T
        return torch.nn.functional.one_hot(likeness.argmax(1), 5).float()


def test_features_that_name_the_object_are_always_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 7)
    model = Told(Told.Config(), (1, 8, 8)).eval()
    found = MEASURE.take(replace(subject(), model=model, view=View()))
    assert found["accuracy"] == [1.0] * 4 and found["accuracy_std_error"] == [0.0] * 4
    assert found["views"] == [1, 2, 3, 4] and found["draws"] == [7, 7, 7, 7]
    assert found["baselines"]["chance"]["accuracy"] == [0.2] * 4
    assert (found["objects"], found["views_of_each"]) == (5, 6)
    assert set(found["baselines"]) == {"raw_pixels", "random_weights", "chance"}


def test_features_that_know_nothing_are_right_by_chance() -> None:
    noise = torch.randn(10 * 8, 50, generator=torch.Generator().manual_seed(3))
    scores = [accuracy(gram(noise), 10, 8, draw) for draw in drawn_views(8, 4, seed=0)]
    assert np.mean(scores) == pytest.approx(0.1, abs=0.04)


def test_the_standard_error_is_that_of_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scores of all draws of one view, computed one by one."""
    monkeypatch.setattr(module, "DRAWS", 9)
    held = subject()
    found = MEASURE.take(held)
    shown = gallery(held)
    products = gram(held.features(shown.x))
    scores = [accuracy(products, 5, 6, draw) for draw in drawn_views(6, 1, held.seed)]
    assert found["accuracy"][0] == pytest.approx(np.mean(scores))
    assert found["accuracy_std_error"][0] == pytest.approx(np.std(scores, ddof=1) / 3)


def test_it_says_why_it_does_not_apply() -> None:
    held = subject()
    assert applies(held) is None
    moving = turning(9)
    assert "every object from the same" in str(applies(subject_of(held.model, moving, moving, View(frames=6))))
    lacking = Parts(held.parts.train, held.parts.validation, held.parts.test.clips(torch.arange(3)))
    assert "every object from the same" in str(applies(replace(held, parts=lacking)))
    pictures = Part.of(torch.rand(4, 1, 8, 8))
    assert applies(subject_of(held.model, pictures, pictures, View(frames=6))) == "the data are not video"


def test_the_chart_shows_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 3)
    lines = {"a": Measured([0.2, 0.5], [0.1, 0.02])}
    more = {**lines, "chance": Measured([0.1, 0.1], [0.0, 0.0])}
    assert (chart(lines) != chart(more)).any() and chart(lines).shape == chart(more).shape
    assert picture(MEASURE.read(MEASURE.take(subject(4, 4)))).shape == chart(lines).shape


def test_the_protocol_is_that_of_2015() -> None:
    """1 to 10 training views, 40 draws, C from 1, 100 and 10,000, extended within [1e-4, 1e5]."""
    assert (module.MOST, module.DRAWS, module.PENALTIES) == (10, 40, (1.0, 1e2, 1e4))
    assert (module.LEAST_PENALTY, module.LARGEST_PENALTY) == (1e-4, 1e5)


def test_two_views_are_left_for_choosing_and_for_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 2)
    for views, most in ((4, 2), (13, 10)):
        assert MEASURE.take(subject(2, views))["views"] == list(range(1, most + 1))


def test_views_apart_by_a_thousandth_are_two() -> None:
    """Angles are compared to four digits."""
    part = stills(3, 5)
    near = replace(part, latents={"angle": 1e-3 * part.latents["angle"]})
    assert gallery(replace(subject(), parts=Parts(near, near.clips(torch.arange(3)), near))).views == 5


def test_the_view_that_chooses_is_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a machine is asked about: first the view that was kept for C alone, in the end the other ones alone."""
    asked: list[int] = []

    class Asked(SVC):
        def predict(self, X: np.ndarray) -> np.ndarray:
            asked.append(len(X))
            return super().predict(X)

    monkeypatch.setattr(module, "SVC", Asked)
    accuracy(gram(features(3.0)), OBJECTS, VIEWS, drawn_views(VIEWS, 2, seed=0)[0])
    assert set(asked[:-1]) == {OBJECTS} and asked[-1] == OBJECTS * (VIEWS - 3)
