"""The what-where autoencoder: its loss by hand, switches that matter, unlabelled examples that count."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from untaught.errors import DataError
from untaught.model import Batch
from untaught.models.swwae import SWWAE
from untaught.nn.what_where import Window
from untaught.randomness import seeded

ONE = torch.ones(())
X = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([1, -1, 2, 0, -1])


def small(**config: Any) -> SWWAE:
    own = {"classes": 3, "maps": (3, 4), "units": (6,), "dropout": 0.0, **config}
    with seeded(0):
        net = SWWAE(SWWAE.Config(**own), (1, 8, 8))
        torch.nn.init.normal_(net.output.weight)
    return net


@pytest.mark.parametrize("switches", ["known", "fixed", "averaged", "upsampled"])
def test_loss_is_its_formula(switches: Any) -> None:
    net = small(switches=switches, image=3.0, layers=0.7)
    h1, s1 = Window().pool(net.encoder[0](X).relu())
    h2, s2 = Window().pool(net.encoder[3](h1).relu())
    lower, upper = (net.mirrors.mirrors[n].layers[place].weights for n, place in ((0, "0"), (1, "3")))
    back1 = upper(Window().unpool(h2, (4, 4), switches, s2)).relu()
    back0 = lower(Window().unpool(back1, (8, 8), switches, s1))
    right = net.class_probabilities(X)[[0, 2, 3], [1, 2, 0]]
    wanted = -right.log().mean() + 3 * (back0 - X).square().mean() + 0.7 * (back1 - h1).square().mean()
    loss = net.loss(Batch(X, LABEL), "model", ONE)
    torch.testing.assert_close(loss.total, wanted)
    torch.testing.assert_close(net.reconstruct(X), back0)
    beside = Batch(X, torch.full((5,), -1), beside={"labelled": Batch(X, LABEL)})
    torch.testing.assert_close(net.loss(beside, "model", ONE).total, wanted)


def test_unlabelled_examples_move_the_encoder_through_the_way_back_alone() -> None:
    for image, moves in ((1.0, True), (0.0, False)):
        net = small(image=image, layers=0.0)
        batch = Batch(X, torch.full((5,), -1))
        net.loss(batch, "model", ONE).total.backward()
        grad = net.encoder[0].weight.grad
        assert (grad is not None and bool(grad.any())) == moves


def test_a_step_draws_labelled_examples_beside_all() -> None:
    (stage,) = small().stages()
    assert not stage.stream.labelled and stage.beside["labelled"].labelled


def test_bad_input() -> None:
    with pytest.raises(DataError, match="no example has a label"):
        small().prepare(Batch.of(X))
