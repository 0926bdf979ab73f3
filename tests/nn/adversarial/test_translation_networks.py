"""Networks of games between two kinds of pictures: sizes, normalisation, and the pool against a loop."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from untaught.errors import SizeError
from untaught.nn.adversarial.patch_discriminator import PatchDiscriminator
from untaught.nn.adversarial.picture_pool import PicturePool
from untaught.nn.adversarial.translator_network import TranslatorNetwork
from untaught.randomness import seeded


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 8, 8), (3, 16, 21), (1, 28, 28), (4, 33, 70)])
def test_pictures_of_any_size_come_out_as_large(shape: tuple[int, ...]) -> None:
    network = TranslatorNetwork(shape, maps=2, blocks=1)
    x = torch.rand(2, *shape)
    made = network(x).detach()
    assert made.shape == x.shape and float(made.min()) >= 0 and float(made.max()) <= 1
    assert PatchDiscriminator(shape, maps=2)(x).shape[0] == 2


def test_linear_outputs_leave_the_range() -> None:
    with seeded(0):
        made = TranslatorNetwork((1, 8, 8), 4, 1, output="linear")(3 * torch.randn(8, 1, 8, 8)).detach()
    assert float(made.min()) < 0 and float(made.max()) > 1


@pytest.mark.parametrize(
    ("shape", "halvings", "told"),
    [((1, 3, 9), None, "nearest size that works is 4x9"), ((1, 8, 12), 3, "nearest size that works is 16x16")],
)
def test_small_pictures_are_refused(shape: tuple[int, ...], halvings: int | None, told: str) -> None:
    with pytest.raises(SizeError, match=told):
        TranslatorNetwork(shape, 2, 1, halvings)


def test_a_logit_of_a_large_picture_sees_a_patch_of_seventy_pixels() -> None:
    """Of one logit the gradient reaches 70 x 70 pixels, as published, where normalisation carries nothing further."""
    network = PatchDiscriminator((1, 256, 256), maps=1)
    for layer in network.layers:
        layer.norm = torch.nn.Identity()
    x = torch.rand(1, 1, 256, 256, requires_grad=True)
    logits = network(x)
    logits[0, logits.shape[1] // 2, logits.shape[2] // 2].backward()
    assert x.grad is not None
    rows = x.grad[0, 0].abs().sum(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70


def by_a_loop(kept: list[Tensor], size: int, made: Tensor, coins: list[bool], places: list[int]) -> Tensor:
    """The pool as its paper has it, one picture after the other."""
    given = []
    for number, one in enumerate(made):
        if number >= size:
            given.append(one)
        elif len(kept) < size:
            kept.append(one)
            given.append(one)
        elif coins[number]:
            given.append(kept[places[number]])
            kept[places[number]] = one
        else:
            given.append(one)
    return torch.stack(given)


def test_the_pool_is_that_of_a_loop() -> None:
    size, batch = 6, 3
    pool, kept = PicturePool(size, (1, 2, 2)), list[Tensor]()
    for step in range(8):
        made = torch.full((batch, 1, 2, 2), float(step)) + torch.arange(batch).view(-1, 1, 1, 1) / 10
        with seeded(step):
            places = torch.rand(size).argsort()[:batch].tolist()
            coins = (torch.rand(batch) < 0.5).tolist()
        with seeded(step):
            given = pool(made)
        assert torch.equal(given, by_a_loop(kept, size, made, coins, places)), f"step {step}"
        assert torch.equal(pool.kept[: len(kept)], torch.stack(kept))


@pytest.mark.parametrize("size", [0, 2])
def test_what_does_not_fit_passes_through(size: int) -> None:
    made = torch.rand(5, 1, 2, 2)
    assert torch.equal(PicturePool(size, (1, 2, 2))(made), made)


def test_the_pool_waits_for_no_value() -> None:
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        PicturePool(4, (1, 2, 2))(mode.from_tensor(torch.rand(3, 1, 2, 2)))


def normalised(maps: Tensor) -> Tensor:
    """Each map of each picture by its own mean and deviation."""
    mean, spread = maps.mean((2, 3), keepdim=True), maps.var((2, 3), correction=0, keepdim=True).add(1e-5).sqrt()
    return (maps - mean) / spread


@pytest.mark.parametrize("shortcut", [True, False])
@torch.no_grad()
def test_a_translator_by_hand(shortcut: bool) -> None:
    """Down, a block that adds to what it is given, up by repeated values."""
    with seeded(0):
        network, x = (
            TranslatorNetwork((1, 8, 6), maps=2, blocks=1, halvings=1, shortcut=shortcut),
            torch.rand(3, 1, 8, 6),
        )
    (down,), (block,), (up,) = network.down, network.blocks, network.up
    weights = [one.convolution.weight for one in (network.first, down, block.inner, block.outer, up)]  # type: ignore[union-attr]
    h = normalised(F.conv2d(2 * x - 1, weights[0], padding=3)).relu()
    h = normalised(F.conv2d(h, weights[1], stride=2, padding=1)).relu()
    inner = normalised(F.conv2d(h, weights[2], padding=1)).relu()
    h = h + normalised(F.conv2d(inner, weights[3], padding=1))
    h = normalised(F.conv2d(h.repeat_interleave(2, 2).repeat_interleave(2, 3), weights[4], padding=1)).relu()
    added = F.conv2d(h, network.last.weight, network.last.bias, padding=3)
    torch.testing.assert_close(network(x), (added + (4 * x - 2) * shortcut).sigmoid())


@pytest.mark.parametrize("output", ["sigmoid", "linear"])
@torch.no_grad()
def test_with_the_shortcut_a_translator_begins_by_changing_little(output: str) -> None:
    with seeded(0):
        x = torch.rand(4, 1, 12, 12)
        made, plain = (TranslatorNetwork((1, 12, 12), 4, 1, output=output, shortcut=own)(x) for own in (True, False))  # type: ignore[arg-type]
    assert (made - x).abs().mean() < 0.1 < (plain - x).abs().mean()


@torch.no_grad()
def test_a_patch_discriminator_by_hand() -> None:
    """All layers but the first and the last are normalised; units are leaky."""
    with seeded(0):
        network, x = PatchDiscriminator((1, 16, 12), maps=2), torch.rand(3, 1, 16, 12)
    found = network(x)
    h = 2 * x - 1
    for number, layer in enumerate(network.layers):
        layer.norm, layer.activate = torch.nn.Identity(), torch.nn.Identity()  # what is left is a padded convolution
        h = normalised(layer(h)) if number else layer(h)
        h = torch.where(h > 0, h, 0.2 * h)
    torch.testing.assert_close(found, network.last(h)[:, 0])
