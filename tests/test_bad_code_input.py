"""What a person may do wrong with codes, documents and few labels: two or three lines that say what would be right."""

from pathlib import Path

import numpy as np
import pytest

from untaught import cli
from untaught.evaluate.drawing.picture_files import write_picture


def refused(capsys: pytest.CaptureFixture[str], out: Path, *words: str) -> str:
    """What `untaught train` says where it refuses; no folder is left behind."""
    assert cli.main(["train", *words, "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told and len(told.splitlines()) <= 3
    assert not out.exists()
    return told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["autoencoder", "--latent", "64"], "a code of 64 numbers can copy examples of 64"),
        (["denoising-autoencoder", "--hidden", "64", "--level", "0"], "64 hidden units can copy 64 values"),
    ],
)
def test_a_code_that_can_copy_is_warned_of(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["train", *words, "--data", "digits", "--epochs", "0.1", "--out", str(tmp_path / "run")]) == 0
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["autoencoder", "--latent", "63"],
        ["denoising-autoencoder", "--hidden", "64"],
        ["sparse-autoencoder", "--hidden", "100"],
        ["contractive-autoencoder", "--hidden", "100"],
    ],
)
def test_what_cannot_copy_is_not_warned_of(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["train", *words, "--data", "digits", "--epochs", "0.1", "--out", str(tmp_path / "run")]) == 0
    assert "can copy" not in capsys.readouterr().err


def test_an_empty_document_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for name, text in {"one": "red green blue", "two": "green cars", "empty": "1 2 3"}.items():
        (texts / f"{name}.txt").write_text(text)
    told = refused(capsys, tmp_path / "run", "autoencoder", "--output", "softmax", "--data", f"documents:{texts}")
    assert "empty.txt has none of the" in told and "?on_empty=skip" in told


def test_pictures_that_are_no_documents_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, tmp_path / "run", "autoencoder", "--data", "digits", "--output", "softmax")
    assert "do not sum to 1" in told


def test_pictures_that_are_too_small_for_the_convolutions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--data", "digits", "--network", "convolution", "--hidden", "8", "16", "32", "64", "--pool", "2"]
    told = refused(capsys, tmp_path / "run", "autoencoder", *small)
    assert "8x8 is too small" in told and "nearest size that works" in told


def test_a_classifier_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = tmp_path / "pictures.npy"
    np.save(pictures, np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32))
    for model in ("finetuned-classifier", "softmax"):
        assert "no example has a label" in refused(capsys, tmp_path / "run", model, "--data", str(pictures))


def test_a_folder_of_one_class_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures/cats").mkdir(parents=True)
    for number, picture in enumerate(np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)):
        write_picture(tmp_path / f"pictures/cats/{number}.png", picture)
    told = refused(capsys, tmp_path / "run", "softmax", "--data", str(tmp_path / "pictures"))
    assert "a sub-folder for each of two classes or more" in told


def test_more_labels_than_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["softmax", "--data", "digits", "--labels-per-class", "500"]
    assert "--labels-per-class" in refused(capsys, tmp_path / "run", *words)
