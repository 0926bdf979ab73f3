"""Errors of predictions, frame by frame, in plain loops."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.evaluate.fakes import Forecast, Linear, drifting, subject_of
from untaught.data.part import Part
from untaught.data.view import Statistics, View
from untaught.evaluate.baselines.predictors import predictors
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.footage import LONGEST, footage
from untaught.evaluate.measures import prediction
from untaught.evaluate.measures.prediction import MEASURE, applies
from untaught.evaluate.subject import Subject


def subject(rule: str = "mean of context", clips: int = 4, frames: int = 25, view: View | None = None) -> Subject:
    train, test = (Part.of(drifting(clips, frames, seed=seed)) for seed in (0, 1))
    model = Forecast(Forecast.Config(rule=rule), (1, 6, 6)).eval()
    return subject_of(model, train, test, view or View(frames=5))


def errors(video: Tensor) -> list[float]:
    """Mean over frames 2 to T of each clip, each predicted as the mean of the last ten at most."""
    found: list[float] = []
    for clip in video:
        each = [float((clip[max(0, t - 10) : t].mean(0) - clip[t]).square().sum()) for t in range(1, len(clip))]
        found.append(sum(each) / len(each))
    return found


def test_one_step_error_is_the_papers_protocol() -> None:
    expected = torch.tensor(errors(drifting(4, 25, seed=1)))
    found = MEASURE.take(subject())
    assert found["squared_error_per_frame"] == pytest.approx(float(expected.mean()), rel=1e-5)
    assert found["squared_error_per_frame_std"] == pytest.approx(float(expected.std(correction=0)), rel=1e-4)
    assert (found["clips"], found["frames"]) == (4, 4 * 24)


def test_clips_of_different_length_weigh_the_same() -> None:
    x = drifting(1, 30, seed=1)
    length = torch.tensor([20, 7, 3])
    test = replace(Part.of(x), first=length.cumsum(0) - length, length=length)
    ragged = replace(subject(), parts=replace(subject().parts, test=test))
    pieces = [errors(clip[None])[0] for clip in x[0].split(length.tolist())]
    assert MEASURE.take(ragged)["squared_error_per_frame"] == pytest.approx(sum(pieces) / 3, rel=1e-5)


def test_a_model_that_copies_equals_the_baseline_that_copies() -> None:
    found = MEASURE.take(subject("previous"))
    assert found["squared_error_per_frame"] == pytest.approx(found["baselines"]["previous_frame"])
    assert found["squared_error_per_frame_std"] == pytest.approx(found["baselines_std"]["previous_frame"])
    assert found["rollout"] == pytest.approx(found["rollout_baselines"]["previous_frame"])
    assert found["baselines"]["ridge_4_frames"] < found["baselines"]["ridge_1_frame"]


def test_rollout_goes_on_from_own_predictions() -> None:
    """A clip of 25 frames has room for a context of 10 and 15 frames ahead, once."""
    totals = torch.zeros(15)
    for clip in drifting(4, 25, seed=1):
        seen = list(clip[:10])
        for ahead in range(15):
            seen.append(torch.stack(seen[-10:]).mean(0))
            totals[ahead] += (seen[-1] - clip[10 + ahead]).square().sum() / 4
    found = MEASURE.take(subject())
    assert found["rollout"] == pytest.approx(totals.tolist(), rel=1e-5)
    assert found["rollout_context"] == 10
    assert {len(curve) for curve in found["rollout_baselines"].values()} == {15}


def test_baselines_go_on_from_their_own_predictions() -> None:
    held = subject()
    train, test = (footage(part, View(), 1000) for part in (held.parts.train, held.parts.test))
    ridge = predictors(train)["ridge_4_frames"]
    seen = [test.after(test.first, 10)[:, n] for n in range(10)]
    for _ in range(15):
        seen.append(ridge(torch.stack(seen[-4:], 1)))
    true = test.after(test.first + 10, 15)
    errors = (torch.stack(seen[10:], 1) - true).square().sum((2, 3, 4)).mean(0)
    assert MEASURE.take(held)["rollout_baselines"]["ridge_4_frames"] == pytest.approx(errors.tolist(), rel=1e-4)


def test_predictions_are_clipped_to_what_can_be_shown() -> None:
    white = [float((1 - frame).square().sum()) for clip in drifting(4, 25, seed=1) for frame in clip[1:]]
    assert MEASURE.take(subject("too bright"))["squared_error_per_frame"] == pytest.approx(
        sum(white) / len(white), rel=1e-5
    )


def test_rollout_starts_wherever_a_clip_has_room() -> None:
    """A clip of 60 frames has room for 20 frames ahead after frames 10 and 30."""
    x = drifting(1, 60, seed=1)
    found = MEASURE.take(subject("previous", clips=1, frames=60))["rollout"]
    expected = [sum(float((x[0, s - 1] - x[0, s + n]).square().sum()) for s in (10, 30)) / 2 for n in range(20)]
    assert found == pytest.approx(expected, rel=1e-5)


def test_short_clips_are_measured() -> None:
    found = MEASURE.take(subject(frames=2))
    assert len(found["rollout"]) == 1 and found["rollout_context"] == 1


def test_standardised_models_are_compared_in_pixels() -> None:
    plain = MEASURE.take(subject())
    statistics = Statistics(torch.full((1, 6, 6), 0.3), torch.full((1, 6, 6), 0.2))
    standardised = replace(subject(view=View(frames=5, standardise="pixel")), statistics=statistics)
    assert MEASURE.take(standardised)["squared_error_per_frame"] == pytest.approx(
        plain["squared_error_per_frame"], rel=1e-4
    )


@pytest.mark.parametrize("any_size", [True, False])
def test_whole_frames_are_predicted_where_the_model_can(any_size: bool) -> None:
    model = Forecast(Forecast.Config(any_size=any_size), (1, 3, 3)).eval()
    found = MEASURE.take(replace(subject(view=View(frames=5, patch=3)), model=model))
    assert found["frame_shape"] == ([1, 6, 6] if any_size else [1, 3, 3])


def test_the_limit_counts_frames() -> None:
    assert MEASURE.take(replace(subject(), limit=50))["clips"] == 2


def test_it_says_why_it_does_not_apply() -> None:
    pictures = Part.of(torch.rand(4, 1, 6, 6))
    assert applies(subject()) is None
    assert applies(subject_of(Linear(Linear.Config(), (1, 6, 6)), pictures, pictures)) == "the model does not predict"
    assert applies(subject_of(Forecast(Forecast.Config(), (1, 6, 6)), pictures, pictures)) == "the data are not video"


def test_results_are_the_same_every_time() -> None:
    one, two = (evaluate(subject(), ["prediction"]) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("quick", [False, True])
def test_what_is_fitted_is_fitted_on_training_frames(quick: bool) -> None:
    """The mean of training frames, beside which the mean of test frames would do better; deviations over clips."""
    held = subject()
    train, test = drifting(4, 25, seed=0), drifting(4, 25, seed=1)
    each = (train.mean((0, 1)) - test[:, 1:]).square().sum((2, 3, 4)).mean(1)
    groups = MEASURE.headline.quick(held) if quick and MEASURE.headline else MEASURE.measure(held)
    found = groups[0][0].baselines["mean_frame"]
    assert found.value == pytest.approx(float(each.mean()), rel=1e-5)
    assert found.spread == pytest.approx(float(each.std(correction=0)), rel=1e-4)
    if not quick:
        own = predictors(footage(held.parts.train, View(), 1000))["ridge_2_frames"]
        errors = [
            float((own(clip[None, max(0, t - 10) : t])[0] - clip[t]).square().sum())
            for clip in test
            for t in range(1, 25)
        ]
        assert groups[0][0].baselines["ridge_2_frames"].value == pytest.approx(sum(errors) / 96, rel=1e-4)
        ahead = (train.mean((0, 1)) - test[:, 10:]).square().sum((2, 3, 4)).mean(0)
        assert groups[1][0].baselines["mean_frame"].value == pytest.approx(ahead.tolist(), rel=1e-5)


def test_frames_in_a_row_are_too_much_alike_to_count_as_several() -> None:
    """The error of the lead is that of means of ten frames each; of eight blocks where frames are few."""
    held = subject()
    clips = drifting(4, 25, seed=1)
    own = torch.tensor([
        float((clip[max(0, t - 10) : t].mean(0) - clip[t]).square().sum()) for clip in clips for t in range(1, 25)
    ])  # fmt: skip
    copy = (clips[:, :-1] - clips[:, 1:]).square().sum((2, 3, 4)).flatten()
    lead = MEASURE.measure(held)[0][0].baselines["previous_frame"].lead
    ahead = (copy - own).double()
    blocks = torch.stack([some.mean() for some in (*ahead[:80].split(10), ahead[80:])])
    assert lead is not None and lead.error == pytest.approx(float(blocks.std()) / 9**0.5, rel=1e-4)
    assert lead.examples == 96


def test_the_protocol_is_that_of_2015() -> None:
    """The last ten true frames at most; ridges fitted on 300 clips of 100 frames, tested on clips of 100."""
    assert (prediction.CONTEXT, prediction.FITTED, prediction.FRAMES) == (10, 300 * 100, 50 * 100)
    assert LONGEST == 100


@pytest.mark.parametrize(("frames", "context"), [(4, 2), (15, 7), (20, 10), (60, 10)])
def test_a_rollout_is_given_half_of_a_clip_at_most(frames: int, context: int) -> None:
    test = footage(subject(clips=1, frames=frames).parts.test, View(), 1000)
    assert prediction.rollout_lengths(test) == (context, min(20, frames - context))
