"""Noise and the fully connected layer between a core and a decoder."""

import pytest
import torch

from untaught.errors import ConfigError
from untaught.nn.temporal.between import Between
from untaught.randomness import seeded


@pytest.mark.parametrize("flat", [True, False])
@torch.no_grad()
def test_noise_joins_the_state(flat: bool) -> None:
    """With weights that only copy, the layer shows what it was given: noise from 0 to 1/2, the same at all places."""
    layer = Between(3, (2, 2, 2) if flat else (3, 2, 2), flat, dense=flat, noise=5)
    assert layer.from_noise is not None
    for weight in layer.parameters():
        weight.zero_()
    layer.from_noise.weight[:3, :3] = torch.eye(3)
    with seeded(0):
        found = layer(torch.rand(400, 3) if flat else torch.rand(400, 3, 2, 2)).flatten(1)
    noise = found[:, :3] if flat else found.view(400, 3, 4)[:, :, 0]
    assert 0 <= noise.min() < 0.01 and 0.49 < noise.max() <= 0.5
    assert noise.mean().item() == pytest.approx(0.25, abs=0.02)
    if not flat:
        assert (found.view(400, 3, 4).std(2) == 0).all()


@pytest.mark.parametrize("flat", [True, False])
@torch.no_grad()
def test_one_product_with_state_and_noise(flat: bool) -> None:
    """U h + V z is W [h, z], rectified; z is drawn as the layer draws it."""
    layer = Between(3, (2, 2, 2) if flat else (3, 2, 2), flat, dense=flat, noise=5)
    hidden = torch.randn(7, 3) if flat else torch.randn(7, 3, 2, 2)
    with seeded(1):
        found = layer(hidden)
    with seeded(1):
        z = torch.rand(7, 5) / 2
    assert layer.from_noise is not None
    own = layer.layer.get_parameter("weight")
    both = torch.cat([own.flatten(1), layer.from_noise.weight], 1)
    joined = torch.cat([hidden, z], 1) if flat else torch.cat([hidden, z[..., None, None].expand(-1, -1, 2, 2)], 1)
    product = torch.einsum("oi,ni...->no...", both, joined)
    bias = layer.layer.get_parameter("bias")
    expected = torch.relu(product + (bias if flat else bias[:, None, None]))
    torch.testing.assert_close(found, expected.unflatten(1, (2, 2, 2)) if flat else expected)


@torch.no_grad()
def test_without_noise_the_state_passes() -> None:
    hidden = torch.randn(4, 3, 5, 6)
    assert torch.equal(Between(3, (3, 5, 6), flat=False)(hidden), hidden)
    units = torch.randn(4, 12)
    assert torch.equal(Between(12, (3, 2, 2), flat=True)(units), units.view(4, 3, 2, 2))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((3, (2, 2, 2), False, True, 0), "no use for dense"),
        ((8, (2, 2, 2), True, False, 3), "add --dense"),
        ((7, (2, 2, 2), True, False, 0), "--units 8"),
    ],
)
def test_what_has_no_place_is_refused(arguments: tuple[int, tuple[int, ...], bool, bool, int], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Between(*arguments)
