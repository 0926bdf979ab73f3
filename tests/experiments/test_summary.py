"""Means and spreads against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from untaught.experiments.summary import markdown, summary, tables
from untaught.experiments.variant import Budget, Variant

A, B = Variant("autoencoder", "autoencoder"), Variant("autoencoder@latent=3", "autoencoder", {"latent": 3})
LOOK = {"encoder_weights": 1200, "features": 30, "frames": None}
RIGHT = {"autoencoder": [0.5, 0.75, 0.875], "autoencoder@latent=3": [0.25, 0.25, 0.5]}


def trial(label: str, seed: int) -> dict[str, Any]:
    probe = {
        "ridge_accuracy": RIGHT[label][seed],
        "few_labels": {"1": {"accuracy": 0.25, "accuracy_std": 0.5}},
        "train_examples": 7,
        "baselines": {
            "raw_pixels": {"ridge_accuracy": 0.125, "few_labels": {"1": {"accuracy": 0.5, "accuracy_std": 0.5}}}
        },
    }
    decode = {
        "r2": {"ball_speed": 0.5},
        "r2_components": {"ball_speed": 0.1},
        "baselines": {"random_weights": {"ball_speed": -4.0}},
        "r2_components_baselines": {"random_weights": {"ball_speed": 0.0}},
    }
    return {"label": label, "seed": seed, "seconds": 1.0 + seed, "measures": {"probe": probe, "decode": decode}}


@pytest.fixture
def found() -> dict[str, Any]:
    trials = {label: [trial(label, seed) for seed in range(3)] for label in RIGHT}
    return summary([A, B], Budget("digits", None, 1000, 32), {label: LOOK for label in RIGHT}, trials)


def test_mean_and_deviation_of_a_sample(found: dict[str, Any]) -> None:
    for label, values in RIGHT.items():
        learnt = found["quantities"]["probe: ridge accuracy"][label]["model"]
        assert learnt["values"] == values
        assert (learnt["mean"], learnt["std"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))


def test_quantities_are_those_that_have_a_baseline(found: dict[str, Any]) -> None:
    assert list(found["quantities"]) == [
        "probe: ridge accuracy",
        "probe: accuracy, 1 label a class",
        "decode: R² of ball speed",
    ]


def test_who_was_compared(found: dict[str, Any]) -> None:
    assert found["seeds"] == [0, 1, 2]
    own = found["variants"][1]
    assert own["label"] == B.label and own["config"]["latent"] == 3 and own["seconds"] == 2.0


def test_tables_and_page(found: dict[str, Any]) -> None:
    head, lines = tables(found)["probe: ridge accuracy"]
    assert head == ["", "learnt", "raw pixels"]
    assert lines[0] == ["autoencoder", "0.708 ± 0.191", "0.125 ± 0.000"]
    page = markdown(found, "compare.png")
    assert "| autoencoder | 0.708 ± 0.191 | 0.125 ± 0.000 |" in page and "](compare.png)" in page
    assert "| autoencoder | 1,200 | 30 | single frames | 2 |" in page
