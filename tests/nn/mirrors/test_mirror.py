"""Ways back: shapes of every layer, unpooling by hand, exact inverses, the activation that follows."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import nn

from untaught.nn.mirrors.layer_chain import LayerChain
from untaught.nn.mirrors.mirror import Mirror
from untaught.nn.vision_nets import vision_net
from untaught.nn.what_where import Window
from untaught.randomness import seeded


def test_shapes_come_back_layer_by_layer() -> None:
    net = nn.Sequential(
        nn.Conv2d(2, 3, 5, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2),
    )  # fmt: skip
    chain = LayerChain.of(net, (2, 15, 18))
    trace = chain.run(torch.rand(3, 2, 15, 18))
    for end in chain.names.values():
        for bottom in (0, 3):
            if bottom < end:
                given = Mirror(chain, end, bottom)(trace.values[end], trace.switches)
                assert given.shape == trace.values[bottom].shape


@pytest.mark.parametrize("way", ["known", "fixed"])
def test_it_is_unpooling_and_the_transposed_layers(way: Literal["known", "fixed"]) -> None:
    with seeded(0):
        net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        chain, x = LayerChain.of(net, (1, 8, 8)), torch.rand(2, 1, 8, 8)
        mirror = Mirror(chain, 5, way=way)
    trace = chain.run(x)
    upper, lower = (mirror.layers[name].weights for name in ("2", "0"))
    maps = Window().unpool(trace.values[5], (6, 6), way, trace.switches[4])
    wanted = lower(upper(maps).relu())
    torch.testing.assert_close(mirror(trace.values[5], trace.switches), wanted)
    assert (wanted < 0).any(), "the example has no activation"


def test_known_switches_undo_a_network_that_loses_nothing() -> None:
    """A picture with one bright pixel in each window: pooled, put back by its switches, it is the picture."""
    net = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.MaxPool2d(2))
    nn.init.ones_(net[0].weight)
    chain = LayerChain.of(net, (1, 6, 6))
    with seeded(0):
        what, where = Window().pool(torch.rand(4, 1, 6, 6))
    x = Window().known(what, where, (6, 6))
    trace = chain.run(x)
    errors = {}
    for way in ("known", "fixed"):
        mirror = Mirror(chain, 3, way=way)
        nn.init.ones_(mirror.layers["0"].weights.weight)
        errors[way] = float((mirror(trace.values[3], trace.switches) - x).square().sum().detach())
    assert errors["known"] == 0 < errors["fixed"]


def test_colours_come_back_as_pixels() -> None:
    net = vision_net("alexnet-small", None)
    for channels in (1, 3):
        chain = LayerChain.of(net, (channels, 32, 32))
        colours = Mirror(chain, 1).layers["0"]
        x = torch.rand(2, channels, 32, 32)
        torch.testing.assert_close(colours(net.colours(x), None), x)


def test_a_grey_picture_is_the_mean_of_its_three_colours() -> None:
    net = vision_net("alexnet-small", None)
    grey, x = Mirror(LayerChain.of(net, (1, 32, 32)), 1).layers["0"], torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(grey(net.colours(x), None), x.mean(1, keepdim=True))


@pytest.mark.parametrize(("padding", "size"), [("valid", (7, 3)), ("same", (11, 11))])
def test_padding_by_name_comes_back_to_the_size(padding: str, size: tuple[int, int]) -> None:
    """Dilated filters of 3 x 5, whose reach differs in the two directions."""
    net = nn.Sequential(nn.Conv2d(1, 2, (3, 5), dilation=2, padding=padding))
    chain = LayerChain.of(net, (1, 11, 11))
    end = max(chain.names.values())
    assert chain.run(torch.rand(2, 1, 11, 11)).values[end].shape[2:] == size
    back = Mirror(chain, end, 0)
    trace = chain.run(torch.rand(2, 1, 11, 11))
    assert back(trace.values[end], trace.switches).shape == (2, 1, 11, 11)


def test_weights_back_begin_with_the_variance_of_rectified_units() -> None:
    """Two over the inputs that reach a pixel: with stride 2, a quarter of the filter's places."""
    with seeded(0):
        chain = LayerChain.of(nn.Sequential(nn.Conv2d(8, 64, 4, stride=2, padding=1)), (8, 12, 12))
        back = Mirror(chain, max(chain.names.values()), 0)
    (weight,) = (own.detach() for own in back.parameters() if own.ndim == 4)
    assert float(weight.square().mean()) == pytest.approx(2 / (64 * 16 / 4), rel=0.05)
