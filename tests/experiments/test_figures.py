"""Numbers of experiments beside those of another, seed by seed; which figures a page shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from untaught.experiments.figures import beside_the_first, seed_by_seed
from untaught.experiments.markdown import markdown

NAMED = {"alone": "a", "with more": "b", "with less": "c"}


def record(experiment: str, seed: int, value: float | None) -> dict[str, Any]:
    return {"experiment": experiment, "seed": seed, "measures": {} if value is None else {"error": {"rate": value}}}


RECORDS = [
    record("b", 1, 0.35), record("a", 0, 0.1), record("a", 1, 0.3), record("b", 0, 0.25), record("c", 1, 0.1),
    record("c", 0, None), record("b", 2, 0.9), record("d", 0, 0.0),
]  # fmt: skip


def test_each_seed_stands_beside_the_same_seed() -> None:
    """Seeds that either lacks are left out, and what was not asked for."""
    found = seed_by_seed(RECORDS, NAMED, "error.rate")
    assert found == {"with more": pytest.approx([0.15, 0.05]), "with less": pytest.approx([-0.2])}


def test_the_picture_has_what_was_run() -> None:
    one = beside_the_first(RECORDS, {"few": NAMED, "many": {"alone": "x", "with more": "y"}}, "error.rate", "error")
    two = beside_the_first(RECORDS, {"few": NAMED, "many": NAMED}, "error.rate", "error")
    assert one is not None and two is not None
    assert one.shape[1] < two.shape[1] and len(np.unique(one.reshape(-1, 3), axis=0)) > 5
    assert beside_the_first([], {"few": NAMED}, "error.rate", "error") is None


def test_a_page_shows_each_figure_of_the_largest_budget_that_has_it(tmp_path: Path) -> None:
    for budget, names in {"smoke": "abc", "cpu": "ab", "hour": "b"}.items():
        folder = tmp_path / "hinton2006" / f"figures-{budget}"
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.png").touch()
    page = markdown("hinton2006", tmp_path)
    shown = re.findall(r"## Figures, (\w+)|results/hinton2006/figures-(\w+)/(\w)\.png", page)
    assert [" ".join(filter(None, found)) for found in shown] == ["hour", "hour b", "cpu", "cpu a", "smoke", "smoke c"]
