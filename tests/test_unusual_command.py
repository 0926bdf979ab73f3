"""`untaught unusual`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numbered_video import write
from PIL import Image

from untaught import cli, open_data, open_run
from untaught.estimators import AutoencoderEstimator

QUICK = ("--threads", "1", "--device", "cpu", "--precision", "float32", "--epochs", "2")
SMALL = ("--hidden", "20", "--latent", "3")
CLIPS = ("--units", "4", "--filters", "4", "--core-kernel", "3", "--frames", "5")


def run(*words: str) -> None:
    assert cli.main(words) == 0


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "digits"
    run("train", "autoencoder", "--data", "digits", *SMALL, *QUICK, "--out", str(place))
    return place


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("clips") / "walk.mp4", "libx264", "yuv420p", 60)


@pytest.fixture(scope="module")
def clip_run(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    place = tmp_path_factory.mktemp("runs") / "clip"
    run("train", "pgn", "--data", str(clip), *CLIPS, *QUICK, "--out", str(place))
    return place


def errors_of(place: Path) -> torch.Tensor:
    x = open_data("digits").train.frames.read(torch.arange(1797)).float()
    model = open_run(place).load()
    with torch.no_grad():
        return (x - model.reconstruct(x)).square().flatten(1).sum(1)


def test_prints_the_most_unusual_and_what_was_trained_on(digits_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("unusual", str(digits_run), "--count", "3")
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "1,797 examples of digits, by reconstruction error, the sum of squared differences"
    assert told[1].startswith("1,295 trained on, median score ") and "502 not trained on" in told[1]
    expected = errors_of(digits_run).topk(3)
    assert [line.split("row ")[1].split()[0] for line in told[4:]] == [
        str(number) for number in expected.indices.tolist()
    ]
    assert [float(line.split()[0]) for line in told[4:]] == pytest.approx(expected.values.tolist(), rel=5e-3)
    trained = set(open_data("digits").parts().train.first.tolist())
    assert [line.endswith("trained on") for line in told[4:]] == [n in trained for n in expected.indices.tolist()]


def test_json_is_one_object(digits_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("unusual", str(digits_run), "--json", "--count", "4")
    found = json.loads(capsys.readouterr().out)
    assert found["by"] == "reconstruction" and found["examples"] == 1797
    assert len(found["most"]) == len(found["least"]) == 4
    assert found["most"][0]["score"] == pytest.approx(float(errors_of(digits_run).max()), rel=1e-4)
    assert found["least"][0]["score"] == pytest.approx(float(errors_of(digits_run).min()), rel=1e-4)
    assert found["most"][0]["class"] == str(int(open_data("digits").train.label[found["most"][0]["row"]]))


def test_files_hold_every_score(digits_run: Path, tmp_path: Path) -> None:
    for ending in ("npz", "csv", "json", "png"):
        run("unusual", str(digits_run), "--out", str(tmp_path / "new" / f"a.{ending}"))
    expected = errors_of(digits_run).numpy()
    with np.load(tmp_path / "new" / "a.npz") as arrays:
        np.testing.assert_allclose(arrays["score"], expected, rtol=1e-4)
        assert (arrays["label"] == open_data("digits").train.label.numpy()).all()
        assert arrays["name"][7] == "row 7" and arrays["trained_on"].sum() == 1295
    lines = list(csv.DictReader((tmp_path / "new" / "a.csv").read_text().splitlines()))
    listed = json.loads((tmp_path / "new" / "a.json").read_text())
    order = np.argsort(-expected, kind="stable")
    assert [int(line["row"]) for line in lines[:20]] == [entry["row"] for entry in listed[:20]] == order[:20].tolist()
    assert len(lines) == len(listed) == 1797
    assert Image.open(tmp_path / "new" / "a.png").size[0] > 1000


def test_other_data_are_ranked_whole_and_files_are_named(
    digits_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = open_data("digits").train.frames.read(torch.arange(12))[:, 0].numpy()
    for number, picture in enumerate(pixels):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray((255 * (1 - picture if number == 7 else picture)).astype(np.uint8)).save(
            tmp_path / "in" / f"{number:02d}.png"
        )
    run("unusual", str(digits_run), "--data", str(tmp_path / "in"), "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["examples"] == 12
    assert found["most"][0]["file"] == str(tmp_path / "in" / "07.png")
    assert not any(entry["trained_on"] for entry in found["most"])


def test_moments_of_a_video_have_times(clip_run: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("unusual", str(clip_run), "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["by"] == "prediction" and found["examples"] == 56
    for entry in found["most"]:
        assert entry["file"] == str(clip)
        assert entry["seconds"] == pytest.approx(entry["frame"] / 25, abs=0.006)
    times = [entry["seconds"] for entry in found["most"]]
    assert min(abs(a - b) for a in times for b in times if a != b) >= 1 - 1e-6
    run("unusual", str(clip_run))
    told = capsys.readouterr().out
    assert "56 frames of" in told and "of 60; the first ones of a clip cannot be predicted" in told
    assert f"{clip} 0:0" in told


def test_a_foreign_moment_is_found(clip_run: Path, clip: Path, tmp_path: Path) -> None:
    x = open_data(str(clip)).train.frames.read(torch.arange(60)).permute(0, 2, 3, 1).numpy().copy()
    x[40] = 255 - x[40]
    np.save(tmp_path / "x.npy", x[None])
    run("unusual", str(clip_run), "--data", str(tmp_path / "x.npy"), "--out", str(tmp_path / "a.npz"))
    run("unusual", str(clip_run), "--data", str(tmp_path / "x.npy"), "--out", str(tmp_path / "a.png"))
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["frame"][arrays["score"].argmax()] in (40, 41)
        assert "seconds" not in arrays and arrays["name"][0] == "row 0, frame 4"


def test_estimators_give_the_same_scores_negated() -> None:
    x = open_data("digits").train.frames.read(torch.arange(200)).flatten(1).numpy().astype(np.float32)
    estimator = AutoencoderEstimator(latent=3, hidden=(20,), max_epochs=2, random_state=0).fit(x)
    back = estimator.inverse_transform(estimator.transform(x))
    np.testing.assert_allclose(-estimator.score_samples(x), np.square(x - back).sum(1), rtol=1e-4)
    assert estimator.score(x) == pytest.approx(float(estimator.score_samples(x).mean()))


# ---------------------------------------------------------------- bad use


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--by", "free-energy"), "the model has no free energy"),
        (("--by", "beauty"), "--by"),
        (("--by", "prediction"), "the model does not predict"),
        (("--out", "sheet.txt"), ".png, .csv, .json, .npz"),
        (("--count", "0"), "--count"),
        (("--data", "nowhere/"), "no such file"),
        (("--data", "bars"), "was trained on 1x8x8"),
    ],
)
def test_what_cannot_be_is_refused(
    digits_run: Path, words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["unusual", str(digits_run), *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err and len(printed.err.strip().splitlines()) <= 3
    assert "Traceback" not in printed.err


def test_a_model_without_a_score_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("train", "softmax", "--data", "digits", *QUICK, "--out", str(tmp_path / "run"))
    capsys.readouterr()
    assert cli.main(["unusual", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert "softmax" in told and "has no score" in told and len(told.strip().splitlines()) <= 3


def test_vectors_are_ranked_but_not_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.random.default_rng(0).random((50, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    run("train", "autoencoder", "--data", str(tmp_path / "x.npy"), *SMALL, *QUICK, "--out", str(tmp_path / "run"))
    run("unusual", str(tmp_path / "run"), "--out", str(tmp_path / "a.csv"))
    assert cli.main(["unusual", str(tmp_path / "run"), "--out", str(tmp_path / "a.png")]) == 2
    assert "cannot be drawn" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
