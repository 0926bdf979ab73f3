"""Every paper at its smallest budget: each experiment is trained and measured, and every cell finds its number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from untaught import cli
from untaught.experiments import Paper, Row
from untaught.experiments.cells import at
from untaught.experiments.find import paper_named, paper_names, problems
from untaught.experiments.records import Records

FIRST = 3
"""Experiments of a paper that are run each time; later ones are of the same kinds, and run with the slow tests."""
EVERY = [
    pytest.param(paper, name, marks=[pytest.mark.slow] if number >= FIRST else [])
    for paper in paper_names()
    for number, name in enumerate(paper_named(paper).experiments)
]
TOO_SMALL = re.compile(
    r"accuracy\.[49]$|principal_components\.100\.|context_10\.(19|49)$|_(backward|low)$|effective_runs$"
)
"""What clips of 24 frames, five views and 32 units have no room for; partition functions are exact."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.chdir(tmp_path)  # where runs are made


@pytest.mark.parametrize("name", paper_names())
def test_a_paper_fits_together(name: str) -> None:
    assert list(problems(paper_named(name))) == []


@pytest.mark.parametrize(("paper", "experiment"), EVERY)
def test_an_experiment_runs_and_fills_its_cells(paper: str, experiment: str, tmp_path: Path) -> None:
    words = ["tables", paper, "--budget", "smoke", "--experiment", experiment, "--results", str(tmp_path)]
    assert cli.main(words) == 0
    held = Records(paper, paper_named(paper), tmp_path / paper)
    (record,) = held.of(experiment, "smoke")
    assert not held.is_stale(record)
    for place in places(held.paper, experiment):
        assert at(record, place) is not None, place
    if held.paper.experiments[experiment]["smoke"].watch is None:
        assert record["watched"] == []
    else:
        # A training of a second tells when it begins and when it ends, and not always in between.
        assert record["watched"][0]["step"] == 0 and record["watched"][-1]["progress"] == 1


def places(paper: Paper, experiment: str) -> list[str]:
    """Where the tables look for an experiment's numbers, but for what is too small here."""
    rows: list[Row] = [row for table in paper.tables for row in table.rows if row.experiment == experiment]
    every = [place for row in rows for place in row.places if place]
    return [place for place in every if not TOO_SMALL.search(place)]
