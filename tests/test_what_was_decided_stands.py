"""What was decided for a run stands when it is continued, trained again, loaded or built upon."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from kinds_of_training import KINDS, Foreign, Inverter
from torch import nn

import untaught
from untaught import cli, load, open_data, open_run
from untaught.data.view import View
from untaught.errors import DataError, RunError
from untaught.model import Model, untrained
from untaught.models.autoencoder import Autoencoder
from untaught.models.finetuned_classifier import FinetunedClassifier
from untaught.models.hashing_autoencoder import HashingAutoencoder
from untaught.nn.coders import Coders
from untaught.runs.run import create_run
from untaught.runs.settings import OwnNetwork, Training
from untaught.training.fit import fit, train
from untaught.training.plan import Asked, plan, plan_for

CODE = ("autoencoder", "--hidden", "6", "--latent", "2")
SHAPE = (1, 8, 8)


def own_network() -> nn.Sequential:
    """From digits to five features."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 5))


CODERS = Coders(hidden=(6,), latent=5)
ON_ONES_OWN: list[Callable[[nn.Module], Model]] = [
    lambda own: FinetunedClassifier(FinetunedClassifier.Config(), SHAPE, encoder=own),
    lambda own: Autoencoder.on(Autoencoder.Config(coders=CODERS), SHAPE, own),
    lambda own: HashingAutoencoder.on(HashingAutoencoder.Config(coders=CODERS), SHAPE, own),
    lambda own: FinetunedClassifier(FinetunedClassifier.Config(), SHAPE, encoder=untaught.Encoding(own)),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rows from -9 to 9, and rows from 0 to 1."""
    monkeypatch.chdir(tmp_path)
    draws = np.random.default_rng(0)
    np.save("wide.npy", draws.uniform(-9, 9, (80, 8)).astype(np.float32))
    np.save("unit.npy", draws.random((80, 8)).astype(np.float32))
    return tmp_path


def go(*words: str) -> int:
    return cli.main(["train", *words, "--device", "cpu", "--threads", "1"])


def told(name: str) -> dict[str, Any]:
    return json.loads(Path(name, "config.json").read_text())


def test_a_continued_run_keeps_what_the_data_chose(folder: Path) -> None:
    assert go(*CODE, "--data", "wide.npy", "--epochs", "1", "--out", "run") == 0
    before = told("run")
    assert before["chosen"] == {"output": "linear", "view": {"standardise": "pixel"}} and before["because"]
    assert go("--resume", "--out", "run", "--epochs", "2") == 0
    assert {key: told("run")[key] for key in ("chosen", "because", "seen", "config")} == {
        key: before[key] for key in ("chosen", "because", "seen", "config")
    }


def test_a_finished_run_has_nothing_left_to_train(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go(*CODE, "--data", "unit.npy", "--epochs", "4", "--out", "run") == 0
    assert "nothing is left to train" not in capsys.readouterr().err
    before = {path.name for path in Path("run/checkpoints").iterdir()}
    assert go("--resume", "--out", "run", "--epochs", "2") == 0
    assert "nothing is left to train" in capsys.readouterr().err
    assert {path.name for path in Path("run/checkpoints").iterdir()} == before


def test_an_older_run_is_continued_as_it_was(folder: Path) -> None:
    """It says nothing of what the data chose, so nothing is chosen now."""
    words = (*CODE, "--output", "linear", "--standardise", "none", "--data", "wide.npy")
    assert go(*words, "--epochs", "1", "--out", "run") == 0
    old = {
        key: value for key, value in told("run").items() if key not in ("seen", "chosen", "because", "frames", "other")
    }
    old["training"]["view"] = None
    Path("run/config.json").write_text(json.dumps(old))
    assert go("--resume", "--out", "run", "--epochs", "2") == 0
    assert open_run("run").view == View() and told("run")["chosen"] == {}
    Path("old.json").write_text(json.dumps(old))
    assert go("--config", "old.json", "--out", "again", "--epochs", "1") == 0
    assert open_run("again").view == View()


def test_a_stored_choice_gives_way_to_other_data(folder: Path) -> None:
    assert go(*CODE, "--data", "wide.npy", "--epochs", "1", "--out", "run") == 0
    assert go("--config", "run/config.json", "--data", "unit.npy", "--out", "unit", "--epochs", "1") == 0
    assert told("unit")["config"]["output"] == "sigmoid" and told("unit")["seen"]["standardise"] == "none"


def test_what_did_not_hold_was_not_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go(*CODE, "--data", "wide.npy", "--epochs", "1", "--standardise", "none", "--out", "run") == 0
    assert told("run")["chosen"] == {"output": "linear"} and told("run")["seen"]["standardise"] == "none"
    assert "standardise" not in capsys.readouterr().err.partition("chosen")[2].partition("\n")[0].partition("(")[0]


def test_a_run_without_its_statistics_is_refused(folder: Path) -> None:
    assert go(*CODE, "--data", "wide.npy", "--epochs", "1", "--out", "run") == 0
    Path("run/statistics.safetensors").unlink()
    with pytest.raises(RunError, match="statistics.safetensors is missing"):
        open_run("run").statistics()


def test_a_run_on_a_network_of_ones_own_opens_with_it_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    decided = plan(Asked("finetuned-classifier", {}, Training(epochs=1, device="cpu"), own), open_data("digits"))
    assert decided.settings.encoder == OwnNetwork(own="Sequential")
    train(decided, run=create_run("run", decided.settings))
    for words in (["evaluate", "run"], ["train", "--resume", "--out", "run", "--epochs", "3"]):
        assert cli.main(words) == 2
        assert "Sequential" in capsys.readouterr().err
    with pytest.raises(RunError, match=r"^this run's encoder.*load\(path, encoder=network\)"):
        load("run")
    found = load("run", encoder=nn.Sequential(nn.Flatten(), nn.Linear(64, 5)))
    assert all(torch.equal(value, found.state_dict()[name]) for name, value in decided.model.state_dict().items())


@pytest.mark.parametrize("make", ON_ONES_OWN)
def test_a_model_built_on_a_network_of_ones_own_says_so(folder: Path, make: Callable[[nn.Module], Model]) -> None:
    """The network is one of torch's, which could as well be the model's own."""
    decided = plan_for(make(own_network()), open_data("digits"), Training(epochs=1, device="cpu"))
    own = decided.settings.encoder
    assert isinstance(own, OwnNetwork) and own.own in ("Sequential", "Encoding")
    train(decided, run=create_run("run", decided.settings))
    with pytest.raises(RunError, match=r"load\(path, encoder=network\)"):
        load("run")
    given = untaught.Encoding(own_network()) if own.own == "Encoding" else own_network()
    found = load("run", encoder=given)
    assert all(torch.equal(value, found.state_dict()[name]) for name, value in decided.model.state_dict().items())


def test_a_model_that_built_its_networks_was_given_none() -> None:
    for model in (FinetunedClassifier(FinetunedClassifier.Config(), SHAPE), Autoencoder(Autoencoder.Config(), SHAPE)):
        assert plan_for(model, open_data("digits")).settings.encoder is None


def test_weights_of_a_decoder_of_ones_own_need_that_decoder(folder: Path) -> None:
    decoder = nn.Sequential(nn.Linear(5, 64), nn.Unflatten(1, SHAPE))
    model = Autoencoder(Autoencoder.Config(coders=CODERS), SHAPE, decoder=decoder)
    decided = plan_for(model, open_data("digits"), Training(epochs=1, device="cpu"))
    train(decided, run=create_run("run", decided.settings))
    with pytest.raises(RunError, match="decoder.*networks of your own"):
        load("run")
    load("run", decoder=nn.Sequential(nn.Linear(5, 64), nn.Unflatten(1, SHAPE)))


def test_whatever_a_model_calls_its_encoder_it_is_drawn_anew() -> None:
    model = KINDS["inverter"].model()
    fresh = untrained(model)
    assert isinstance(fresh, Inverter) and isinstance(fresh.frozen, Foreign)
    assert not any(torch.equal(own, fresh.state_dict()[name]) for name, own in model.state_dict().items())
    assert isinstance(KINDS["inverter"].plan(Training()).settings.encoder, OwnNetwork)


def test_a_loaded_model_on_an_encoder_goes_on_as_the_encoder_saw(folder: Path) -> None:
    assert (
        go(*CODE, "--data", "digits", "--standardise", "pixel", "--output", "linear", "--epochs", "1", "--out", "code")
        == 0
    )
    assert go("finetuned-classifier", "--data", "digits", "--encoder", "code", "--epochs", "1", "--out", "net") == 0
    again = plan_for(load("net"), open_data("digits"), Training(epochs=1))
    assert again.settings.view == open_run("net").view == View(standardise="pixel")
    assert again.statistics is not None and all(own.main.statistics is not None for own in again.stages)


@pytest.mark.parametrize("own", ["none", "pixel"])
def test_a_loaded_model_goes_on_as_its_run_saw_and_not_as_the_encoder(folder: Path, own: str) -> None:
    other = {"none": "pixel", "pixel": "none"}[own]
    assert go(*CODE, "--data", "digits", "--standardise", other, "--epochs", "1", "--out", "code") == 0
    words = ("finetuned-classifier", "--encoder", "code", "--data", "digits", "--standardise", own)
    assert go(*words, "--epochs", "1", "--out", "net") == 0
    assert plan_for(load("net"), open_data("digits")).settings.view.standardise == own


@pytest.mark.slow
def test_a_game_left_early_can_be_trained_again() -> None:
    decided = KINDS["critic"].plan(Training(epochs=50, precision="float32", device="cpu"))
    training = fit(decided)
    for record in training:
        if record.losses:
            break
    training.close()
    assert all(weight.requires_grad for weight in decided.model.parameters())
    assert train(decided).progress == 1


def test_another_version_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go(*CODE, "--data", "digits", "--epochs", "1", "--out", "run") == 0
    stored, environment = told("run"), json.loads(Path("run/environment.json").read_text())
    stored["config"]["gone"] = 1
    environment["versions"]["untaught"] = "0.0.7"
    Path("run/config.json").write_text(json.dumps(stored))
    Path("run/environment.json").write_text(json.dumps(environment))
    capsys.readouterr()
    for words in (["evaluate", "run"], ["train", "--resume", "--out", "run"], ["train", "--config", "run/config.json"]):
        assert cli.main(words) == 2
        said = capsys.readouterr().err
        assert said.count("was written by untaught 0.0.7") == 1 and "'gone'" in said


@pytest.fixture
def written(folder: Path) -> dict[str, Any]:
    """What config.json says of a run of another version."""
    assert go(*CODE, "--data", "digits", "--epochs", "1", "--out", "run") == 0
    environment = json.loads(Path("run/environment.json").read_text())
    environment["versions"]["untaught"] = "0.0.7"
    Path("run/environment.json").write_text(json.dumps(environment))
    return told("run")


BY_COMMAND = (
    ["evaluate", "run"],
    ["encode", "run", "--out", "codes.npz"],
    ["train", "--resume", "--out", "run"],
    ["train", "--config", "run/config.json"],
)


@pytest.mark.parametrize("change", [{"seen": {"gone": 1}}, {"gone": 1}, {"model": "gone"}, {"config": {"gone": 1}}])
def test_whatever_is_no_more_the_version_is_named(
    written: dict[str, Any], change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("run/config.json").write_text(json.dumps({**written, **change}))
    for words in BY_COMMAND:
        capsys.readouterr()
        assert cli.main(words) == 2
        said = capsys.readouterr().err
        assert said.count("run was written by untaught 0.0.7") == 1 and "gone'" in said, words


def test_a_file_beside_a_run_is_not_the_runs(written: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    Path("run/mine.json").write_text(json.dumps({**written, "config": {"gone": 1}}))
    assert go("--config", "run/mine.json", "--out", "again") == 2
    said = capsys.readouterr().err
    assert "'gone'" in said and "0.0.7" not in said
    Path("run/mine.json").write_text(json.dumps(written))
    Path("run/config.json").write_text("broken")
    assert go("--config", "run/mine.json", "--out", "again", "--epochs", "1") == 0


@pytest.mark.slow
def test_an_encoder_of_video_is_built_upon(folder: Path) -> None:
    with untaught.seeded(0):
        x = torch.rand(40, 6, 1, 12, 12)
    np.savez("clips.npz", x=x.numpy(), label=np.arange(40) % 2)
    assert (
        go(
            "pgn",
            "--data",
            "clips.npz",
            "--frames",
            "5",
            "--units",
            "4",
            "--filters",
            "4",
            "--epochs",
            "1",
            "--out",
            "pgn",
        )
        == 0
    )
    words = ("finetuned-classifier", "--classes", "2", "--data", "clips.npz", "--encoder", "pgn", "--epochs", "1")
    assert go(*words, "--out", "net") == 0
    assert open_run("net").settings.frames == 5


def test_a_second_source_of_another_size_is_refused() -> None:
    with pytest.raises(DataError, match="--size brings pictures to one size"):
        plan_for(KINDS["translator"].model(), KINDS["translator"].source(), None, open_data("digits"))
