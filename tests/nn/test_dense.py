"""Fully connected stacks and their mirrors against products written out, and the pairs that models build."""

import math
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from untaught.errors import ConfigError, SizeError
from untaught.nn.coders import Coders, ConvolutionEncoder, first_weights, outputs
from untaught.nn.dense import BatchNorm, Decoder, Encoder
from untaught.randomness import seeded

WIDTHS = (7, 5, 4, 3)


def pair(tied: bool = False, activation: str = "tanh", normalise: bool = False) -> tuple[Encoder, Decoder]:
    """An encoder and its mirror in float64, with biases that matter."""
    with seeded(0):
        encoder = Encoder(WIDTHS, activation, normalise).double()  # type: ignore[arg-type]
        decoder = Decoder(WIDTHS, activation, normalise, encoder if tied else None).double()  # type: ignore[arg-type]
        for layer in (*encoder.chain, *decoder.chain):
            nn.init.normal_(layer.bias)
    return encoder, decoder


def data(count: int = 6, width: int = 7) -> Tensor:
    with seeded(1):
        return torch.randn(count, width, dtype=torch.float64)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "linear"])
def test_encoder_is_the_explicit_sum(activation: str) -> None:
    """Every unit is a sum over the units below, one by one; the code is linear."""
    apply = {"relu": lambda a: max(a, 0.0), "sigmoid": lambda a: 1 / (1 + math.exp(-a)), "tanh": math.tanh}
    encoder, _ = pair(activation=activation)
    for x, code in zip(data(), encoder(data()), strict=True):
        values = x.tolist()
        for number, layer in enumerate(encoder.chain):
            rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
            values = [sum(w * v for w, v in zip(row, values, strict=True)) + bias for row, bias in rows]
            if number < 2 and activation != "linear":
                values = [apply[activation](value) for value in values]
        assert values == pytest.approx(code.tolist())


def test_decoder_has_the_mirrored_shapes() -> None:
    encoder, decoder = pair()
    below, above = ([layer.weight.shape for layer in stack.chain] for stack in (encoder, decoder))
    assert above == [shape[::-1] for shape in reversed(below)]
    assert decoder(encoder(data())).shape == data().shape


def test_tied_decoder_uses_the_transposed_weights() -> None:
    encoder, decoder = pair(tied=True)
    values = data(width=3)
    expected = values
    for number, (layer, mirror) in enumerate(zip(encoder.chain[::-1], decoder.chain, strict=True)):
        expected = expected @ layer.weight + mirror.bias
        expected = expected.tanh() if number < 2 else expected
    torch.testing.assert_close(decoder(values), expected)


def test_tied_weights_are_counted_once_and_follow_the_encoder() -> None:
    encoder, decoder = pair(tied=True)
    assert {name.rsplit(".", 1)[-1] for name, _ in decoder.named_parameters()} == {"bias"}
    before = decoder(data(width=3))
    with torch.no_grad():
        encoder.chain[0].weight.mul_(2)
    assert not torch.allclose(decoder(data(width=3)), before)


def test_initial_weights_keep_the_variance() -> None:
    with seeded(2):
        x = torch.randn(500, 300)
        for activation in ("relu", "linear"):
            code = Encoder((300,) * 5, activation)(x)  # type: ignore[arg-type]
            assert 0.5 < code.square().mean() < 1.5


