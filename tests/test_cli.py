"""The command line on good input: what each command prints, writes and exits with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from kinds_of_training import KINDS

from untaught import __version__, cli, open_data, open_run
from untaught.cli.measuring import _nothing_to_measure
from untaught.cli.terminal.measured_tables import print_measures
from untaught.model import model_names
from untaught.runs.settings import Training

QUICK = ("--threads", "1", "--device", "cpu", "--precision", "float32")
DIGITS = ("train", "autoencoder", "--data", "digits", "--hidden", "20", "--latent", "3", "--epochs", "2", *QUICK)
BALLS = "balls?clips=12&validation=4&test=4&frames=12&size=12&balls=1"
CLIPS = ("train", "pgn", "--data", BALLS, "--units", "4", "--filters", "4", "--core-kernel", "3", "--frames", "6")


def run(*words: str) -> None:
    assert cli.main(words) == 0


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "digits"
    run(*DIGITS, "--out", str(place))
    return place


@pytest.fixture(scope="module")
def clips_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "clips"
    run(*CLIPS, "--epochs", "1", *QUICK, "--out", str(place))
    return place


# ---------------------------------------------------------------- before any model


def test_version_and_overview_import_nothing_heavy() -> None:
    for words, told in ((["--version"], __version__), ([], "evaluate"), (["--help"], "doctor")):
        program = f"import sys; from untaught.cli import main; main({words}); print('torch' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert told in done.stdout
        assert done.stdout.endswith("False\n")


def test_models_lists_every_system(capsys: pytest.CaptureFixture[str]) -> None:
    run("models")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line[:1].strip()][1:] == list(model_names())


def test_data_lists_named_sources_and_paths(capsys: pytest.CaptureFixture[str]) -> None:
    run("data")
    told = capsys.readouterr().out
    assert all(word in told for word in ("balls", "digits", "a folder of pictures", ".npz"))


def test_data_describes_a_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    run("data", "digits", "--out", str(sheet))
    told = capsys.readouterr().out
    assert "1797" in told and "1x8x8" in told
    assert sheet.read_bytes()[:4] == b"\x89PNG"


# ---------------------------------------------------------------- evaluate


def test_evaluate_json_is_one_object_and_is_kept(digits_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", str(digits_run), "--measure", "reconstruction", "--json")
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["run"] == str(digits_run)
    measure = found["measures"]["reconstruction"]
    assert measure["squared_error_per_image"] > 0
    assert {"pca", "mean_image"} <= measure["baselines"].keys()
    assert "measuring reconstruction" in told.err and "report" in told.err
    kept = json.loads((digits_run / "evaluation.json").read_text())
    assert kept["measures"]["reconstruction"] == measure


def test_evaluate_prints_the_model_beside_its_baselines(clips_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", str(clips_run), "--measure", "prediction")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "prediction  What comes next"
    assert {"previous frame", "mean frame"} <= {line.strip()[:14].strip() for line in lines}
    assert any(line.startswith("held out, ") and "the next frame's squared error is" in line for line in lines)
    assert any(line.strip().startswith("this model") for line in lines)


def test_a_model_of_which_nothing_can_be_measured_says_why() -> None:
    told = _nothing_to_measure(KINDS["critic"].plan(Training(epochs=1, device="cpu")).subject())
    assert told.startswith("no measure applies:")
    assert "probe: the model does not encode" in told and "None" not in told


def test_numbers_stand_beside_those_of_the_same_name(capsys: pytest.CaptureFixture[str]) -> None:
    measure = {
        "squared_error_per_frame": 2.0, "squared_error_per_frame_std": 0.1, "rollout": [1.0, 2.0, 3.0], "clips": 7,
        "baselines": {"mean_frame": 3.0}, "baselines_std": {"mean_frame": 0.2},
        "rollout_baselines": {"mean_frame": [4.0, 5.0, 6.0]},
    }  # fmt: skip
    print_measures({"prediction": measure})
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["squared", "error", "per", "frame"] in told
    assert ["this", "model", "2", "±", "0.1"] in told and ["mean", "frame", "3", "±", "0.2"] in told
    assert ["rollout,", "by", "frames", "ahead", "1", "2", "3"] in told and ["clips:", "7"] in told
    assert ["this", "model", "1", "2", "3"] in told and ["mean", "frame", "4", "5", "6"] in told


def test_of_long_curves_a_few_points_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Contexts of 1 to 10 frames: four of them, at the first frame ahead, the middle one and the last."""
    ahead = {f"context_{n}": [float(100 * n + t) for t in range(1, 51)] for n in range(1, 11)}
    beside = {"mean_frame": {"context_10": [7.0] * 50}}
    print_measures({"rollout": {"squared_error_ahead": ahead, "squared_error_ahead_baselines": beside}})
    told = capsys.readouterr().out
    lines = [line.split() for line in told.splitlines()]
    assert ["this", "model,", "5", "frames", "given", "501", "526", "550"] in lines
    assert ["mean", "frame", "7", "7", "7"] in lines and not any("3" in line for line in lines)
    assert told.count("this model") == 4


