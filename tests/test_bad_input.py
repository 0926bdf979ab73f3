"""Bad input: at most three lines that name the culprit and what would be right, exit 2, nothing written."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from untaught import cli, open_run
from untaught.errors import RunError

Say = Callable[..., str]
TRAIN = ("train", "autoencoder", "--out", "out", "--epochs", "1")
TINY = ("--hidden", "8", "--latent", "2", "--threads", "1", "--device", "cpu", "--precision", "float32")


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder with what is in it."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command in an empty folder, make sure that it is refused as it should be, and give what it said."""
    monkeypatch.chdir(tmp_path)

    def say(*words: str) -> str:
        before = contents(tmp_path)
        capsys.readouterr()
        status = cli.main(words)
        told = capsys.readouterr()
        assert status == 2, told.err
        assert told.out == ""
        assert 1 <= len(told.err.strip().splitlines()) <= 3, told.err
        assert "Traceback" not in told.err and "╭" not in told.err and "http" not in told.err
        assert contents(tmp_path) == before
        return told.err

    return say


@pytest.fixture(scope="module")
def a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "digits"
    assert cli.main(["train", "autoencoder", "--data", "digits", "--epochs", "1", *TINY, "--out", str(place)]) == 0
    return place


@pytest.fixture
def run_here(a_run: Path, tmp_path: Path) -> Path:
    """A copy of a run, to be spoilt."""
    return Path(shutil.copytree(a_run, tmp_path / "run"))


