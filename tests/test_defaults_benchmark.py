"""The table of every model at its defaults: which cells there are, what one records, how it is judged."""

from __future__ import annotations

import argparse
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from untaught.model import Encodes, Predicts, Reconstructs, model_class, model_names

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks/defaults.py"


@pytest.fixture
def bench(tmp_path: Path) -> dict[str, Any]:
    """The script's functions, with a folder of results of its own."""
    found = runpy.run_path(str(SCRIPT), run_name="benchmarks_defaults")
    found["run"].__globals__["RESULTS"] = tmp_path
    return found


def test_every_model_that_gives_something_back_is_on_every_source(bench: dict[str, Any]) -> None:
    able = [name for name in model_names() if issubclass(model_class(name), (Reconstructs, Predicts, Encodes))]
    cells = bench["cells"]([], [], Path("data"))
    assert {cell.model for cell in cells} == set(able) and "softmax" not in able
    assert len(cells) == len(able) * len(bench["SOURCES"])
    assert not any(cell.source == "clip" for cell in bench["cells"]([], [], None))


@pytest.mark.slow
def test_a_cell_records_its_figures_beside_the_trivial_answers(bench: dict[str, Any], tmp_path: Path) -> None:
    asked = argparse.Namespace(data_dir=None, minutes=0.01, seed=0, jobs=1)
    cell = bench["Cell"]("autoencoder", "digits")
    assert not bench["is_recorded"](cell)
    bench["run"](cell, asked)
    record = json.loads((tmp_path / "autoencoder-digits.json").read_text())
    assert bench["is_recorded"](cell)
    assert record["environment"]["threads"] == 1 and record["minutes"] == 0.01 and record["steps"] > 0
    assert record["measures"]["reconstruction"]["baselines"].keys() >= {"pca", "mean_image"}
    what = [row[2] for row in bench["rows"](record)]
    assert what == ["reconstruction", "accuracy"]


def test_a_cell_that_does_not_apply_says_why(bench: dict[str, Any], tmp_path: Path) -> None:
    bench["run"](bench["Cell"]("pgn", "digits"), argparse.Namespace(data_dir=None, minutes=0.01, seed=0, jobs=1))
    record = json.loads((tmp_path / "pgn-digits.json").read_text())
    assert "needs video" in record["skipped"] and record["measures"] == {}
    assert "| pgn | digits | the model needs video" in bench["markdown"]()


@pytest.mark.parametrize(
    ("own", "other", "higher", "verdict"),
    [(9.0, 10.0, False, "better"), (10.1, 10.0, False, "as good"), (11.0, 10.0, False, "worse"),
     (0.9, 0.8, True, "better"), (0.7, 0.8, True, "worse"), (1.0, 0.0, False, "worse")],
)  # fmt: skip
def test_verdicts(bench: dict[str, Any], own: float, other: float, higher: bool, verdict: str) -> None:
    assert bench["Judged"]("", "", (), higher=higher).verdict(own, other) == verdict


def test_a_worse_figure_has_its_models_reason(bench: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_class("rbm"), "known_shortfalls", {"reconstruction": "it is a density"})
    measures = {"reconstruction": {"squared_error_per_image": 3.0, "baselines": {"pca": 2.0, "mean_image": 9.0}}}
    record = {"model": "rbm", "source": "digits", "measures": measures}
    assert [row[5:] for row in bench["rows"](record)] == [("worse", "it is a density")]
    measures["reconstruction"]["squared_error_per_image"] = np.float64(1.0).item()
    assert [row[5:] for row in bench["rows"](record)] == [("better", "")]


def test_components_that_copy_are_no_trivial_answer(bench: dict[str, Any]) -> None:
    found = {"squared_error_per_image": 3.0, "features": 63, "baselines": {"pca": 0.1, "mean_image": 9.0}}
    record = {"model": "dbn", "source": "digits", "shape": [1, 8, 8], "measures": {"reconstruction": found}}
    assert [row[4:6] for row in bench["rows"](record)] == [("0.1 pca, 9 mean image", "worse")]
    found["features"] = 64
    assert [row[4:6] for row in bench["rows"](record)] == [("9 mean image", "better")]


def test_bits_are_judged_beside_bits(bench: dict[str, Any]) -> None:
    found = {"ridge_accuracy": 0.9, "baselines": {"pca": 0.95, "pca_bits": 0.8, "raw_pixels": 0.97}}
    record = {"model": "hashing-autoencoder", "source": "digits", "measures": {"features": found}}
    assert [row[4:6] for row in bench["rows"](record)] == [("0.8 pca bits, 0.97 raw pixels", "better")]


def test_photographs_are_of_many_sizes(bench: dict[str, Any], tmp_path: Path) -> None:
    from PIL import Image

    files = sorted(bench["photographs"](tmp_path).glob("*.*g"))
    sizes = {Image.open(file).size for file in files}
    assert len(files) == 19 and len(sizes) >= 10
