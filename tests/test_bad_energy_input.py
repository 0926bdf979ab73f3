"""Bad or strange input to models with an energy: refused with a reason, or it works."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from untaught import cli
from untaught.data.part import Part
from untaught.data.source import Parts, Source
from untaught.data.view import View
from untaught.errors import DataError, SizeError
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.likelihood.partition import exact_partition
from untaught.evaluate.subject import Subject
from untaught.models.rbm import RBM
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import fit

SHORT = Training(epochs=2, batch_size=10, threads=1, device="cpu", precision="float32", compile="off")


def trained(x: torch.Tensor, view: dict[str, Any] | None = None) -> Subject:
    """A small machine that has learnt rows of numbers, which are its test part too."""
    part = Part.of(x)
    source = Source("rows", part, validation=part, test=part)
    with seeded(0):
        rbm = RBM(RBM.Config(hidden=3, persistent_chains=5), tuple(x.shape[1:]))
    for _ in fit(rbm, source, replace(SHORT, view=view)):
        pass
    return Subject(rbm.eval(), Parts(part, part, part), View(binarise=True))


@pytest.mark.parametrize(("low", "high"), [(-0.5, 1.0), (0.0, 255.0)])
def test_values_that_are_no_probabilities(low: float, high: float) -> None:
    x = torch.linspace(low, high, 60).view(10, 6)
    with pytest.raises(DataError) as told:
        trained(x, {"binarise": False})
    message = str(told.value)
    assert f"{low:.3g}" in message and f"{high:.3g}" in message and "0 to 1" in message
    assert len(message.splitlines()) <= 3


def test_values_that_are_no_probabilities_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.linspace(-3, 3, 600, dtype=np.float32).reshape(100, 6))
    words = ["train", "rbm", "--data", "x.npy", "--epochs", "1", "--hidden", "3", "--out", "out", "--device", "cpu"]
    assert cli.main([*words, "--visible", "bernoulli"]) == 2
    told = capsys.readouterr().err
    assert "0 to 1" in told and 1 <= len(told.strip().splitlines()) <= 3
    assert not (tmp_path / "out").exists()
    assert cli.main(words) == 0  # where nothing is said, units that such values can have are chosen
    assert "chosen: visible gaussian" in capsys.readouterr().err


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_constant_pixel_is_learnt_and_leaves_every_number_finite(value: float) -> None:
    x = torch.rand(50, 6, generator=torch.Generator().manual_seed(0))
    x[:, 2] = value
    held = trained(x)
    found = evaluate(held, ["likelihood"])["likelihood"]
    assert math.isfinite(found["log_likelihood_nats"]) and math.isfinite(found["baselines"]["independent_pixels"])
    assert isinstance(held.model, RBM)
    assert abs(float(held.model.sample(200).flatten(1)[:, 2].mean()) - value) < 0.1


def test_pictures_without_any_ink_are_learnt() -> None:
    found = evaluate(trained(torch.zeros(20, 4)), ["likelihood"])["likelihood"]
    assert -2 < found["log_likelihood_nats"] < 0


def test_one_example_is_learnt() -> None:
    found = evaluate(trained(torch.tensor([[0.0, 1.0, 1.0, 0.0]])), ["likelihood"])["likelihood"]
    assert found["examples"] == 1
    assert math.isfinite(found["log_likelihood_nats"]) and found["log_likelihood_nats_std_error"] is None


def test_an_exact_partition_function_of_a_large_machine() -> None:
    with pytest.raises(SizeError) as told:
        exact_partition(RBM(RBM.Config(hidden=500), (1, 28, 28)))
    message = str(told.value)
    assert "500 units" in message and "up to 25" in message and "annealed importance sampling" in message
    assert len(message.splitlines()) <= 3
