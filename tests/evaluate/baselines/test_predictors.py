"""Trivial predictors: extrapolation by hand, ridges against scikit-learn on explicit tables, known figures of balls."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

import untaught
from tests.evaluate.fakes import Forecast, drifting, subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.baselines import predictors as module
from untaught.evaluate.baselines.predictors import (
    Predictor,
    dense_weights,
    lagged_moments,
    linear_extrapolation,
    local_filters,
    predictors,
)
from untaught.evaluate.footage import Footage, footage
from untaught.evaluate.measures.prediction import _means, _one_step


def clips(channels: int = 1) -> Footage:
    """Three clips of 7, 3 and 9 frames."""
    frames = drifting(1, 19, 4, channels=channels)
    length = torch.tensor([7, 3, 9])
    part = replace(Part.of(frames), first=length.cumsum(0) - length, length=length)
    return footage(part, View(), 1000)


def table(train: Footage, order: int, orders: int) -> tuple[np.ndarray, np.ndarray]:
    """Every target with `orders` frames before it, and the `order` frames before it, newest first, in plain loops."""
    before, target = [], []
    for first, length in zip(train.first.tolist(), train.length.tolist(), strict=True):
        for row in range(first + orders, first + length):
            before.append(torch.cat([train.frames[row - lag].flatten() for lag in range(1, order + 1)]))
            target.append(train.frames[row].flatten())
    return torch.stack(before).double().numpy(), torch.stack(target).double().numpy()


def one_step(predictor: Predictor, test: Footage) -> Tensor:
    """Error of each clip one frame ahead."""
    nobody = Part.of(torch.rand(2, 2, 1, 2, 2))  # a predictor needs no model
    errors = _one_step(subject_of(Forecast(Forecast.Config(), (1, 2, 2)), nobody, nobody), predictor, test)
    return _means(errors, test.clip_of(test.rows(1)))


def test_linear_extrapolation_goes_on_pixel_by_pixel() -> None:
    given = drifting(2, 3, 4)
    following = linear_extrapolation(given)
    for place in np.ndindex(2, 1, 4, 4):
        clip, *pixel = place
        now, before = float(given[(clip, 2, *pixel)]), float(given[(clip, 1, *pixel)])
        assert float(following[place]) == pytest.approx(min(max(2 * now - before, 0), 1), abs=1e-6)
    assert torch.equal(linear_extrapolation(given[:, :1]), given[:, 0])


def test_lagged_moments_are_the_sums_of_outer_products() -> None:
    train = clips()
    before, target = table(train, 3, 3)
    stacked = np.concatenate([target, before], 1)
    assert np.allclose(lagged_moments(train, 3).numpy(), stacked.T @ stacked, atol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_dense_ridge_is_scikit_learns(order: int) -> None:
    train = clips()
    before, target = table(train, order, 3)
    theirs = Ridge(alpha=3, fit_intercept=False).fit(before, target).coef_.T
    assert np.allclose(dense_weights(train, 3)[order - 1].numpy(), theirs, atol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("channels", [1, 2])
def test_local_ridge_is_scikit_learns(channels: int, order: int) -> None:
    """Neighbourhoods gathered place by place, edges repeated, newest frame first."""
    train = clips(channels)
    seen, target = [], []
    for row in train.rows(2).tolist():
        stack = torch.stack([train.frames[row - lag] for lag in range(1, order + 1)])
        for y, x in np.ndindex(4, 4):
            rows, columns = (torch.arange(z - 2, z + 3).clamp(0, 3) for z in (y, x))
            seen.append(stack[:, :, rows][:, :, :, columns].flatten())
            target.append(train.frames[row][:, y, x])
    theirs = Ridge(alpha=3, fit_intercept=False).fit(torch.stack(seen).double(), torch.stack(target).double())
    ours = local_filters(train, 2)[order - 1]
    assert np.allclose(ours.flatten(1).numpy(), theirs.coef_, atol=1e-5)


@pytest.mark.parametrize("local", [False, True])
def test_predictors_apply_what_was_fitted(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DENSE", 0 if local else 10_000)
    train = clips()
    found = predictors(train)
    names = ["ridge_5x5_1_frame", "ridge_5x5_2_frames"] if local else ["ridge_1_frame", "ridge_2_frames"]
    assert list(found)[:4] == ["previous_frame", "linear_extrapolation", *names]
    given = drifting(5, 3, 4, seed=7)
    recent = given[:, -2:].flip(1).flatten(1)
    expected = (recent @ dense_weights(train, 4)[1]).reshape(5, 1, 4, 4).clamp(0, 1)
    following = found[names[1]](given)
    if local:
        margin = torch.nn.functional.pad(given[:, -2:, 0].flip(1), (2,) * 4, mode="replicate")
        expected = torch.nn.functional.conv2d(margin, local_filters(train, 4)[1]).clamp(0, 1)
    assert torch.allclose(following, expected, atol=1e-6)
    assert torch.allclose(found["mean_frame"](given)[3], train.frames.mean(0), atol=1e-6)


@pytest.mark.parametrize("local", [False, True])
def test_few_frames_are_met_by_the_ridge_on_as_many(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DENSE", 0 if local else 10_000)
    found = predictors(clips())
    ridges = [predictor for name, predictor in found.items() if name.startswith("ridge")]
    given = drifting(2, 2, 4, seed=3)
    assert torch.equal(ridges[3](given), ridges[1](given))
    assert not torch.equal(ridges[3](given), ridges[0](given))


def test_short_clips_allow_short_ridges() -> None:
    names = list(predictors(footage(Part.of(drifting(4, 3, 4)), View(), 100)))
    assert [name for name in names if name.startswith("ridge")] == ["ridge_1_frame", "ridge_2_frames"]


@pytest.mark.slow
def test_natural_video_gives_the_known_figures(shared_data: Path) -> None:
    """A linear 5 x 5 filter of three frames is 3 % better than a copy on the last 24 frames of 120."""
    source = untaught.open_data(shared_data / "video" / "carphone_pristine.mp4")
    train, test = (footage(source.train.time(*span), View(), 1000) for span in ((0, 0.8), (0.8, 1)))
    found = predictors(train)
    copy, local = (float(one_step(found[name], test).mean()) for name in ("previous_frame", "ridge_5x5_3_frames"))
    assert 0.02 < 1 - local / copy < 0.05


@pytest.mark.slow
def test_balls_give_the_known_figures() -> None:
    """Errors of trivial predictors of bouncing balls, means over 200 clips; four standard errors apart at most.

    The figures known of ridges are over frames that have as many before them as the ridge looks at. Ours begin at the
    second frame, which a ridge on fewer frames predicts.
    """
    source = untaught.open_data("balls?clips=300&validation=1")
    train, test = (footage(part, View(), 30_000) for part in (source.train, source.parts().test))
    known = {"previous_frame": 11.84, "linear_extrapolation": 6.815, "ridge_1_frame": 10.38, "ridge_2_frames": 3.87,
             "ridge_3_frames": 3.00, "ridge_4_frames": 2.85, "mean_frame": 74.9}  # fmt: skip
    spread = {"previous_frame": 0.3, "linear_extrapolation": 0.3, "ridge_1_frame": 0.21, "ridge_2_frames": 0.37,
              "ridge_3_frames": 0.27, "ridge_4_frames": 0.26, "mean_frame": 1.0}  # fmt: skip
    fewer = {"linear_extrapolation": ["previous_frame"], "ridge_2_frames": ["ridge_1_frame"],
             "ridge_3_frames": ["ridge_1_frame", "ridge_2_frames"],
             "ridge_4_frames": ["ridge_1_frame", "ridge_2_frames", "ridge_3_frames"]}  # fmt: skip
    for name, predictor in predictors(train).items():
        instead = fewer.get(name, [])
        figure = (sum(known[other] for other in instead) + (99 - len(instead)) * known[name]) / 99
        error = float(one_step(predictor, test).mean())
        assert abs(error - figure) < 4 * spread[name] * (2 / 200) ** 0.5, (name, error, figure)


@pytest.mark.parametrize("local", [False, True])
def test_predictions_stay_between_black_and_white(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DENSE", 0 if local else 10_000)
    given = 30 * (drifting(5, 4, 4, seed=7) - 0.5)
    for name, predict in predictors(clips()).items():
        if name.startswith("ridge") or name == "linear_extrapolation":
            following = predict(given)
            assert (following.min(), following.max()) == (0, 1), name


def test_frames_of_balls_have_a_weight_for_each_pair_of_pixels() -> None:
    """Of 30 x 30 and up to 32 x 32 pixels; ridges of 1 to 4 frames with the penalty of 3, neighbourhoods of 5 x 5."""
    assert 30 * 30 < module.DENSE == 32 * 32
    assert (module.PENALTY, module.ORDERS, module.SIDE) == (3.0, 4, 5)