def pictures(folder: Path, *sizes: tuple[int, int]) -> None:
    """Grey pictures of given widths and heights, as JPEG."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number, (width, height) in enumerate(sizes):
        noise = generator.integers(0, 256, (height, width), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.jpg", quality=95)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


# ---------------------------------------------------------------- data


def test_missing_path(refused: Say) -> None:
    assert "photos/cats" in refused(*TRAIN, "--data", "photos/cats")


def test_misspelt_source(refused: Say) -> None:
    assert "did you mean 'digits'" in refused(*TRAIN, "--data", "digts")


def test_empty_folder(refused: Say, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    told = refused(*TRAIN, "--data", "photos")
    assert "photos" in told and "empty" in told


def test_truncated_picture(refused: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(tmp_path / "photos", *[(16, 16)] * 6)
    truncate(tmp_path / "photos" / "3.jpg")
    told = refused(*TRAIN, "--data", "photos")
    assert "3.jpg" in told and "--on-bad skip" in told
    assert cli.main([*TRAIN, *TINY, "--data", "photos", "--on-bad", "skip"]) == 0
    told = capsys.readouterr().err
    assert "skipped 1 broken" in told and "3.jpg" in told
    assert open_run("out").settings.on_bad == "skip"


def test_text_in_a_video_file(refused: Say, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_text("this is no video\n" * 100)
    assert "clip.mp4" in refused("train", "pgn", "--data", "clip.mp4", "--out", "out")


def test_not_a_number_in_an_array(refused: Say, tmp_path: Path) -> None:
    array = np.zeros((20, 8, 8), dtype=np.float32)
    array[13, 2, 5] = np.nan
    np.save(tmp_path / "frames.npy", array)
    told = refused(*TRAIN, "--data", "frames.npy")
    assert "frames.npy" in told and "13" in told


@pytest.mark.parametrize("shape", [(20,), (2, 2, 2, 2, 2, 2)])
def test_array_of_a_wrong_rank(refused: Say, tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape, dtype=np.float32))
    assert "x.npy" in refused(*TRAIN, "--data", "x.npy")


def test_pictures_for_a_model_of_video(refused: Say) -> None:
    assert "video" in refused("train", "pgn", "--data", "digits", "--out", "out")


def test_unknown_option_of_a_source(refused: Say) -> None:
    assert "clips" in refused("train", "pgn", "--data", "balls?clip=10", "--out", "out")


def test_data_of_another_shape(refused: Say, a_run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 1, 12, 12), dtype=np.float32))
    told = refused("encode", str(a_run), "--data", "x.npy", "--out", "y.npz")
    assert "1x12x12" in told and "1x8x8" in told and "--size 8x8" in told


def test_animation_whose_length_cannot_be_read(refused: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(self: GifImageFile) -> bool:
        raise IndexError("index out of range")

    Image.new("L", (8, 8)).save(tmp_path / "x.gif")
    truncate(tmp_path / "x.gif")
    monkeypatch.setattr(GifImageFile, "is_animated", property(damaged))
    assert "x.gif" in refused("data", "x.gif")


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("frobnicate",), "frobnicate"),
        (("trian", "rbm"), "did you mean 'train'"),
        (("train", "autoencodr", "--data", "digits"), "did you mean 'autoencoder'"),
        (("train", "--data", "digits"), "name the model first"),
        (("train", "rbm"), "--data"),
        ((*TRAIN, "--data", "digits", "--hiddn", "5"), "did you mean --hidden?"),
        ((*TRAIN, "--data", "digits", "--latent", "0"), "--latent 0"),
        ((*TRAIN, "--data", "digits", "--latent", "few"), "--latent few"),
        ((*TRAIN, "--data", "digits", "--epochs", "-1"), "--epochs -1"),
        ((*TRAIN, "--data", "digits", "--batch-size", "0"), "--batch-size 0"),
        ((*TRAIN, "--data", "digits", "--batch-size", "9" * 25), "--batch-size 999"),
        ((*TRAIN, "--data", "digits", "--learning-rate", "1e300"), "--learning-rate 1e300"),
        (("train", "dbm", "--data", "digits", "--persistent-chains", "9" * 12, "--out", "out"), "GiB"),
        (("train", "iwae", "--data", "digits", "--samples", "9" * 12, "--out", "out"), "memory"),
        ((*TRAIN, "--data", "digits", "--latent"), "--latent needs INT"),
        ((*TRAIN, "--data", "digits", "--schedule", "cosin"), "'cosine'"),
        ((*TRAIN, "--data", "digits", "--size", "8by8"), "8by8"),
        ((*TRAIN, "--data", "digits", "--minutes", "3"), "--epochs and --minutes"),
        ((*TRAIN, "--data", "digits", "--epochs.second", "3"), "no stage 'second'"),
        ((*TRAIN, "--data", "digits", "stray"), "stray"),
        (("train", "--resume"), "--out"),
        (("train", "--resume", "--out", "nowhere"), "nowhere"),
        (("train", "--config", "nowhere.json"), "nowhere.json"),
        (("evaluate",), "RUN"),
        (("evaluate", "nowhere"), "nowhere is no run"),
        (("data", "digits", "--out", "sheet.txt"), ".png"),
    ],
)
def test_wrong_words(refused: Say, words: tuple[str, ...], told: str) -> None:
    assert told in refused(*words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("evaluate", "RUN", "--measure", "prob"), "did you mean 'probe'"),
        (("evaluate", "RUN", "--measure", "prediction"), "prediction"),
        (("encode", "RUN", "--out", "features.csv"), ".npz"),
        (("encode", "RUN"), "--out"),
        (("encode", "RUN", "--out", "x.npz", "--step", "7"), "step 7"),
        (("encode", "RUN", "--out", "x.npz", "--device", "cuda"), "--device cuda"),
        (("predict", "RUN", "--out", "x.npz"), "predicts"),
        (("sample", "RUN", "--out", "x.npz"), "samples"),
        (("train", "--resume", "--out", "RUN", "--latent", "5"), "--latent 5"),
        (("train", "--resume", "--out", "RUN", "--data", "balls?clips=4"), "balls"),
        (("train", "rbm", "--config", "RUN/config.json"), "rbm"),
    ],
)
def test_wrong_words_about_a_run(refused: Say, run_here: Path, words: tuple[str, ...], told: str) -> None:
    if "cuda" in words and torch.cuda.is_available():
        pytest.skip("there is a GPU, so asking for it is right")
    assert told in refused(*[word.replace("RUN", run_here.name) for word in words])


# ---------------------------------------------------------------- runs


def test_folder_that_holds_another_run(refused: Say, run_here: Path) -> None:
    told = refused("train", "rbm", "--data", "digits", "--out", run_here.name)
    assert "another run" in told and "--replace" in told


@pytest.mark.parametrize("more", [(), ("--replace",)])
def test_folder_that_holds_other_files(refused: Say, tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    assert "thesis" in refused("train", "rbm", "--data", "digits", "--out", "thesis", *more)


def test_refused_replacement_leaves_the_old_run(refused: Say, run_here: Path) -> None:
    refused("train", "pgn", "--data", "digits", "--out", run_here.name, "--replace")
    assert open_run(run_here).load() is not None


@pytest.mark.parametrize("words", [("evaluate", "run"), ("train", "--config", "run/config.json", "--out", "new")])
def test_unknown_key_in_a_configuration(refused: Say, run_here: Path, words: tuple[str, ...]) -> None:
    values = json.loads((run_here / "config.json").read_text())
    values["config"]["hiden"] = values["config"].pop("hidden")
    (run_here / "config.json").write_text(json.dumps(values))
    assert "did you mean 'hidden'" in refused(*words)


def test_configuration_that_is_no_json(refused: Say, run_here: Path) -> None:
    (run_here / "config.json").write_text("{")
    assert "config.json" in refused("evaluate", "run")


def test_checkpoints_tampered_with(refused: Say, run_here: Path) -> None:
    for path in (run_here / "checkpoints").glob("*.safetensors"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(bytes(content))
    assert "checkpoint" in refused("encode", "run", "--out", "features.npz")


def test_torn_checkpoint_is_passed_over_with_a_warning(run_here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = sorted((run_here / "checkpoints").glob("*.safetensors"))[-1]
    first = last.with_name("train-00000000.safetensors")
    shutil.copy(last, first)
    counters = json.loads(last.with_suffix(".json").read_text())
    first.with_suffix(".json").write_text(json.dumps({**counters, "step": 0, "held_out_loss": None}))
    truncate(last)
    assert cli.main(["encode", str(run_here), "--out", str(run_here / "features.npz")]) == 0
    assert "torn" in capsys.readouterr().err


def test_what_is_told_of_a_run_may_be_damaged(run_here: Path) -> None:
    """Records and the machine are for the report: a torn line is passed over, a torn file is none."""
    metrics, machine = run_here / "metrics.jsonl", run_here / "environment.json"
    lines = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(b"".join([*lines, b"[1]\n", b"\xff{", b'{"step": 7, "lo']))
    machine.write_text(machine.read_text() + "}")
    run = open_run(run_here)
    assert run.records() == [json.loads(line) for line in lines] and run.count_records() == len(lines) + 2
    assert run.environment() == {}
    run.cut_records(1)
    assert metrics.read_bytes() == lines[0]
    (run_here / "pictures" / "old.png").symlink_to("old.png")
    (run_here / "pictures" / "older.png").write_bytes(b"no picture")
    assert cli.main(["train", "--resume", "--out", str(run_here), "--epochs", "2"]) == 0
    assert "older.png" not in (run_here / "report.html").read_text()


def test_checkpoint_whose_step_is_no_number(refused: Say, run_here: Path) -> None:
    for path in (run_here / "checkpoints").glob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "step": {"a": 1}}))
    assert cli.main(["evaluate", "run"]) == 2


def test_refused_to_resume_leaves_the_records(run_here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*arguments: object) -> None:
        raise RunError("the best checkpoint is damaged")

    (run_here / "metrics.jsonl").write_bytes((run_here / "metrics.jsonl").read_bytes() * 2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("untaught.training.fit.best_weights", lost)
    before = contents(run_here)
    assert cli.main(["train", "--resume", "--out", "run", "--epochs", "2"]) == 2
    assert contents(run_here) == before


@pytest.mark.parametrize("name", ["x.npz", "x.gif", "x.mp4", "photos/x.gif", "clips/x.mp4", "run/checkpoints/x.json"])
def test_pipes_are_refused_at_once(refused: Say, run_here: Path, tmp_path: Path, name: str) -> None:
    """What is read from a pipe never ends, and hung every reader."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    command = ("evaluate", "run") if name.startswith("run") else ("data", name.partition("/")[0])
    assert "no file" in (told := refused(*command)) or "neither a file" in told or "no pictures" in told


