"""Error against the number of labels: only what was run is drawn, and only where there is something to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from untaught.experiments import few_labels
from untaught.experiments.few_labels import draw_against_labels

LINES = {"alone": {100: "alone-100", 1000: "alone-1000"}, "ladder": {100: "ladder-100"}}


def record(experiment: str) -> dict[str, Any]:
    return {"experiment": experiment, "seed": 0, "budget": "cpu", "measures": {"classification": {"error_rate": 0.2}}}


def test_one_number_of_labels_is_no_figure(tmp_path: Path) -> None:
    assert draw_against_labels([record("alone-100"), record("ladder-100")], tmp_path, LINES) == []


def test_kinds_that_were_not_run_are_not_in_the_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    real = few_labels.over_seeds
    monkeypatch.setattr(few_labels, "over_seeds", lambda *given: (drawn.append(given[1]), real(*given))[1])
    found = draw_against_labels([record("alone-100"), record("alone-1000")], tmp_path, LINES)
    assert found == [tmp_path / "labels.png"] and found[0].stat().st_size > 0
    assert [list(lines) for lines in drawn[0].values()] == [["alone"]]
