"""Convolution stacks against explicit sums, adjoints and published sizes."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import ConfigError, SizeError
from untaught.nn.convolution import Decoder, Encoder, _fitted, _with_kernels
from untaught.nn.dense import BatchNorm
from untaught.nn.sizes import Layer, layers, sizes
from untaught.randomness import seeded

BALLS = layers((32, 32), (3,), (1,), (2,), ("full", "valid"))
FACES = layers((64, 64), (5,), (1,), (3,), ("valid",))
SKIPPED = layers((4, 5, 6), (4,), (2,))
KINDS = list(itertools.product(("full", "same", "valid"), (1, 2, 3, 4, 5), (1, 2, 3), (1, 2, 3)))


def convolved_by_hand(x: Tensor, layer: Layer, weight: Tensor, bias: Tensor) -> Tensor:
    """Every window of the padded frame times the filter, one by one."""
    reach = {"full": layer.kernel - 1, "same": (layer.kernel - 1) // 2, "valid": 0}[layer.padding]
    far = reach + 1 if layer.padding == "same" and layer.kernel % 2 == 0 else reach
    padded = F.pad(x, (reach, far, reach, far))
    tops = range(0, padded.shape[-2] - layer.kernel + 1, layer.stride)
    lefts = range(0, padded.shape[-1] - layer.kernel + 1, layer.stride)
    rows = [
        torch.stack(
            [(padded[:, None, :, t : t + layer.kernel, q : q + layer.kernel] * weight).sum((2, 3, 4)) for q in lefts],
            -1,
        )
        for t in tops
    ]
    return torch.stack(rows, -2) + bias[:, None, None]


@pytest.mark.parametrize(("padding", "kernel", "stride", "pool"), KINDS[::5])
def test_layer_is_the_explicit_sum(padding: str, kernel: int, stride: int, pool: int) -> None:
    layer = Layer(3, kernel, stride, pool, padding)  # type: ignore[arg-type]
    torch.manual_seed(0)
    encoder = Encoder(2, (layer,)).double()
    torch.nn.init.normal_(encoder.downs[0].convolution.bias)
    x = torch.rand(2, 2, 11, 12, dtype=torch.float64)
    convolution = encoder.downs[0].convolution
    expected = convolved_by_hand(x, layer, convolution.weight, convolution.bias).relu()
    height, width = (side // pool for side in expected.shape[-2:])
    windows = expected[..., : height * pool, : width * pool].unflatten(-1, (width, pool)).unflatten(-3, (height, pool))
    assert encoder(x).shape[-2:] == layer.output((11, 12))
    torch.testing.assert_close(encoder(x), windows.amax((-3, -1)))


@pytest.mark.parametrize(("padding", "kernel", "stride"), [kind[:3] for kind in KINDS[::3]])
def test_tied_decoder_is_the_adjoint(padding: str, kernel: int, stride: int) -> None:
    """<y, W x> = <Wᵀ y, x> for every x and y, at an odd size."""
    torch.manual_seed(1)
    stack = (Layer(3, kernel, stride, 1, padding),)  # type: ignore[arg-type]
    encoder = Encoder(2, stack, "linear").double()
    decoder = Decoder(2, stack, tied=encoder).double()
    x = torch.randn(1, 2, 9, 10, dtype=torch.float64)
    y = torch.randn_like(encoder(x))
    torch.testing.assert_close((y * encoder(x)).sum(), (decoder(y, (9, 10)) * x).sum())


@pytest.mark.parametrize(
    ("padding", "kernel", "stride", "pool"),
    [pytest.param(*kind, marks=[pytest.mark.slow] * (number % 4 > 0)) for number, kind in enumerate(KINDS)],
)
def test_mirror_reaches_any_size(padding: str, kernel: int, stride: int, pool: int) -> None:
    stack = layers((4, 5), (kernel,), (stride,), (pool,), (padding,))  # type: ignore[arg-type]
    for size in ((30, 30), (27, 35), (101, 44)):
        try:
            top = sizes(stack, size)[-1]
        except SizeError:
            continue
        x = torch.rand(1, 3, *size)
        maps = Encoder(3, stack)(x)
        assert maps.shape == (1, 5, *top)
        assert Decoder(3, stack)(maps, size).shape == x.shape


def test_published_stacks_have_their_published_sizes() -> None:
    assert sizes(BALLS, (30, 30)) == ((30, 30), (16, 16), (7, 7))
    assert sizes(FACES, (150, 150)) == ((150, 150), (48, 48), (14, 14))


def test_published_decoder_of_faces_needs_no_fitting() -> None:
    """14 -> x3 -> 42 -> 7x7 full -> 48 -> x3 -> 144 -> 7x7 full -> 150, as published."""
    torch.manual_seed(0)
    decoder = Decoder(1, FACES, kernels=(7,))
    features = torch.rand(1, 64, 14, 14)
    low, high = (layer.get_parameter("weight").transpose(0, 1).flip(-2, -1) for layer in decoder.layers)
    middle = F.conv2d(features.repeat_interleave(3, -1).repeat_interleave(3, -2), high, padding=6).relu()
    expected = F.conv2d(middle.repeat_interleave(3, -1).repeat_interleave(3, -2), low, padding=6)
    assert expected.shape == (1, 1, 150, 150)
    torch.testing.assert_close(decoder(features, (150, 150)), expected, rtol=1e-4, atol=1e-4)


def test_too_small_a_frame_names_the_nearest_size() -> None:
    with pytest.raises(SizeError, match=r"15x40 is too small: layer 2 .*\n.* 25x40"):
        sizes(FACES, (15, 40))
    assert sizes(FACES, (25, 40))[-1] == (1, 2)
    with pytest.raises(SizeError, match="5x5 is too small"):
        Encoder(1, FACES)(torch.zeros(1, 1, 5, 5))


def test_lists_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(ConfigError, match="kernels has 2 entries for 3 layers"):
        layers((1, 2, 3), kernels=(3, 3))
    with pytest.raises(ConfigError, match="3 decoder kernels for 2 layers"):
        Decoder(1, BALLS, kernels=(3, 3, 3))
    with pytest.raises(ConfigError, match="tied weights leave no choice"):
        Decoder(1, BALLS, kernels=(5,), tied=Encoder(1, BALLS))


def test_initial_weights_keep_the_variance() -> None:
    """Through four wide layers, mean squares stay within a factor of two of where they began."""
    torch.manual_seed(0)
    stack = layers((64, 64, 64, 64), (3,), (1,))
    x = torch.randn(4, 64, 16, 16)
    maps = Encoder(64, stack)(x)
    assert 0.5 < maps.square().mean() < 2
    linear = Encoder(64, stack, "linear")(x)
    assert 0.5 < linear.square().mean() < 2


def test_batch_normalisation_stands_before_the_activation() -> None:
    torch.manual_seed(0)
    encoder = Encoder(2, layers((6,)), "linear", normalise=True)
    y = encoder(torch.rand(8, 2, 9, 9))
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(6), rtol=0, atol=1e-5)
    torch.testing.assert_close(y.square().mean((0, 2, 3)), torch.ones(6), rtol=0, atol=1e-2)


def test_tied_weights_are_counted_once() -> None:
    encoder = Encoder(1, BALLS)
    decoder = Decoder(1, BALLS, tied=encoder)
    assert sum(weight.numel() for weight in decoder.parameters()) == 32 + 1
    assert sum(weight.numel() for weight in Decoder(1, BALLS).parameters()) == 32 * 32 * 9 + 32 * 9 + 32 + 1


@torch.no_grad()
def test_skips_join_the_maps_of_each_layer_below() -> None:
    """By hand, layer by layer; without those maps, zeros stand in their place."""
    torch.manual_seed(0)
    encoder, decoder = Encoder(2, SKIPPED), Decoder(2, SKIPPED, skips=True)
    x = torch.rand(3, 2, 21, 30)
    maps = encoder.maps(x)
    features = maps[-1]
    for number in (2, 1, 0):
        if number < 2:
            features = torch.cat([features, maps[number]], 1)
        features = decoder.layers[number](features, sizes(SKIPPED, (21, 30))[number])
    torch.testing.assert_close(decoder(maps[-1], (21, 30), maps[:-1]), features)
    nothing = [torch.zeros_like(m) for m in maps[:-1]]
    torch.testing.assert_close(decoder(maps[-1], (21, 30)), decoder(maps[-1], (21, 30), nothing))
    with pytest.raises(ConfigError, match="tied"):
        Decoder(2, SKIPPED, tied=encoder, skips=True)


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (6, 3), (3, 1)])
def test_first_weights_of_the_mirror_preserve_the_variance(kernel: int, stride: int) -> None:
    """A pixel of a transposed convolution is reached by (kernel / stride)^2 weights of each map."""
    with seeded(3):
        stack = layers((40,), kernels=(kernel,), strides=(stride,))
        made = Decoder(6, stack)(torch.randn(3, 40, 20, 20), (20 * stride, 20 * stride))
    inside = made[:, :, 2 * kernel : -2 * kernel, 2 * kernel : -2 * kernel]
    assert inside.std().item() == pytest.approx(1, rel=0.12)


@pytest.mark.parametrize(
    ("size", "rows", "columns"), [((2, 2), [0, 1], [0, 1]), ((4, 5), [0, 1, 2, 2], [0, 1, 2, 3, 3])]
)
def test_maps_are_fitted_by_leaving_out_or_repeating_the_last(
    size: tuple[int, int], rows: list[int], columns: list[int]
) -> None:
    x = torch.arange(12.0).view(1, 1, 3, 4)
    assert torch.equal(_fitted(x, size), x[:, :, rows][:, :, :, columns])


@pytest.mark.parametrize(("kernels", "sides"), [((), [3, 5]), ((7,), [7, 7]), ((2, 9), [2, 9])])
def test_a_decoder_has_kernels_of_its_own_where_asked(kernels: tuple[int, ...], sides: list[int]) -> None:
    stack = layers((4, 6), (3, 5))
    assert [layer.kernel for layer in _with_kernels(stack, kernels)] == sides


def test_one_row_is_normalised_by_running_averages_and_two_by_their_own() -> None:
    layer = BatchNorm(2)
    two = torch.tensor([[0.0, 1.0], [2.0, 5.0]])
    torch.testing.assert_close(layer(two), torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), rtol=0, atol=1e-4)
    mean, variance = layer.running_mean, layer.running_var
    assert mean is not None and variance is not None
    torch.testing.assert_close(layer(two[:1]), (two[:1] - mean) / (variance + layer.eps).sqrt())
