"""What a Predictive Generative Network learns from: the discriminator, scheduled sampling, the last frame seen."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.models.test_pgn import SMALL, network, video
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.pgn import GENERATOR, PGN
from untaught.papers.lotter2015 import FACES_2015
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train

JUDGED = replace(SMALL, adversarial=0.5, judge=(4, 5, 3))
NOW = torch.zeros(())


def judged(config: PGN.Config = JUDGED) -> PGN:
    with seeded(3):
        return PGN(config, (1, 8, 8)).double()


@pytest.mark.parametrize("residual", [False, True])
def test_generator_minimises_error_and_verdict(residual: bool) -> None:
    """Equation (6), from its two sides; P is 64. Errors of predicted changes are before clipping, verdicts after."""
    model, x = judged(replace(JUDGED, squared_error=2.0, residual=residual)), video()
    torch.nn.init.constant_(model.decoder.layers[0].get_parameter("bias"), 0.9)
    given = unclipped(model).reconstruct(x)
    assert given.max() > 1
    error = ((given if residual else given.clamp(0, 1)) - x[:, 1:]).square().sum((2, 3, 4)).mean()
    doubt = -model.discriminator(x[:, :-1], given[:, -1].clamp(0, 1)).log_softmax(1)[:, 1].mean()
    loss = model.loss(Batch.of(x), "generator", NOW)
    torch.testing.assert_close(loss.total, 2 * error + 0.5 * 64 * doubt)
    torch.testing.assert_close(loss.parts["fooling_nats"], doubt.detach())
    held_out = model.held_out(Batch.of(x), "generator").parts["squared_error_per_frame"]
    torch.testing.assert_close(held_out, (given.clamp(0, 1) - x[:, 1:]).square().sum((2, 3, 4)).mean().detach())


def unclipped(model: PGN) -> PGN:
    """The same network, which shows frames as they are."""
    free = PGN(replace(model.config, saturate=False), model.shape).double()
    free.load_state_dict(model.state_dict())
    return free


def test_each_player_moves_only_its_own_weights() -> None:
    model, x = judged(), video()
    assert set(model.players) == {"discriminator", "generator"}
    owned = {
        name: [weight for weight, _ in model.named_parameters() if weight.startswith(player.prefixes)]
        for name, player in model.players.items()
    }
    assert sorted(sum(owned.values(), [])) == sorted(name for name, _ in model.named_parameters())
    model.loss(Batch.of(x), "discriminator", NOW).total.backward()
    moved = {name for name, value in model.named_parameters() if value.grad is not None and value.grad.any()}
    assert moved == {name for name in owned["discriminator"] if name in moved} and len(moved) > 5
    assert all(not name.startswith(GENERATOR) for name in moved)


def test_a_step_of_the_generator_leaves_the_discriminator_alone() -> None:
    """Its gradient passes through the discriminator, as the loop lets it, and does not stay there."""
    model, x = judged(), video()
    for name, value in model.named_parameters():
        value.requires_grad_(name.startswith(GENERATOR))
    model.loss(Batch.of(x), "generator", NOW).total.backward()
    assert all(value.grad is None for name, value in model.named_parameters() if not name.startswith(GENERATOR))
    assert model.decoder.layers[0].get_parameter("weight").grad is not None


def test_discriminator_learns_first_and_has_its_own_optimiser() -> None:
    players = judged().players
    assert list(players) == ["discriminator", "generator"]
    judge, generator = players["discriminator"].optimiser, players["generator"].optimiser
    assert judge is not None and (judge.name, judge.momentum) == ("sgd", 0.5)
    assert generator is not None and generator.name == "rmsprop"
    assert judged().stages()[0].recipe.schedule == "constant"
    assert PGN(SMALL, (1, 8, 8)).stages()[0].recipe == PGN.recipe


def test_players_learn_by_the_published_rules() -> None:
    """Of the authors' code: SGD of rate 0.01 and momentum 0.5 against RMSprop of rate 0.001, Keras' decay of 0.9."""
    rules = {name: player.optimiser for name, player in judged().players.items()}
    judge, generator = rules["discriminator"], rules["generator"]
    assert judge is not None and (judge.name, judge.learning_rate, judge.momentum) == ("sgd", 0.01, 0.5)
    assert generator is not None
    assert (generator.name, generator.learning_rate, generator.decay) == ("rmsprop", 0.001, 0.9)
    faster = judged(replace(JUDGED, judge_optimiser="adam")).players
    judge = faster["discriminator"].optimiser  # of Radford et al. 2015
    assert judge is not None and (judge.name, judge.learning_rate, judge.betas[0]) == ("adam", 2e-4, 0.5)
    assert faster["generator"].optimiser == generator


def test_the_published_discriminator_has_its_layers() -> None:
    """An LSTM of 1,024 units beside 1,024 for the frame, then 1,024, 256 and 2."""
    with torch.device("meta"):
        model = PGN(replace(FACES_2015, adversarial=0.0002, noise=128), (1, 150, 150))
    judge = model.discriminator
    shapes = [tuple(layer.weight.shape) for layer in (*judge.proposed, *judge.head) if isinstance(layer, nn.Linear)]
    assert shapes == [(1024, 12544), (1024, 2048), (256, 1024), (2, 256)]
    assert sum(p.numel() for p in judge.core.parameters()) == 4 * 1024 * (12544 + 1024 + 1)
    assert [tuple(down.convolution.weight.shape) for down in judge.encoder.downs] == [(64, 1, 5, 5), (64, 64, 5, 5)]
    assert model.adapter.noise == 128


@pytest.mark.parametrize("own", [False, True])
@torch.no_grad()
def test_the_discriminator_is_shown_the_true_next_frame_and_the_prediction_of_it(own: bool) -> None:
    """With scheduled sampling the prediction is the generator's, from its own frames at the end."""
    model, x = judged(replace(JUDGED, scheduled_sampling=0.9999 * own)), video(batch=5)
    torch.nn.init.constant_(model.decoder.layers[0].get_parameter("bias"), 1.1)
    assert unclipped(model).reconstruct(x).max() > 1
    loss = model.loss(Batch.of(x), "discriminator", NOW + 1)
    predicted = model.predict(x[:, :1], 4)[:, -1] if own else model.predict(x[:, :-1], 1)[:, 0]
    nats = torch.zeros(()).double()
    right = 0
    for frame, kind in ((x[:, -1], 1), (predicted, 0)):
        said = model.discriminator(x[:, :-1], frame).log_softmax(1)
        nats, right = nats - said[:, kind].mean() / 2, right + int((said.argmax(1) == kind).sum())
    torch.testing.assert_close(loss.total, nats)
    assert float(loss.parts["discriminator_accuracy"]) == pytest.approx(right / (2 * len(x)))


