"""Cells against numbers computed by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table
from untaught.experiments.cells import Grid, Ours, as_json, at, grids, how_long, ours, recorded
from untaught.experiments.markdown import markdown
from untaught.experiments.records import Records

ROW = Row("ours", "code", ("error", "deep.numbers.1"), (Published(1.5, 0.25, recalled=True), None))
ELSEWHERE = Row("theirs", published=(Published(2.0), Published(3.0)))
CODE = Experiment("autoencoder", "digits", config={"latent": 2})


def paper(*rows: Row, code: Experiment = CODE) -> Paper:
    columns = (Column("error", "lower"), Column("depth", digits=1))
    return Paper("T", "R", "U", {"code": {"smoke": code, "cpu": code}}, (Table("t", columns, rows),))


def records_of(where: Path, *errors: float, budget: Budget = "smoke") -> Records:
    records = Records("p", paper(ROW, ELSEWHERE), where)
    for seed, error in enumerate(errors):
        records.write(record(records, seed, error, budget))
    return records


def record(records: Records, seed: int, error: float, budget: Budget) -> dict[str, Any]:
    about = {"experiment": "code", "budget": budget, "seed": seed, "digest": records.paper.digest("code", budget)}
    measures = {"error": error, "error_std": 0.125, "deep": {"numbers": [4.0, 5.0 + seed]}}
    return {**about, "measures": measures, "watched": [{"measures": {"error": 9.0}}], "trained": {"seconds": 60.0}}


def test_several_seeds_give_mean_and_deviation_of_a_sample(tmp_path: Path) -> None:
    errors = [1.0, 2.0, 4.5]
    cell = ours(records_of(tmp_path, *errors), ROW, 0, "smoke")
    assert isinstance(cell, Ours) and (cell.seeds, cell.stale) == (3, False)
    assert (cell.mean, cell.spread) == pytest.approx((np.mean(errors), np.std(errors, ddof=1)))
    assert cell.text(2) == "2.50 ± 1.80 (3 seeds)"


def test_one_seed_has_the_spread_that_the_measure_gives(tmp_path: Path) -> None:
    records = records_of(tmp_path, 1.0)
    assert ours(records, ROW, 0, "smoke") == Ours(1.0, 0.125, 1, False)
    assert ours(records, ROW, 1, "smoke") == Ours(5.0, None, 1, False)


def test_hardware_says_bf16_where_that_was_computed(tmp_path: Path) -> None:
    environment = {"gpu": None, "processor": "P", "cores": 8, "threads": 4, "commit": None}
    told = {**record(records_of(tmp_path), 0, 1.0, "smoke"), "environment": environment, "date": "today"}
    trained = {"step": 1, "seconds": 60.0, "threads": 2}
    wheres = [recorded({**told, "trained": {**trained, **own}})[-3] for own in ({}, {"precision": "bf16"})]
    assert wheres == ["P, 2 of 8 cores", "P, 2 of 8 cores, bf16"]


def test_a_cell_without_a_number_says_why(tmp_path: Path) -> None:
    records = records_of(tmp_path, 1.0)
    assert ours(records, ROW, 0, "cpu") == "not run"
    assert ours(records, ROW, 0, "full") == "–"
    assert ours(records, ELSEWHERE, 0, "smoke") == "–"
    for place in ("deep", "deep.numbers", "deep.numbers.2", "deep.numbers.x", "error.more", "nothing"):
        assert ours(records, replace(ROW, places=(place, "")), 0, "smoke") == "not measured"


def test_a_changed_experiment_makes_its_records_stale(tmp_path: Path) -> None:
    records = records_of(tmp_path, 1.0, 3.0)
    assert records.missing("code", "smoke", 3) == [2]
    changed = replace(records, paper=paper(ROW, code=replace(CODE, config={"latent": 3})))
    cell = ours(changed, ROW, 0, "smoke")
    assert isinstance(cell, Ours) and cell.stale and cell.text(1) == "2.0 ± 1.4 (2 seeds) stale"
    assert changed.missing("code", "smoke", 3) == [0, 1, 2]
    more_seeds = replace(records, paper=paper(ROW, code=replace(CODE, seeds=7)))
    assert more_seeds.missing("code", "smoke") == [2, 3, 4, 5, 6]
    # Fresh records are not mixed with stale ones.
    changed.write(record(changed, 1, 8.0, "smoke"))
    assert ours(changed, ROW, 0, "smoke") == Ours(8.0, 0.125, 1, False)


def test_digest_follows_the_experiment_that_another_begins_from() -> None:
    def digest(first: Experiment) -> str:
        then = replace(CODE, begin_from="first")
        return Paper("T", "R", "U", {"first": {"cpu": first}, "then": {"cpu": then}}, ()).digest("then", "cpu")

    assert digest(CODE) != digest(replace(CODE, data="balls"))
    assert digest(CODE) == digest(replace(CODE, seeds=3))


def test_places_of_watched_and_trained_numbers_and_of_baselines() -> None:
    baselines = {"baselines": {"pca": 3.0}, "baselines_std": {"pca": 0.5}}
    held = {"measures": {"r": baselines}, "watched": [{"measures": {"r": {"e": 7.0}}}], "trained": {"step": 3}}
    assert at(held, "r.baselines.pca") == (3.0, 0.5)
    assert at(held, "watched.-1.measures.r.e") == (7.0, None)
    assert at(held, "watched.1.measures.r.e") is None
    assert at(held, "trained.step") == (3.0, None)


def test_what_was_ever_reached_counts_the_moments_that_were_watched() -> None:
    watched = [{"measures": {"c": {"solved": solved}}} for solved in (0.0, 1.0)]
    held = {"measures": {"c": {"solved": 0.5}}, "watched": watched}
    assert at(held, "ever.c.solved") == (1.0, None) and at({**held, "watched": []}, "ever.c.solved") == (0.5, None)
    assert at(held, "ever.c.unknown") is None


def test_what_was_trained_counts_all_stages_and_what_came_before() -> None:
    def trained(*seconds: float, **more: Any) -> dict[str, Any]:
        stages = [{"stage": str(n), "step": 1000, "epoch": 1.0, "seconds": own} for n, own in enumerate(seconds)]
        return {**stages[-1], "kept": 900, "stages": stages, **more}

    base = trained(60.0, 30.0)
    assert how_long(trained(60.0, before={"base": base})) == ["3,000", "900", "2.5"]
    whys = [how_long(trained(60.0, kept_by=why))[1] for why in ("last", "energy_distance", "total")]
    assert whys == ["900, the last", "900, by energy distance", "900, by loss"]
    assert how_long({"stage": "last", "step": 1000, "seconds": 60.0}) == ["1,000+", "–", "1.0+"]
    assert how_long({}) == ["untrained", "–", "–"]


def test_published_stands_beside_ours_for_each_quantity(tmp_path: Path) -> None:
    records = records_of(tmp_path, 1.0)
    (table,) = records.paper.tables
    first = grids(records, table)[0]
    assert first.head == ("", "published", "smoke", "cpu")
    assert first.rows == (
        ("ours", "1.50 ± 0.25 recalled", "1.00 ± 0.12", "not run"),
        ("theirs", "2.00", "–", "–"),
    )
    only_error = replace(table, rows=(replace(ROW, places=("error", "")), ELSEWHERE))
    assert [line[0] for line in grids(records, only_error)[1].rows] == ["theirs"]


def test_quantities_stand_side_by_side_where_nothing_was_published(tmp_path: Path) -> None:
    records = records_of(tmp_path, 1.0)
    (table,) = records.paper.tables
    alone = replace(table, rows=(replace(ROW, published=()),))
    smoke, cpu = grids(records, alone)
    assert smoke.head == ("", *(column.name for column in table.columns))
    assert smoke.rows[0][:2] == ("ours", "1.00 ± 0.12")
    assert cpu == Grid("cpu: not run")


def test_json_has_numbers_and_reasons(tmp_path: Path) -> None:
    told = as_json(records_of(tmp_path, 1.0, 3.0))
    cells = told["tables"][0]["rows"][0]["columns"]["error"]
    assert cells["smoke"] == {"mean": 2.0, "spread": pytest.approx(2**0.5), "seeds": 2, "stale": False}
    assert cells["cpu"] == "not run"
    assert cells["published"]["recalled"] is True


def test_markdown_of_a_paper_without_records(tmp_path: Path, tiny: str) -> None:
    page = markdown(tiny, tmp_path)
    assert "| code of 3 | 9.00 | not run |" in page
    assert "*recalled*" in page and "- code of 3: two passes only" in page
    assert "## Records" not in page
