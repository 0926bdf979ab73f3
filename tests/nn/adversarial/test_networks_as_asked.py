"""The networks of a game are those that were asked for: normalisation, halvings, and weights at first."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from untaught.errors import SizeError
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.discriminator_network import Discriminator
from untaught.nn.adversarial.generator_network import Generator
from untaught.nn.adversarial.minibatch import MinibatchFeatures
from untaught.nn.adversarial.patch_discriminator import PatchDiscriminator
from untaught.nn.adversarial.translator_network import TranslatorNetwork
from untaught.nn.adversarial.virtual_norm import VirtualBatchNorm
from untaught.nn.dense import BatchNorm
from untaught.randomness import seeded

PICTURE = (1, 16, 16)


def normalised(network: nn.Module) -> dict[str, int]:
    """How many layers have each kind of normalisation; weight normalisation has directions for weights."""
    kinds = {"batch": (BatchNorm, nn.BatchNorm2d), "virtual": (VirtualBatchNorm,)}
    found = {name: sum(isinstance(one, own) for one in network.modules()) for name, own in kinds.items()}
    found["weight"] = sum(name.endswith("weight.original") for name, _ in network.named_parameters())
    return {name: count for name, count in found.items() if count}


@pytest.mark.parametrize("asked", ["auto", "none", "batch", "virtual", "weight"])
@pytest.mark.parametrize("network", ["dense", "convolution"])
def test_a_discriminator_is_normalised_as_asked(network: str, asked: str) -> None:
    """Neither its first layer nor its output, but by their weights. By default the batch, between convolutions."""
    networks = Adversaries(network=network, discriminator=(4, 5, 6), discriminator_norm=asked, generator=(4,))  # type: ignore[arg-type]
    auto = {"batch": 2} if network == "convolution" else {}
    wanted = {"auto": auto, "none": {}, "batch": {"batch": 2}, "virtual": {"virtual": 2}, "weight": {"weight": 4}}
    assert normalised(Discriminator(networks, PICTURE)) == wanted[asked]


@pytest.mark.parametrize("asked", ["auto", "none", "batch", "virtual"])
@pytest.mark.parametrize("network", ["dense", "convolution"])
def test_a_generator_is_normalised_as_asked(network: str, asked: str) -> None:
    """Every layer but the one that makes the example; a convolutional one has a dense layer at the top."""
    networks = Adversaries(network=network, generator=(4, 5), generator_norm=asked, discriminator=(4,))  # type: ignore[arg-type]
    auto = {"batch": 2} if network == "convolution" else {}
    wanted = {"auto": auto, "none": {}, "batch": {"batch": 2}, "virtual": {"virtual": 2}}
    assert normalised(Generator(networks, PICTURE)) == wanted[asked]


@pytest.mark.parametrize("norm", ["auto", "virtual"])
def test_convolutions_describe_a_picture_by_the_largest_values_of_all_layers(norm: str) -> None:
    """In each of 4 x 4 windows that cover the maps; of maps that are smaller, all values."""
    networks = Adversaries(network="convolution", discriminator=(3, 4, 5), discriminator_norm=norm, reference=6)  # type: ignore[arg-type]
    x = torch.rand(7, 1, 22, 16)
    with seeded(0):
        network = Discriminator(networks, (1, 22, 16))
        if network.reference is not None:
            network.reference.take(torch.rand(6, 1, 22, 16))
    network.eval()
    maps: list[torch.Tensor] = []
    for layer in network.layers:
        layer.register_forward_hook(lambda _, __, given: maps.append(given[-7:]))
    with torch.no_grad():
        found = network.described(x)
    assert [tuple(one.shape[2:]) for one in maps] == [(11, 8), (6, 4), (3, 2)]
    expected = []
    for one, rows, columns in zip(maps, ((2, 5), (1, 3), (1, 1)), ((2, 2), (1, 1), (1, 1)), strict=True):
        (down, tall), (right, wide) = rows, columns
        height, width = min(4, one.shape[2]), min(4, one.shape[3])
        for row in range(height):
            for column in range(width):
                window = one[:, :, down * row : down * row + tall, right * column : right * column + wide]
                assert row < height - 1 or down * row + tall == one.shape[2]
                assert column < width - 1 or right * column + wide == one.shape[3]
                expected.append(window.amax((2, 3)))
    assert torch.equal(found.sort(1).values, torch.cat(expected, 1).sort(1).values)


def test_pictures_of_another_size_have_no_description() -> None:
    network = Discriminator(Adversaries(network="convolution", discriminator=(3, 4)), (1, 16, 16))
    with pytest.raises(SizeError, match="16 x 16, not 16 x 24"):
        network.described(torch.rand(2, 1, 16, 24))


def test_a_dense_discriminator_describes_an_example_by_its_last_layer() -> None:
    with seeded(0):
        network = Discriminator(Adversaries(discriminator=(5, 4)), (9,)).eval()
    x = torch.rand(3, 9)
    assert torch.equal(network.described(x), network.features(x))


def test_bends_of_a_discriminators_units_lie_apart() -> None:
    """Biases are uniform within one over the root of the inputs: of 100, their deviation is 0.1 / sqrt(3)."""
    with seeded(0):
        network = Discriminator(Adversaries(discriminator=(2000,)), (100,))
    bias = network.layers[0].get_parameter("bias").detach()
    assert float(bias.abs().max()) <= 0.1
    assert float(bias.std()) == pytest.approx(0.1 / 3**0.5, rel=0.1)


def test_projections_of_a_batch_begin_as_large_as_its_features() -> None:
    with seeded(0):
        rows = torch.randn(500, 400) @ MinibatchFeatures(400, kernels=50).weight.detach()
    assert float(rows.std()) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    ("shape", "halvings"),
    [((1, 6, 6), 0), ((1, 7, 9), 1), ((3, 16, 64), 2), ((3, 64, 16), 2), ((1, 31, 31), 3), ((1, 200, 200), 3)],
)
def test_a_patch_discriminator_halves_while_four_pixels_are_left(shape: tuple[int, ...], halvings: int) -> None:
    network = PatchDiscriminator(shape, maps=2)
    strides = [layer.convolution.stride[0] for layer in network.layers]  # type: ignore[union-attr,index]
    assert strides == [2] * halvings + [1]
    assert [layer.convolution.out_channels for layer in network.layers] == [2, 4, 8, 16][: halvings + 1]  # type: ignore[union-attr]
    assert network.last.convolution.out_channels == 1


def test_a_translators_output_begins_with_the_variance_of_its_maps() -> None:
    """One over the number of inputs, as a linear layer keeps it; the shortcut begins with less."""
    with seeded(0):
        last = TranslatorNetwork((3, 32, 32), maps=64, blocks=1, shortcut=False).last
    inputs = last.weight[0].numel()
    assert float(last.weight.detach().square().mean()) == pytest.approx(1 / inputs, rel=0.05)
    assert not last.get_parameter("bias").any()
