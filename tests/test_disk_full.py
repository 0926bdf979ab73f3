"""A disk that fills while a run is trained on it: one line, exit 1, and the last good checkpoint stays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from untaught.runs.run import open_run


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path, None, None]:
    """A file system of 3 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("making a small file system needs the right to mount one")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_while_checkpointing(small_disk: Path) -> None:
    run = small_disk / "run"
    # 64 x 1000 weights and Adam's two averages: 0.77 MB a checkpoint, of which four are kept and one is written.
    words = ["train", "autoencoder", "--data", "digits", "--hidden", "1000", "--latent", "2", "--epochs", "400"]
    done = subprocess.run(
        [sys.executable, "-m", "untaught", *words, "--out", str(run)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr and "Traceback" not in done.stderr
    last = open_run(run).last()
    assert last is not None and last.counters["step"] > 0
    open_run(run).load()
    assert not [path for path in (run / "checkpoints").iterdir() if path.name.startswith(".")]
