"""Numbers of a measure and of its baselines under the same names."""

from __future__ import annotations

from untaught.evaluate.beside import who


def test_a_number_with_baselines_of_its_own_and_lists() -> None:
    measure = {
        "error": 2.0,
        "quality": {"a": 1.0},
        "baselines": {"mean": 3.0},
        "quality_baselines": {"mean": {"a": 0.5}},
        "ahead": [1.0, 2.0, 3.0, 4.0],
    }
    rows = who(measure)
    assert rows["mean"] == {"error": 3.0, "quality a": 0.5}
    assert rows["model"] == {"error": 2.0, "quality a": 1.0, "ahead 1": 1.0, "ahead 3": 3.0, "ahead 4": 4.0}


def test_baselines_that_have_numbers_by_name() -> None:
    rows = who({"r2": {"x": 0.5, "y": 0.25}, "baselines": {"pixels": {"x": 0.125, "y": 0.0}}})
    assert rows["pixels"] == {"r2 x": 0.125, "r2 y": 0.0}
    assert rows["model"] == {"r2 x": 0.5, "r2 y": 0.25}
