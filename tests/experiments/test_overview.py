"""Headlines against numbers compared by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table
from untaught.experiments.overview import headlines, overview, verdict
from untaught.experiments.records import Records

CODE = Experiment("autoencoder", "digits", config={"latent": 2})
ROW = Row("ours", "code", ("error",), (Published(2.0),), gap="more passes")


@pytest.mark.parametrize(
    ("own", "better", "expected"),
    [
        (2.0, "lower", "met"),
        (1.0, "lower", "met"),
        (2.19, "lower", "within 10 %"),
        (2.21, "lower", "short"),
        (2.5, "higher", "met"),
        (1.8, "higher", "within 10 %"),
        (1.79, "higher", "short"),
        (2.01, "", "met"),
        (1.9, "", "within 10 %"),
        (2.3, "", "short"),
    ],
)
def test_how_near_ours_is(own: float, better: str, expected: str) -> None:
    assert verdict(own, 2.0, better) == expected


def test_below_zero_nearer_is_higher() -> None:
    assert verdict(-84.0, -84.6, "higher") == "met" and verdict(-95.0, -84.6, "higher") == "short"


def test_the_best_budget_that_was_run_stands_there_and_its_gap_where_one_is(tmp_path: Path) -> None:
    rows = (
        ROW,
        Row("beside", "code", ("r.baselines.pca",), (Published(2.0),)),
        Row("theirs", published=(Published(3.0),)),
    )
    table = Table("t", (Column("error", "lower", 1),), rows)
    at: dict[Budget, Experiment] = {"smoke": CODE, "cpu": CODE, "hour": CODE, "full": CODE}
    records = Records("p", Paper("T", "R", "U", {"code": at}, (table,)), tmp_path)

    def line() -> tuple[str, ...]:
        (one,) = headlines(records)
        return one.cells()[2:]

    def write(budget: Budget, seed: int, error: float) -> None:
        about = {"experiment": "code", "budget": budget, "seed": seed, "digest": records.paper.digest("code", budget)}
        records.write({**about, "measures": {"error": error}, "watched": [], "trained": {}})

    write("smoke", 0, 1.0)
    assert line() == ("2.0", "–", "not run", "–", "more passes; budget cpu is not run")
    write("cpu", 0, 3.0)
    assert line() == ("2.0", "3.0", "short", "1, cpu", "more passes; budget hour is not run")
    write("hour", 0, 1.0)
    write("hour", 1, 2.0)
    assert line() == ("2.0", "1.5 ± 0.7", "met", "2, hour", "")


def test_every_paper_is_there(tiny: str, tmp_path: Path) -> None:
    found = overview(tmp_path)
    assert [(one.row.label, one.verdict) for one in found] == [("code of 3", "not run")]
    recalled = replace(found[0], printed=replace(found[0].printed, recalled=True))
    assert recalled.cells()[2].endswith("*recalled*")


def likelihood_line(folder: Path, backward: float | None, comparable: bool = True) -> tuple[str, ...]:
    """The line of a likelihood of -100 nats, -105 in the paper, with what annealing backwards says."""
    row = Row("ours", "code", ("likelihood.log_likelihood_nats",), (Published(-105.0),), comparable=comparable)
    table = Table("t", (Column("nats", "higher", 1),), (row,))
    records = Records("p", Paper("T", "R", "U", {"code": {"cpu": CODE}}, (table,)), folder)
    found = {"log_likelihood_nats": -100.0}
    found |= {} if backward is None else {"log_likelihood_nats_backward": backward}
    about = {"experiment": "code", "budget": "cpu", "seed": 0, "digest": records.paper.digest("code", "cpu")}
    records.write({**about, "measures": {"likelihood": found}, "watched": [], "trained": {}})
    (one,) = headlines(records)
    return one.cells()


@pytest.mark.parametrize(
    ("backward", "expected"), [(None, "met"), (-101.9, "met"), (-102.1, "not resolved"), (-97.0, "not resolved")]
)
def test_a_likelihood_is_met_only_if_both_directions_of_annealing_agree(
    tmp_path: Path, backward: float | None, expected: str
) -> None:
    line = likelihood_line(tmp_path, backward)
    assert expected in line
    assert line[-1] == ("more annealing runs or temperatures" if expected == "not resolved" else "")


def test_a_number_on_other_data_is_not_held_against_the_papers(tmp_path: Path) -> None:
    line = likelihood_line(tmp_path, None, comparable=False)
    assert "not comparable" in line and not line[-1]