def test_a_game_keeps_its_last_weights() -> None:
    source = open_data("balls?clips=4&validation=2&test=1&frames=5&size=12")
    with seeded(0):
        model = PGN(replace(JUDGED, noise=2), (1, 12, 12))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    last = train(model, source, Training(epochs=3, batch_size=2, view={"frames": 5}, threads=1))
    assert last.best
    for part in ("discriminator_nats", "discriminator_accuracy", "fooling_nats", "squared_error_per_frame"):
        assert part in last.losses
    moved = {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}
    for prefix in (*GENERATOR, "discriminator.encoder.", "discriminator.core.", "discriminator.head."):
        assert any(name.startswith(prefix) for name in moved), prefix


@pytest.mark.parametrize("name", ["convgru", "residual", "lstm-dense"])
@torch.no_grad()
def test_scheduled_sampling_goes_from_true_frames_to_its_own(name: str) -> None:
    plain, x = network(name), video()
    model = PGN(replace(plain.config, scheduled_sampling=0.9999), plain.shape).double()
    model.load_state_dict(plain.state_dict())
    torch.testing.assert_close(model._clipped(model._given_back(x, NOW)), plain.reconstruct(x))
    torch.testing.assert_close(model._clipped(model._given_back(x, NOW + 1)), plain.predict(x[:, :1], 4))


@torch.no_grad()
def test_frames_that_are_always_true_are_followed_by_predictions_alone() -> None:
    plain, x = network("convgru"), video(6)
    model = PGN(replace(plain.config, scheduled_sampling=1.0, always_true=3), plain.shape).double()
    model.load_state_dict(plain.state_dict())
    found = model._given_back(x, NOW + 1)
    torch.testing.assert_close(found[:, :2], plain.reconstruct(x)[:, :2])
    torch.testing.assert_close(found[:, 2:], plain.predict(x[:, :3], 3))


