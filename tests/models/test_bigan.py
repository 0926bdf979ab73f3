"""A game that encodes: losses by their formulas, who moves what, and codes that the generator undoes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from untaught.model import Batch
from untaught.models.bigan import BiGAN
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.energy_distance import energy_distance
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train

ONE = torch.ones(())
SMALL = Adversaries(latent=3, prior="uniform", network="dense", generator=(8,), discriminator=(8, 6))
X = torch.rand(5, 1, 3, 4, generator=torch.Generator().manual_seed(0))


def small(encoder: str = "deterministic") -> BiGAN:
    with seeded(0):
        return BiGAN(BiGAN.Config(networks=SMALL, inference=encoder), (1, 3, 4))  # type: ignore[arg-type]


@pytest.mark.parametrize("encoder", ["deterministic", "stochastic"])
def test_losses_are_their_formulas(encoder: str) -> None:
    model, found = small(encoder), {}
    for player in model.players:
        with seeded(3):
            found[player] = model.loss(Batch.of(X), player, ONE).total
    with seeded(3):
        latent = model.generator.prior(5)
        code = model.coded(X)
    real = torch.sigmoid(model.judged(X, code))
    made = torch.sigmoid(model.judged(model.decode(latent), latent))
    torch.testing.assert_close(found["discriminator"], -real.log().mean() - (1 - made).log().mean())
    torch.testing.assert_close(found["both"], -(1 - real).log().mean() - made.log().mean())
    assert torch.equal(code, model.encode(X)) == (encoder == "deterministic")


@pytest.mark.parametrize(
    ("player", "networks"), [("discriminator", {"discriminator"}), ("both", {"encoder", "generator"})]
)
def test_each_player_moves_only_its_own_parameters(player: str, networks: set[str]) -> None:
    model = small()
    before = {name: value.clone() for name, value in model.named_parameters()}
    own = [value for name, value in model.named_parameters() if name.startswith(model.players[player].prefixes)]
    model.loss(Batch.of(X), player, ONE).total.backward()
    torch.optim.SGD(own, 0.5).step()
    moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == networks


def test_the_discriminator_costs_the_others_no_gradient() -> None:
    model = small()
    model.loss(Batch.of(X), "discriminator", ONE).total.backward()
    others = [*model.encoder.parameters(), *model.generator.parameters()]
    assert all(value.grad is None for value in others)


def test_what_is_held_out_is_told_by_the_player_that_draws() -> None:
    model = small().eval()
    with seeded(5):
        told = model.held_out(Batch.of(X), "both").parts
    with seeded(5), torch.no_grad():
        model.loss(Batch.of(X), "both", ONE)  # draws codes first
        samples = model.decode(model.generator.prior(5))
        errors = [sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) for pair in _rows(X, model.reconstruct(X))]
    assert float(told["energy_distance"]) == pytest.approx(float(energy_distance(X, samples)), abs=1e-6)
    assert float(told["squared_error_per_image"]) == pytest.approx(sum(errors) / 5, rel=1e-5)
    assert set(model.held_out(Batch.of(X), "discriminator").parts) == {"value_nats", "discriminator_accuracy"}


def _rows(x: torch.Tensor, y: torch.Tensor) -> list[tuple[list[float], list[float]]]:
    return list(zip(x.flatten(1).tolist(), y.flatten(1).tolist(), strict=True))


def test_encoder_and_discriminator_see_values_around_0() -> None:
    """Whose codes and fixed batch are of the data."""
    networks = replace(SMALL, discriminator_norm="virtual", reference=2)
    model = BiGAN(BiGAN.Config(networks=networks), (1, 3, 4)).eval()
    torch.testing.assert_close(model.encode(X), model.encoder(2 * X - 1))
    with seeded(4):
        model.prepare(Batch.of(X))
    with seeded(4):
        latent = model.generator.prior(2)
    assert model.discriminator.reference is not None
    assert torch.equal(model.discriminator.reference.get_buffer("input_0"), X[:2])
    assert torch.equal(model.discriminator.reference.get_buffer("input_1"), latent)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 33, 18), (7,)])
def test_any_size_and_colour(shape: tuple[int, ...]) -> None:
    network = "convolution" if shape == (3, 33, 18) else "dense"
    with seeded(0):
        model = BiGAN(BiGAN.Config(networks=Adversaries(latent=5, network=network)), shape).eval()  # type: ignore[arg-type]
    x = torch.rand(2, *shape)
    assert model.encode(x).shape == (2, 5) and model.reconstruct(x).shape == x.shape
    assert model.sample(3).shape == (3, *shape) and model.filters().ndim == 4
    assert model.judged(x, model.encode(x)).shape == (2,)


@pytest.mark.slow
def test_codes_are_undone_by_the_generator() -> None:
    """Points on a line of two clusters, a latent of one number: reconstructions are nearer than another point's."""
    with seeded(0):
        x = torch.where(torch.rand(1000, 1) < 0.5, -1.0, 1.0) + 0.25 * torch.randn(1000, 1)
        networks = Adversaries(latent=1, prior="uniform", output="linear", generator=(32, 32), discriminator=(48, 48))
        model = BiGAN(BiGAN.Config(networks=networks), (1,))
    train(model, x, Training(epochs=30, learning_rate=4e-3, threads=1, precision="float32"))
    with torch.no_grad():
        back = model.reconstruct(x)
        own, other = (back - x).abs().mean(), (back - x.roll(1, 0)).abs().mean()
    assert own < 0.4 * other, (own, other)


@pytest.mark.parametrize(("network", "hidden"), [("dense", (11, 7)), ("convolution", (6, 9))])
def test_the_encoder_has_the_generators_layers_the_other_way_round(network: str, hidden: tuple[int, ...]) -> None:
    networks = Adversaries(latent=3, network=network, generator=hidden, discriminator=(5, 4))  # type: ignore[arg-type]
    with seeded(0):
        model = BiGAN(BiGAN.Config(networks=networks), (1, 16, 16))
    widths = [len(weight) for weight in model.encoder.parameters() if weight.ndim > 1]
    assert widths == [*hidden, 3]


def test_activations_are_those_of_every_layer_of_the_encoder() -> None:
    model = small()
    found = model.activations(X)
    assert list(found) == ["encoder.1", "code"]
    torch.testing.assert_close(model.encoder.layers[1](found["encoder.1"]), found["code"])
