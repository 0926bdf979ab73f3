"""Encoders from files: tensors alone are read, what does not fit is named, a run on one opens without the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from untaught import cli, open_run
from untaught.errors import ConfigError, RunError
from untaught.nn.vision_nets import vision_net
from untaught.randomness import seeded
from untaught.runs.encoders import network_encoder, read_weights, refuse_other_weights, whole_network
from untaught.runs.run import create_run, open_encoder
from untaught.runs.settings import NetworkFile, Settings

ASKED = NetworkFile(network="alexnet", file="weights.pt")


def held() -> dict[str, torch.Tensor]:
    with seeded(0):
        return {name: value.clone() for name, value in nn.Linear(3, 2).state_dict().items()}


def test_safetensors_and_plain_torch_files_are_read(tmp_path: Path) -> None:
    save_file(held(), tmp_path / "a.safetensors")
    torch.save(held(), tmp_path / "a.pt")
    for name in ("a.safetensors", "a.pt"):
        found = read_weights(tmp_path / name)
        assert found.keys() == held().keys() and all(torch.equal(found[key], held()[key]) for key in found)


class Bomb:
    """What a hostile file runs when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("exploded"),)


def test_nothing_in_a_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": torch.zeros(2), "bomb": Bomb()}, "a.pt")
    with pytest.raises(RunError, match="no file of tensors alone"):
        read_weights(Path("a.pt"))
    assert not Path("exploded").exists()


@pytest.mark.parametrize("content", [[torch.zeros(2)], {"weight": 3}])
def test_files_of_other_things_are_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(RunError, match="state_dict"):
        read_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_missing_and_broken_files_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError):
        read_weights(tmp_path / name)
    (tmp_path / name).write_bytes(b"not tensors")
    with pytest.raises(RunError):
        read_weights(tmp_path / name)


def test_the_first_weight_that_differs_is_named() -> None:
    layer = nn.Linear(3, 2)
    refuse_other_weights(layer, held(), ASKED)
    with pytest.raises(ConfigError, match="has no weight"):
        refuse_other_weights(layer, {"bias": torch.zeros(2)}, ASKED)
    with pytest.raises(ConfigError, match=r"has weight of \(5, 3\), and alexnet has \(2, 3\)"):
        refuse_other_weights(layer, {**held(), "weight": torch.zeros(5, 3)}, ASKED)
    with pytest.raises(ConfigError, match="has other, which alexnet has not"):
        refuse_other_weights(layer, {**held(), "other": torch.zeros(1)}, ASKED)


def published(name: str) -> dict[str, torch.Tensor]:
    """What a file of a whole network holds, in no memory."""
    with torch.device("meta"):
        sizes = {key: value.shape for key, value in vision_net(name, 5).state_dict().items()}
    return {key: torch.full((), 0.25).expand(size) for key, size in sizes.items()}


def written(held: dict[str, torch.Tensor], folder: Path, network: str = "alexnet") -> NetworkFile:
    torch.save(held, folder / "a.pt")
    return NetworkFile(network=network, file=str(folder / "a.pt"))


def test_a_file_of_convolutions_alone_is_enough(tmp_path: Path) -> None:
    held = {name: value for name, value in published("alexnet").items() if name.startswith("features.")}
    encoder = network_encoder(written(held, tmp_path))
    assert all((weight == 0.25).all() for weight in encoder.parameters())


def test_a_file_that_lacks_a_convolution_is_refused(tmp_path: Path) -> None:
    held = {name: value for name, value in published("alexnet").items() if name != "features.6.weight"}
    with pytest.raises(ConfigError, match=r"has no features\.6\.weight, so it is no file of alexnet"):
        network_encoder(written(held, tmp_path))


def test_a_file_of_another_network_of_the_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no features\.3\.weight, so it is no file of vgg11"):
        network_encoder(written(published("vgg16"), tmp_path, "vgg11"))
    with pytest.raises(ConfigError, match=r"has features\.0\.weight of \(64, 3, 11, 11\), and vgg11 has"):
        network_encoder(written(published("alexnet"), tmp_path, "vgg11"))


