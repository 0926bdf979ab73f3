"""A film of a run's pictures over its training, and the command that writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from untaught import cli
from untaught.errors import RunError
from untaught.evaluate.drawing.course import course


def sheet(folder: Path, grey: int) -> None:
    folder.mkdir(parents=True)
    Image.fromarray(np.full((20, 30), grey, np.uint8)).save(folder / "samples.png")


def test_moments_come_in_the_order_of_their_steps(tmp_path: Path) -> None:
    for step, grey in ((900, 200), (5, 10), (30, 90)):
        sheet(tmp_path / "pictures" / f"train-{step:08d}", grey)
    film = course(tmp_path / "pictures", "samples.png")
    assert [int(np.median(frame[8:18, 10:25])) for frame in film] == [10, 90, 200]


def test_one_moment_is_no_film(tmp_path: Path) -> None:
    sheet(tmp_path / "pictures" / "train-00000005", 10)
    with pytest.raises(RunError, match=r"of 1 moments of its training, and a film needs two;\n--pictures each"):
        course(tmp_path / "pictures", "samples.png")


@pytest.mark.slow
def test_a_run_with_pictures_of_each_measurement_becomes_a_film(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "samples.gif"
    words = ["train", "gan", "--data", "digits", "--epochs", "12", "--out", str(run), "--pictures", "each"]
    assert cli.main([*words, "--generator", "8", "--discriminator", "8", "--threads", "1", "--device", "cpu"]) == 0
    moments = len(list(run.glob("pictures/train-*/samples.png")))
    assert moments >= 3
    assert cli.main(["sample", str(run), "--while-learning", "--out", str(out)]) == 0
    with Image.open(out) as film:
        assert getattr(film, "n_frames", 1) == moments
    assert cli.main(["sample", str(run), "--while-learning", "--out", str(tmp_path / "samples.npz")]) == 2
