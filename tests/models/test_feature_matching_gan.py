"""K + 1 classes: probabilities against a softmax over all of them, the matched features, few labels worth many."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
import torch
import torch.nn.functional as F

from untaught.errors import ConfigError, DataError
from untaught.model import Batch, Example
from untaught.models.feature_matching_gan import FeatureMatchingGAN
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.randomness import seeded

ONE = torch.ones(())
SMALL = Adversaries(latent=3, network="dense", generator=(8,), discriminator=(8, 6))
X = torch.rand(5, 1, 3, 4, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([1, -1, 2, 0, -1])


def small(classes: int = 3, share: float = 0.5) -> FeatureMatchingGAN:
    with seeded(0):
        return FeatureMatchingGAN(FeatureMatchingGAN.Config(networks=SMALL, classes=classes, share=share), (1, 3, 4))


def test_probabilities_are_those_of_a_softmax_with_one_class_more() -> None:
    model = small()
    every = torch.softmax(torch.cat([model.discriminator(X), torch.zeros(5, 1)], 1), 1)
    torch.testing.assert_close(torch.sigmoid(model.being_an_example(X)), 1 - every[:, 3])
    torch.testing.assert_close(model.class_probabilities(X), every[:, :3] / every[:, :3].sum(1, keepdim=True))


def test_loss_of_the_discriminator_is_its_formula() -> None:
    model = small()
    with seeded(3):
        made = model.made(5)
    with seeded(3):
        loss = model.loss(Batch(X, LABEL), "discriminator", ONE).total
    known = model.class_probabilities(X)[[0, 2, 3], [1, 2, 0]].log().mean()
    d_real, d_made = (torch.sigmoid(model.being_an_example(x)) for x in (X, made))
    torch.testing.assert_close(loss, -0.5 * known - 0.5 * (d_real.log().mean() + (1 - d_made).log().mean()))
    beside = Batch(X, torch.full((5,), -1), beside={"labelled": Batch(X, LABEL)})
    with seeded(3):
        torch.testing.assert_close(model.loss(beside, "discriminator", ONE).total, loss)


@pytest.mark.parametrize("norm", ["none", "batch", "virtual", "weight"])
def test_the_loss_of_the_discriminator_judges_each_batch_by_itself(
    norm: Literal["none", "batch", "virtual", "weight"],
) -> None:
    networks = replace(SMALL, discriminator_norm=norm)
    with seeded(0):
        model = FeatureMatchingGAN(FeatureMatchingGAN.Config(networks=networks, classes=3), (1, 3, 4))
        model.prepare(Batch(X, LABEL))
    with seeded(3):
        made = model.made(5)
    with seeded(3):
        beside = Batch(X, torch.full((5,), -1), beside={"labelled": Batch(X[[0, 2, 3]], LABEL[[0, 2, 3]])})
        loss = model.loss(beside, "discriminator", ONE).total
    known = model.discriminator(X[[0, 2, 3]]).log_softmax(1)[[0, 1, 2], [1, 2, 0]].mean()
    real, false = (model.being_an_example(x) for x in (X, made))
    torch.testing.assert_close(loss, -known + 0.5 * (F.softplus(-real).mean() + F.softplus(false).mean()))


def test_generator_matches_mean_features() -> None:
    model = small()
    with seeded(3):
        made = model.made(5)
    with seeded(3):
        loss = model.loss(Batch(X, LABEL), "generator", ONE).total
    apart = [float(model.encode(X)[:, j].mean() - model.encode(made)[:, j].mean()) ** 2 for j in range(6)]
    assert float(loss.detach()) == pytest.approx(sum(apart) / 6, rel=1e-4)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_each_player_moves_only_its_own_parameters(player: str) -> None:
    model = small()
    before = {name: value.clone() for name, value in model.named_parameters()}
    own = [value for name, value in model.named_parameters() if name.startswith(player)]
    model.loss(Batch(X, LABEL), player, ONE).total.backward()
    torch.optim.SGD(own, 0.5).step()
    moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {player}


def test_neither_player_asks_for_gradients_that_nobody_uses() -> None:
    model = small()
    model.loss(Batch(X, LABEL), "discriminator", ONE).total.backward()
    assert all(value.grad is None for value in model.generator.parameters())
    x = X.clone().requires_grad_()
    model.loss(Batch(x, LABEL), "generator", ONE).total.backward()
    assert x.grad is None


def test_settings_are_the_published_ones() -> None:
    recipe, networks = FeatureMatchingGAN.recipe, FeatureMatchingGAN.Config().networks
    assert (recipe.optimiser.learning_rate, recipe.optimiser.betas[0], recipe.batch_size) == (3e-3, 0.5, 100)
    assert (networks.generator, networks.discriminator) == ((500, 500), (1000, 500, 250, 250, 250))
    assert networks.noise == (2 * 0.3, 0.5, 0.5, 0.5, 0.5, 0.5), "values from -1 to 1 where the paper's are from 0 to 1"
    assert networks.discriminator_norm == "weight"


def test_a_step_draws_labelled_examples_beside_all() -> None:
    (stage,) = small().stages()
    assert not stage.stream.labelled and stage.beside["labelled"].labelled
    assert list(stage.learner.players) == ["discriminator", "generator"]


@pytest.mark.slow
def test_unlabelled_clusters_spread_few_labels() -> None:
    """Two crescents of points, four labels each: all points together name more than the labelled ones alone."""
    with seeded(0):
        angle, side = torch.pi * torch.rand(400), torch.arange(400) % 2
        sign = 1.0 - 2.0 * side[:, None]
        x = torch.stack([angle.cos(), angle.sin()], 1) * sign - torch.tensor([0.5, -0.25]) * sign
        x = x + 0.06 * torch.randn(400, 2)
    first = [int((side == y).nonzero()[number, 0]) for y in (0, 1) for number in range(4)]
    known, right = Batch(x[first], side[first]), {}
    networks = Adversaries(latent=2, output="linear", generator=(40,), discriminator=(64, 64))
    for unlabelled in (True, False):
        with seeded(1):
            model = FeatureMatchingGAN(FeatureMatchingGAN.Config(networks=networks, classes=2, share=2.0), (2,))
            moves = {
                name: torch.optim.Adam(model.get_submodule(name).parameters(), lr=3e-3, betas=(0.5, 0.99))
                for name in model.players
            }
            batch = Batch.of(x) if unlabelled else Batch.of(known.x)
            for _ in range(400):
                for player, optimiser in moves.items():
                    model.zero_grad()
                    model.loss(Batch(batch.x, batch.label, beside={"labelled": known}), player, ONE).total.backward()
                    optimiser.step()
        right[unlabelled] = float((model.eval().class_probabilities(x).argmax(1) == side).float().mean())
    assert right[True] > right[False] and right[True] > 0.9, right


def test_bad_input() -> None:
    with pytest.raises(DataError, match="no example has a label"):
        small().prepare(Batch.of(X))
    with pytest.raises(ConfigError, match="conditional-gan does"):
        small().sample(1, 0)
    with pytest.raises(ConfigError, match="others of its batch"):
        FeatureMatchingGAN(FeatureMatchingGAN.Config(networks=Adversaries(minibatch=3)), (7,))


def test_preparing_takes_the_range_of_values_and_both_fixed_batches() -> None:
    networks = Adversaries(
        latent=3,
        network="dense",
        generator=(8,),
        discriminator=(8, 6),
        generator_norm="virtual",
        discriminator_norm="virtual",
        reference=2,
    )
    with seeded(0):
        model = FeatureMatchingGAN(FeatureMatchingGAN.Config(networks=networks, classes=3), (1, 3, 4))
    wide = 5 * X - 2
    model.prepare(Batch(wide, LABEL))
    assert [float(model.generator.outputs.low), float(model.generator.outputs.high)] == [wide.min(), wide.max()]
    assert torch.equal(model.discriminator.reference.get_buffer("input_0"), wide[:2])  # type: ignore[union-attr]
    assert float(model.generator.reference.get_buffer("input_0").abs().sum()) > 0  # type: ignore[union-attr]


def test_defaults_follow_the_range_of_values() -> None:
    found = FeatureMatchingGAN.usual(Example((2,)), Batch.of(3 * torch.randn(20, 2)))
    assert found.config == {"output": "linear"} and found.view is not None and found.view.standardise == "pixel"