@pytest.mark.parametrize("weights", [True, False])
def test_no_memory_is_taken_for_a_classifier(weights: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dense layers of VGG are nine tenths of it."""
    asked = written(published("alexnet"), tmp_path)

    def refuse(*sizes: int) -> None:
        raise AssertionError(f"a dense layer was made: {sizes}")

    monkeypatch.setattr(nn, "Linear", refuse)
    network_encoder(asked, weights)


def test_a_network_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="there are: alexnet, vgg11"):
        network_encoder(NetworkFile(network="vgg12", file="x.pt"))


def test_a_whole_network_is_read_with_its_classifier(tmp_path: Path) -> None:
    """Random weights under the published names give what the layers give by hand."""
    with torch.device("meta"):
        sizes = {key: value.shape for key, value in vision_net("vgg11-small", 5).state_dict().items()}
    with seeded(0):
        state = {key: 0.05 * torch.randn(size) for key, size in sizes.items()}
        x = y = torch.rand(2, 3, 32, 32)
    save_file(state, tmp_path / "weights.safetensors")
    colours = zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)
    y = torch.stack([(y[:, c] - mean) / deviation for c, (mean, deviation) in enumerate(colours)], 1)
    for block in ((0,), (3,), (6, 8), (11, 13), (16, 18)):
        for n in block:
            y = F.conv2d(y, state[f"features.{n}.weight"], state[f"features.{n}.bias"], padding=1).relu()
        y = F.max_pool2d(y, 2)
    y = y.flatten(1)
    for n in (0, 3, 6):
        y = y @ state[f"classifier.{n}.weight"].T + state[f"classifier.{n}.bias"]
        y = y if n == 6 else y.relu()
    network = whole_network(NetworkFile(network="vgg11-small", file=str(tmp_path / "weights.safetensors")))
    torch.testing.assert_close(network(x).detach(), y, rtol=0, atol=1e-5 * float(y.abs().max()))


def test_a_whole_network_names_the_first_weight_that_differs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has features\.0\.weight of \(64, 3, 11, 11\), and vgg11 has"):
        whole_network(written(published("alexnet"), tmp_path, "vgg11"))
    with pytest.raises(ConfigError, match=r"has classifier\.1\.weight of .*, and alexnet-small has"):
        smaller = {**published("alexnet"), "features.0.weight": torch.zeros(()).expand(64, 3, 5, 5)}
        whole_network(written(smaller, tmp_path, "alexnet-small"))


@pytest.mark.parametrize("text", ["vgg17:w.pt", "nowhere"])
def test_what_is_neither_a_run_nor_a_network_is_refused(text: str) -> None:
    with pytest.raises(RunError, match=rf"(?s)--encoder {text}: .*no run.*NETWORK:FILE.*alexnet, vgg11, vgg13, vgg16"):
        open_encoder(text)


@pytest.mark.parametrize("text", ["vgg16", "vgg16:"])
def test_a_network_without_its_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--encoder vgg16:FILE"):
        open_encoder(text)


def test_a_run_may_be_called_like_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    create_run("vgg16", Settings(model="gone", shape=(4,), config={}, data="digits"))
    with pytest.raises(RunError, match="no whole checkpoint"):
        open_encoder("vgg16")


@pytest.mark.slow
def test_a_model_on_a_networks_file_trains_and_opens_without_it(tmp_path: Path) -> None:
    file, out = tmp_path / "weights.safetensors", tmp_path / "net"
    with seeded(0):
        save_file(vision_net("alexnet", 5).state_dict(), file)
    words = f"train finetuned-classifier --data digits --size 64 --encoder alexnet:{file} --no-fine-tuning --epochs 1"
    assert cli.main([*words.split(), "--out", str(out), "--batch-size", "64"]) == 0
    file.unlink()
    run = open_run(out)
    assert run.settings.encoder == NetworkFile(network="alexnet", file=str(file))
    assert run.load().get_submodule("encoder") is not None
    assert cli.main(["evaluate", str(out), "--measure", "classification"]) == 0


def test_a_file_may_be_of_another_number_of_classes(tmp_path: Path) -> None:
    encoder = network_encoder(written(published("alexnet"), tmp_path))
    assert all((weight == 0.25).all() for weight in encoder.parameters())