def test_values_have_their_units_and_rows_of_numbers_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    probe = {"ridge_accuracy": 0.925, "few_labels": {"1": {"accuracy": 0.5, "accuracy_std": 0.1}}}
    print_measures({"probe": {**probe, "baselines": {"raw_pixels": probe}}}, vectors=True)
    told = capsys.readouterr().out
    assert "92.5 %" in told and "50.0 ± 10.0 %" in told and "raw values" in told and "pixel" not in told


def test_bounds_that_have_no_end_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_measures({"likelihood": {"log_likelihood_nats": -5.0, "log_likelihood_nats_low": None, "baselines": {}}})
    assert "log-likelihood, lower end of its error bar, nats: infinite" in capsys.readouterr().out


# ---------------------------------------------------------------- encode, reconstruct, sample, predict


def test_encode_gives_features_and_labels_in_the_sources_order(digits_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "features.npz"
    run("encode", str(digits_run), "--out", str(out))
    with np.load(out) as arrays:
        features, label = arrays["features"], arrays["label"]
        assert arrays["row"].tolist() == list(range(1797)) and set(arrays["part"].tolist()) == {"train"}
    source = open_data("digits").train
    assert features.dtype == np.float32 and features.shape == (1797, 3)
    assert (label == source.label.numpy()).all()
    model = open_run(digits_run).load()
    expected = model.encode(source.frames.read(torch.arange(1797)).float()).detach().numpy()
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_encode_reads_arrays_from_disk_by_piece(digits_run: Path, tmp_path: Path) -> None:
    pixels = (open_data("digits").train.frames.read(torch.arange(1797)) * 255).byte().numpy()
    np.save(tmp_path / "pixels.npy", pixels)
    run("encode", str(digits_run), "--data", str(tmp_path / "pixels.npy"), "--out", str(tmp_path / "a.npz"))
    run("encode", str(digits_run), "--data", "digits", "--out", str(tmp_path / "b.npz"))
    with np.load(tmp_path / "a.npz") as ours, np.load(tmp_path / "b.npz") as own:
        np.testing.assert_allclose(ours["features"], own["features"], atol=0.05)
        assert (ours["label"] == -1).all()


def test_reconstruct_gives_arrays_and_pictures(digits_run: Path, tmp_path: Path) -> None:
    run("reconstruct", str(digits_run), "--out", str(tmp_path / "a.npz"))
    with np.load(tmp_path / "a.npz") as arrays:
        given = arrays["reconstruction"]
        assert arrays["name"][5] == "row 5"
    assert given.shape == (1797, 1, 8, 8) and given.dtype == np.float32
    assert given.min() >= 0 and given.max() <= 1
    run("reconstruct", str(digits_run), "--out", str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_standardised_runs_write_pixels(tmp_path: Path) -> None:
    place = tmp_path / "run"
    run(*DIGITS, "--standardise", "pixel", "--out", str(place))
    run("reconstruct", str(place), "--out", str(tmp_path / "a.npz"))
    with np.load(tmp_path / "a.npz") as arrays:
        given = arrays["reconstruction"]
    pixels = open_data("digits").train.frames.read(torch.arange(1797)).float()
    held = open_run(place)
    statistics = held.statistics()
    assert statistics is not None
    seen = (pixels - statistics.mean) / statistics.deviation
    shown = held.load().reconstruct(seen) * statistics.deviation + statistics.mean
    np.testing.assert_allclose(given, shown.clamp(0, 1).detach().numpy(), atol=1e-5)


def test_sample_draws_the_same_under_the_same_seed(tmp_path: Path) -> None:
    place = str(tmp_path / "run")
    run(
        "train",
        "rbm",
        "--data",
        "digits",
        "--hidden",
        "8",
        "--sample-steps",
        "5",
        "--epochs",
        "1",
        *QUICK,
        "--out",
        place,
    )
    drawn: list[np.ndarray] = []
    for number, seed in enumerate((0, 0, 1)):
        out = tmp_path / f"{number}.npz"
        run("sample", place, "--count", "9", "--seed", str(seed), "--out", str(out))
        with np.load(out) as arrays:
            drawn.append(arrays["samples"])
    assert drawn[0].shape == (9, 1, 8, 8)
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()
    run("sample", place, "--out", str(tmp_path / "samples.png"))


def test_predict_gives_frames_after_the_context(clips_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "frames.npz"
    run("predict", str(clips_run), "--context", "5", "--frames", "3", "--out", str(out))
    with np.load(out) as arrays:
        frames = arrays["frames"]
        assert arrays["part"].tolist() == ["train"] * 12 + ["validation"] * 4 + ["test"] * 4
        assert arrays["row"].tolist() == [*range(12), *range(4), *range(4)]
    source = open_data(BALLS)
    assert frames.shape == (20, 3, 1, 12, 12) and frames.dtype == np.float32
    model = open_run(clips_run).load()
    first = source.train.frames.read(torch.arange(5))[None].float()
    np.testing.assert_allclose(frames[:1], model.predict(first, 3).detach().numpy(), atol=1e-5)


def test_predict_takes_clips_of_different_lengths_whole(clips_run: Path, tmp_path: Path) -> None:
    from untaught.cli.opening import Use, open_for
    from untaught.cli.using import predictions
    from untaught.data.part import Part, WholeFrames
    from untaught.model import Predicts

    opened = open_for(Predicts, Use(run=str(clips_run), out="x.npz"))
    pixels = opened.source.train.frames.read(torch.arange(9))
    part = Part.over(WholeFrames(pixels), torch.tensor([4, 3, 2]))
    object.__setattr__(opened, "source", type(opened.source)("made", part))
    found = list(predictions(opened, None, 2))
    assert [clip.given.shape[1] for clip in found] == [4, 3, 2]
    model = open_run(clips_run).load()
    expected = model.predict(pixels[4:7][None].float(), 2)
    torch.testing.assert_close(found[1].predicted, expected.detach(), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("ending", "magic"), [("gif", b"GIF8"), ("png", b"\x89PNG"), ("mp4", b"ftyp")])
def test_predict_writes_films(clips_run: Path, tmp_path: Path, ending: str, magic: bytes) -> None:
    out = tmp_path / f"film.{ending}"
    run("predict", str(clips_run), "--context", "6", "--frames", "2", "--out", str(out))
    assert magic in out.read_bytes()[:12]


def test_a_file_is_replaced_whole_or_stays(digits_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "a.npz"
    out.write_text("before")
    pieces = iter([torch.zeros(512, 3)])
    monkeypatch.setattr("untaught.evaluate.subject.Subject.features", lambda self, x: next(pieces))
    with pytest.raises(RuntimeError):  # the pieces end too early: what a fault in the middle of writing looks like
        cli.main(["encode", str(digits_run), "--out", str(out)])
    assert out.read_text() == "before"
    monkeypatch.undo()
    run("encode", str(digits_run), "--out", str(out))
    assert out.read_bytes()[:2] == b"PK"
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
