"""`untaught tables` as a person types it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from untaught import cli
from untaught.cli import tabulating
from untaught.experiments.find import paper_named
from untaught.experiments.rows.runner import Runner


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs go to the current folder."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    return Path.cwd()


def run(*words: str, status: int = 0) -> None:
    assert cli.main(["tables", *words]) == status


def test_papers_are_listed(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    run()
    assert "tiny2001             Tiny codes\n" in capsys.readouterr().out


@pytest.mark.slow
def test_a_table_is_run_once_and_printed(tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = ("--results", str(tmp_path))
    run(tiny, *here)
    told = capsys.readouterr().out
    assert "not run" in told and "3.50 ± 0.25 recalled" in told and "records" not in told
    run(tiny, *here, "--budget", "smoke", "--experiment", "code", "--seeds", "1")
    told = capsys.readouterr()
    assert "recorded: " in told.err and "code-smoke-0.json" in told.err and "figure: " in told.err
    assert (tmp_path / tiny / "figures-smoke" / "count.txt").read_text() == "1"
    run(tiny, *here, "--budget", "smoke", "--experiment", "code", "untrained", "--json")
    told = capsys.readouterr()
    assert [line for line in told.err.splitlines() if "seed" in line] == [
        "code, seed 1: 1 of 2",
        "untrained, seed 0: 2 of 2",
    ]
    rows = {row["label"]: row["columns"] for row in json.loads(told.out)["tables"][0]["rows"]}
    assert rows["code of 3"]["squared error per image"]["smoke"]["seeds"] == 2
    assert rows["longer"]["squared error per image"]["smoke"] == "not run"
    assert rows["code of 3"]["squared error per image"]["full"] == "not run"


def test_rows_of_one_s_own_data_wait_for_their_folder(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line says which are left out and where the folder belongs; once it is there the same command runs them too."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    paper, ran = paper_named(tiny), list[str]()
    code = replace(paper.experiments["code"]["smoke"], seeds=1)
    mine = {"smoke": replace(code, folder="mine")}
    own = replace(paper, experiments={"code": {"smoke": code}, "mine": mine}, tables=(), figures=None)
    monkeypatch.setattr(tabulating, "paper_named", lambda name: own)
    monkeypatch.setattr(Runner, "run", lambda self, name, seed, again: ran.append(name))
    words = (tiny, "--results", str(tmp_path), "--budget", "smoke")
    run(*words)
    place = tmp_path / "untaught" / "mine"
    told = f"not run without your own data: mine; put or link the folder of classes as {place}\n"
    assert ran == ["code"] and told in capsys.readouterr().err
    place.mkdir(parents=True)
    run(*words)
    assert ran == ["code", "code", "mine"] and told not in capsys.readouterr().err


@pytest.mark.slow
def test_what_was_finished_stays_when_a_later_one_fails(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own, words = Runner.run, (tiny, "--results", str(tmp_path), "--budget", "smoke", "--experiment", "code")

    def fails(self: Runner, name: str, seed: int, again: bool) -> Path:
        if seed == 1:
            raise KeyboardInterrupt
        return own(self, name, seed, again)

    with monkeypatch.context() as broken:
        broken.setattr(Runner, "run", fails)
        run(*words, status=130)
    assert [path.name for path in (tmp_path / tiny).glob("*.json")] == ["code-smoke-0.json"]
    capsys.readouterr()
    run(*words)
    assert "code, seed 1: 1 of 1" in capsys.readouterr().err


@pytest.mark.slow
def test_rows_are_run_in_processes_of_their_own(
    tmp_path: Path, elsewhere: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """They leave records, logs and no runs; what is recorded is not run again."""
    here = ("--results", str(tmp_path), "--budget", "smoke", "--jobs", "2")
    run("hinton1995", "ackley1985", *here, "--experiment", "4-2-4", status=2)
    assert "no experiment of hinton1995 is called '4-2-4'" in capfd.readouterr().err
    run("ackley1985", *here, "--experiment", "4-2-4")
    told = capfd.readouterr()
    assert told.err.count(": begun") == 1 and told.err.count(": recorded") == 1 and "8-3-8" in told.out
    assert [path.name for path in (tmp_path / "ackley1985").glob("*.json")] == ["4-2-4-smoke-0.json"]
    left = [path.name for path in (elsewhere / "runs/tables").iterdir() if path.suffix != ".lock"]
    assert left == ["ackley1985-4-2-4-smoke-0.log"]
    run("ackley1985", *here, "--experiment", "4-2-4")
    assert "begun" not in capfd.readouterr().err


@pytest.mark.slow
def test_a_row_that_fails_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ackley1985").write_text("no folder")
    run("ackley1985", "--results", str(tmp_path), "--budget", "smoke", "--experiment", "4-2-4", "--jobs", "1", status=1)
    told = capfd.readouterr().err
    assert "ackley1985, 4-2-4, seed 0: failed: " in told and "1 of the rows failed" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tiny2011",), "no paper is called 'tiny2011'; did you mean 'tiny2001'?"),
        (("tiny2001", "--again"), "nothing is run without a budget"),
        (("tiny2001", "--budget", "smok"), "--budget smok: input should be 'smoke', 'cpu', 'hour' or 'full'"),
        (("tiny2001", "--budget", "full", "--experiment", "untrained"), "untrained has no budget full; it has: smoke"),
        (("tiny2001", "--budget", "smoke", "--experiment", "cod"), "did you mean 'code'?"),
        (("tiny2001", "--budget", "full"), "the budget full needs a CUDA GPU"),
    ],
)
def test_bad_input_is_refused_in_a_line(
    tiny: str,
    words: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run(*words, "--results", str(tmp_path), status=2)
    said = capsys.readouterr().err
    assert told in said and len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_torn_record_is_named(tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / tiny).mkdir()
    (tmp_path / tiny / "code-smoke-0.json").write_text("{")
    run(tiny, "--results", str(tmp_path), status=2)
    assert "code-smoke-0.json cannot be read" in capsys.readouterr().err
