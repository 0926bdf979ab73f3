"""A published run: what it consists of, that it opens as a run does, here and from the hub, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

import untaught
from untaught import cli
from untaught.config import to_json
from untaught.data.view import Statistics, View
from untaught.errors import ConfigError, RunError
from untaught.evaluate.measures.reconstruction import MEASURE
from untaught.export.hub_folder import write_hub_folder
from untaught.export.what_it_saw import data_named
from untaught.runs.checkpoint import write_json, write_tensors
from untaught.runs.run import Run, create_run, open_run
from untaught.runs.settings import Settings

CONFIG = {"latent": 3, "hidden": [6]}
MEASURES = {"reconstruction": {"squared_error_per_image": 1.25, "baselines": {"pca": 2.5}}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The run of an untrained autoencoder of standardised digits, with what was measured of it."""
    model = untaught.Autoencoder(untaught.Autoencoder.Config(**CONFIG), (1, 4, 4))
    settings = Settings(
        model="autoencoder", shape=(1, 4, 4), config=to_json(model.config), data="mnist:/home-of/ann/mnist",
        seen=View(standardise="all"), read=("/home-of/ann/mnist/a.gz was read",),
    )  # fmt: skip
    made = create_run(tmp_path / "run", settings)
    made.save("train", 1, {"model": model.state_dict()}, {"stage_number": 0, "held_out_loss": 1.0})
    made.keep_statistics(Statistics(torch.tensor([0.25]), torch.tensor([0.5])))
    write_json(made.path / "evaluation.json", {"data": "mnist:/home-of/ann/mnist", "step": None, "measures": MEASURES})
    return made


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    write_hub_folder(run, tmp_path / "published")
    return tmp_path / "published"


def test_folder_has_the_hubs_files_and_no_others(folder: Path) -> None:
    files = ["README.md", "config.json", "evaluation.json", "model.safetensors", "statistics.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == files
    assert not any(b"home-of" in path.read_bytes() for path in folder.iterdir()), "a folder of this machine is told"


def test_it_opens_as_the_run_does(run: Run, folder: Path) -> None:
    x = torch.rand(3, 1, 4, 4)
    first, second = untaught.load(run.path), untaught.load(folder)
    assert torch.equal(first.encode(x), second.encode(x))
    known = open_run(folder).statistics()
    assert known is not None and known.mean.item() == 0.25 and known.deviation.item() == 0.5
    with pytest.raises(RunError, match="leave --step out"):
        untaught.load(folder, step=1)


def test_published_again_it_is_the_same(folder: Path, tmp_path: Path) -> None:
    write_hub_folder(open_run(folder), tmp_path / "again")
    for path in folder.iterdir():
        if path.name != "README.md":  # the card of the first tells of the machine that trained it
            assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_card_tells_what_was_measured_and_nothing_else(run: Run, folder: Path, tmp_path: Path) -> None:
    card = (folder / "README.md").read_text()
    assert MEASURE.title in card and "| 1.25 | 2.5 |" in card
    (run.path / "evaluation.json").unlink()
    write_hub_folder(run, tmp_path / "unmeasured")
    card = (tmp_path / "unmeasured" / "README.md").read_text()
    assert "Nothing yet" in card and "model-index" not in card
    assert not (tmp_path / "unmeasured" / "evaluation.json").exists()


def test_measures_of_another_step_are_left_out(run: Run, tmp_path: Path) -> None:
    write_hub_folder(run, tmp_path / "step", step=1)
    assert "Nothing yet" in (tmp_path / "step" / "README.md").read_text()


def test_the_hubs_library_reads_the_card(folder: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra `hub`")
    data = hub.ModelCard.load(folder / "README.md").data
    assert data.license == "apache-2.0" and data.library_name == "untaught" and "autoencoder" in data.tags
    assert [(one.metric_type, one.metric_value) for one in data.eval_results] == [("squared_error_per_image", 1.25)]


def test_what_is_changed_or_missing_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-40], b""):
        (folder / "model.safetensors").write_bytes(damaged)
        with pytest.raises(RunError, match="torn"):
            untaught.load(folder)
    assert cli.main(["encode", str(folder), "--data", "digits", "--out", "a.npz"]) == 2
    assert "Traceback" not in capsys.readouterr().err
    (folder / "model.safetensors").write_bytes(whole)
    write_tensors(folder / "model.safetensors", {"other": torch.zeros(2)})
    with pytest.raises(RunError, match="do not fit"):
        untaught.load(folder)
    held = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**held, "run_this": "rm"}))
    with pytest.raises(ConfigError, match="run_this"):
        untaught.load(folder)


def test_a_pickle_in_place_of_the_weights_is_not_opened(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(RunError, match="torn"):
        untaught.load(folder)


@pytest.fixture
def cache(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with that model in it, and no network."""
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra `hub`")
    place = tmp_path / "cache" / "models--ann--demo"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folder, place / "snapshots" / ("0" * 40))
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    return place


def test_it_opens_by_its_name_on_the_hub(cache: Path, run: Run) -> None:
    x = torch.rand(3, 1, 4, 4)
    assert torch.equal(untaught.load("hub:ann/demo").encode(x), untaught.load(run.path).encode(x))
    assert torch.equal(untaught.load(f"hub:ann/demo@{'0' * 40}").encode(x), untaught.load(run.path).encode(x))


def test_without_network_or_library_one_line_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=r"^hub:ann/other is not in the hub's cache .* cannot be reached$"):
        untaught.load("hub:ann/other")
    for wrong in ("hub:demo", "hub:../../etc/x", "hub:ann/demo/more", "hub:"):
        with pytest.raises(ConfigError, match="hub:USER/NAME"):
            untaught.load(wrong)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r"pip install 'untaught\[hub\]'"):
        untaught.load("hub:ann/demo")


def test_command_writes_the_folder(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.main(["export", str(run.path), "--to", "hub", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert cli.main(["export", str(run.path), "--to", "hub", "--out", str(out)]) == 2, "it is not written over unasked"
    assert cli.main(["export", str(run.path), "--to", "hub", "--out", str(out), "--replace"]) == 0


def test_specs_lose_their_folders() -> None:
    named = {"frey:/x/y.npz": "frey", "/x/photos/": "photos", "balls?clips=3": "balls?clips=3", "digits": "digits"}
    assert {spec: data_named(spec) for spec in named} == named
