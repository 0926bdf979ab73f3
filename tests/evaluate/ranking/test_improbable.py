"""Each score against its own formula, in plain loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.evaluate.fakes import Forecast, Linear, blobs, drifting, subject_of
from untaught.data.part import Part
from untaught.data.view import Statistics, View
from untaught.errors import DataError
from untaught.evaluate.ranking.improbable import available, explained, in_places, missing, scores
from untaught.evaluate.subject import Subject
from untaught.models.dbn import DBN
from untaught.models.rbm import RBM
from untaught.models.sigmoid_belief import SigmoidBelief
from untaught.randomness import seeded

HALF_A_LEVEL = 0.5 / 255


def linear(part: Part, view: View | None = None, statistics: Statistics | None = None) -> Subject:
    with seeded(0):
        return subject_of(Linear(Linear.Config(keep=0.5), part.shape).eval(), part, part, view, statistics)


def watching(x: Tensor, frames: int = 4, **more: object) -> Subject:
    model = Forecast(Forecast.Config(rule="mean of context", **more), tuple(x.shape[2:])).eval()
    return subject_of(model, Part.of(x), Part.of(x), View(frames=frames))


# ---------------------------------------------------------------- which there are


def test_the_preferred_score_comes_first() -> None:
    binary = Part.of((torch.rand(9, 6) < 0.5).float())
    with seeded(0):
        machine = subject_of(RBM(RBM.Config(hidden=3), (6,)).eval(), binary, binary)
        belief = subject_of(SigmoidBelief(SigmoidBelief.Config(hidden=(3,)), (6,)).eval(), binary, binary)
    assert available(machine) == ["free-energy", "reconstruction"]
    assert available(belief) == ["likelihood", "reconstruction"]
    assert available(linear(blobs(5))) == ["reconstruction"]
    assert available(watching(drifting(2, 9))) == ["prediction"]


def test_what_is_missing_says_why() -> None:
    reasons = missing(linear(blobs(5)))
    assert reasons["reconstruction"] is None
    assert reasons["prediction"] == "the model does not predict"
    stills = watching(drifting(2, 9))
    stills = replace(stills, parts=replace(stills.parts, test=blobs(5)))
    assert missing(stills)["prediction"] == "the data are not video"


# ---------------------------------------------------------------- of single examples


def test_reconstruction_is_the_squared_error() -> None:
    part = blobs(30)
    x = part.frames.read(part.first)
    expected = [float(((one - 0.5 * one) ** 2).sum()) for one in x]
    found = scores(linear(part), part, "reconstruction")
    assert found.frame.tolist() == list(range(30))
    np.testing.assert_allclose(found.score.numpy(), expected, rtol=1e-5)


def test_reconstruction_is_told_in_pixels_where_the_model_sees_deviations() -> None:
    part, known = blobs(10), Statistics(torch.full((1, 4, 4), 0.4), torch.full((1, 4, 4), 0.25))
    x = part.frames.read(part.first)
    back = 0.5 * (x - 0.4) / 0.25 * 0.25 + 0.4
    expected = (x - back).square().flatten(1).sum(1)
    found = scores(linear(part, View(standardise="pixel"), known), part, "reconstruction")
    torch.testing.assert_close(found.score, expected)


def test_free_energy_is_the_sum_over_hidden_states() -> None:
    """-log sum_h exp(b v + c h + v W h), every h one by one."""
    part = Part.of(torch.rand(7, 5, generator=torch.Generator().manual_seed(0)))
    with seeded(1):
        model = RBM(RBM.Config(hidden=3), (5,)).eval()
        torch.nn.init.normal_(model.weight)
        torch.nn.init.normal_(model.hidden_bias)
    hidden = torch.tensor([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)]).double()
    w, b, c = (value.detach().double() for value in (model.weight, model.visible_bias, model.hidden_bias))
    expected = [
        -torch.stack([v @ b + h @ c + v @ w @ h for h in hidden]).logsumexp(0)
        for v in part.frames.read(part.first).double()
    ]
    found = scores(subject_of(model, part, part), part, "free-energy")
    np.testing.assert_allclose(found.score.numpy(), torch.stack(expected).numpy(), rtol=1e-5)


def test_likelihood_sums_to_one_over_all_states() -> None:
    states = Part.of(torch.tensor([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)]).float())
    with seeded(0):
        model = SigmoidBelief(SigmoidBelief.Config(hidden=(3,)), (3,)).eval()
    found = scores(subject_of(model, states, states), states, "likelihood")
    assert float((-found.score.double()).exp().sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_a_bound_is_the_mean_over_draws() -> None:
    x = (torch.rand(20, *DBN.smoke.shape, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    part = Part.of(x)
    with seeded(0):
        subject = subject_of(DBN(DBN.smoke.config, DBN.smoke.example).eval(), part, part)
        found, again = (scores(subject, part, "likelihood").score for _ in range(2))
        exact = torch.stack([subject.model.unnormalised_bound(x) for _ in range(2000)])
    assert torch.equal(found, again)
    error = exact.std(0) / 10**0.5
    assert ((found + exact.mean(0)).abs() < 4.5 * error + 1e-4).all()


# ---------------------------------------------------------------- of video


def by_loop(x: Tensor, context: int) -> Tensor:
    """Equation (4) for one part, the model being the mean of the frames given; squares of a side of one pixel."""
    each: list[Tensor] = []
    for clip in x:
        given = min(context, len(clip) - 1)
        for t in range(given, len(clip)):
            each.append((clip[t - given : t].mean(0) - clip[t]).square().sum(0))
    errors = torch.stack(each)
    usual = errors.sort(0).values[(len(errors) - 1) // 2]
    return (errors / (usual + usual.mean() / 100 + x.shape[2] * HALF_A_LEVEL**2)).flatten(1).mean(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_prediction_counts_in_times_the_usual_error_of_each_place(channels: int) -> None:
    x = drifting(3, 12, channels=channels)
    found = scores(watching(x), Part.of(x), "prediction")
    assert found.frame.tolist() == [12 * clip + t for clip in range(3) for t in range(3, 12)]
    torch.testing.assert_close(found.score, by_loop(x, 3), rtol=1e-4, atol=1e-5)


def test_short_clips_are_predicted_from_what_they_have() -> None:
    x = drifting(2, 3)
    assert scores(watching(x, frames=20), Part.of(x), "prediction").frame.tolist() == [2, 5]


def test_a_still_clip_is_nowhere_unusual() -> None:
    x = drifting(1, 1).expand(2, 9, -1, -1, -1)
    assert scores(watching(x), Part.of(x), "prediction").score.abs().max() < 1e-6


def test_a_quiet_place_weighs_more_than_one_that_always_moves() -> None:
    """Half of the picture is noise; a change as large elsewhere, and a much larger one there, at other times."""
    x = torch.full((1, 60, 1, 16, 16), 0.5)
    x[..., :8] = torch.rand(1, 60, 1, 16, 8, generator=torch.Generator().manual_seed(0))
    x[0, 30, 0, 4:8, 10:14] = 0.7
    found = scores(watching(x), Part.of(x), "prediction")
    assert int(found.frame[found.score.argmax()]) == 30


def test_models_that_need_several_frames_get_them() -> None:
    class Choosy(Forecast):
        """Refuses fewer than three frames."""

        def predict(self, context: Tensor, frames: int) -> Tensor:
            if context.shape[1] < 3:
                raise DataError("three frames")
            return super().predict(context, frames)

    x = drifting(2, 9)
    subject = subject_of(Choosy(Forecast.Config(), (1, 6, 6)).eval(), Part.of(x), Part.of(x), View(frames=4))
    assert scores(subject, Part.of(x), "prediction").frame.tolist() == [*range(3, 9), *range(12, 18)]


# ---------------------------------------------------------------- where


def test_where_it_lies_adds_up_to_the_score() -> None:
    part = blobs(5)
    found = explained(linear(part), part, 3, "reconstruction", None)
    assert found.where is not None and found.made is not None
    torch.testing.assert_close(found.where.sum(), scores(linear(part), part, "reconstruction").score[3])
    x = drifting(2, 9)
    judged = scores(watching(x), Part.of(x), "prediction")
    place = explained(watching(x), Part.of(x), 13, "prediction", judged.usual)
    assert place.where is not None
    torch.testing.assert_close(place.where.mean(), judged.score[judged.frame == 13][0])
    assert torch.equal(place.picture, x[1, 4])


def test_a_model_of_squares_looks_at_all_of_a_picture() -> None:
    class Small(Linear):
        """Sees 4 x 4 alone."""

        def reconstruct(self, x: Tensor) -> Tensor:
            if tuple(x.shape[1:]) != (1, 4, 4):
                raise RuntimeError("shapes cannot be multiplied")
            return super().reconstruct(x)

    part = Part.of(torch.rand(6, 1, 6, 10, generator=torch.Generator().manual_seed(0)))
    subject = subject_of(Small(Linear.Config(keep=0.5), (1, 4, 4)).eval(), part, part, View(patch=4))
    x = part.frames.read(part.first)
    torch.testing.assert_close(scores(subject, part, "reconstruction").score, (0.5 * x).square().flatten(1).sum(1))


def test_a_prediction_is_from_ten_frames_at_most() -> None:
    """However many the model was trained on."""
    x = drifting(2, 15)
    found = scores(watching(x, frames=14), Part.of(x), "prediction")
    assert found.frame.tolist() == [*range(10, 15), *range(25, 30)]
    torch.testing.assert_close(found.score, by_loop(x, 10), rtol=1e-4, atol=1e-5)


def test_places_are_squares_of_an_eighth_of_the_shorter_side() -> None:
    """Each overlaps the next by half; of three channels the errors are added."""
    squares = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    found = in_places(squares)
    assert found.shape == (2, 15, 23)
    for row, column in ((0, 0), (7, 11), (14, 22)):
        here = squares[:, :, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4]
        torch.testing.assert_close(found[:, row, column], here.sum(1).mean((1, 2)))
