"""What a training needs is reckoned before it begins, and refused with a size that fits."""

import math

import pytest
import torch
from torch import nn

from untaught.data.reading.arrays import from_array
from untaught.data.source import Source
from untaught.errors import SizeError
from untaught.models.autoencoder import Autoencoder
from untaught.recipe import Recipe
from untaught.runs.settings import Training
from untaught.shapes import Shape
from untaught.training import memory
from untaught.training.fit import fit
from untaught.training.memory import Needs, available, counted, counting_saved, refuse, refuse_weights, weight_bytes

CPU = torch.device("cpu")


def dense(shape: Shape) -> nn.Module:
    return nn.Linear(math.prod(shape), 1000)


def test_adam_keeps_four_numbers_for_each_weight() -> None:
    layer = dense((1, 8, 8))
    optimiser = torch.optim.Adam(layer.parameters(), fused=True)
    layer(torch.ones(1, 64)).sum().backward()
    optimiser.step()
    states = [value for state in optimiser.state.values() for value in state.values() if value.numel() > 1]
    tensors = [*layer.parameters(), *[weight.grad for weight in layer.parameters() if weight.grad is not None], *states]
    assert weight_bytes(counted(layer), ["adam"], averaged=False) == sum(4 * value.numel() for value in tensors)


def test_what_the_backward_pass_keeps_is_counted_once() -> None:
    layer = nn.Linear(10, 20)
    x = torch.ones(5, 10, requires_grad=True)
    with counting_saved(layer) as kept:
        (layer(x).tanh() ** 2).sum()
    # The input, and tanh's result, which the square keeps too.
    assert kept[0] == 4 * (5 * 10 + 5 * 20)


def test_free_memory_is_read() -> None:
    assert 2**28 < available(CPU) < 2**45


def test_weights_that_do_not_fit_are_refused_unbuilt() -> None:
    huge = (3, 20_000, 20_000)
    with pytest.raises(SizeError, match=r"--size \d+x\d+ fits") as refused:
        refuse_weights(dense, huge, Recipe(), CPU)
    side = int(str(refused.value).split("--size ")[1].split("x")[0])
    refuse_weights(dense, (3, side, side), Recipe(), CPU)


def test_a_step_that_does_not_fit_is_refused_with_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda device: 2**30)
    needs = Needs(weights=1000, weight_bytes=16_000, activation_bytes=3 * 2**30, data_bytes=0)
    with pytest.raises(SizeError, match="--size 120x160 fits"):
        refuse(needs, (3, 240, 320), CPU)
    refuse(Needs(1000, 16_000, 2**29, 0), (3, 240, 320), CPU)
    with pytest.raises(SizeError, match="--batch-size"):
        refuse(needs, (400,), CPU)


def source() -> Source:
    return from_array(torch.rand(64, 1, 8, 8))


def test_fit_refuses_before_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda device: 1000)
    model = Autoencoder(Autoencoder.Config(latent=2), (1, 8, 8))
    with pytest.raises(SizeError, match="are free"):
        next(fit(model, source(), Training(epochs=1, device="cpu")))


def test_the_rehearsal_is_about_right() -> None:
    model = Autoencoder(Autoencoder.Config(hidden=(300,), latent=2), (1, 8, 8))
    first = next(fit(model, source(), Training(epochs=1, batch_size=32, precision="float32", device="cpu")))
    assert first.needs is not None
    # Of each example the pixels, the hidden units after their activation, the code, and the error are kept.
    expected = 4 * 32 * (64 + 300 + 2 + 300 + 64)
    assert 0.5 * expected < first.needs.activation_bytes < 3 * expected


def test_an_optimiser_of_its_own_counts() -> None:
    plain = weight_bytes(10, ["adam"], averaged=False)
    assert weight_bytes(10, ["sgd"], averaged=False) < plain < weight_bytes(10, ["adam"], averaged=True)
    assert weight_bytes(10, ["sgd", "adam"], averaged=False) == plain
