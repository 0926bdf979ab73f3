"""The predictive encoder against its definition, one frame and one unit at a time."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch, Example
from untaught.models.predictive_encoder import PredictiveEncoder
from untaught.randomness import seeded

DENSE = PredictiveEncoder.Config(hidden=(5, 4))
CONFIGS = {
    "dense": replace(DENSE, residual=False),
    "residual": DENSE,
    "sigmoid": replace(DENSE, activation="sigmoid"),
    "tanh": replace(DENSE, activation="tanh", hidden=(5,)),
    "convolution": replace(DENSE, network="convolution", kernel=3, hidden=(3, 2)),
    "strided": replace(DENSE, network="convolution", kernel=4, stride=2, hidden=(3,), residual=False),
}
CONTEXTS = {"sigmoid": 3, "tanh": 1}
"""Frames seen, where not two."""
FUNCTIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
SHAPE = (2, 6, 8)
NOW = torch.zeros(())


def network(name: str) -> PredictiveEncoder:
    """A small network in double precision in which every weight matters."""
    with seeded(1):
        model = PredictiveEncoder(CONFIGS[name], Example(SHAPE, CONTEXTS.get(name, 2) + 1)).double()
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.2)
    return model


def video(time: int = 5, shape: tuple[int, int, int] = SHAPE, batch: int = 2) -> Tensor:
    with seeded(2):
        return torch.rand(batch, time, *shape, dtype=torch.float64)


def layer_by_layer(model: PredictiveEncoder, clip: Tensor) -> tuple[list[Tensor], Tensor]:
    """Hidden layers after a clip's last frame, and the frame that is said to follow, by equations (1) to (3)."""
    config, weights = model.config, dict(model.named_parameters())
    seen = [clip[0]] * (model.context - len(clip)) + list(clip[-model.context :])
    act, hidden = FUNCTIONS[config.activation], list[Tensor]()
    if config.network == "dense":
        x = torch.cat([frame.reshape(-1) for frame in seen])
        for n in range(len(config.hidden)):
            x = act((weights[f"encoder.{n}.weight"] * x).sum(1) + weights[f"encoder.{n}.bias"])
            hidden.append(x)
        y = ((weights["decoder.weight"] * x).sum(1) + weights["decoder.bias"]).reshape(SHAPE)
    else:
        x = torch.cat(seen)[None]
        edge, stride = (config.kernel - 1) // 2, config.stride
        even = int(config.kernel % 2 == 0 and stride == 1)
        for n in range(len(config.hidden)):
            weight, bias = (weights[f"encoder.layers.{n}.convolution.{kind}"] for kind in ("weight", "bias"))
            x = act(F.conv2d(F.pad(x, (0, even, 0, even)), weight, bias, stride, edge))
            hidden.append(x[0])
        for n in reversed(range(len(config.hidden))):
            weight, bias = (weights[f"decoder.layers.{n}.{kind}"] for kind in ("weight", "bias"))
            x = F.conv_transpose2d(x, weight, bias, stride, edge, output_padding=0)
            x = act(x) if n else x
        y = x[0]
    return hidden, seen[-1] + y if config.residual else y


def following(model: PredictiveEncoder, clip: Tensor) -> Tensor:
    """Equation (4), with the extremes that are held before training."""
    y = layer_by_layer(model, clip)[1]
    return torch.minimum(torch.maximum(y, torch.zeros_like(y)), torch.ones_like(y))


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_reconstruction_is_the_definition_frame_by_frame(name: str) -> None:
    model, x = network(name), video()
    expected = torch.stack([torch.stack([following(model, clip[:t]) for t in range(1, 5)]) for clip in x])
    torch.testing.assert_close(model.reconstruct(x), expected)
    assert ((expected > 0) & (expected < 1)).double().mean() > 0.3


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_prediction_feeds_on_itself(name: str) -> None:
    model, x = network(name), video()
    for clip, predicted in zip(x, model.predict(x, 4), strict=True):
        for number in range(4):
            torch.testing.assert_close(predicted[number], following(model, clip))
            clip = torch.cat([clip, predicted[number][None]])


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_features_are_the_highest_hidden_layer(name: str) -> None:
    model, x = network(name), video()
    hidden = [layer_by_layer(model, clip)[0] for clip in x]
    torch.testing.assert_close(model.encode(x), torch.stack([each[-1].reshape(-1) for each in hidden]))
    found = model.activations(x)
    assert list(found) == [f"hidden.{n}" for n in range(1, len(model.config.hidden) + 1)]
    for n, value in enumerate(found.values()):
        torch.testing.assert_close(value[:, -1], torch.stack([each[n] for each in hidden]))
        torch.testing.assert_close(value[:, 0], model.activations(x[:, :1])[f"hidden.{n + 1}"][:, 0])


@torch.no_grad()
def test_a_short_context_is_the_earliest_frame_repeated() -> None:
    model, x = network("sigmoid"), video(1)
    torch.testing.assert_close(model.predict(x, 2), model.predict(x.repeat(1, 3, 1, 1, 1), 2))


@torch.no_grad()
def test_frames_before_the_context_do_not_matter() -> None:
    model, x = network("residual"), video(5)
    torch.testing.assert_close(model.predict(x, 3), model.predict(x[:, -2:], 3))
    assert not torch.allclose(model.predict(x, 3), model.predict(x[:, -1:], 3))


