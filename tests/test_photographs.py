"""A folder of a few large photographs of many sizes, without a flag: every command shows whole pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from untaught import cli, open_data, open_run

QUICK = ("--threads", "1", "--device", "cpu", "--precision", "float32", "--epochs", "1")
SIDE, PATCH = 100, 16


def photograph(path: Path, height: int, width: int, seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("with photographs")
    for folder, sizes in {"мои фото": [(100, 150), (160, 120), (130, 130)] * 2, "unseen": [(120, 200)]}.items():
        (place / folder).mkdir()
        for number, (height, width) in enumerate(sizes):
            photograph(place / folder / f"снимок {number}.png", height, width, number + len(folder))
    assert cli.main(["train", "autoencoder", "--data", str(place / "мои фото"), *QUICK, "--out", str(place / "a")]) == 0
    return place


def test_pictures_come_back_whole(place: Path) -> None:
    assert cli.main(["reconstruct", str(place / "a"), "--out", str(place / "a.npz")]) == 0
    x = open_data(f"{place / 'мои фото'}?size={SIDE}").train.frames.read(torch.arange(6)).float() / 255
    total, times = torch.zeros_like(x), torch.zeros(SIDE, SIDE)
    corners = [round(number * (SIDE - PATCH) / 6) for number in range(7)]
    model = open_run(place / "a").load()
    for top in corners:
        for left in corners:
            rows, columns = slice(top, top + PATCH), slice(left, left + PATCH)
            with torch.no_grad():
                total[..., rows, columns] += model.reconstruct(x[..., rows, columns])
            times[rows, columns] += 1
    found = np.load(place / "a.npz")["reconstruction"]
    assert found == pytest.approx((total / times).clamp(0, 1).numpy(), abs=1e-5)


def test_other_pictures_are_brought_to_the_size_of_the_runs_own(place: Path) -> None:
    for command, array, shape in (
        ("reconstruct", "reconstruction", (1, 3, SIDE, SIDE)),
        ("encode", "features", (1, 30)),
    ):
        words = [command, str(place / "a"), "--data", str(place / "unseen"), "--out", str(place / "b.npz")]
        assert cli.main(words) == 0 and np.load(place / "b.npz")[array].shape == shape


def test_each_picture_is_ranked_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["unusual", str(place / "a"), "--out", str(place / "odd.png")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("6 examples of ") and all(told.count(f"снимок {number}.png") == 1 for number in range(6))


def test_the_verdict_speaks_of_patches(place: Path) -> None:
    assert "patches of 16x16 pixels from 1 picture" in (place / "a" / "verdict.json").read_text()
