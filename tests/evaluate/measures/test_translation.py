"""Translators that are known: one that inverts, one that also exchanges classes, one that does nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.evaluate.samples.test_judging import bars
from untaught.capability import Translates
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import View
from untaught.evaluate.drawing.illustrate import illustrate
from untaught.evaluate.measures.translation import MEASURE, _fraction
from untaught.evaluate.subject import Subject
from untaught.model import Example, Model, Stage
from untaught.randomness import seeded
from untaught.shapes import Images


class Turns(Model, Translates):
    """Translates by a function each way."""

    def __init__(self, there: Callable[[Images], Images], back: Callable[[Images], Images]) -> None:
        super().__init__()
        self.there, self.back, self.example = there, back, Example((1, 8, 8))

    def translate(self, x: Images, forward: bool = True) -> Images:
        """By one of them."""
        return (self.there if forward else self.back)(x)

    def stages(self) -> tuple[Stage, ...]:
        """None: it learns nothing."""
        return ()


def inverted(x: Images) -> Images:
    return 1 - x


def moved(x: Images) -> Images:
    """Each bar is that of the next class."""
    return 1 - x.roll(2, 2)


def moved_back(x: Images) -> Images:
    return (1 - x).roll(-2, 2)


def parts(seed: int, invert: bool, labelled: bool = True) -> Parts:
    made = list[Part]()
    for number, count in enumerate((300, 100)):
        with seeded(seed + number):
            x, label = bars(count)
        made.append(Part.of(1 - x if invert else x, label if labelled else None))
    return Parts(made[0], made[1], made[1])


@pytest.fixture(scope="module")
def subject_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("judges")

    def made(model: Model, labelled: bool = True) -> Subject:
        own, other = parts(0, invert=False, labelled=labelled), parts(10, invert=True, labelled=labelled)
        return Subject(model, own, View(), name="bars", other=other)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("untaught.evaluate.samples.judge.cache_folder", lambda: folder)
        yield made


@pytest.mark.slow
def test_the_true_translator_keeps_all(subject_of: Callable[..., Subject]) -> None:
    found = MEASURE.take(subject_of(Turns(inverted, inverted)))
    for way in ("there", "back"):
        assert found["squared_error_of_cycle"][way] < 1e-9
        assert found["labels_kept"][way] > 0.9 and found["labels_kept_baselines"]["real_examples"][way] > 0.9
        assert found["labels_kept_baselines"]["frequent_class"][way] < 0.3
        nothing = found["energy_distance_baselines"]["untranslated"][way]
        assert found["energy_distance"][way] < 0.05 * nothing
    assert found["examples"] == {"there": 100, "back": 100}


def test_a_perfect_cycle_that_exchanges_classes_is_seen(subject_of: Callable[..., Subject]) -> None:
    """It comes back without error and looks like the other kind, and no label is kept."""
    found = MEASURE.take(subject_of(Turns(moved, moved_back)))
    assert found["squared_error_of_cycle"]["there"] < 1e-9
    assert found["energy_distance"]["there"] < 0.05 * found["energy_distance_baselines"]["untranslated"]["there"]
    assert found["labels_kept"]["there"] < 0.05


def test_what_changes_nothing_is_as_far_as_what_was_not_translated(subject_of: Callable[..., Subject]) -> None:
    found = MEASURE.take(subject_of(Turns(lambda x: x, lambda x: x), labelled=False))
    assert found["squared_error_of_cycle"] == {"there": 0.0, "back": 0.0} and "labels_kept" not in found
    assert found["energy_distance"] == pytest.approx(found["energy_distance_baselines"]["untranslated"])


def test_each_way_is_translated_by_its_own_translator(subject_of: Callable[..., Subject]) -> None:
    """There it inverts, back it halves: what comes back is (1 - x) / 2 there, and 1 - x / 2 back."""
    subject = subject_of(Turns(inverted, lambda x: x / 2), labelled=False)
    found = MEASURE.take(subject)
    assert subject.other is not None
    ends = {"there": lambda x: (1 - x) / 2 - x, "back": lambda x: 1 - x / 2 - x}
    for (way, apart), own in zip(ends.items(), (subject.parts, subject.other), strict=True):
        error = apart(own.test.frames.read(own.test.first)).square().sum((1, 2, 3)).mean()
        assert found["squared_error_of_cycle"][way] == pytest.approx(float(error), rel=1e-5)
    untranslated = found["energy_distance_baselines"]["untranslated"]
    assert found["energy_distance"]["there"] < 0.05 * untranslated["there"]
    assert found["energy_distance"]["back"] > 0.3 * untranslated["back"]


def test_a_fraction_is_of_those_that_have_a_label() -> None:
    said, true = torch.tensor([1, 2, 0, 1, 3]), torch.tensor([1, 0, 0, -1, 3])
    share = _fraction(said, true)
    assert (share.value, share.spread) == (0.75, pytest.approx((0.75 * 0.25 / 4) ** 0.5))


def test_both_ways_are_drawn(subject_of: Callable[..., Subject], tmp_path: Path) -> None:
    drawn = illustrate(subject_of(Turns(inverted, inverted)), tmp_path)
    assert [path.name for path in drawn] == ["translation.png"]


def test_without_a_second_source_there_is_nothing_to_measure() -> None:
    alone = Subject(Turns(inverted, inverted), parts(0, invert=False), View())
    assert MEASURE.applies(alone) == "there is no second source"
    assert torch.equal(alone.model.translate(torch.ones(1, 1, 2, 2)), torch.zeros(1, 1, 2, 2))  # type: ignore[operator]
