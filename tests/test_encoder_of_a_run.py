"""`--encoder RUN`: another run's encoder goes over with its weights, its settings and its view."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import untaught
from untaught import cli
from untaught.models.finetuned_classifier import FinetunedClassifier
from untaught.runs.run import open_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small autoencoder of standardised digits."""
    place = tmp_path_factory.mktemp("runs") / "code"
    words = ["--data", "digits", "--hidden", "12", "--latent", "6", "--epochs", "2", "--standardise", "all"]
    assert cli.main(["train", "autoencoder", *words, "--out", str(place)]) == 0
    return place


def train(*words: str) -> int:
    return cli.main(["train", "finetuned-classifier", "--data", "digits", *words])


def test_a_frozen_encoder_is_the_runs_own_and_needs_it_no_more(run: Path, tmp_path: Path) -> None:
    assert train("--encoder", str(run), "--no-fine-tuning", "--epochs", "1", "--out", str(tmp_path / "net")) == 0
    net, code = untaught.load(tmp_path / "net"), untaught.load(run)
    assert isinstance(net, FinetunedClassifier) and isinstance(code, untaught.Autoencoder)
    x = torch.rand(5, 1, 8, 8)
    torch.testing.assert_close(net.encode(x), code.encode(x), rtol=0, atol=0)
    own = open_run(tmp_path / "net")
    assert own.view == open_run(run).view and own.view.standardise == "all"
    assert own.settings.encoder == open_run(run).settings


def test_fine_tuning_is_continued_from_its_last_checkpoint(run: Path, tmp_path: Path) -> None:
    place = str(tmp_path / "net")
    assert train("--encoder", str(run), "--labels-per-class", "5", "--epochs", "3", "--out", place) == 0
    assert train("--resume", "--epochs", "5", "--out", place) == 0
    assert open_run(place).records()[-1]["step"] == 5
    assert train("--resume", "--encoder", str(run), "--out", place) == 2


def test_what_does_not_fit_is_refused_and_leaves_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "net")]
    assert cli.main(["train", "rbm", "--data", "digits", "--encoder", str(run), *out]) == 2
    assert "rbm takes no encoder" in capsys.readouterr().err
    assert train("--encoder", str(run), "--size", "9", *out) == 2
    assert "the encoder saw examples of shape" in capsys.readouterr().err
    assert train("--encoder", str(tmp_path), *out) == 2
    assert "no run" in capsys.readouterr().err
    stored = tmp_path / "config.json"
    settings = json.loads((run / "config.json").read_text())
    stored.write_text(json.dumps({**settings, "model": "finetuned-classifier", "config": {}, "encoder": settings}))
    assert cli.main(["train", "--config", str(stored), *out]) == 2
    told = capsys.readouterr().err
    assert "give --encoder RUN" in told and "NETWORK:FILE" in told and "in Python" in told
    assert train("--encoder", str(run), "--labels-per-class", "1000", *out) == 2
    assert "were asked for" in capsys.readouterr().err
    assert cli.main(["train", "rbm", "--data", "digits", "--learning-rate.nowhere", "1", *out]) == 2
    assert "has no stage 'nowhere'" in capsys.readouterr().err
    assert not (tmp_path / "net").exists()


@pytest.mark.slow
def test_a_measure_compares_with_an_untrained_encoder(run: Path, tmp_path: Path) -> None:
    assert train("--encoder", str(run), "--epochs", "1", "--out", str(tmp_path / "net")) == 0
    found = untaught.measure(tmp_path / "net", ["classification", "probe"])
    assert (
        found["classification"]["error_rate"]
        < found["classification"]["baselines"]["most_frequent_class"]["error_rate"]
    )
    assert "random_weights" in found["probe"]["baselines"]


def test_the_new_model_learns_from_what_the_encoder_saw(run: Path, tmp_path: Path) -> None:
    """Pixels are standardised while it learns too, so that the error that it was selected by is the one measured."""
    words = ["--encoder", str(run), "--epochs", "3", "--precision", "float32", "--out", str(tmp_path / "net")]
    assert train(*words) == 0
    own = open_run(tmp_path / "net")
    statistics = own.statistics()
    assert statistics is not None
    parts = own.source().parts()
    subject = untaught.Subject(own.load(), replace(parts, test=parts.validation), own.view, statistics)
    measured = untaught.measure(subject, ["classification"])["classification"]["error_rate"]
    best = min(
        (record["held_out"] for record in own.records() if record["stage"] == "joint" and record["held_out"]),
        key=lambda losses: losses["wrong_class_probability"],
    )
    assert measured == pytest.approx(best["classification_error"], abs=0.005)