@pytest.mark.parametrize("name", CONFIGS)
def test_loss_is_the_error_of_the_last_frame(name: str) -> None:
    model = network(name)
    x = video(model.context + 1)
    total = 0.0
    for clip in x:
        error = layer_by_layer(model, clip[:-1])[1] - clip[-1]
        total += sum(value.item() ** 2 for value in error.flatten()) / len(x)
    loss = model.loss(Batch.of(x), "model", NOW)
    assert loss.total.item() == pytest.approx(total)
    assert loss.parts["squared_error_per_frame"].item() == pytest.approx(total)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_gradient_is_the_slope(name: str) -> None:
    model = network(name)
    x = video(model.context + 1, batch=1)
    loss = model.loss(Batch.of(x), "model", NOW).total
    loss.backward()
    for parameter in model.parameters():
        direction = torch.randn_like(parameter, generator=torch.Generator().manual_seed(0))
        slope = float((parameter.grad * direction).sum())
        ends: list[float] = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.add_(direction, alpha=sign * 1e-6)
                ends.append(float(model.loss(Batch.of(x), "model", NOW).total))
                parameter.sub_(direction, alpha=sign * 1e-6)
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(slope, rel=1e-5, abs=1e-7)


@torch.no_grad()
def test_predictions_stay_within_the_data() -> None:
    model, x = network("dense"), 4 * video() - 2
    model.prepare(Batch.of(x))
    assert float(model.low) == pytest.approx(float(x.min())) and float(model.high) == pytest.approx(float(x.max()))
    model.decoder.get_parameter("bias").fill_(50)
    assert (model.predict(x, 3) == model.high).all() and (model.reconstruct(x) == model.high).all()


@pytest.mark.parametrize("name", ["sigmoid", "convolution"])
@torch.no_grad()
def test_filters_show_the_frames_side_by_side(name: str) -> None:
    """A unit's input is what its filter, cut into frames, picks out of the frames seen."""
    model, x = network(name), video(3)
    context, pictures = model.context, model.filters()
    height, width = (3, 3) if name == "convolution" else SHAPE[1:]
    assert pictures.shape == (model.config.hidden[0], 2, height, context * width)
    cut = pictures.unflatten(-1, (context, width)).movedim(3, 1)
    # At the middle of the first filter's reach: rows and columns 0 to 2, or all.
    picked = torch.einsum("utchw,btchw->bu", cut, x[:, -context:, :, :height, :width])
    bias = dict(model.named_parameters())[
        "encoder.0.bias" if name == "sigmoid" else "encoder.layers.0.convolution.bias"
    ]
    found = model.activations(x)["hidden.1"][:, -1]
    found = found[..., 1, 1] if name == "convolution" else found
    torch.testing.assert_close(found, FUNCTIONS[model.config.activation](picked + bias))


@torch.no_grad()
def test_convolutions_look_at_frames_of_any_size() -> None:
    for name in ("convolution", "strided"):
        assert network(name).predict(video(3, (2, 15, 21)), 2).shape == (2, 2, 2, 15, 21)
    with pytest.raises(SizeError, match="built for 6x8 cannot look at 15x21; resize, or use network convolution"):
        network("dense").predict(video(3, (2, 15, 21)), 2)


def test_the_residual_network_begins_near_a_copy() -> None:
    with seeded(0):
        model = PredictiveEncoder(PredictiveEncoder.Config(), Example((1, 12, 12), frames=3))
    with seeded(0):
        x = torch.randn(64, 3, 1, 12, 12)
    model.prepare(Batch.of(x))
    assert (model.reconstruct(x) - x[:, :-1]).square().mean() < 0.01


def test_a_drifting_grating_is_learnt() -> None:
    """One frame cannot tell which way a grating moves; two can, so a context of two predicts it and one does not."""
    left: list[float] = []
    for context in (1, 2):
        with seeded(0):
            model = PredictiveEncoder(PredictiveEncoder.Config(hidden=(32,)), Example((1, 1, 8), context + 1))
            optimiser = torch.optim.Adam(model.parameters(), 5e-3)
            for _ in range(250):
                phase, way = 6.283 * torch.rand(64, 1, 1), torch.randint(2, (64, 1, 1)) * 2.0 - 1
                place = 0.785 * torch.arange(8.0) + phase + way * 0.785 * torch.arange(3.0)[:, None]
                x = place.sin()[:, 2 - context :, None, None]
                loss = model.loss(Batch.of(x), "model", NOW).total
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        left.append(float(loss.detach()))
    # Ways are equally likely, so after one frame the best guess is their mean: sin^2 of the step for each of 8 pixels,
    # half on average. Two frames leave nothing unknown.
    assert left[0] == pytest.approx(8 * 0.5 * 0.5, rel=0.25)
    assert left[1] < 0.1 * left[0]


@pytest.mark.parametrize(
    ("act", "error", "told"),
    [
        (lambda: PredictiveEncoder(replace(DENSE, hidden=()), Example(SHAPE, 3)), ConfigError, "hidden is empty"),
        (lambda: PredictiveEncoder(DENSE, (5,)), SizeError, "not at examples of shape"),
        (lambda: PredictiveEncoder(CONFIGS["convolution"], Example((1, 0, 4), 3)), SizeError, "too small"),
        (lambda: network("dense").predict(video(), 0), ConfigError, "at least 1 frame"),
        (lambda: network("dense").reconstruct(video(1)), DataError, "no next frame to predict;\ngive .*--frames 3"),
        (lambda: network("dense").encode(video()[:, :, :1]), DataError, r"\(batch, time, 2, height, width\)"),
        (lambda: network("dense").reconstruct(video()[:, 0]), DataError, "windows of 1 frame"),
        (lambda: PredictiveEncoder(DENSE, SHAPE), ConfigError, "this one has 1: --frames 3, or Example"),
        (lambda: network("dense").activations(video(), ["top"]), ConfigError, "no layer is called 'top'; there are"),
    ],
)
def test_what_cannot_work_is_refused_in_a_line(act: object, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as caught:
        act()  # type: ignore[operator]
    assert len(str(caught.value).splitlines()) <= 3