def test_pipe_beside_pictures_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(tmp_path / "photos", (16, 16), (16, 16))
    os.mkfifo(tmp_path / "photos" / "x.png")
    assert cli.main(["data", str(tmp_path / "photos")]) == 0
    assert "1: x.png" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["evaluate", "data"])
def test_name_that_is_too_long(refused: Say, command: str) -> None:
    assert "x" * 300 in refused(command, "x" * 300)


def test_help_is_given_whatever_else_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "rbm", "--other", "--latent", "few", "--help"]) == 0
    assert "usage: untaught train rbm" in capsys.readouterr().out


# ---------------------------------------------------------------- memory


def test_weights_too_large_for_memory(refused: Say) -> None:
    told = refused(*TRAIN, "--data", "digits", "--hidden", "2000000000")
    assert "GiB" in told


def test_job_too_large_for_memory_names_a_size_that_fits(refused: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.training.memory.available", lambda device: 20 * 2**20)
    told = refused("train", "pgn", "--data", "balls?clips=8&frames=20&size=64", "--epochs", "1", "--out", "out")
    assert re.search(r"--size \d+x\d+ fits", told)


def test_full_disk_is_one_line_and_no_bad_input(
    a_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device", "features.npz")

    monkeypatch.setattr("numpy.lib.format.write_array_header_1_0", full)
    assert cli.main(["encode", str(a_run), "--out", str(tmp_path / "features.npz")]) == 1
    assert capsys.readouterr().err.splitlines() == ["untaught: No space left on device: features.npz"]
    assert not list(tmp_path.iterdir())
