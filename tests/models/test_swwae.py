"""The what-where autoencoder: its loss by hand, switches that matter, unlabelled examples that count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from untaught.errors import DataError
from untaught.model import Batch
from untaught.models.swwae import SWWAE
from untaught.nn.mirrors.pathways import EncoderLayers, pathway_encoder
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


@pytest.mark.parametrize("grid", [0, 1])
@pytest.mark.parametrize("switches", ["known", "fixed", "averaged", "upsampled"])
def test_loss_is_its_formula(switches: Any, grid: int) -> None:
    net, above = small(switches=switches, grid=grid, image=3.0, layers=0.7), Window(4, 4) if grid else Window()
    h1, s1 = Window().pool(net.encoder[0](X).relu())
    h2, s2 = above.pool(net.encoder[3](h1).relu())
    lower, upper = (net.mirrors.mirrors[n].layers[place].weights for n, place in ((0, "0"), (1, "3")))
    back1 = upper(above.unpool(h2, (4, 4), switches, s2)).relu()
    back0 = lower(Window().unpool(back1, (8, 8), switches, s1))
    right = net.class_probabilities(X)[[0, 2, 3], [1, 2, 0]]
    wanted = -right.log().mean() + 3 * (back0 - X).square().mean() + 0.7 * (back1 - h1).square().mean()
    loss = net.loss(Batch(X, LABEL), "model", ONE)
    torch.testing.assert_close(loss.total, wanted)
    torch.testing.assert_close(net.reconstruct(X), back0)
    beside = Batch(X, torch.full((5,), -1), beside={"labelled": Batch(X, LABEL)})
    torch.testing.assert_close(net.loss(beside, "model", ONE).total, wanted)


@pytest.mark.parametrize(
    ("shape", "grid", "maps"),
    [((1, 28, 28), 2, (2, 2)), ((3, 30, 41), 2, (2, 2)), ((3, 30, 41), 3, (3, 4)), ((1, 30, 41), 0, (7, 10)),
     ((1, 5, 4), 2, (1, 1))],
)  # fmt: skip
def test_the_last_pooling_leaves_a_grid(shape: Any, grid: int, maps: tuple[int, int]) -> None:
    network = EncoderLayers(maps=(3, 4), grid=grid, units=())
    encoder = pathway_encoder(shape, network)
    assert encoder[:-1](torch.rand(2, *shape)).shape == (2, 4, *maps)
    assert pathway_encoder(shape, replace(network, units=(5,)))(torch.rand(2, *shape)).shape == (2, 5)


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
