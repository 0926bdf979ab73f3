"""Video that cannot be used, or only just: at most three lines that name the culprit and what would be right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.test_bad_input import Say
from tests.test_bad_input import refused as refused
from untaught import cli


@pytest.fixture(scope="module")
def a_video_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of video, trained on clips that never change, of an odd size."""
    folder = tmp_path_factory.mktemp("video")
    np.save(folder / "still.npy", np.full((4, 8, 1, 13, 17), 128, np.uint8))
    small = ("--units", "3", "--filters", "3", "--frames", "2", "--epochs", "1", "--threads", "1", "--device", "cpu")
    status = cli.main(["train", "pgn", "--data", str(folder / "still.npy"), *small, "--out", str(folder / "run")])
    assert status == 0
    return folder


@pytest.mark.slow
def test_video_that_never_changes_is_measured_without_a_number_that_is_none(a_video_run: Path) -> None:
    assert cli.main(["evaluate", str(a_video_run / "run")]) == 0
    measured = json.loads((a_video_run / "run" / "evaluation.json").read_text())["measures"]
    assert measured["prediction"]["baselines"]["previous_frame"] == 0
    assert "NaN" not in json.dumps(measured)


def test_more_context_than_there_are_frames(refused: Say, a_video_run: Path) -> None:
    words = ("--data", str(a_video_run / "still.npy"), "--context", "20", "--out", "next.npz")
    told = refused("predict", str(a_video_run / "run"), *words)
    assert "20" in told and "8" in told


def test_clips_of_one_frame(refused: Say, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros((4, 1, 1, 12, 12), np.uint8))
    assert "at least 6 frames" in refused("train", "pgn", "--data", "one.npy", "--out", "out")
    np.save(tmp_path / "many.npy", np.zeros((30, 1, 1, 12, 12), np.uint8))
    assert "at least 2 frames" in refused("train", "pgn", "--data", "many.npy", "--out", "out")


def test_head_model_without_its_arrays(refused: Say, tmp_path: Path) -> None:
    np.savez(tmp_path / "head.npz", mean=np.zeros((4, 3), np.float32))
    told = refused("train", "pgn", "--data", "heads:head.npz", "--out", "out")
    assert "head.npz" in told and "triangles" in told


def test_measure_without_what_it_needs(refused: Say, a_video_run: Path) -> None:
    assert "few_views" in refused("evaluate", str(a_video_run / "run"), "--measure", "few_views")
