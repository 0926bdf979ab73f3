"""Trainings as processes: two that work as one, and one that is killed at random moments."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from kinds_of_training import KINDS
from torch import Tensor

from untaught.runs.checkpoint import Torn, read_checkpoint
from untaught.runs.run import open_run

SCRIPT = Path(__file__).with_name("train_in_a_process.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(model: str, folder: Path, devices: int = 1, epochs: int = 4) -> list[str]:
    return [
        sys.executable, str(SCRIPT), model, str(folder), "--devices", str(devices), "--epochs", str(epochs)
    ]  # fmt: skip


def run_whole(model: str, folder: Path, devices: int = 1, epochs: int = 4) -> dict[str, Tensor]:
    done = subprocess.run(
        command(model, folder, devices, epochs), env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return final(folder)


def final(folder: Path) -> dict[str, Tensor]:
    last = open_run(folder).last()
    assert last is not None
    return last.state["model"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["autoencoder", "gan", *KINDS])
def test_two_processes_train_as_one(model: str, tmp_path: Path) -> None:
    one, two = run_whole(model, tmp_path / "one"), run_whole(model, tmp_path / "two", devices=2)
    for name, value in one.items():
        torch.testing.assert_close(
            two[name], value, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
    records = [len((tmp_path / folder / "metrics.jsonl").read_text().splitlines()) for folder in ("one", "two")]
    assert min(records) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("model", KINDS)
def test_killed_once_it_ends_bit_identical(model: str, tmp_path: Path) -> None:
    expected = run_whole(model, tmp_path / "whole", epochs=300)
    folder = tmp_path / "killed"
    process = subprocess.Popen(command(model, folder, epochs=300), env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(list(folder.glob("checkpoints/*.json"))) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert_equal(run_whole(model, folder, epochs=300), expected)


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(4))
def test_two_processes_that_are_interrupted_end(attempt: int, tmp_path: Path) -> None:
    """Each hears of it at another step; one that stopped there would leave the other waiting, one time in three."""
    folder = tmp_path / str(attempt)
    process = subprocess.Popen(
        command("autoencoder", folder, devices=2, epochs=100_000),
        env=ENVIRONMENT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        while process.poll() is None and not (folder / "metrics.jsonl").exists():
            time.sleep(0.1)
        time.sleep(3)
        assert process.poll() is None, "it ended by itself"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) != 0
        assert open_run(folder).last() is not None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_bit_identical(tmp_path: Path) -> None:
    epochs, kills = 400, 24
    whole = tmp_path / "whole"
    began = time.perf_counter()
    expected = run_whole("rbm", whole, epochs=epochs)
    seconds = time.perf_counter() - began
    moments = random.Random(0)
    folder, killed, trainings = tmp_path / "killed-0", 0, 0
    while killed < kills:
        process = subprocess.Popen(command("rbm", folder, epochs=epochs), env=ENVIRONMENT, stderr=subprocess.PIPE)
        try:
            process.wait(timeout=moments.uniform(0.2, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        assert process.returncode in (0, -signal.SIGKILL), process.stderr.read().decode() if process.stderr else ""
        unreadable = [path for path in (folder / "checkpoints").glob("*.json") if not readable(path)]
        assert not unreadable
        if process.returncode == 0:
            assert_equal(final(folder), expected)
            trainings += 1
            folder = tmp_path / f"killed-{trainings}"
    assert_equal(run_whole("rbm", folder, epochs=epochs), expected)


def assert_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    different = [name for name in second if not torch.equal(first[name], second[name])]
    assert not different


def readable(path: Path) -> bool:
    try:
        read_checkpoint(path)
    except Torn:
        return False
    return True