def test_batch_normalisation_stands_before_the_activation() -> None:
    encoder, _ = pair(activation="linear", normalise=True)
    hidden = encoder.chain[0](data(50))
    torch.testing.assert_close(hidden.mean(0), torch.zeros(5, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(hidden.std(0, correction=0), torch.ones(5, dtype=torch.float64), rtol=1e-3, atol=0)


def test_the_code_is_not_normalised() -> None:
    encoder, decoder = pair(normalise=True)
    kinds = [type(layer.norm) for layer in (*encoder.chain, *decoder.chain)]
    assert kinds == [BatchNorm, BatchNorm, nn.Identity] * 2


def test_one_example_is_normalised_by_the_running_averages() -> None:
    norm = BatchNorm(3)
    x = data(1, 3).float()
    torch.testing.assert_close(norm.train()(x), norm.eval()(x))
    assert not torch.allclose(norm.train()(data(9, 3).float()), norm.eval()(data(9, 3).float()))


@pytest.mark.parametrize(
    ("shape", "convolutional"),
    [((1, 8, 8), False), ((3, 32, 32), False), ((64,), False), ((10_000,), False), ((3, 48, 48), True)],
)
def test_auto_takes_convolutions_for_large_pictures_only(shape: tuple[int, ...], convolutional: bool) -> None:
    assert Coders().convolutional(shape) == convolutional


@pytest.mark.parametrize(
    ("size", "maps"),
    [
        ((4, 4), [32]),
        ((8, 8), [32]),
        ((28, 28), [32, 64]),
        ((64, 48), [32, 64, 128]),
        ((300, 200), [32, 64, 128, 256, 256]),
    ],
)
def test_default_convolutions_leave_four_pixels(size: tuple[int, int], maps: list[int]) -> None:
    stack = Coders(network="convolution").stack((3, *size))
    assert [layer.filters for layer in stack] == maps


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 33, 47), (2, 50, 21)])
def test_convolutional_pair_fits_any_size(shape: tuple[int, int, int], pool: int, tied: bool) -> None:
    coders = Coders(latent=6, network="convolution", hidden=(4, 5), kernel=3, stride=2, pool=pool, tied=tied)
    encoder, decoder = coders.build(shape)
    code = encoder(torch.rand(2, *shape))
    assert code.shape == (2, 6)
    assert decoder(code).shape == (2, *shape)
    weights = [name for name, _ in decoder.named_parameters() if name.endswith("weight")]
    assert (not weights) == tied


def test_convolutional_code_is_the_adjoint_when_tied() -> None:
    """<code, E x> = <D code, x> for linear layers without biases, which are zero at first."""
    coders = Coders(latent=4, network="convolution", hidden=(3, 5), kernel=3, activation="linear", tied=True)
    with seeded(3):
        encoder, decoder = (network.double() for network in coders.build((2, 9, 11)))
        x, code = torch.randn(1, 2, 9, 11, dtype=torch.float64), torch.randn(1, 4, dtype=torch.float64)
    torch.testing.assert_close((code * encoder(x)).sum(), (decoder(code) * x).sum())


def test_pictures_too_small_for_convolutions_name_a_size() -> None:
    with pytest.raises(SizeError, match="3x9 is too small.*\n.*nearest size that works is 4x9"):
        Coders(network="convolution", hidden=(4, 4), pool=2, stride=1).build((1, 3, 9))


def test_convolutions_of_vectors_are_refused() -> None:
    with pytest.raises(ConfigError, match="vectors of 64"):
        Coders(network="convolution").build((64,))
    with pytest.raises(ConfigError, match="hidden is empty"):
        Coders(network="convolution", hidden=()).build((1, 8, 8))


@pytest.mark.parametrize("network", ["dense", "convolution"])
def test_outputs_are_those_of_every_layer(network: Literal["dense", "convolution"]) -> None:
    encoder, decoder = Coders(latent=3, network=network, hidden=(6, 5)).build((1, 12, 12))
    x = torch.rand(2, 1, 12, 12)
    found = outputs(encoder, x)
    assert torch.equal(found[-1], encoder(x))
    if isinstance(encoder, ConvolutionEncoder):
        assert all(torch.equal(mine, maps) for mine, maps in zip(found, encoder.maps.maps(x), strict=False))
    back = outputs(decoder, found[-1])
    assert len(found) == len(back) == 3
    assert torch.equal(back[-1].reshape(2, 1, 12, 12), decoder(found[-1]))


def test_first_weights_are_those_of_the_first_layer() -> None:
    dense, _ = Coders(network="dense", hidden=(7,)).build((3, 4, 5))
    assert torch.equal(first_weights(dense, (3, 4, 5)).flatten(1), dense.get_parameter("layers.0.weight"))
    maps, _ = Coders(network="convolution", hidden=(7,)).build((3, 8, 8))
    assert first_weights(maps, (3, 8, 8)).shape == (7, 3, 4, 4)
    assert first_weights(Coders(hidden=(7,)).build((9,))[0], (9,)).shape == (7, 1, 1, 9)
    with pytest.raises(ConfigError, match="neither a convolution nor"):
        first_weights(nn.Flatten(), (3, 4, 5))
