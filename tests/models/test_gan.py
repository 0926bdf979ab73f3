"""The game: who moves what, what its settings do, and a density that it learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
import torch
import torch.nn.functional as F

from untaught.errors import ConfigError, SizeError
from untaught.model import Batch, Example, model_class
from untaught.models.bigan import BiGAN
from untaught.models.conditional_gan import ConditionalGAN
from untaught.models.gan import GAN
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.generator_network import Generator
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train

ONE = torch.ones(())
DENSE = Adversaries(latent=3, generator=(8,), discriminator=(8, 6))


def small(shape: tuple[int, ...] = (1, 5, 6), **game: object) -> GAN:
    with seeded(0):
        return GAN(GAN.Config(networks=DENSE, **game), shape)  # type: ignore[arg-type]


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_each_player_moves_only_its_own_parameters(player: str) -> None:
    """No optimiser holds the other's: gradients that reach them are left where they are."""
    model = small()
    own = [value for name, value in model.named_parameters() if name.startswith(player)]
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimiser = torch.optim.SGD(own, 0.5)
    model.loss(Batch.of(torch.rand(4, 1, 5, 6)), player, ONE).total.backward()
    optimiser.step()
    moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {player}


def test_the_discriminator_costs_the_generator_no_gradient() -> None:
    model = small()
    model.loss(Batch.of(torch.rand(4, 1, 5, 6)), "discriminator", ONE).total.backward()
    assert all(value.grad is None for value in model.generator.parameters())


@pytest.mark.parametrize("model", ["gan", "conditional-gan", "bigan"])
def test_the_discriminator_moves_as_often_as_asked(model: str) -> None:
    cls = model_class(model)
    players = cls(cls.Config(networks=DENSE, updates=3), (1, 5, 6)).stages()[0].learner.players
    assert {name: player.updates for name, player in players.items() if name != "discriminator"}.popitem()[1] == 1
    assert players["discriminator"].updates == 3 and next(iter(players)) == "discriminator"


def test_gradients_of_the_two_losses_oppose_each_other() -> None:
    """Of what is made: the minimax game is of one value, which one player raises and the other lowers."""
    model, x = small(objective="minimax"), torch.rand(4, 1, 5, 6)
    with seeded(1):
        fooled = model.loss(Batch.of(x), "generator", ONE).total
    with seeded(1):
        told = model.loss(Batch.of(x), "discriminator", ONE).total
    real = torch.nn.functional.softplus(-model.judged(x)).mean()
    torch.testing.assert_close(fooled, -(told - real))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 33, 18), (7,)])
def test_any_size_and_colour(shape: tuple[int, ...]) -> None:
    with seeded(0):
        model = GAN(GAN.Config(), shape)
    model.prepare(Batch.of(torch.rand(5, *shape)))
    model.eval()
    assert model.sample(2).shape == (2, *shape)
    assert model.encode(torch.rand(2, *shape)).shape[0] == 2
    assert model.filters().ndim == 4


@pytest.mark.parametrize("kind", [GAN, ConditionalGAN])
def test_features_of_pictures_are_all_layers_of_the_discriminator(kind: type[GAN] | type[ConditionalGAN]) -> None:
    networks = Adversaries(network="convolution", discriminator=(3, 4), generator=(3,))
    model = kind(kind.Config(networks=networks), (1, 16, 16)).eval()
    x = torch.rand(5, 1, 16, 16)
    assert model.encode(x).shape == (5, 16 * 3 + 16 * 4)
    assert torch.equal(model.encode(x), model.discriminator.described(x))


def test_the_fixed_batch_is_of_the_data() -> None:
    """That of virtual normalisation."""
    networks = Adversaries(latent=3, discriminator=(8, 6), discriminator_norm="virtual", reference=2)
    model, x = GAN(GAN.Config(networks=networks), (1, 5, 6)), torch.rand(4, 1, 5, 6)
    model.prepare(Batch.of(x))
    assert torch.equal(model.discriminator.reference.get_buffer("input_0"), x[:2])  # type: ignore[union-attr]


def test_smoothing_lowers_the_targets_of_examples_alone() -> None:
    x = torch.rand(4, 1, 5, 6)
    with seeded(1):
        plain = small().loss(Batch.of(x), "discriminator", ONE).total
    with seeded(1):
        smooth = small(smoothing=0.1).loss(Batch.of(x), "discriminator", ONE).total
    torch.testing.assert_close(smooth - plain, 0.1 * small().judged(x).mean())


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="take dense layers"):
        GAN(GAN.Config(networks=Adversaries(network="convolution")), (7,))
    with pytest.raises(ConfigError, match="maxout units are for dense"):
        GAN(GAN.Config(networks=Adversaries(discriminator_units="maxout")), (1, 20, 20))
    with pytest.raises(ConfigError, match="2 entries for 3 layers"):
        GAN(GAN.Config(networks=Adversaries(dropout=(0.1, 0.2))), (1, 8, 8))
    with pytest.raises(ConfigError, match="start=mean is for dense"):
        GAN(GAN.Config(networks=Adversaries(network="convolution", start="mean")), (1, 20, 20))
    pools = Adversaries(network="convolution", generator=(4,), discriminator=(4, 4, 4))
    with pytest.raises(SizeError, match="nearest size"):
        GAN(GAN.Config(networks=pools), (1, 0, 9))
    with pytest.raises(ConfigError, match="learnt no classes"):
        small().sample(1, 2)


