"""AlexNet and VGG: published numbers of weights, names that published files have, a forward pass by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.errors import SizeError
from untaught.nn.vision_nets import NAMES, SMALL, Standardising, VisionNet, vision_net
from untaught.randomness import seeded

PUBLISHED = {
    "alexnet": 61_100_840, "vgg11": 132_863_336, "vgg13": 133_047_848, "vgg16": 138_357_544, "vgg19": 143_667_240,
}  # fmt: skip
"""Weights of the networks with 1000 classes."""
CONVOLUTIONS = {
    "alexnet": [0, 3, 6, 8, 10],
    "vgg11": [0, 3, 6, 8, 11, 13, 16, 18],
    "vgg16": [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28],
}
"""Places of the convolutions in files of published weights."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_has_as_many_weights_as_published(name: str) -> None:
    with torch.device("meta"):
        assert sum(weight.numel() for weight in vision_net(name).parameters()) == PUBLISHED[name]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_weights_have_the_names_of_published_files(name: str) -> None:
    with torch.device("meta"):
        keys = vision_net(name).state_dict().keys()
    dense = [1, 4, 6] if name == "alexnet" else [0, 3, 6]
    places = [f"features.{n}" for n in CONVOLUTIONS[name]] + [f"classifier.{n}" for n in dense]
    assert keys == {f"{place}.{kind}" for place in places for kind in ("weight", "bias")}


@pytest.mark.parametrize("name", NAMES)
def test_variants_have_the_names_of_their_originals(name: str) -> None:
    with torch.device("meta"):
        variant, original = vision_net(name, 7), vision_net(name.removesuffix(SMALL).removesuffix("-lrn"), 7)
    assert variant.state_dict().keys() == original.state_dict().keys()


@pytest.mark.parametrize("name", ["alexnet-small", "vgg11-small"])
def test_small_variants_classify_small_pictures(name: str) -> None:
    net = vision_net(name, 7).eval()
    with torch.no_grad():
        maps = net.maps(torch.zeros(2, 3, 32, 32))
        assert maps.shape[2:] == net.pool(maps).shape[2:], "the classifier sees the maps as they are"
        assert net.classifier(maps.flatten(1)).shape == (2, 7)


def test_response_normalisation_is_that_of_2012() -> None:
    """Over five neighbouring maps: a / (2 + 1e-4 sum a^2)^0.75."""
    net = vision_net("alexnet-lrn", None)
    with seeded(0):
        a = 30 * torch.randn(1, 64, 2, 3)
    rectified = a.relu()
    normalised = torch.zeros_like(a)
    for i in range(64):
        square = rectified[:, max(0, i - 2) : i + 3].square().sum(1)
        normalised[:, i] = rectified[:, i] / (2 + 1e-4 * square) ** 0.75
    torch.testing.assert_close(net.features[1](a), normalised)


def small(name: str) -> VisionNet:
    """The convolutions alone, with random weights."""
    with torch.device("meta"):
        net = vision_net(name)
    net.classifier = nn.Sequential()
    net.to_empty(device="cpu")
    net.colours = Standardising()
    with seeded(0), torch.no_grad():
        for weight in net.parameters():
            weight.normal_(0, 0.05)
    return net.eval()


def standardised(x: Tensor) -> Tensor:
    colours = zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)
    return torch.stack([(x[:, c] - mean) / deviation for c, (mean, deviation) in enumerate(colours)], 1)


def alike(a: Tensor, b: Tensor) -> None:
    """The order of sums over thousands of values shows beside the largest of them."""
    torch.testing.assert_close(a, b, rtol=0, atol=1e-5 * float(b.abs().max()))


def test_vgg11_by_hand() -> None:
    net, state = small("vgg11"), small("vgg11").state_dict()
    with seeded(1):
        y = x = torch.rand(2, 3, 48, 40)
    y = standardised(y)
    for block in ((0,), (3,), (6, 8), (11, 13), (16, 18)):
        for n in block:
            y = F.relu(F.conv2d(y, state[f"features.{n}.weight"], state[f"features.{n}.bias"], padding=1))
        y = F.max_pool2d(y, 2)
    alike(net.encode(x), y.mean((2, 3)))


def test_alexnet_by_hand() -> None:
    net, state = small("alexnet"), small("alexnet").state_dict()
    with seeded(1):
        x = torch.rand(2, 3, 70, 64)
    y = standardised(x)
    for n, stride, padding, pooled in (
        (0, 4, 2, True),
        (3, 1, 2, True),
        (6, 1, 1, False),
        (8, 1, 1, False),
        (10, 1, 1, True),
    ):
        weight, bias = state[f"features.{n}.weight"], state[f"features.{n}.bias"]
        y = F.relu(F.conv2d(y, weight, bias, stride=stride, padding=padding))
        y = F.max_pool2d(y, 3, 2) if pooled else y
    alike(net.encode(x), y.mean((2, 3)))


def test_grey_is_shown_in_all_three_colours() -> None:
    net = small("vgg11")
    x = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(net.encode(x), net.encode(x.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("shape", [(3, 31, 40), (2, 40, 40)])
def test_pictures_that_it_cannot_look_at_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SizeError, match="from 32x32"):
        small("vgg11").encode(torch.rand(1, *shape))


@pytest.mark.parametrize("shape", [(64,), (5, 3, 40, 40), (2, 40, 40)])
def test_what_is_no_picture_cannot_be_resized(shape: tuple[int, ...]) -> None:
    with pytest.raises(SizeError, match="grey or colour pictures") as refused:
        small("vgg11").encode(torch.rand(1, *shape))
    assert "resize" not in str(refused.value)


def test_colours_are_standardised_as_published() -> None:
    """The constants stand in the network: above they were put in again, for it was made without memory."""
    with seeded(3):
        x = torch.rand(2, 3, 5, 4)
    torch.testing.assert_close(VisionNet(nn.Sequential(), nn.Sequential(), 1, 1).maps(x), standardised(x))


def test_alexnet_needs_larger_pictures() -> None:
    net = small("alexnet")
    assert net.encode(torch.rand(1, 3, 64, 64)).shape == (1, 256)
    with pytest.raises(SizeError, match="from 64x64"):
        net.encode(torch.rand(1, 3, 63, 64))
