"""Commands on data that a run was not trained on: what they read, match, leave out and tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from untaught import cli, open_run
from untaught.cli.measuring import judged_whole
from untaught.cli.opening import open_source, subject_of
from untaught.data.source import open_data
from untaught.errors import DataError
from untaught.evaluate.evaluate import evaluate
from untaught.runs.run import create_run
from untaught.runs.settings import Training
from untaught.training.fit import fit
from untaught.training.plan import Asked, plan

SHADES = {"cat": (250, 20, 20), "dog": (20, 250, 20), "fox": (20, 20, 250), "wolf": (250, 250, 20)}


def folder(place: Path, each: int, *classes: str, mode: str = "RGB") -> Path:
    """Pictures of one colour for each class, with noise, in folders that may be called otherwise: `dog=Dog`."""
    random = np.random.default_rng(each)
    for name, _, called in (one.partition("=") for one in classes):
        (place / (called or name)).mkdir(parents=True)
        for number in range(each):
            x = np.clip(np.array(SHADES[name]) + random.normal(0, 8, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(x).convert(mode).save(place / (called or name) / f"{number}.png")
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def trained(place: Path, model: str, data: Path | str, epochs: int = 1, **config: object) -> Path:
    """A run without the report that the command writes."""
    source = open_data(data)
    how = Training(epochs=epochs, threads=1, device="cpu", precision="float32", learning_rate=0.1)
    made = plan(Asked(model, config, how), source)
    for _ in fit(made, run=create_run(place, made.settings)):
        pass
    return place


@pytest.fixture(scope="module")
def classifier(place: Path) -> Path:
    return trained(place / "softmax", "softmax", folder(place / "train", 30, "cat", "dog", "fox"), epochs=20)


@pytest.fixture(scope="module")
def colour(place: Path, classifier: Path) -> Path:
    return trained(place / "colour", "autoencoder", place / "train", hidden=(8,), latent=2)


def judged(run: Path, data: object, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """What `evaluate` finds of the classes, and what it tells."""
    opened = open_run(run)
    source = open_source(opened, str(data), None, None)
    subject = judged_whole(opened, source, subject_of(opened, source, None, torch.device("cpu")))
    return evaluate(subject, ["classification"])["classification"], capsys.readouterr().err


def test_a_run_keeps_the_names_of_its_classes(classifier: Path) -> None:
    settings = open_run(classifier).settings
    assert settings.classes == ("cat", "dog", "fox") and settings.scale == 255


@pytest.mark.parametrize(
    ("classes", "right", "left_out", "told"),
    [
        (("dog", "fox"), 22, 0, "missing: cat"),
        (("fox",), 11, 0, "missing: cat, dog"),
        (("cat", "dog", "wolf=a wolf"), 22, 11, "new: a wolf; missing: fox"),
        (("cat=Cat", "dog=DOG", "fox"), 33, 0, ""),
        (("wolf=ant", "cat", "dog", "fox"), 33, 11, "new: ant"),
    ],
)
def test_classes_are_matched_by_name_and_all_examples_are_judged(
    classes: tuple[str, ...],
    right: int,
    left_out: int,
    told: str,
    classifier: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, said = judged(classifier, folder(tmp_path / "other", 11, *classes), capsys)
    assert found["error_rate"] == 0 and found["examples"] == right and found.get("left_out", 0) == left_out
    assert told in said and f"all {11 * len(classes)} examples are judged" in said


def test_the_runs_own_data_are_judged_by_what_was_held_out(
    classifier: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for data in (place / "train", f"{place / 'train'}?pages=first", place / "softmax" / ".." / "train"):
        assert judged(classifier, data, capsys)[0]["examples"] == 18


def test_a_test_part_of_its_own_is_what_is_judged(
    classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part, each in (("train", 7), ("test", 5)):
        folder(tmp_path / "other" / part, each, "cat", "fox")
    found, said = judged(classifier, tmp_path / "other", capsys)
    assert found["examples"] == 10 and found["error_rate"] == 0 and "a test part, 10 examples" in said


def test_an_array_with_numbers_for_classes(
    classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = open_data(folder(tmp_path / "other", 6, "cat", "dog", "fox"))
    x, y = source.train.frames.read(torch.arange(18)).numpy(), source.train.label.numpy()
    np.savez(tmp_path / "x.npz", x=x.transpose(0, 2, 3, 1).astype(np.int64), y=y)
    found, said = judged(classifier, tmp_path / "x.npz", capsys)
    assert found["error_rate"] == 0 and found["examples"] == 18 and "0 is cat, 1 is dog, 2 is fox" in said
    np.savez(tmp_path / "y.npz", x=x, y=np.array(["fox", "cat", "dog"])[[1, 2, 0]][y])
    assert judged(classifier, tmp_path / "y.npz", capsys)[0]["error_rate"] == 0


@pytest.mark.parametrize(("command", "mode"), [("encode", "I;16"), ("reconstruct", "L"), ("evaluate", "L")])
def test_grey_pictures_for_a_model_of_colour(
    command: str, mode: str, colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = folder(tmp_path / "grey", 3, "dog", "fox", mode=mode)
    out = ("--out", str(tmp_path / "o.npz")) if command != "evaluate" else ("--measure", "active_units")
    assert cli.main([command, str(colour), "--data", str(data), *out]) == 0
    told = capsys.readouterr().err
    assert "grey is widened" in told and "missing: cat" in told
    assert ("all 6 examples are judged" in told) == (command == "evaluate")
    if command == "reconstruct":
        assert np.load(tmp_path / "o.npz")["reconstruction"].shape == (6, 3, 8, 8)


def test_colour_for_a_model_of_grey(place: Path, classifier: Path, tmp_path: Path) -> None:
    run = open_run(
        trained(tmp_path / "run", "autoencoder", folder(tmp_path / "grey", 6, "dog", "fox", mode="L"), hidden=(4,))
    )
    found = run.source(str(place / "train"))
    same = open_data(folder(tmp_path / "same", 30, "cat", "dog", "fox", mode="L"))  # by Pillow's own luminance
    every = torch.arange(90)
    one, other = found.train.frames.read(every).int(), same.train.frames.read(every).int()
    assert found.shape == (1, 8, 8) and "narrowed to its luminance" in found.notes[0]
    assert int((one - other).abs().max()) <= 1


def test_one_class_teaches_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((20, 4)), y=["cat"] * 20)
    with pytest.raises(DataError, match="of one class, 'cat', and two are needed"):
        trained(tmp_path / "run", "softmax", tmp_path / "x.npz")


def test_minus_one_and_one_are_learnt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    y = np.tile([-1, 1], 60)
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((120, 4)) / 2 + (y > 0)[:, None] / 2, y=y)
    run = open_run(trained(tmp_path / "run", "softmax", tmp_path / "x.npz", epochs=20, classes=2))
    assert run.settings.classes == ("-1", "1") and "labels are -1 and 1: two classes" in run.settings.read[0]
    found = evaluate(run, ["classification"])["classification"]
    assert found["class_error_rates"].keys() == {"-1", "1"} and found["error_rate"] < 0.2
    assert 0.3 < found["baselines"]["most_frequent_class"]["error_rate"] < 0.7


def test_the_scale_of_a_run_is_that_of_other_data(tmp_path: Path) -> None:
    digits = np.random.default_rng(0).integers(0, 17, (30, 8, 8)).astype(np.uint8)
    np.save(tmp_path / "train.npy", digits)
    np.save(tmp_path / "other.npy", np.minimum(digits, 12))
    run = open_run(trained(tmp_path / "run", "autoencoder", tmp_path / "train.npy", hidden=(4,)))
    assert run.settings.scale == 16 and "16 is white" in run.settings.read[0]
    other = run.source(str(tmp_path / "other.npy"))
    assert float(other.train.frames.read(torch.arange(30)).max()) == pytest.approx(12 / 16)


def test_data_tells_everything_as_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = folder(tmp_path / "photos", 3, "cat", "dog", mode="L")
    Image.fromarray(np.full((8, 8), 90, np.uint8)).save(data / "cover.png")
    (data / "cat" / "copy.png").write_bytes((data / "cat" / "0.png").read_bytes())
    (data / "list.csv").write_text("1,2")
    assert cli.main(["data", str(data), "--json", "--out", str(tmp_path / "sheet.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["labels"] == {"cat": 4, "dog": 3} and found["shape"] == [1, 8, 8] and found["duplicates"] == 1
    assert found["skipped"] == ["list.csv"] and len(found["notes"]) == 2 and (tmp_path / "sheet.png").is_file()
    assert cli.main(["data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "skipped    1: list.csv" in lines and sum(line.startswith("notes ") for line in lines) == 2
