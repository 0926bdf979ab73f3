"""A class on demand: the class decides what is drawn, from the command too; without labels it is refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from untaught import cli, open_data, open_run
from untaught.data.reading.arrays import from_array
from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.conditional_gan import ConditionalGAN
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.energy_distance import energy_distance
from untaught.randomness import seeded
from untaught.runs.run import create_run
from untaught.runs.settings import Training
from untaught.training.fit import train
from untaught.training.plan import Asked, plan

ONE = torch.ones(())
SMALL = Adversaries(latent=3, generator=(8,), discriminator=(8, 6))
TINY = ("--generator", "8", "--discriminator", "8", "--epochs", "1", "--threads", "1", "--device", "cpu")


def small(shape: tuple[int, ...] = (1, 4, 5), classes: int = 3) -> ConditionalGAN:
    with seeded(0):
        return ConditionalGAN(ConditionalGAN.Config(networks=SMALL, classes=classes), shape)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_each_player_moves_only_its_own_parameters(player: str) -> None:
    model = small()
    before = {name: value.clone() for name, value in model.named_parameters()}
    own = [value for name, value in model.named_parameters() if name.startswith(player)]
    model.loss(Batch(torch.rand(4, 1, 4, 5), torch.tensor([0, 1, 2, 0])), player, ONE).total.backward()
    torch.optim.SGD(own, 0.5).step()
    moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {player}


def test_losses_are_their_formulas() -> None:
    """What is made for a class is judged with that class, and examples with theirs; smoothing lowers their targets."""
    with seeded(0):
        model = ConditionalGAN(ConditionalGAN.Config(networks=SMALL, classes=3, smoothing=0.1), (1, 4, 5))
        x, label = torch.rand(5, 1, 4, 5), torch.tensor([0, 2, 1, 1, 0])
    with seeded(3):
        latent = model.generator.prior(5)
    made = model.generator(latent, torch.eye(3)[label])
    logits = model.discriminator(torch.cat([x, made]))
    real, false = torch.stack([row[0] + row[1 + int(y)] for row, y in zip(logits, label.repeat(2), strict=True)]).split(
        5
    )
    d_real, d_made = real.sigmoid(), false.sigmoid()
    smooth = -(0.9 * d_real.log() + 0.1 * (1 - d_real).log()).mean() - (1 - d_made).log().mean()
    for player, expected in (("discriminator", smooth), ("generator", -d_made.log().mean())):
        with seeded(3):
            torch.testing.assert_close(model.loss(Batch(x, label), player, ONE).total, expected)
    pairs = [torch.cat([some.flatten(1), torch.eye(3)[label]], 1) for some in (x, made)]
    with seeded(3):
        for _ in range(2):  # the loss takes the first draw, the distance the second
            again = model.made(label)
    pairs[1] = torch.cat([again.flatten(1), torch.eye(3)[label]], 1)
    with seeded(3):
        apart = model.held_out(Batch(x, label), "generator").parts["energy_distance"]
    torch.testing.assert_close(apart, energy_distance(pairs[0], pairs[1]).detach())


def test_samples_of_no_class_in_particular_are_of_all() -> None:
    with seeded(0):
        classes = small().prior_codes(300)[:, -3:]
    # Within four standard errors of a third of 300.
    assert classes.sum(0).tolist() == pytest.approx([100.0] * 3, abs=4 * (300 * 2 / 9) ** 0.5)


def test_the_fixed_batches_are_examples_and_their_classes() -> None:
    networks = replace(SMALL, generator_norm="virtual", discriminator_norm="virtual", reference=2)
    model = ConditionalGAN(ConditionalGAN.Config(networks=networks, classes=3), (1, 4, 5))
    x, label = torch.rand(4, 1, 4, 5), torch.tensor([2, 0, 1, 1])
    model.prepare(Batch(x, label))
    assert torch.equal(model.discriminator.reference.get_buffer("input_0"), x[:2])  # type: ignore[union-attr]
    assert torch.equal(model.generator.reference.get_buffer("input_0")[:, 3:], torch.eye(3)[label[:2]])  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [(1, 6, 6), (3, 20, 17)], ids=["dense", "convolution"])
def test_the_class_decides_what_is_made_and_how_it_is_judged(shape: tuple[int, ...]) -> None:
    with seeded(0):
        model = ConditionalGAN(ConditionalGAN.Config(classes=3), shape).eval()
    made = []
    for label in range(3):
        with seeded(1):
            made.append(model.sample(4, label))
    assert not torch.allclose(made[0], made[1]) and not torch.allclose(made[1], made[2])
    x = torch.rand(2, *shape)
    assert not torch.allclose(model.judged(x, torch.tensor([0, 0])), model.judged(x, torch.tensor([1, 1])))


@pytest.mark.slow
def test_it_learns_where_each_class_lies() -> None:
    with seeded(0):
        label = torch.arange(1000) % 2
        x = (2.0 * label - 1.0)[:, None] + 0.2 * torch.randn(1000, 1)
        networks = Adversaries(latent=2, generator=(24,), discriminator=(24, 24), output="linear")
        model = ConditionalGAN(ConditionalGAN.Config(networks=networks, classes=2), (1,))
    source = from_array(x)
    source.train.label.copy_(label)
    train(model, source, Training(epochs=12, learning_rate=4e-3, threads=1, precision="float32"))
    with seeded(1):
        means = [float(model.sample(500, label).mean()) for label in range(2)]
    assert means == pytest.approx([-1.0, 1.0], abs=0.25)


def test_commands_draw_a_class_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = tmp_path / "run", tmp_path / "threes.npz"
    training = Training(epochs=1, threads=1, precision="float32", device="cpu")
    decided = plan(Asked("conditional-gan", {"generator": [8], "discriminator": [8]}, training), open_data("digits"))
    train(decided, run=create_run(run, decided.settings))
    assert open_run(run).best().counters["selects"] == "energy_distance"
    assert cli.main(["sample", str(run), "--label", "3", "--count", "5", "--out", str(out)]) == 0
    with np.load(out) as arrays:
        assert arrays["samples"].shape == (5, 1, 8, 8)
    capsys.readouterr()
    assert cli.main(["sample", str(run), "--label", "10", "--out", str(out)]) == 2
    assert "there is no class 10; classes are 0 to 9" in capsys.readouterr().err


def test_missing_labels_are_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = tmp_path / "pictures.npy", tmp_path / "run"
    np.save(data, np.random.default_rng(0).random((30, 8, 8), dtype=np.float32))
    assert cli.main(["train", "conditional-gan", "--data", str(data), *TINY, "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert "no example has a label" in told and len(told.strip().splitlines()) <= 3
    assert not out.exists()
    with pytest.raises(DataError, match="a label is 7"):
        small().prepare(Batch(torch.rand(2, 1, 4, 5), torch.tensor([0, 7])))
    with pytest.raises(ConfigError, match="no class 3"):
        small().sample(1, 3)


def test_it_learns_from_labelled_examples_alone() -> None:
    (stage,) = small().stages()
    assert stage.stream.labelled and not stage.beside
    with pytest.raises(DataError, match="label"):
        small().prepare(Batch(torch.rand(4, 1, 4, 5), torch.full((4,), -1)))
