"""Advice by what a training's records show."""

from __future__ import annotations

from typing import Any

import pytest

from untaught.evaluate.judgement.advice import advice, course_of
from untaught.runs.settings import Settings, Training


def records(held_out: list[float], training: float, steps: int = 1000, minutes: float = 1.0) -> list[dict[str, Any]]:
    """A training with held-out losses evenly spaced; its own loss is the same throughout."""
    count = len(held_out)
    return [
        {
            "stage": "train", "step": steps * (n + 1) // count, "seconds": 60 * minutes * (n + 1) / count,
            "epoch": 4.0 * (n + 1) / count, "losses": {"loss": 9.0, "error": training},
            "held_out": {"total": 9.0, "error": value},
        }
        for n, value in enumerate(held_out)
    ]  # fmt: skip


def settings(side: int = 28, training: Training | None = None, **config: Any) -> Settings:
    return Settings(
        model="autoencoder",
        shape=(1, side, side),
        config=config,
        data="digits",
        training=training or Training(minutes=1),
    )


def told(found: list[dict[str, Any]], own: Settings | None = None) -> str:
    return "; ".join(advice(course_of(found), own or settings()))


STILL = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]
STALLED = [9.0, 5.0, 4.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (records(STILL, 4.0), "--minutes 5 (its error was still falling)"),
        (records(STILL, 4.0, steps=30), "--minutes 10 (it took only 30 steps)"),
        (records(STALLED, 1.0), "more data (it memorised what it was trained on)"),
        (records([9.0, 9.0, 8.95, 8.95, 8.95, 8.95], 9.0), "--learning-rate ten times lower"),
        (records(STALLED, 4.0), "a larger network (its error had stopped falling)"),
    ],
)
def test_each_case_has_its_advice(found: list[dict[str, Any]], words: str) -> None:
    assert told(found).startswith(words)


def test_a_training_by_epochs_is_prolonged_in_epochs() -> None:
    assert "--epochs 12 (" in told(records(STILL, 4.0), settings(training=Training(epochs=4)))


def test_large_pictures_are_made_smaller_or_cut() -> None:
    few = told(records(STILL, 4.0, steps=30), settings(side=144))
    assert "a smaller --size, 72" in few and "--size" not in told(records(STILL, 4.0, steps=30))
    assert "--patch" in told(records(STALLED, 1.0), settings(side=144))
    cut = settings(side=144, training=Training(minutes=1, view={"patch": 64, "augment": ["mirror"]}))
    assert "--patch" not in told(records(STALLED, 1.0), cut) and "mirror" not in told(records(STALLED, 1.0), cut)


def test_a_wide_code_may_be_narrower() -> None:
    assert "--latent 15 " in told(records(STALLED, 1.0), settings(latent=30))
    assert "--latent" not in told(records(STALLED, 1.0))


def test_only_the_last_stage_counts() -> None:
    first = [{**record, "stage": "first", "held_out": {"error": 1e9}} for record in records(STILL, 4.0)]
    course = course_of([*first, *records(STALLED, 4.0)])
    assert course is not None and course.held_out == tuple(STALLED) and course.training == 4.0


def test_without_a_held_out_loss_there_is_another_system() -> None:
    found = [{**record, "held_out": {}} for record in records(STILL, 4.0)]
    assert course_of(found) is None and told(found) == "another system: `untaught models`"


def test_whether_it_still_falls_is_told_by_the_last_third() -> None:
    """Of six measurements the last two against the best of the four before; what fell in the middle is past."""
    middle = course_of(records([9.0, 9.0, 9.0, 4.0, 4.0, 4.0], 4.0))
    late = course_of(records([9.0, 9.0, 9.0, 9.0, 6.0, 6.3], 4.0))
    assert middle is not None and (middle.fell, middle.fell_lately) == (pytest.approx(5 / 9), 0)
    assert late is not None and late.fell_lately == pytest.approx(3 / 9)


@pytest.mark.parametrize(("training", "memorised"), [(2.3, True), (2.5, False)])
def test_it_has_memorised_where_its_own_error_is_below_six_tenths(training: float, memorised: bool) -> None:
    found = course_of(records(STALLED, training))
    assert found is not None and found.memorised == memorised
