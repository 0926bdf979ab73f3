"""Rollouts frame by frame in plain loops, similarities against scikit-image, the protocol of Moving MNIST."""

import json
from dataclasses import replace

import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from tests.evaluate.fakes import Forecast, Linear, drifting, subject_of
from untaught.data.part import Part
from untaught.data.sets.moving_digits import Options, load
from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.evaluate.baselines.predictors import predictors
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.footage import footage
from untaught.evaluate.image_quality import ssim, ssim_7x7
from untaught.evaluate.measures import rollout
from untaught.evaluate.measures.rollout import MEASURE, applies, measure
from untaught.evaluate.subject import Subject

BASELINES = {
    "previous_frame",
    "linear_extrapolation",
    "mean_frame",
    *(f"ridge_{n}_frame{'s' if n > 1 else ''}" for n in range(1, 5)),
}


def subject(rule: str = "mean of context", clips: int = 4, frames: int = 25, side: int = 6) -> Subject:
    train, test = (Part.of(drifting(clips, frames, side, seed)) for seed in (0, 1))
    return subject_of(Forecast(Forecast.Config(rule=rule), (1, side, side)).eval(), train, test, View(frames=5))


def forecast(clip: Tensor, first: int, context: int, ahead: int) -> list[Tensor]:
    """Frames from `first` on, each the mean of the last ten at most of what was given and predicted."""
    seen = list(clip[first - context : first])
    for _ in range(ahead):
        seen.append(torch.stack(seen[-10:]).mean(0))
    return seen[context:]


def errors(clip: Tensor, first: int, context: int) -> list[float]:
    predicted = forecast(clip, first, context, len(clip) - first)
    return [float((x - y).square().sum()) for x, y in zip(predicted, clip[first:], strict=True)]


def mean(values: list[list[float]]) -> list[float]:
    return torch.tensor(values, dtype=torch.float64).mean(0).tolist()


def test_every_context_predicts_the_same_frames() -> None:
    """All begin at frame 10, which the longest context needs, and see fewer frames before it."""
    found = MEASURE.take(subject())
    assert list(found["squared_error_ahead"]) == [f"context_{count}" for count in range(1, 11)]
    clips = drifting(4, 25, seed=1)
    for context in range(1, 11):
        expected = mean([errors(clip, 10, context) for clip in clips])
        assert found["squared_error_ahead"][f"context_{context}"] == pytest.approx(expected, rel=1e-5)
    assert (found["context"], found["frames_ahead"], found["clips"]) == (10, 15, 4)


def test_similarity_is_that_of_scikit_image() -> None:
    expected = torch.zeros(15, dtype=torch.float64)
    for clip in drifting(4, 25, 12, seed=1):
        for ahead, predicted in enumerate(forecast(clip, 10, 5, 15)):
            x, y = predicted[0].numpy(), clip[10 + ahead, 0].numpy()
            options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
            expected[ahead] += structural_similarity(x, y, data_range=1, **options) / 4
    assert MEASURE.take(subject(side=12))["ssim_ahead"]["context_5"] == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize(("side", "window"), [(12, 7), (7, 7), (6, 5)])
def test_the_other_similarity_is_scikit_images_default(side: int, window: int) -> None:
    x, y = torch.rand(2, 5, 2, side, side, generator=torch.Generator().manual_seed(0))
    expected = [
        structural_similarity(a.numpy(), b.numpy(), win_size=window, channel_axis=0, data_range=2)
        for a, b in zip(x, y, strict=True)
    ]
    assert ssim_7x7(x, y).tolist() == pytest.approx(expected, abs=1e-5)


def test_summary_is_the_mean_over_frames_from_the_longest_context() -> None:
    found = MEASURE.take(subject())
    each = torch.tensor([errors(clip, 10, 10) for clip in drifting(4, 25, seed=1)]).mean(1)
    assert found["squared_error_per_frame"] == pytest.approx(float(each.mean()), rel=1e-5)
    assert found["squared_error_per_frame_std"] == pytest.approx(float(each.std(correction=0)), rel=1e-4)
    ahead = found["ssim_ahead"]["context_10"]
    assert found["ssim"] == pytest.approx(sum(ahead) / len(ahead))


def test_errors_alone_have_a_deviation_over_clips() -> None:
    found = MEASURE.take(subject())
    assert "squared_error_per_frame_std" in found and not {"ssim_std", "ssim_7x7_std"} & set(found)


def test_clips_of_different_length_count_as_far_as_they_go() -> None:
    x = drifting(1, 45, seed=1)
    length = torch.tensor([24, 8, 13])
    test = replace(Part.of(x), first=length.cumsum(0) - length, length=length)
    found = MEASURE.take(replace(subject(), parts=replace(subject().parts, test=test)))
    long, _, short = x[0].split(length.tolist())
    first, second = errors(long, 10, 10), errors(short, 10, 10)
    both = [(a + b) / 2 for a, b in zip(first, second, strict=False)]
    assert found["squared_error_ahead"]["context_10"] == pytest.approx(both + first[3:], rel=1e-5)
    assert found["squared_error_per_frame"] == pytest.approx((sum(first) / 14 + sum(second) / 3) / 2, rel=1e-5)
    assert found["clips"] == 2


