"""The Predictive Generative Network against its definition, one frame at a time, and its published sizes."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from untaught.data.batches import collect
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch, Example, Usual, View
from untaught.models.pgn import PGN
from untaught.nn.temporal.recurrent import Recurrent, State
from untaught.papers.lotter2015 import BALLS_2015, FACES_2015
from untaught.randomness import seeded

SMALL = PGN.Config(units=3, filters=(3,), kernels=(4,), strides=(2,), residual=False)
CONFIGS = {
    "convgru": SMALL,
    "convlstm": replace(SMALL, core="convlstm"),
    "lstm": replace(SMALL, core="lstm", units=3 * 4 * 4),
    "lstm-dense": replace(SMALL, core="lstm", units=5, dense=True),
    "residual": replace(SMALL, residual=True),
    "moving": replace(
        SMALL,
        core="dilated",
        units=4,
        filters=(3, 4),
        kernels=(4,),
        strides=(2,),
        seen=3,
        skips=True,
        motion=True,
        residual=True,
    ),
    "gru-rcn": replace(SMALL, core="gru-rcn", filters=(3, 4, 2), kernels=(4, 3, 3), strides=(2, 1, 1), pools=(1, 1, 2)),
    "moving-gru-rcn": replace(
        SMALL, core="gru-rcn", filters=(3, 4), strides=(1, 2), seen=2, motion=True, residual=True
    ),
    "moving-gru": replace(SMALL, seen=2, motion=True, residual=True),
    "moving-by-one-frame": replace(SMALL, motion=True, residual=True),
    "pooled": replace(SMALL, filters=(3, 4), kernels=(3,), strides=(1,), pools=(2,), paddings=("full", "valid")),
}
NOISY = replace(SMALL, core="lstm", units=5, dense=True, noise=3)
NOW = torch.zeros(())


def network(name: str, shape: tuple[int, int, int] = (1, 8, 8)) -> PGN:
    """A small network in double precision; every weight matters, and few predictions are saturated."""
    with seeded(1):
        model = PGN({**CONFIGS, "noisy": NOISY}[name], shape).double()
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)
    bottom = model.decoder.layers[0]
    with torch.no_grad():
        bottom.get_parameter("weight").mul_(0.5)
        bottom.get_parameter("bias").fill_(0.0 if model.config.residual else 0.5)
    return model


def video(time: int = 5, shape: tuple[int, int, int] = (1, 8, 8), batch: int = 2) -> Tensor:
    with seeded(2):
        return torch.rand(batch, time, *shape, dtype=torch.float64)


def channels_seen(count: int, x: Tensor, time: int) -> Tensor:
    """What the encoder sees at a time, equation (7): the frame alone, or around grey and with the changes before it."""
    if count == 1:
        return x[time]
    changes = [x[max(at, 0)] - x[max(at - 1, 0)] for at in range(time, time - count + 1, -1)]
    return torch.cat([x[time] - 0.5, *changes])


def moved_pixel_by_pixel(frame: Tensor, flow: Tensor) -> Tensor:
    """x(p + f(p)), interpolated from the four pixels around, each at the nearest place inside."""
    height, width = frame.shape[-2:]
    found = torch.zeros_like(frame)
    for row in range(height):
        for column in range(width):
            right = min(max(column + float(flow[0, row, column]), 0), width - 1)
            down = min(max(row + float(flow[1, row, column]), 0), height - 1)
            for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
                at = min(int(down) + i, height - 1), min(int(right) + j, width - 1)
                weight = abs(1 - i - down % 1) * abs(1 - j - right % 1)
                found[:, row, column] += weight * frame[:, at[0], at[1]]
    return found


def share_moving_pixel_by_pixel(changes: Tensor) -> Tensor:
    """g in equation (10): how much changed within seven pixels of each one."""
    height, width = changes.shape[-2:]
    found = torch.zeros(height, width, dtype=changes.dtype)
    for row in range(height):
        for column in range(width):
            around = changes[:, max(row - 7, 0) : row + 8, max(column - 7, 0) : column + 8]
            found[row, column] = max(0.0, 1 - 1.6e-5 / max(around.square().mean().item(), 1e-30))
    return found


def state_after_one_frame(model: PGN, maps: list[Tensor], state: State | None) -> State:
    """Equation (1) by single steps of the cell, at the highest level or at each, the highest first."""
    several = model.config.core == "gru-rcn"
    cells = [*model.core.children()][::-1] if several else [model.core]
    found: list[Tensor] = []
    for number, (cell, level) in enumerate(zip(cells, maps[::-1], strict=False)):
        assert isinstance(cell, Recurrent)
        drive = cell.drive(level)
        before = cell.start(drive) if state is None else state[number : number + 1] if several else state
        found += cell.step(drive, before)
    return tuple(found)


def one_frame_at_a_time(model: PGN, x: Tensor, shown: bool = True) -> list[Tensor]:
    """Prediction after each frame of one clip (time, channel, height, width), by (1) to (4); clipped where `shown`."""
    state: State | None = None
    found: list[Tensor] = []
    for time, frame in enumerate(x):
        maps = model.encoder.maps(channels_seen(model.config.seen, x, time)[None])
        state = state_after_one_frame(model, maps, state)
        below = maps[:-1] if model.config.skips else [*state[:0:-1]] if model.config.core == "gru-rcn" else []
        y = model.decoder(model.adapter(state[0]), (frame.shape[-2], frame.shape[-1]), below)[0]
        if model.config.motion:
            if model.config.seen > 1:
                y = y * share_moving_pixel_by_pixel(channels_seen(model.config.seen, x, time)[len(frame) :])
            frame, y = moved_pixel_by_pixel(frame, y[:2]), y[2:]
        if model.config.residual:
            y = frame + y
        found.append(torch.minimum(torch.relu(y), torch.ones_like(y)) if shown else y)
    return found


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_reconstruction_is_the_definition_frame_by_frame(name: str) -> None:
    model, x = network(name), video()
    expected = torch.stack([torch.stack(one_frame_at_a_time(model, clip)[:-1]) for clip in x])
    torch.testing.assert_close(model.reconstruct(x), expected)
    inside = (expected > 0) & (expected < 1)
    assert inside.double().mean() > 0.5


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_prediction_feeds_on_itself(name: str) -> None:
    model, x = network(name), video()
    for clip, predicted in zip(x, model.predict(x, 4), strict=True):
        for number in range(4):
            following = one_frame_at_a_time(model, clip)[-1]
            torch.testing.assert_close(predicted[number], following)
            clip = torch.cat([clip, following[None]])


@torch.no_grad()
def test_context_of_one_frame_is_enough() -> None:
    assert network("convgru").predict(video(1), 3).shape == (2, 3, 1, 8, 8)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("last_only", [False, True])
@torch.no_grad()
def test_loss_is_the_sum_over_pixels_and_the_mean_over_frames(last_only: bool, residual: bool) -> None:
    """Of frames that are clipped, and where changes are predicted, of those that are not."""
    model = network("residual" if residual else "convgru")
    model.config = replace(model.config, last_only=last_only)
    torch.nn.init.constant_(model.decoder.layers[0].get_parameter("bias"), 0.3 if residual else 0.9)
    x = video(4)
    total = 0.0
    for clip in x:
        predicted = one_frame_at_a_time(model, clip, shown=not residual)
        assert max(float(frame.max()) for frame in one_frame_at_a_time(model, clip, shown=False)) > 1
        for time in (3,) if last_only else (1, 2, 3):
            error = predicted[time - 1] - clip[time]
            total += sum(value.item() ** 2 for value in error.flatten()) / (1 if last_only else 3) / len(x)
    loss = model.loss(Batch.of(x), "model", NOW)
    assert loss.total.item() == pytest.approx(total)
    assert loss.parts["squared_error_per_frame"].item() == pytest.approx(total)


@pytest.mark.parametrize("name", CONFIGS)
def test_gradient_is_the_slope(name: str) -> None:
    model, x = network(name), video(3, batch=1)
    names = [key for key, _ in model.named_parameters()]

    def total(*values: Tensor) -> Tensor:
        predicted = torch.func.functional_call(_Reconstruction(model), _below(names, values), (x,))
        return (predicted - x[:, 1:]).square().sum()

    assert torch.autograd.gradcheck(total, tuple(model.parameters()), fast_mode=True)


class _Reconstruction(nn.Module):
    """A network whose call is its `reconstruct`, so that its weights can be given."""

    def __init__(self, model: PGN) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model.reconstruct(x)


def _below(names: list[str], values: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return {f"model.{name}": value for name, value in zip(names, values, strict=True)}


@torch.no_grad()
def test_standardised_frames_are_predicted_beyond_zero_and_one() -> None:
    x = 5 * video() - 2
    for name in ("convgru", "residual"):
        model = network(name)
        free = PGN(replace(model.config, saturate=False), model.shape).double()
        free.load_state_dict(model.state_dict())
        assert free.reconstruct(x).min() < 0
        torch.testing.assert_close(free.reconstruct(x).clamp(0, 1), model.reconstruct(x))


def test_residual_begins_with_the_previous_frame() -> None:
    model, x = PGN(CONFIGS["residual"], (1, 8, 8)).double(), video()
    torch.testing.assert_close(model.reconstruct(x), x[:, :-1])
    model.loss(Batch.of(x), "model", NOW).total.backward()
    assert model.decoder.layers[0].get_parameter("weight").grad.any()


@torch.no_grad()
def test_features_are_the_hidden_state_after_the_last_frame() -> None:
    model, x = network("convlstm"), video()
    activations = model.activations(x)
    torch.testing.assert_close(model.encode(x), activations["hidden"][:, -1].flatten(1))
    assert set(activations) == {"encoder.1", "hidden", "cell"}
    assert activations["cell"].shape == (2, 5, 3, 4, 4)
    torch.testing.assert_close(activations["encoder.1"][1, 3], model.encoder(x[1, 3:4])[0])


@torch.no_grad()
def test_a_recurrence_on_one_level_is_the_convolutional_core() -> None:
    """Bit for bit, from the initial weights on."""
    alone, levels = (PGN(replace(SMALL, core=core, units=3), (1, 8, 8)) for core in ("convgru", "gru-rcn"))
    held = {name.replace("core.", "core.0."): value for name, value in alone.state_dict().items()}
    levels.load_state_dict(held)
    x = video().float()
    assert torch.equal(alone.predict(x, 3), levels.predict(x, 3)) and torch.equal(alone.encode(x), levels.encode(x))
    with seeded(3):
        drawn = PGN(levels.config, (1, 8, 8)).state_dict()
    with seeded(3):
        same = PGN(alone.config, (1, 8, 8)).state_dict()
    assert all(torch.equal(drawn[name.replace("core.", "core.0.")], value) for name, value in same.items())


@pytest.mark.parametrize("name", ["convgru", "gru-rcn", "lstm"])
@torch.no_grad()
def test_features_are_all_that_the_decoder_takes(name: str) -> None:
    """Without `residual` the next frame is decoded from features alone, whatever the states are of."""
    model, x = network(name), video()
    torch.testing.assert_close(model.decode(model.encode(x)), model.predict(x, 1)[:, 0])


@torch.no_grad()
def test_every_level_s_state_is_among_features_and_activations_and_reaches_the_frame() -> None:
    model, x = network("gru-rcn"), video()
    shown, predicted = model.activations(x), model.predict(x, 1)
    states = [shown[name][:, -1].flatten(1) for name in ("hidden", "hidden.2", "hidden.1")]
    torch.testing.assert_close(model.encode(x), torch.cat(states, 1))
    assert [shown[f"hidden.{level}"].shape[2:] for level in (1, 2)] == [(3, 4, 4), (4, 4, 4)]
    assert shown["hidden"].shape[2:] == (3, 2, 2)
    for cell in model.core.children():
        kept = cell.get_parameter("candidate.weight").clone()
        cell.get_parameter("candidate.weight").add_(1.0)
        assert not torch.allclose(model.predict(x, 1), predicted)
        cell.get_parameter("candidate.weight").copy_(kept)


@torch.no_grad()
def test_features_see_no_future() -> None:
    model, x = network("convgru"), video()
    changed = x.clone()
    changed[:, 3:] = 0
    torch.testing.assert_close(model.reconstruct(x)[:, :3], model.reconstruct(changed)[:, :3])
    assert not torch.allclose(model.reconstruct(x)[:, 3], model.reconstruct(changed)[:, 3])


@pytest.mark.parametrize("shape", [(3, 27, 35), (2, 6, 7), (1, 30, 31)])
@pytest.mark.parametrize("name", ["convgru", "residual", "pooled", "moving", "gru-rcn"])
@torch.no_grad()
def test_any_frame_size_whatever_it_was_built_for(name: str, shape: tuple[int, int, int]) -> None:
    model, x = network(name, (shape[0], 12, 12)), video(3, shape)
    assert model.reconstruct(x).shape == (2, 2, *shape)
    assert model.predict(x, 2).shape == (2, 2, *shape)


@torch.no_grad()
def test_lstm_takes_odd_sizes_but_only_its_own() -> None:
    model = PGN(CONFIGS["lstm-dense"], (3, 27, 35))
    assert model.predict(torch.rand(1, 2, 3, 27, 35), 2).shape == (1, 2, 3, 27, 35)
    with pytest.raises(SizeError, match="27x35 cannot look at 28x35"):
        model.predict(torch.rand(1, 2, 3, 28, 35), 2)


@pytest.mark.parametrize("name", ["moving", "moving-gru"])
@torch.no_grad()
def test_motion_is_the_flow_by_which_the_last_frame_moves(name: str) -> None:
    model, x = network(name), video()
    flow = model.motion(x)
    assert flow is not None and flow.abs().max() > 0.1
    bottom = model.decoder.layers[0]
    bottom.get_parameter("weight")[:, 2:] = 0
    bottom.get_parameter("bias")[2:] = 0
    for clip, own, predicted in zip(x, flow, model.predict(x, 1)[:, 0], strict=True):
        torch.testing.assert_close(predicted, moved_pixel_by_pixel(clip[-1], own))
    assert network("residual").motion(x) is None


def test_with_motion_it_begins_with_the_previous_frame_and_learns_to_move() -> None:
    model, x = PGN(CONFIGS["moving"], (1, 8, 8)).double(), video()
    torch.testing.assert_close(model.reconstruct(x), x[:, :-1])
    model.loss(Batch.of(x), "model", NOW).total.backward()
    gradient = model.decoder.layers[0].get_parameter("weight").grad
    assert gradient is not None and all(gradient[:, channel].any() for channel in range(3))


@pytest.mark.parametrize("last_only", [False, True])
@torch.no_grad()
def test_relative_error_is_that_of_each_window_over_copying(last_only: bool) -> None:
    """Equation (9), window by window; a still window counts nothing, and does not divide by zero."""
    model = network("moving")
    model.config = replace(model.config, relative=True, last_only=last_only)
    x = video(4)
    x[1] = x[1, :1]
    scored = (3,) if last_only else (1, 2, 3)
    total = 0.0
    for clip in x:
        given = one_frame_at_a_time(model, clip, shown=False)
        error = sum((given[t - 1] - clip[t]).square().sum().item() for t in scored) / len(scored)
        copying = sum((clip[t - 1] - clip[t]).square().sum().item() for t in scored) / len(scored)
        total += error / (copying + 1e-4 * 64) / len(x)
    loss = model.loss(Batch.of(x), "model", NOW)
    assert loss.total.item() == pytest.approx(total)
    assert loss.parts["error_relative_to_copying"].item() == pytest.approx(total)


@torch.no_grad()
def test_what_stood_still_is_predicted_to_stay() -> None:
    """Whatever the weights; and changes below a grey level count little."""
    model, x = network("moving"), 0.9 * video(1).expand(-1, 4, -1, -1, -1)
    assert torch.equal(model.predict(x, 3), x[:, 1:])
    flow = model.motion(x)
    assert flow is not None and not flow.any()
    faint, more = x + 1e-3 * video(4), x + 0.02 * video(4)
    assert torch.equal(model.predict(faint, 1)[:, 0], faint[:, -1]), "changes below a grey level are none"
    assert not torch.equal(model.predict(more, 1)[:, 0], more[:, -1])


@torch.no_grad()
def test_without_memory_only_the_frames_seen_at_once_count() -> None:
    model, x = network("moving"), video(6)
    changed = x.clone()
    changed[:, :3] = 0.5
    torch.testing.assert_close(model.predict(changed, 2), model.predict(x, 2))
    torch.testing.assert_close(model.encode(changed), model.encode(x))
    changed[:, 3] = 0.5
    assert not torch.allclose(model.predict(changed, 1), model.predict(x, 1))


def test_natural_video_is_told_from_drawn_one() -> None:
    balls = open_data("balls?clips=2&validation=1&test=1&frames=5")
    drawn = collect(balls.train, View(), None)
    assert PGN.usual(Example(balls.shape, 5), drawn) == Usual()
    with seeded(1):
        noise, filmed = torch.rand(8, 1, 40, 50), torch.rand(8, 3, 90, 70)
    chosen = PGN.usual(Example((1, 40, 50), 30), Batch.of(noise))
    assert chosen.config["motion"] and chosen.view == View(frames=5, patch=40, augment=("mirror", "flip", "reverse"))
    chosen = PGN.usual(Example((3, 90, 70), 30), Batch.of(filmed))
    assert chosen.view is not None and chosen.view.patch == 64 and "saturate" not in chosen.config
    assert PGN.usual(Example((3, 90, 70), 30), Batch.of(filmed * 4 - 2)).config["saturate"] is False


def test_frames_of_few_edges_are_drawn_ones() -> None:
    """Drawn where half or more of the neighbouring pixels are equal; then nothing is chosen."""
    with seeded(1):
        noise = torch.rand(8, 1, 40, 51)
    for equal, drawn in ((0.4, False), (0.6, True)):
        frames = noise.clone()
        count = round(equal * 50)
        frames[..., 1 : count + 1] = frames[..., :1]
        assert (PGN.usual(Example((1, 40, 51), 30), Batch.of(frames)) == Usual()) == drawn


def test_weights_that_are_a_little_worse_are_preferred_where_they_are_later() -> None:
    natural, drawn = PGN(replace(SMALL, relative=True), (1, 8, 8)), PGN(SMALL, (1, 8, 8))
    assert (natural.tolerance, natural.negligible) == (0.1, 0.01)
    assert (drawn.tolerance, drawn.negligible) == (0, 0)


def test_without_residual_it_begins_grey() -> None:
    model, x = PGN(SMALL, (1, 8, 8)), video().float()
    with torch.no_grad():
        for name, value in model.decoder.named_parameters():
            if name.endswith("weight"):
                value.zero_()
    torch.testing.assert_close(model.reconstruct(x), torch.full_like(x[:, 1:], 0.5))


@torch.no_grad()
def test_convolutional_network_moves_with_its_input() -> None:
    """Far from the edges, a clip that is shifted by the stride is predicted shifted."""
    model, x = network("residual", (1, 64, 64)), torch.zeros(1, 3, 1, 64, 64, dtype=torch.float64)
    x[..., 30:34, 30:34] = video(3, (1, 4, 4), 1)
    here, there = model.reconstruct(x), model.reconstruct(x.roll((2, 4), (-2, -1)))
    torch.testing.assert_close(here.roll((2, 4), (-2, -1))[..., 26:38, 26:38], there[..., 26:38, 26:38])


def weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_balls_2015_has_its_published_size() -> None:
    with torch.device("meta"):
        model = PGN(BALLS_2015, (1, 30, 30))
    assert weights(model.core) == 4 * 1568 * (1568 + 1568 + 1)
    assert round(weights(model.core) / 1e6, 1) == 19.7
    assert round((weights(model.encoder) + weights(model.decoder)) / 1e3) == 19
    assert model.adapter(torch.empty(2, 1568, device="meta")).shape == (2, 32, 7, 7)


def test_faces_2015_has_its_published_size() -> None:
    with torch.device("meta"):
        model = PGN(FACES_2015, (1, 150, 150))
    assert round(weights(model.encoder) / 1e6, 2) == 0.10
    assert round(weights(model.core) / 1e6, 1) == 55.6
    assert round((weights(model.adapter) + weights(model.decoder)) / 1e6, 1) == 13.1
    assert round(weights(model) / 1e6, 1) == 68.7


def test_published_networks_predict() -> None:
    model = PGN(BALLS_2015, (1, 30, 30))
    loss = model.loss(Batch.of(torch.rand(1, 3, 1, 30, 30)), "model", NOW)
    assert loss.total.isfinite()
    with pytest.raises(ConfigError, match="--units 2048, or --dense"):
        PGN(BALLS_2015, (1, 34, 34))


@pytest.mark.parametrize(
    ("config", "shape", "error", "says"),
    [
        (SMALL, (64,), SizeError, "frames"),
        (replace(SMALL, dense=True), (1, 8, 8), ConfigError, "no use for dense"),
        (replace(SMALL, core="dilated", units=7), (1, 8, 8), ConfigError, "--units 3"),
        (replace(SMALL, core="gru-rcn", skips=True), (1, 8, 8), ConfigError, "--no-skips"),
        (replace(SMALL, motion=True), (1, 8, 8), ConfigError, "no-residual"),
        (replace(SMALL, core="lstm", units=7), (1, 8, 8), ConfigError, "--units 48"),
        (replace(SMALL, kernels=(4, 4)), (1, 8, 8), ConfigError, "kernels has 2 entries for 1 layers"),
        (replace(SMALL, kernels=(9,), paddings=("valid",)), (1, 8, 8), SizeError, "9x9"),
    ],
)
def test_networks_that_cannot_be_are_refused(
    config: PGN.Config, shape: tuple[int, ...], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        PGN(config, shape)


def test_video_that_cannot_be_predicted_is_refused() -> None:
    model = PGN(SMALL, (1, 8, 8))
    for x in (torch.rand(2, 1, 1, 8, 8), torch.rand(2, 1, 8, 8)):
        with pytest.raises(DataError, match="at least 2 frames"):
            model.loss(Batch.of(x), "model", NOW)
    with pytest.raises(DataError, match="batch, time, 1, height, width"):
        model.predict(torch.rand(2, 3, 3, 8, 8), 1)
    with pytest.raises(DataError, match="batch, time"):
        model.encode(torch.rand(2, 0, 1, 8, 8))
    with pytest.raises(ConfigError, match="at least 1 frame"):
        model.predict(torch.rand(2, 3, 1, 8, 8), 0)


@pytest.mark.parametrize("name", CONFIGS)
def test_loss_is_in_single_precision_under_autocast(name: str) -> None:
    model = PGN(CONFIGS[name], (1, 8, 8))
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(Batch.of(video().float()), "model", NOW)
    exact = model.loss(Batch.of(video().float()), "model", NOW)
    assert loss.total.dtype == torch.float32
    assert loss.total.item() == pytest.approx(exact.total.item(), rel=0.02)


def test_filters_are_the_first_layers() -> None:
    model = network("pooled", (3, 12, 12))
    assert torch.equal(model.filters(), next(iter(model.encoder.parameters())))
    assert model.filters().shape == (3, 3, 3, 3)