def test_defaults_follow_the_range_of_values() -> None:
    inside, beyond = Batch.of(torch.rand(20, 2)), Batch.of(3 * torch.randn(20, 2))
    assert GAN.usual(Example((2,)), inside).config == {}
    large = GAN.usual(Example((3, 200, 300)), Batch.of(torch.rand(5, 3, 200, 300)))
    assert large.view is not None and large.view.patch == 64
    found = GAN.usual(Example((2,)), beyond)
    assert found.config == {"output": "linear"} and found.view is not None and found.view.standardise == "pixel"


@pytest.mark.parametrize("name", ["gan", "conditional-gan", "feature-matching-gan", "bigan"])
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
def test_samples_begin_at_the_mean_where_asked(name: str, output: Literal["sigmoid", "linear"]) -> None:
    """With the last layer's weights at zero, samples are the mean of the data; dark pixels are as good as dark."""
    cls, x = model_class(name), 3 * torch.rand(40, 1, 5, 6)
    x[:, :, 0], x[:, :, 4] = 0, x.max()
    classes = {} if name in ("gan", "bigan") else {"classes": 2}
    with seeded(0):
        model = cls(cls.Config(networks=replace(DENSE, output=output, start="mean"), **classes), (1, 5, 6))
    model.prepare(replace(Batch.of(x), label=torch.arange(40) % 2))
    generator = model.generator
    assert isinstance(generator, Generator)
    generator.layers[-1].get_parameter("weight").data.zero_()
    made = generator(torch.zeros(2, generator.layers[0].get_parameter("weight").shape[1]))
    torch.testing.assert_close(made, x.mean(0).expand(2, -1, -1, -1), atol=1e-4, rtol=0)
    assert output == "linear" or 0 < made[0, 0, 0].max() < 5e-5


@pytest.mark.slow
def test_it_learns_a_density_on_a_line() -> None:
    """A bump at 1.5 of width 0.5: the mean and the deviation of samples are those of the examples."""
    with seeded(0):
        x = 1.5 + 0.5 * torch.randn(1000, 1)
        networks = Adversaries(latent=2, generator=(32,), discriminator=(32, 32), output="linear")
        model = GAN(GAN.Config(networks=networks), (1,))
    last = train(model, x, Training(epochs=15, learning_rate=4e-3, threads=1, precision="float32"))
    assert "energy_distance" in last.held_out and "value_nats" in last.losses
    with seeded(1):
        drawn = model.sample(2000)
    assert float(drawn.mean()) == pytest.approx(1.5, abs=0.15)
    assert float(drawn.std()) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("name", ["gan", "conditional-gan", "bigan", "feature-matching-gan"])
def test_what_is_told_of_a_game_is_about_examples_and_made_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A discriminator that is right about examples three times in four and about made ones always."""
    cls = model_class(name)
    with seeded(0):
        model = cls(cls.Config(networks=DENSE), (1, 5, 6))
        x = torch.cat([torch.full((3, 1, 5, 6), 0.9), torch.full((1, 1, 5, 6), -0.1)])
    logits = torch.tensor([2.0, 1.0, 3.0, -1.0])
    semi = name == "feature-matching-gan"  # it judges labelled ones too, by one class more than there are
    kinds = [logits, logits, -logits.abs()] if semi else [logits, -logits.abs()]
    every = F.pad(torch.cat(kinds)[:, None], (0, 10), value=-100.0 if semi else 0.0)
    monkeypatch.setattr(model.discriminator, "forward", lambda rows, *beside: every)
    told = model.loss(Batch(x, torch.arange(4)), "discriminator", ONE).parts
    assert float(told["discriminator_accuracy"]) == pytest.approx((3 / 4 + 1) / 2)
    if "value_nats" in told:
        d, made = torch.sigmoid(logits), torch.sigmoid(-logits.abs())
        torch.testing.assert_close(told["value_nats"], d.log().mean() + (1 - made).log().mean())


@pytest.mark.parametrize("name", ["gan", "bigan"])
def test_samples_are_measured_where_the_generator_is(name: str) -> None:
    cls = model_class(name)
    with seeded(0):
        model = cls(cls.Config(networks=DENSE), (2, 5, 6))
    x = torch.rand(4, 2, 5, 6)
    maker = "generator" if name == "gan" else "both"
    assert "energy_distance" not in model.held_out(Batch.of(x), "discriminator").parts
    told = model.held_out(Batch.of(x), maker).parts
    assert "energy_distance" in told
    if isinstance(model, BiGAN):
        error = (model.reconstruct(x) - x).square().sum((1, 2, 3)).mean()
        torch.testing.assert_close(told["squared_error_per_image"], error.detach())


def test_averaging_draws_each_player_to_where_it_has_been() -> None:
    """The penalty beside the loss without it, after the parameters have moved once."""
    x = torch.rand(4, 1, 5, 6)
    for player in ("discriminator", "generator"):
        averaged, plain = small(averaging=3.0), small()
        averaged.loss(Batch.of(x), player, ONE)
        moved = 0.0
        for model in (averaged, plain):
            for value in model.get_submodule(player).parameters():
                value.data += 0.1
                moved += 0.05**2 * value.numel() if model is averaged else 0.0  # half way to the mean of two
        with seeded(2):
            total = averaged.loss(Batch.of(x), player, ONE).total
        with seeded(2):
            torch.testing.assert_close(total - plain.loss(Batch.of(x), player, ONE).total, torch.tensor(3 * moved))
    assert not small().histories
