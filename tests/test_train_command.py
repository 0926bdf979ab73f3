"""`untaught train`: where it writes, what it prints, how it goes on, how it is interrupted."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from untaught import cli, open_run
from untaught.cli.asked import asked
from untaught.cli.place import default_place
from untaught.cli.terminal.progress import SECONDS_BETWEEN_LINES, _lines
from untaught.training.fit import Record

QUICK = ("--threads", "1", "--device", "cpu", "--precision", "float32")
DIGITS = ("train", "autoencoder", "--data", "digits", "--hidden", "20", "--latent", "3", "--epochs", "2", *QUICK)


def run(*words: str) -> None:
    assert cli.main(words) == 0


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "digits"
    run(*DIGITS, "--out", str(place))
    return place


def test_train_ends_with_the_run_alone_on_the_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "a" / "b"
    run(*DIGITS, "--out", str(place))
    told = capsys.readouterr()
    assert told.out == f"{place}\n"
    assert "weights" in told.err.splitlines()[0] and "examples/s" in told.err.splitlines()[0]
    assert (place / "report.html").stat().st_size > 1000
    assert "held out, 359 examples: the squared error of what comes back is" in told.err
    found = json.loads((place / "verdict.json").read_text())
    assert found["words"] in told.err and found["checkpoint"] == open_run(place).best_name()
    assert found["standing"] == "worse" and f"to try: {'; '.join(found['to_try'])}\n" in told.err
    settings = open_run(place).settings
    assert settings.config["latent"] == 3 and settings.training.epochs == 2 and settings.shape == (1, 8, 8)


def test_a_model_without_an_encoder_says_that_its_network_is_fresh(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", "finetuned-classifier", "--data", "digits", "--hidden", "8", "--epochs", "1", *QUICK)
    run(*words, "--out", str(tmp_path / "fresh"))
    assert "no --encoder was given: it trains a fresh network" in capsys.readouterr().err
    encoder = ("--encoder", str(tmp_path / "fresh"))
    run(
        "train",
        "finetuned-classifier",
        *encoder,
        "--data",
        "digits",
        "--epochs",
        "1",
        *QUICK,
        "--out",
        str(tmp_path / "on"),
    )
    told = capsys.readouterr().err
    assert "fresh network" not in told and "always the most frequent class" in told


def test_train_names_its_run_after_model_and_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(*DIGITS, "--epochs", "0.1")
    assert capsys.readouterr().out == "runs/autoencoder-digits-1\n"
    assert default_place("autoencoder", "digits") == Path("runs/autoencoder-digits-2")


def test_same_seed_same_weights_from_a_stored_configuration(digits_run: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    run("train", "--config", str(digits_run / "config.json"), "--out", str(again))
    assert open_run(again).settings == open_run(digits_run).settings
    first, second = (open_run(place).load().state_dict() for place in (digits_run, again))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_typed_beside_a_stored_configuration_wins(digits_run: Path) -> None:
    found = asked(["--config", str(digits_run / "config.json"), "--latent", "5", "--minutes", "1"])
    assert found.config["latent"] == 5 and found.config["hidden"] == [20]
    assert found.training.minutes == 1 and found.training.epochs is None


def test_resume_goes_on_to_more_epochs(tmp_path: Path) -> None:
    place = str(tmp_path / "run")
    run(*DIGITS, "--out", place)
    before = open_run(place).records()
    run("train", "--resume", "--out", place, "--epochs", "3")
    after = open_run(place).records()
    assert after[: len(before)] == before
    assert after[-1]["epoch"] == pytest.approx(3)
    assert open_run(place).settings.training.epochs == 3


def test_replace_trains_anew_in_the_same_place(tmp_path: Path) -> None:
    place = tmp_path / "run"
    run(*DIGITS, "--out", str(place))
    run(*DIGITS, "--latent", "4", "--out", str(place), "--replace")
    assert open_run(place).settings.config["latent"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.slow
def test_interrupt_checkpoints_and_exits_130(tmp_path: Path) -> None:
    place = tmp_path / "run"
    words = [*DIGITS, "--epochs", "100000", "--out", str(place)]
    started = subprocess.Popen([sys.executable, "-m", "untaught", *words], stderr=subprocess.PIPE, text=True)
    metrics, deadline = place / "metrics.jsonl", time.monotonic() + 60
    while not (metrics.exists() and len(metrics.read_text().splitlines()) > 1) and time.monotonic() < deadline:
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=60)
    assert started.returncode == 130
    assert f"untaught train --resume --out {place}" in told and "Traceback" not in told
    assert open_run(place).last() is not None


@pytest.mark.slow
def test_a_terminal_gets_a_bar_and_a_pipe_gets_lines(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = [*DIGITS, "--out", str(tmp_path / "run")]
    environment = os.environ | {"COLUMNS": "160", "TERM": "xterm"}
    started = subprocess.Popen([sys.executable, "-m", "untaught", *words], stderr=theirs, stdout=-3, env=environment)
    os.close(theirs)
    told = b""
    while started.poll() is None:
        try:
            told += os.read(ours, 65536)
        except OSError:
            break
    assert started.wait(60) == 0
    assert "━" in told.decode(errors="replace") and b"100%" in told and b"examples/s" in told


def test_lines_are_rate_limited_and_the_last_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    records = [
        Record("train", step, step / 10, float(step), step / 10, {"loss": 1.0 / (step + 1)}) for step in range(11)
    ]
    clock = iter(range(100))
    assert _lines(iter(records), lambda: next(clock) * SECONDS_BETWEEN_LINES / 4) is records[-1]
    shown = [line.split("step ")[1].split()[0] for line in capsys.readouterr().err.splitlines()]
    assert shown[0] == "0" and shown[-1] == "10"
    assert 3 <= len(shown) <= 6


@pytest.mark.slow
def test_two_processes_make_one_run(tmp_path: Path) -> None:
    place = tmp_path / "run"
    words = [*DIGITS, "--devices", "2", "--out", str(place)]
    done = subprocess.run([sys.executable, "-m", "untaught", *words], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{place}\n"
    assert done.stderr.count("weights,") == 1
    records = open_run(place).records()
    assert [record["step"] for record in records] == sorted({record["step"] for record in records})
