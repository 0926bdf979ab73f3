"""Inversion: losses by hand, a network that stays as it is, where information is lost, the command and its picture."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from untaught import cli, invert
from untaught.errors import ConfigError, DataError
from untaught.inversion.inverted import Inversion
from untaught.inversion.inverted_layers import InvertedLayer, Quality, markdown
from untaught.inversion.ways_back import WAYS, WaysBack
from untaught.model import Batch, View
from untaught.models.pgn import PGN
from untaught.nn.vision_nets import vision_net
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.shapes import Example

ONE = torch.ones(())
SHAPE = (1, 8, 8)
X = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(0))


def network() -> nn.Sequential:
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(96, 12), nn.ReLU(), nn.Dropout(),
        )  # fmt: skip


def ways(*layers: str) -> WaysBack:
    with seeded(1):
        return WaysBack(network(), Example(SHAPE), layers or ("all",), View())


def test_loss_is_the_sum_over_decoders() -> None:
    own = ways().train()
    net = network().eval()
    conv = net[:3](X)
    pool = net[3](conv)
    made: list[Tensor] = []
    where = nn.functional.max_pool2d(conv, 2, return_indices=True)[1]
    trace = {3: where}
    for name, value in (("conv1_1", conv), ("pool1", pool), ("fc2", net[4:](pool))):
        made += [own.enlarging[name](value), own.mirrors[f"{name} known"](value, trace)]
        if name != "conv1_1":
            made.append(own.mirrors[f"{name} fixed"](value, trace))
    wanted = torch.stack([(one - X).square().mean() for one in made]).sum()
    torch.testing.assert_close(own.loss(Batch.of(X), "model", ONE).total, wanted)


def test_the_network_is_copied_and_does_not_move() -> None:
    net = network()
    before = copy.deepcopy(net.state_dict())
    found = invert(net, X.repeat(20, 1, 1, 1), training=Training(epochs=3, threads=1))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(weight.requires_grad for weight in net.parameters()) and net.training
    assert [layer.name for layer in found.layers] == ["conv1_1", "pool1", "fc2"]
    assert found.same == ("conv1_1",)
    assert found.layers[0].lost_to_pooling == 0, "no pooling lies below"


def test_below_pooling_both_mirrors_are_one() -> None:
    own = ways("conv1_1", "pool1")
    assert torch.equal(own.back(X, "conv1_1", "known"), own.back(X, "conv1_1", "fixed"))
    assert not torch.equal(own.back(X, "pool1", "known"), own.back(X, "pool1", "fixed"))


def test_a_search_knows_only_what_the_layer_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins at the start, not at the pictures, and is to reach what the frozen network gives of them."""
    asked: list[Any] = []
    monkeypatch.setattr("untaught.inversion.ways_back.search_input", lambda *given: asked.extend(given) or given[2])
    own, start = ways("pool1"), torch.full((1, *SHAPE), 0.3)
    assert torch.equal(own.searched(X, "pool1", start, -1.0, 2.0), start.expand_as(X))
    forward, wanted, _, *bounds = asked
    torch.testing.assert_close(wanted, network().eval()[:4](X))
    assert torch.equal(forward(X), wanted) and bounds == [-1.0, 2.0]


def test_where_information_is_lost() -> None:
    errors = {"fixed": 5.0, "known": 2.0, "upconvolution": 3.0, "searched": 4.0}
    layer = InvertedLayer("pool1", 7, {way: Quality(errors[way], 1.0, 0.5) for way in WAYS})
    assert (layer.lost_to_filters, layer.lost_to_pooling) == (2.0, 3.0)
    page = markdown([layer], "about", 10, 8)
    assert "| pool1 | 2.0 | 3.0 |" in page and "| pool1 | 7 | 5.0 / 1.0 / 0.50 |" in page


def test_quality_of_a_copy() -> None:
    assert vars(Quality.of(X, X)) == {
        "squared_error_per_image": 0.0, "psnr_db": pytest.approx(100), "ssim": pytest.approx(1),
    }  # fmt: skip


def test_picture_has_a_row_for_each_layer() -> None:
    back = {name: dict.fromkeys(WAYS, X) for name in ("conv1_1", "pool1")}
    sheet = Inversion((), X, back, 6, ("conv1_1",)).picture
    fewer = Inversion((), X, {"pool1": dict.fromkeys(WAYS, X)}, 6, ()).picture
    assert sheet.shape[0] > 84 * 2 and sheet.shape[0] > fewer.shape[0] and sheet.shape[1] > 84 * 15


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match="no layer is called 'pool7'; there are: conv1_1, pool1, fc2"):
        ways("pool7")
    with pytest.raises(ConfigError, match="pgn is no chain of layers that could be inverted; it has: "):
        invert(PGN(PGN.smoke.config, PGN.smoke.example), X)
    with pytest.raises(DataError, match="has vectors"):
        invert(nn.Sequential(nn.Linear(4, 2)), torch.rand(8, 4))


def weights(folder: Path) -> Path:
    """A file of a small AlexNet."""
    with seeded(0):
        net = vision_net("alexnet-small", 3)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


@pytest.mark.slow
def test_a_file_of_weights_is_inverted_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = weights(tmp_path), tmp_path / "out"
    words = f"invert alexnet-small:{file} --data digits --size 32 --epochs 0.02 --threads 1 --layers conv1_1,pool1"
    assert cli.main([*words.split(), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [layer["layer"] for layer in told["layers"]] == ["conv1_1", "pool1"]
    assert json.loads((out / "inversion.json").read_text())["layers"] == told["layers"]
    assert Image.open(out / "inversion.png").width > 1000 and "pool1" in (out / "inversion.md").read_text()


def test_the_command_refuses_what_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = weights(tmp_path), tmp_path / "out"
    for words, said in (
        (f"alexnet-small:{file}", "give --data"),
        ("alexnet-small --data digits", "name the file of its weights too, alexnet-small:FILE"),
        ("vgg17:w.pt --data digits", "NETWORK:FILE; there are: alexnet, vgg11"),
        (f"vgg11-small:{file} --data digits --size 32", "has features.0.weight of (64, 3, 5, 5), and vgg11-small has"),
        (f"alexnet-small:{file} --data digits", "looks at pictures from 32x32, not at 1x8x8; resize them"),
        (
            f"alexnet-small:{file} --data digits --size 32 --layers pool9",
            "no layer is called 'pool9'; there are: conv1",
        ),
    ):
        assert cli.main(["invert", *words.split(), "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
        assert not out.exists()