def test_a_model_that_copies_equals_the_baseline_that_copies() -> None:
    found = MEASURE.take(subject("previous"))
    for kind in ("squared_error_ahead", "ssim_ahead"):
        assert set(found[f"{kind}_baselines"]) == BASELINES
        copied = found[f"{kind}_baselines"]["previous_frame"]
        assert found[kind]["context_10"] == pytest.approx(copied["context_10"]) and list(copied) == ["context_10"]
    for number in ("ssim", "ssim_7x7"):
        assert found[number] == pytest.approx(found[f"{number}_baselines"]["previous_frame"])
    assert found["squared_error_per_frame"] == pytest.approx(found["baselines"]["previous_frame"])
    assert found["squared_error_per_frame_std"] == pytest.approx(found["baselines_std"]["previous_frame"])


def test_fifty_frames_ahead_at_most() -> None:
    assert MEASURE.take(subject("previous", clips=2, frames=80))["frames_ahead"] == 50


@pytest.mark.parametrize(("frames", "contexts"), [(2, [1]), (5, [1, 2]), (15, [1, 2, 3, 4, 5, 6, 7])])
def test_short_clips_leave_contexts_out(frames: int, contexts: list[int]) -> None:
    found = MEASURE.take(subject(frames=frames))
    assert list(found["squared_error_ahead"]) == [f"context_{count}" for count in contexts]
    assert found["frames_ahead"] == frames - contexts[-1]


def test_the_caller_chooses_contexts_and_clips() -> None:
    found = MEASURE.as_json(measure(subject(), contexts=(1, 3), clips=3))
    assert list(found["ssim_ahead"]) == ["context_1", "context_3"] and found["clips"] == 3
    assert list(MEASURE.as_json(measure(subject(frames=5), contexts=[7, 9]))["ssim_ahead"]) == ["context_2"]
    assert MEASURE.take(replace(subject(), limit=50))["clips"] == 2


@pytest.mark.parametrize("contexts", [(), (0, 3)])
def test_a_rollout_from_nothing_is_refused(contexts: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="begins from at least 1 true frame"):
        measure(subject(), contexts=contexts)


def test_clips_of_twenty_frames_follow_the_protocol_of_moving_mnist() -> None:
    """Ten frames given, ten predicted: a sum over pixels, a mean over frames and clips."""
    parts = load(None, Options(clips=3, validation=1, test=4, digits="sklearn")).parts()
    model = Forecast(Forecast.Config(rule="previous"), (1, 64, 64)).eval()
    found = MEASURE.take(subject_of(model, parts.train, parts.test, View(frames=20)))
    clips = torch.stack([parts.test.frames.read(torch.arange(a, a + 20)) for a in parts.test.first.tolist()]) / 255
    assert tuple(clips.shape) == (4, 20, 1, 64, 64) and (found["context"], found["frames_ahead"]) == (10, 10)
    copies, true = clips[:, 9:10].expand(-1, 10, -1, -1, -1), clips[:, 10:]
    published = (copies - true).square().mean((0, 1)).sum()
    assert found["squared_error_per_frame"] == pytest.approx(float(published), rel=1e-5)
    assert found["ssim"] == pytest.approx(float(ssim(copies.flatten(0, 1), true.flatten(0, 1)).mean()), rel=1e-5)
    assert found["ssim_7x7"] > found["ssim"]


def test_it_says_why_it_does_not_apply() -> None:
    pictures = Part.of(torch.rand(4, 1, 6, 6))
    assert applies(subject()) is None
    assert applies(subject_of(Linear(Linear.Config(), (1, 6, 6)), pictures, pictures)) == "the model does not predict"


def test_results_are_json_and_the_same_every_time() -> None:
    one, two = (evaluate(subject(), ["rollout"]) for _ in range(2))
    assert one == two == json.loads(json.dumps(one, allow_nan=False))


def test_baselines_are_fitted_on_training_frames_and_go_on_from_the_longest_context() -> None:
    found, held = MEASURE.take(subject()), subject()
    train, test = drifting(4, 25, seed=0), drifting(4, 25, seed=1)
    ahead = (train.mean((0, 1)) - test[:, 10:]).square().sum((2, 3, 4)).mean(0)
    beside = found["squared_error_ahead_baselines"]
    assert beside["mean_frame"]["context_10"] == pytest.approx(ahead.tolist(), rel=1e-5)
    ridge = predictors(footage(held.parts.train, View(), 1000))["ridge_4_frames"]
    seen = list(test[:, 6:10].unbind(1))
    for _ in range(15):
        seen.append(ridge(torch.stack(seen[-4:], 1)))
    errors = (torch.stack(seen[4:], 1) - test[:, 10:]).square().sum((2, 3, 4)).mean(0)
    assert beside["ridge_4_frames"]["context_10"] == pytest.approx(errors.tolist(), rel=1e-4)


def test_rollouts_have_the_lengths_described() -> None:
    """From 1 to 10 true frames, at most 50 frames ahead, of 20 clips."""
    assert (tuple(range(1, 11)), 50, 20) == (rollout.CONTEXTS, rollout.AHEAD, rollout.CLIPS)
    assert MEASURE.take(subject("previous", clips=24, frames=12))["clips"] == 20
