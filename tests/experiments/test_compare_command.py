"""`untaught compare` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from untaught import cli
from untaught.cli.comparing import variants_of
from untaught.experiments.trial import Trials

QUICK = ("--threads", "1", "--device", "cpu", "--precision", "float32", "--updates", "20")
BALLS = "balls?clips=12&validation=4&test=4&frames=12&size=12&balls=1"
WORDS = ("--models", "autoencoder,rbm", "--data", BALLS, "--set", "hidden=6", "autoencoder.latent=3", *QUICK)


def run(*words: str, status: int = 0) -> None:
    assert cli.main(["compare", *words]) == status


def test_a_comparison_is_written_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, made, own = tmp_path / "out", list[str](), Trials.run

    def stops(self: Trials, *words: object) -> object:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append("")
        return own(self, *words)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(Trials, "run", stops)
        run(*WORDS, "--seeds", "2", "--out", str(out), status=130)
    assert sorted(path.name for path in (out / "trials").iterdir()) == ["autoencoder-0.json", "rbm-0.json"]
    capsys.readouterr()
    run(*WORDS, "--seeds", "2", "--out", str(out), "--json")
    told = capsys.readouterr()
    assert [line for line in told.err.splitlines() if "seed" in line] == [
        "autoencoder, seed 1: 1 of 2",
        "rbm, seed 1: 2 of 2",
    ]
    found = json.loads(told.out)
    assert found["quantities"].keys() == json.loads((out / "compare.json").read_text())["quantities"].keys()
    assert len(found["quantities"]["decode: R² of position"]["rbm"]["model"]["values"]) == 2
    assert (out / "compare.png").read_bytes()[:4] == b"\x89PNG"
    assert "| rbm | " in (out / "compare.md").read_text()
    run(*WORDS[:-1], "21", "--seeds", "2", "--out", str(out), status=2)
    assert "holds a comparison with other arguments" in capsys.readouterr().err


def test_fields_for_all_for_one_and_for_a_variant(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["filters=8,8", "units=5", "pgn.units=6", "autoencoder.hidden=7+8"]
    pgn, other, code = variants_of("pgn,pgn@units=7@residual=false@pools=1+2,autoencoder", words)
    assert pgn.config == {"filters": (8, 8), "units": 6}
    assert other.config == {"filters": (8, 8), "units": 7, "residual": False, "pools": (1, 2)}
    assert code.config == {"hidden": (7, 8)}
    assert "autoencoder has no field 'filters': --set filters=8,8 is not for it" in capsys.readouterr().err
    assert [one.label for one in (pgn, other)] == ["pgn", "pgn@units=7@residual=false@pools=1+2"]


@pytest.mark.parametrize(
    ("models", "words", "told"),
    [
        ("autoencodr", (), "did you mean 'autoencoder'?"),
        ("autoencoder,autoencoder", (), "--models: autoencoder is there twice"),
        ("autoencoder@latnt=3", (), "autoencoder has no field 'latnt'; did you mean 'latent'?"),
        ("autoencoder@latent=0", (), "autoencoder.latent 0: input should be greater than or equal to 1"),
        ("autoencoder@latent", (), "'latent' should read FIELD=VALUE"),
        ("autoencoder", ("latnt=3",), "no model has a field 'latnt'; did you mean 'latent'?"),
        ("autoencoder", ("latent",), "--set: 'latent' should read FIELD=VALUE"),
        ("autoencoder", ("pgn.units=3",), "pgn is not among the models that are compared: autoencoder"),
        ("autoencoder", ("autoencoder.units=3",), "autoencoder has no field 'units'"),
        ("pgn", (), "the model needs video"),
    ],
)
def test_bad_input_is_refused_in_a_line_and_leaves_nothing(
    models: str, words: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = ("--set", *words) if words else ()
    run("--models", models, "--data", "digits", "--out", str(tmp_path / "out"), *extra, status=2)
    said = capsys.readouterr().err
    assert told in said and len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_knows_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", np.zeros((20, 8, 8), np.float32))
    run("--models", "rbm", "--data", str(tmp_path / "x.npy"), "--out", str(tmp_path / "out"), status=2)
    assert "neither labels nor true variables" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