def test_windows_that_leave_no_frame_to_replace_are_refused() -> None:
    model = PGN(replace(SMALL, scheduled_sampling=1.0, always_true=3), (1, 8, 8)).double()
    assert model._given_back(video(5), NOW).shape[1] == 4
    with pytest.raises(DataError, match="at least --frames 5"):
        model._given_back(video(4), NOW)


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_a_pixel_that_was_driven_below_zero_finds_back(own: float) -> None:
    """Where changes are predicted, the loss is of frames that are not clipped, though what is fed back and shown is."""
    model, x = PGN(replace(SMALL, residual=True, scheduled_sampling=own), (1, 8, 8)).double(), video()
    bias = model.decoder.layers[0].get_parameter("bias")
    torch.nn.init.constant_(bias, -5.0)
    shown = model.predict(x[:, :1], 4) if own else model.reconstruct(x)
    assert not shown.any()
    loss = model.loss(Batch.of(x), "model", NOW + 1).total
    loss.backward()
    assert loss.item() > float((x[:, 1:] - shown.detach()).pow(2).sum((2, 3, 4)).mean())
    assert (bias.grad < 0).all()


@torch.no_grad()
def test_scheduled_sampling_mixes_by_its_chance() -> None:
    """Of many clips, as many as the chance says have a third prediction made from the second one."""
    plain, x = network("convgru"), video(3, batch=2000)
    model = PGN(replace(plain.config, scheduled_sampling=0.6), plain.shape).double()
    model.load_state_dict(plain.state_dict())
    with seeded(5):
        found = model._given_back(x, torch.tensor(0.5))[:, 1]
    own = (found - plain.predict(x[:, :1], 2)[:, 1]).abs().amax((1, 2, 3)) < 1e-9
    true = (found - plain.reconstruct(x)[:, 1]).abs().amax((1, 2, 3)) < 1e-9
    assert (own | true).all()
    assert own.double().mean().item() == pytest.approx(0.3, abs=0.04)


@torch.no_grad()
def test_held_out_loss_does_not_follow_the_schedule() -> None:
    model, x = PGN(replace(SMALL, scheduled_sampling=0.5), (1, 8, 8)).double(), video()
    batch = Batch.of(x)
    with seeded(4):
        end = model.loss(batch, "model", NOW + 1).total
    for training in (False, True):
        with seeded(4):
            assert torch.equal(model.train(training).held_out(batch, "model").total, end)
    with seeded(4):
        assert not torch.equal(model.loss(batch, "model", NOW).total, end)


@pytest.mark.parametrize("last_only", [False, True])
def test_autoencoder_of_video_gives_back_the_last_frame_seen(last_only: bool) -> None:
    plain, x = network("convgru"), video(4)
    model = PGN(replace(plain.config, target="last", last_only=last_only), plain.shape).double()
    model.load_state_dict(plain.state_dict())
    given = model.reconstruct(x)
    torch.testing.assert_close(given[:, :-1], plain.reconstruct(x))
    torch.testing.assert_close(given[:, -1], plain.predict(x, 1)[:, 0])
    errors: Tensor = (given - x).square().sum((2, 3, 4))
    expected = errors[:, -1].mean() if last_only else errors.mean()
    torch.testing.assert_close(model.loss(Batch.of(x), "model", NOW).total, expected)


@pytest.mark.parametrize("name", ["convgru", "convlstm", "lstm-dense", "lstm"])
@torch.no_grad()
def test_features_decode_to_the_next_frame(name: str) -> None:
    model, x = network(name), video()
    torch.testing.assert_close(model.decode(model.encode(x)), model.predict(x, 1)[:, 0])


@torch.no_grad()
def test_residual_features_decode_to_the_change() -> None:
    model, x = network("residual"), video()
    change = model.decode(model.encode(x))
    torch.testing.assert_close((x[:, -1] + change).clamp(0, 1), model.predict(x, 1)[:, 0])


@torch.no_grad()
def test_noise_moves_predictions_and_not_features() -> None:
    model, x = network("noisy"), video()
    with seeded(1):
        first, again = model.predict(x, 1), model.predict(x, 1)
    assert not torch.equal(first, again)
    assert torch.equal(model.encode(x), model.encode(x))
    with seeded(1):
        assert torch.equal(model.predict(x, 1), first)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (replace(SMALL, target="last", residual=True), "--no-residual"),
        (replace(SMALL, target="last", scheduled_sampling=0.5), "leave one out"),
        (replace(SMALL, squared_error=0.0), "nothing to learn"),
        (replace(SMALL, always_true=2), "leave out always_true"),
    ],
)
def test_contradictions_are_refused(config: PGN.Config, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        PGN(config, (1, 8, 8))
