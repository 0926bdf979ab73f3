"""ONNX files: every model, by discovery; what they say of themselves; what is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from subject import ready
from torch import Tensor

from untaught import cli
from untaught.data.view import Batch, Statistics
from untaught.errors import ConfigError
from untaught.export import extras, onnx_files
from untaught.export.networks import KINDS, Network, networks
from untaught.export.onnx_files import BATCHES, checked, described, runner
from untaught.model import Decodes, Encodes, Model, capabilities, model_class, model_name, model_names
from untaught.models.gan import GAN
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.randomness import seeded
from untaught.runs.run import Run, create_run, open_run
from untaught.runs.settings import Settings

pytest.importorskip("onnx", reason="needs the extra `export`")
QUICK = ("ladder", "pgn", "rbm", "vae")
"""Models that the quick tests export: of pictures, of video, with classes, with chains."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in model_names()]
)
def test_every_model_exports_or_says_why(name: str) -> None:
    """Each network is compared with torch here once more, on inputs and batches that the export did not try."""
    model = ready(name)
    if not {kind.needs.__name__ for kind in KINDS} & set(capabilities(type(model))):
        with pytest.raises(ConfigError, match="no network that can be exported") as refused:
            networks(model)
        assert "\n" not in str(refused.value)
        return
    for network in networks(model):
        content, difference = checked(network, {})
        assert difference <= 1e-4
        run = runner(content)
        with seeded(3):
            x = torch.rand(7, *network.tried.shape[1:])
        with torch.no_grad():
            np.testing.assert_allclose(run(x.numpy()), network(x).numpy(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("norm", ["batch", "virtual"])
def test_features_of_convolutions_export(norm: str) -> None:
    """The pooled layers of a discriminator, whose windows overlap."""
    networks_ = Adversaries(network="convolution", discriminator=(3, 4), discriminator_norm=norm, generator=(3,))  # type: ignore[arg-type]
    model = GAN(GAN.Config(networks=networks_), (1, 18, 16))
    model.prepare(Batch.of(torch.rand(200, 1, 18, 16)))
    encoder = next(network for network in networks(model.eval()) if network.name == "encoder")
    content, _ = checked(encoder, {})
    with seeded(3):
        x = torch.rand(7, 1, 18, 16)
    with torch.no_grad():
        np.testing.assert_allclose(runner(content)(x.numpy()), model.encode(x).numpy(), rtol=0, atol=1e-4)


def test_a_model_without_networks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.export.networks.KINDS", tuple(kind for kind in KINDS if kind.name == "predictor"))
    with pytest.raises(
        ConfigError, match="softmax has no network that can be exported; it would need one of: predicts"
    ):
        networks(ready("softmax"))


def test_standardisation_is_inside() -> None:
    model = ready("vae")
    known = Statistics(torch.full((1,), 0.3), torch.full((1,), 0.5))
    encoder, decoder = networks(model, known)
    assert isinstance(model, Encodes) and isinstance(model, Decodes)
    x = torch.rand(2, *model.shape)
    with torch.no_grad():
        z = model.encode((x - 0.3) / 0.5)
        torch.testing.assert_close(torch.from_numpy(runner(checked(encoder, {})[0])(x.numpy())), z, atol=1e-5, rtol=0)
        made = torch.from_numpy(runner(checked(decoder, {})[0])(z.numpy()))
        torch.testing.assert_close(made, model.decode(z) * 0.5 + 0.3, atol=1e-5, rtol=0)


def network_of(function: Any) -> Network:
    return Network("encoder", ready("rbm"), function, torch.rand(5, 4))


@pytest.mark.parametrize(
    ("function", "told"),
    [
        pytest.param(lambda x: x * len(x), "differ by", id="number of examples held"),
        pytest.param(lambda x: x + torch.rand_like(x), "differ by", id="draws"),
        pytest.param(lambda x: x.new_zeros(len(x), 2) + x[:1, :2], r"gives \(3, 2\) and torch \(1, 2\)", id="batch"),
        pytest.param(lambda x: torch.linalg.eigvals(x.T @ x).abs().expand(len(x), -1), "cannot be", id="operator"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_a_line(function: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        checked(network_of(function), {})
    assert str(refused.value).startswith("the encoder cannot be exported: ") and "\n" not in str(refused.value)


def test_too_many_steps_are_refused_before_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_files, "OPERATIONS", 10)
    taken = 0

    def sweeps(x: Tensor) -> Tensor:
        nonlocal taken
        for _ in range(100):
            taken, x = taken + 1, x + 1
        return x

    with pytest.raises(ConfigError, match="more than 10 steps one after another"):
        checked(network_of(sweeps), {})
    assert taken <= 11


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"^this needs the package onnx: pip install 'untaught\[export\]'$"):
        extras.needed("onnx", "export")


def run_of(model: Model, path: Path, data: str = "bars", **more: Any) -> Run:
    """The run of an untrained model."""
    settings = Settings(
        model=model_name(model), shape=model.shape, frames=model.example.frames,
        config=__import__("untaught.config").config.to_json(model.config), data=data, **more,
    )  # fmt: skip
    run = create_run(path, settings)
    run.save("train", 1, {"model": model.state_dict()}, {"stage_number": 0, "held_out_loss": 1.0})
    return run


def test_command_writes_files_that_say_what_they_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import onnx

    run = run_of(ready("vae"), tmp_path / "run", data="mnist:/data/of/ann?size=14")
    assert cli.main(["export", str(run.path), "--to", "onnx", "--out", str(tmp_path / "out")]) == 0
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["decoder.onnx", "encoder.onnx"]
    assert capsys.readouterr().out.count("differs from torch by") == 2
    graph = onnx.load(tmp_path / "out" / "encoder.onnx")
    told = {one.key: one.value for one in graph.metadata_props}
    assert told["model"] == "vae" and told["data"] == "mnist?size=14", "no folder of this machine is told"
    assert told["shape"] == str(list(run.settings.shape)) and told["channels"] == "1"
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize(
    ("model", "words", "told"),
    [
        ("rbm", ("--out", "taken"), "--out taken holds other files"),
        ("rbm", ("--out", "run"), "--out run is the folder of a run"),
        ("rbm", ("--step", "5"), "has no checkpoint of step 5"),
        ("rbm", ("--to", "paper"), "--to paper"),
    ],
)
def test_bad_input_is_refused_in_a_line(
    model: str, words: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    run_of(ready(model), Path("run"))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").write_text("dear")
    given = {"--to": "onnx", "--out": "out", **dict([words] if words else [])}
    assert cli.main(["export", "run", *(word for pair in given.items() for word in pair)]) == 2
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error and not (tmp_path / "out").exists()


def test_the_batches_that_are_tried_differ_from_the_traced_one() -> None:
    assert onnx_files.TRACED not in BATCHES and 1 in BATCHES


def test_metadata_may_be_any_text() -> None:
    import onnx

    content, _ = checked(networks(ready("rbm"))[0], {})
    told = onnx.load_from_string(described(content, {"data": "Fotos/Grüße", "shape": [1, 2]})).metadata_props
    assert {one.key: one.value for one in told} == {"data": "Fotos/Grüße", "shape": "[1, 2]"}


def test_runs_of_the_tests_open(tmp_path: Path) -> None:
    assert model_class(open_run(run_of(ready("rbm"), tmp_path / "a").path).settings.model) is type(ready("rbm"))
