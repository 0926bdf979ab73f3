"""A file in `models/` is a model everywhere, with no other edit; what is shown is docs/add-a-model.md's skeleton."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from dropped_in import copy_with, python, skeleton

import untaught
from untaught import cli, models
from untaught.errors import ConfigError
from untaught.model import Batch, capabilities, in_words, model_class, model_names
from untaught.randomness import seeded
from untaught.training.fit import Training, train


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of models."""
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("untaught.models."):
            del sys.modules[name]


@pytest.fixture
def contractive(folder: Path) -> str:
    (folder / "contractive.py").write_text(skeleton())
    return "contractive"


def test_every_file_is_a_model() -> None:
    files = {path.stem.replace("_", "-") for path in Path(next(iter(models.__path__))).glob("[!_]*.py")}
    assert files == set(model_names())


def test_dropped_file_is_found(contractive: str) -> None:
    assert contractive in model_names()
    assert model_class(contractive) is untaught.Contractive
    assert capabilities(model_class(contractive)) == ("Encodes", "Reconstructs")


def test_capabilities_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models"]) == 0
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "lowerbound" not in told and "takesencoder" not in told and "latentvariable" not in told
    assert in_words("LatentVariable") == "latent variable" and "encodes, " in told


def test_underscores_become_dashes(folder: Path) -> None:
    (folder / "very_contractive.py").write_text(skeleton().replace("Contractive", "VeryContractive"))
    assert "very-contractive" in model_names()
    assert model_class("very-contractive") is untaught.VeryContractive


def test_misspelt_name_is_corrected(contractive: str) -> None:
    with pytest.raises(ConfigError, match="did you mean 'contractive'"):
        model_class("contractiv")


def test_file_without_a_model_is_refused(folder: Path) -> None:
    (folder / "nothing.py").write_text('"""Nothing."""\n')
    with pytest.raises(TypeError, match="exactly one"):
        model_class("nothing")


def test_dropped_file_trains(contractive: str) -> None:
    cls = model_class(contractive)
    x = torch.rand(200, 1, generator=torch.Generator().manual_seed(0)).expand(200, 9).reshape(200, 1, 3, 3)
    with seeded(0):
        model: Any = cls(cls.Config(hidden=2, contraction=0.0), (1, 3, 3))
    record = train(model, x, Training(epochs=20, batch_size=20, learning_rate=0.05))
    assert record.losses["squared_error_per_image"] < 0.4  # the mean image leaves 9 / 12
    assert model.encode(x).shape == (200, 2)


def test_dropped_file_computes_its_equations(contractive: str) -> None:
    """Equation (3) against the Jacobian by autograd, (1), (2) and (4) in plain words of linear algebra."""
    cls = model_class(contractive)
    with seeded(0):
        model: Any = cls(cls.Config(hidden=4, contraction=0.5), (1, 3, 3)).double()
        x = torch.rand(5, 1, 3, 3, dtype=torch.float64)
    hidden = 1 / (1 + (-(model.weight @ x.flatten(1).T).T - model.hidden_bias).exp())
    torch.testing.assert_close(model.encode(x), hidden)
    y = 1 / (1 + (-(hidden @ model.weight) - model.visible_bias).exp())
    torch.testing.assert_close(model.reconstruct(x).flatten(1), y)
    slopes = torch.stack([torch.autograd.functional.jacobian(model.encode, one[None]).square().sum() for one in x])
    torch.testing.assert_close(model.contraction(hidden), slopes)
    total = ((y - x.flatten(1)).square().sum() + 0.5 * slopes.sum()) / 5
    torch.testing.assert_close(model.loss(Batch.of(x), "model", torch.tensor(0.0)).total, total)


@pytest.mark.slow
def test_skeletons_pass_the_battery(tmp_path: Path) -> None:
    tree = copy_with({"contractive": skeleton(), "wasserstein": skeleton("game")}, tmp_path)
    chosen = "[contractive or [wasserstein"
    run = python(tree, "-m", "pytest", "tests/test_battery.py", "-k", chosen, "-p", "no:cacheprovider", "-rfE")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_skeleton_is_on_the_command_line(tmp_path: Path) -> None:
    tree = copy_with({"contractive": skeleton()}, tmp_path)
    words = "train contractive --data digits --hidden 20 --epochs 1 --out runs/contractive"
    run = python(tree, "-m", "untaught", *words.split())
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tree / "runs/contractive/config.json").exists()
