"""The discriminator of frames against its equations, written out for one example at a time."""

import math

import pytest
import torch

from untaught.nn.sizes import Layer
from untaught.nn.temporal.discriminator import FrameDiscriminator
from untaught.randomness import seeded


def network() -> FrameDiscriminator:
    with seeded(0):
        return FrameDiscriminator((1, 6, 6), [Layer(2, kernel=3)], units=4, hidden=(5, 3)).double()


def frames(time: int, batch: int = 3) -> torch.Tensor:
    with seeded(1):
        return torch.rand(batch, time, 1, 6, 6, dtype=torch.float64)


@torch.no_grad()
def test_verdict_is_its_equations_for_each_example() -> None:
    model, x = network(), frames(4)
    found = model(x[:, :3], x[:, 3])
    for clip, logits in zip(x, found, strict=True):
        state = None
        for frame in clip[:3]:
            drive = model.core.drive(model.encoder(frame[None]))
            state = model.core.step(drive, model.core.start(drive) if state is None else state)
        assert state is not None
        linear = [layer for layer in (*model.proposed, *model.head) if isinstance(layer, torch.nn.Linear)]
        seen = torch.relu(linear[0](model.encoder(clip[3:4]).flatten(1)))
        u = torch.cat([state[0], seen], 1)
        for layer in linear[1:-1]:
            u = torch.relu(layer(u))
        torch.testing.assert_close(logits, linear[-1](u)[0])


@torch.no_grad()
def test_losses_are_logarithms_of_probabilities() -> None:
    model, x = network(), frames(5, 9)
    context, real, proposed = x[:, :3], x[:, 3], x[:, 4]
    lean = torch.cat([model(context, frame).diff(dim=1) for frame in (real, proposed)]).quantile(0.5)
    model.head[-1].get_parameter("bias")[1] -= lean  # so that half of all are taken for real
    nats, right = model.telling_apart(context, real, proposed)
    expected, told = 0.0, 0
    for frame, kind in ((real, 1), (proposed, 0)):
        for logits in model(context, frame).tolist():
            total = sum(math.exp(value) for value in logits)
            expected -= math.log(math.exp(logits[kind]) / total) / 18
            told += logits[kind] > logits[1 - kind]
    assert nats.item() == pytest.approx(expected)
    assert right.item() == pytest.approx(told / 18)
    assert told != 9  # as many right as wrong would not tell which is which
    fooled = -sum(math.log(math.exp(r) / (math.exp(p) + math.exp(r))) for p, r in model(context, proposed).tolist()) / 9
    assert model.being_fooled(context, proposed).item() == pytest.approx(fooled)


def test_first_weights_are_as_large_as_their_layers_ask() -> None:
    """Glorot and Bengio 2010: uniform between ends of sqrt(6 / (units below + units above)); no biases."""
    with seeded(2):
        model = FrameDiscriminator((1, 6, 6), [Layer(2, kernel=3)], units=40, hidden=(50, 30))
    for layer in (*model.proposed, *model.head):
        if isinstance(layer, torch.nn.Linear):
            end = (6 / sum(layer.weight.shape)) ** 0.5
            assert end * 0.9 < float(layer.weight.detach().abs().max()) <= end
            assert float(layer.weight.detach().std()) == pytest.approx(end / 3**0.5, rel=0.15)
            assert not layer.bias.any()
