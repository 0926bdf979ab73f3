"""Experiments that are really trained: a record says what training and measuring by hand give."""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from untaught import cli, open_run
from untaught.errors import ConfigError, RunError
from untaught.experiments import Experiment, Take, Watch
from untaught.experiments.find import paper_named
from untaught.experiments.records import Records
from untaught.experiments.rows.runner import Follow, Runner, device_of

WORDS = ("train", "autoencoder", "--data", "digits", "--hidden", "8", "--latent", "3", "--epochs", "2", "--seed", "1")


def quietly(records: Any) -> Any:
    return deque(records, maxlen=1).pop()


def runner(name: str, folder: Path, follow: Follow = quietly, **changed: Experiment) -> Runner:
    paper = paper_named(name)
    experiments = {**paper.experiments, **{key: {"smoke": own} for key, own in changed.items()}}
    records = Records(name, replace(paper, experiments=experiments), folder / name)
    return Runner(records, "smoke", follow, folder / "runs")


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def test_a_record_says_what_train_and_evaluate_say(
    tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The watched training is, number for number, the one that nobody watched."""
    record = read(runner(tiny, tmp_path).run("code", 1))
    run = str(tmp_path / "run")
    quick = ("--threads", "1", "--device", "cpu", "--precision", "float32")
    assert cli.main([*WORDS, *quick, "--out", run]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", run, "--measure", "reconstruction", "--json"]) == 0
    by_hand = json.loads(capsys.readouterr().out)["measures"]["reconstruction"]
    assert record["measures"]["reconstruction"] == by_hand
    assert record["measures"]["some"]["images"] == 7
    assert record["settings"]["config"] == open_run(run).settings.config
    assert record["settings"]["training"]["seed"] == 1
    assert record["trained"]["epoch"] == 2 and record["trained"]["precision"] == "float32"


@pytest.mark.slow
def test_measures_are_watched_from_before_the_first_step(tiny: str, tmp_path: Path) -> None:
    seen = read(runner(tiny, tmp_path).run("code", 0))["watched"]
    assert [(at["step"], at["epoch"]) for at in seen][0] == (0, 0)
    assert seen[-1]["epoch"] >= 1
    before, after = (at["measures"]["reconstruction"]["squared_error_per_image"] for at in seen)
    assert before != after


@pytest.mark.slow
def test_fractions_are_watched_too(tiny: str, tmp_path: Path) -> None:
    half = replace(
        paper_named(tiny).experiments["code"]["smoke"],
        watch=Watch((Take("reconstruction", limit=7),), fractions=tuple(part / 8 for part in range(9))),
    )
    seen = read(runner(tiny, tmp_path, code=half).run("code", 0))["watched"]
    total = seen[-1]["step"]
    assert total >= 8
    assert [at["step"] for at in seen] == [math.ceil(part * total / 8) for part in range(9)]


@pytest.mark.slow
def test_a_warm_start_begins_where_the_other_ended(tiny: str, tmp_path: Path) -> None:
    first = paper_named(tiny).experiments["code"]["smoke"]
    then = replace(first, begin_from="code", watch=Watch((Take("reconstruction"),), (0,)), pictures=())
    runs = runner(tiny, tmp_path, code=first, then=then)
    record = read(runs.run("then", 0))
    ended = read(runs.records.path("code", "smoke", 0))["measures"]["reconstruction"]
    began = record["watched"][0]["measures"]["reconstruction"]
    assert began["squared_error_per_image"] == pytest.approx(ended["squared_error_per_image"], rel=1e-4)
    assert record["begun_from"]["experiment"] == "code" and record["begun_from"]["left"] == []


@pytest.mark.slow
def test_a_start_from_another_network_takes_what_fits(tiny: str, tmp_path: Path) -> None:
    first = paper_named(tiny).experiments["code"]["smoke"]
    wider = replace(first, config={"hidden": (8,), "latent": 4}, begin_from="code", watch=None, pictures=())
    begun = read(runner(tiny, tmp_path, code=first, then=wider).run("then", 0))["begun_from"]
    assert begun["weights"] > 0 and begun["left"]
    alien = replace(first, model="rbm", config={"hidden": 3}, takes=(), begin_from="code", watch=None, pictures=())
    with pytest.raises(ConfigError, match="no weight of code fits rbm"):
        runner(tiny, tmp_path, code=first, then=alien).run("then", 0)


def test_an_untrained_network_is_measured_as_it_began(tiny: str, tmp_path: Path) -> None:
    record = read(runner(tiny, tmp_path).run("untrained", 0))
    assert "step" not in record["trained"] and record["trained"]["weights"] == 64 * 8 * 2 + 8 * 3 * 2 + 8 * 2 + 3 + 64


@pytest.mark.slow
def test_pictures_that_are_named_are_kept(tiny: str, tmp_path: Path) -> None:
    runs = runner(tiny, tmp_path)
    assert read(runs.run("code", 0))["pictures"] == ["pictures/code-smoke-0-reconstruction.png"]
    kept = list((runs.records.folder / "pictures").iterdir())
    assert [path.name for path in kept] == ["code-smoke-0-reconstruction.png"]
    assert kept[0].read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_runs_are_kept_where_asked(tiny: str, tmp_path: Path) -> None:
    runs = replace(runner(tiny, tmp_path), keep=True)
    for _ in range(2):  # the second takes the place of the first
        runs.run("code", 0)
    run = open_run(tmp_path / "runs" / f"{tiny}-code-smoke-0")
    assert run.best() and (run.path / "report.html").is_file()


@pytest.mark.slow
def test_a_run_stays_until_all_that_begin_from_it_are_recorded(tiny: str, tmp_path: Path) -> None:
    runs = runner(tiny, tmp_path)
    runs.run("code", 0)
    place = tmp_path / "runs" / f"{tiny}-code-smoke-0"
    assert open_run(place).best() and not (place / "report.html").exists()
    begun = (place / "config.json").stat().st_mtime_ns
    runs.run("longer", 0)
    record = read(runs.records.path("longer", "smoke", 0))
    assert record["trained"]["before"]["code"] == read(runs.records.path("code", "smoke", 0))["trained"]
    assert begun and not place.exists() and not (tmp_path / "runs" / f"{tiny}-longer-smoke-0").exists()


class Killed(Exception):
    """What ends a row in a test."""


@pytest.mark.parametrize("records_before", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_row_that_was_killed_goes_on_from_its_checkpoint(tiny: str, tmp_path: Path, records_before: int) -> None:
    """Number for number, it ends like one that was not."""

    def dies(records: Any) -> Any:
        for _ in range(records_before):
            next(records)
        raise Killed

    def counted(records: Any) -> Any:
        steps.extend(record.step for record in records)

    steps: list[int] = []
    first = paper_named(tiny).experiments["code"]["smoke"]
    assert first.training is not None
    takes = first.takes[1:]
    slow = replace(first, training=replace(first.training, epochs=12), takes=takes, watch=Watch(takes, (1, 8)))
    whole = read(runner(tiny, tmp_path / "whole", code=slow).run("code", 0))
    with pytest.raises(Killed):
        runner(tiny, tmp_path / "killed", dies, code=slow).run("code", 0)
    resumed = read(runner(tiny, tmp_path / "killed", counted, code=slow).run("code", 0, again=False))
    assert resumed["measures"] == whole["measures"] and resumed["trained"]["losses"] == whole["trained"]["losses"]
    assert [seen["measures"] for seen in resumed["watched"]] == [seen["measures"] for seen in whole["watched"]]
    assert records_before == 1 or steps[0] > 0, "it began anew"


@pytest.mark.slow
def test_a_row_of_a_changed_experiment_begins_anew(tiny: str, tmp_path: Path) -> None:
    first = paper_named(tiny).experiments["code"]["smoke"]
    place = replace(runner(tiny, tmp_path), keep=True)
    place.run("code", 0)
    wider = replace(first, config={"hidden": (9,), "latent": 3})
    runner(tiny, tmp_path, code=wider).run("code", 0, again=False)
    run = open_run(tmp_path / "runs" / f"{tiny}-code-smoke-0")
    assert run.settings.config["hidden"] == [9]


def test_a_row_is_trained_by_one_process_at_a_time(tiny: str, tmp_path: Path) -> None:
    runs = runner(tiny, tmp_path)
    with runs.row("code", 0).held(), pytest.raises(RunError, match="is being trained by another process"):
        runs.run("code", 0)


def test_a_measure_that_does_not_apply_is_refused_before_training(tiny: str, tmp_path: Path) -> None:
    def never(records: Any) -> Any:
        raise AssertionError("it was trained")

    takes = (Take("prediction"),)
    wrong = replace(paper_named(tiny).experiments["code"]["smoke"], takes=takes)
    with pytest.raises(ConfigError, match="prediction cannot be measured: the model does not predict"):
        runner(tiny, tmp_path, never, code=wrong).run("code", 0)


def test_budgets_are_spent_where_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [device_of(budget).type for budget in ("smoke", "cpu", "hour", "full")] == ["cpu", "cpu", "cpu", "cuda"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="the budget full needs a CUDA GPU"):
        device_of("full")
