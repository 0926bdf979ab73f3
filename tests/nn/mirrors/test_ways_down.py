"""Ways back that know no mirror: enlarging to any size, and a search for the input."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from untaught.nn.coders import Coders
from untaught.nn.mirrors.input_search import mismatch, search_input, total_variation
from untaught.nn.mirrors.layer_chain import LayerChain
from untaught.nn.mirrors.mirror import Mirror
from untaught.nn.mirrors.plain_layers import plain
from untaught.nn.mirrors.upconvolution import UpConvolution
from untaught.randomness import seeded


@pytest.mark.parametrize("shape", [(3, 20, 30), (1, 5, 7)])
@pytest.mark.parametrize("given", [(6,), (40, 3, 4), (4, 20, 30)])
def test_enlarging_reaches_any_size(given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    assert UpConvolution(given, shape)(torch.rand(2, *given)).shape == (2, *shape)


def test_enlarging_doubles_until_it_is_large_enough() -> None:
    """Maps are halved each time, from 128 at most to 16 at least; a vector becomes an eighth of the size."""
    made = UpConvolution((300, 4, 4), (3, 13, 30))
    sizes = [tuple(layer.size) for layer in made.layers if isinstance(layer, nn.Upsample)]  # type: ignore[arg-type]
    widths = [layer.out_channels for layer in made.layers if isinstance(layer, nn.Conv2d)]
    assert sizes == [(8, 8), (13, 16), (13, 30)] and widths == [128, 64, 32, 16, 3]
    assert UpConvolution((7,), (1, 20, 33)).entry(torch.rand(2, 7)).shape == (2, 64, 3, 5)


def test_a_step_of_the_search_goes_down_the_slope_and_stays_in_the_range() -> None:
    """Adam's first step is a twentieth of the range, against the sign of the gradient of equation (1)."""
    with seeded(2):
        layer, start = nn.Linear(12, 5), torch.rand(2, 1, 3, 4) * 0.2 + 0.85

    def network(x: torch.Tensor) -> torch.Tensor:
        return layer(x.flatten(1))

    with torch.no_grad():
        wanted = network(torch.full_like(start, 0.4))
    y = start.clone().requires_grad_()
    apart = (network(y) - wanted).square().sum(1) / wanted.square().sum(1)
    variation = [(one[:, :, 1:] - one[:, :, :-1]).abs().mean() + (one[:, 1:] - one[:, :-1]).abs().mean() for one in y]
    (slope,) = torch.autograd.grad((apart + 0.05 * torch.stack(variation) / 3).sum(), y)
    expected = (start - 0.15 * slope.sign()).clamp(-2, 1)
    torch.testing.assert_close(search_input(network, wanted, start, -2, 1, steps=1), expected)
    assert (expected == 1).any() and (expected < 1).any()
    still = search_input(lambda x: 0 * x, torch.zeros(2, 1, 3, 4), start, -2, 1, steps=1)
    assert torch.isfinite(still).all(), "a layer that said nothing has no size to divide by"


def test_terms_of_the_search_are_their_formulas() -> None:
    y = torch.tensor([[[[0.0, 1.0], [4.0, 2.0]]]])
    assert total_variation(y).tolist() == [(1 + 2) / 2 + (4 + 1) / 2]
    given, wanted = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])
    assert mismatch(given, wanted).tolist() == [5 / 16]


def test_search_finds_what_a_layer_tells_and_leaves_the_rest_where_it_began() -> None:
    """A layer that sees the left half alone."""
    with seeded(0):
        x = torch.rand(2, 1, 4, 6) * 0.5 + 0.25
    start = torch.full_like(x, 0.1)
    found = search_input(lambda y: y[..., :3], x[..., :3], start, 0, 1, 300)
    assert float((found - x)[..., :3].abs().max()) < 0.06
    assert float((found - x)[..., 4:].abs().mean()) > 3 * float((found - x)[..., :3].abs().mean())
    assert float(found.min()) >= 0 and float(found.max()) <= 1


@pytest.mark.parametrize(
    "coders",
    [
        Coders(latent=4, network="dense", hidden=(6, 5), activation="tanh", normalise=True),
        Coders(latent=4, network="convolution", hidden=(3, 4), pool=2, kernel=3, stride=1),
        Coders(latent=4, network="convolution", hidden=(3, 5)),
    ],
)
def test_our_own_stacks_are_chains(coders: Coders) -> None:
    """Layers written as torch's give the same, and a mirror of them gives pictures back."""
    with seeded(0):
        encoder = coders.build((1, 9, 11), code="relu")[0].eval()
        x = torch.rand(3, 1, 9, 11)
    chain = LayerChain.of(encoder, (1, 9, 11))
    trace = chain.run(x)
    torch.testing.assert_close(trace.values[-1], encoder(x))
    assert Mirror(chain, len(chain.steps))(trace.values[-1], trace.switches).shape == x.shape
    assert {id(w) for step in chain.steps for w in step.module.parameters()} == {id(w) for w in encoder.parameters()}


def test_what_is_torchs_stays_as_it_is() -> None:
    layer = nn.Conv2d(1, 1, 1)
    assert plain(layer) == [layer]


@pytest.mark.parametrize("side", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_gradients_in_reduced_precision_are_those_in_full(side: int) -> None:
    """Filters that reached beyond all padding had gradients of whatever stood in the memory."""
    with seeded(0):
        network, x = UpConvolution((128, side, side), (1, 4 * side, 4 * side)), torch.rand(32, 128, side, side)
    network(x).square().mean().backward()
    first = network.layers[0].get_parameter("weight")
    wanted = first.grad
    network.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = network(x)
    made.float().square().mean().backward()
    assert wanted is not None and first.grad is not None and bool((wanted != 0).flatten(2).any(1).all())
    assert torch.allclose(first.grad, wanted, atol=0.05 * float(wanted.abs().max()))
