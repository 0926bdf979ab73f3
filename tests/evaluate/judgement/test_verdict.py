"""The verdict on models whose errors are known, beside trivial answers computed by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from tests.evaluate.fakes import Forecast, Linear, blobs, drifting, subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.judgement.verdict import Verdict, said, speaker, verdict
from untaught.evaluate.measure import Groups, Headline
from untaught.evaluate.quantity import Lead, Measured, Quantity
from untaught.evaluate.subject import Subject, measuring

ERROR = Quantity("error", better="lower", spoken="the error")
ACCURACY = Quantity("accuracy", better="higher", unit="%", spoken="the accuracy")
NATS = Quantity("nats", better="higher", unit="nats per example", spoken="the log-likelihood")
SURE = Lead(1e-6, 1.0, 40)


def about(quantity: Quantity, shape: tuple[int, ...] = (1, 2, 2)) -> Verdict:
    """The verdict on one quantity, whose trivial answers are the mean frame and a copy."""
    nobody = Part.of(torch.rand(2, *shape))
    subject = subject_of(Linear(Linear.Config(), shape), nobody, nobody)
    headline = Headline((quantity.name,), ("mean_frame", "previous_frame"), "pixels", lambda one: True, lambda one: [])
    found = said("any", headline, [[quantity]], subject)
    assert found is not None
    return found


def error(own: float, lead: Lead = SURE, **others: float) -> Quantity:
    return ERROR.of(own, None, {name: Measured(value, None, lead) for name, value in others.items()})


def test_it_is_held_against_the_best_trivial_answer() -> None:
    found = about(error(6.0, mean_frame=20.0, previous_frame=8.0))
    assert found.standing == "better" and not found.trivial
    assert found.words == "held out, 40 pixels: the error is 6, 25 % below copying the last frame (8)"


def test_a_model_that_is_worse_is_said_to_be_worse() -> None:
    found = about(error(10.0, mean_frame=20.0, previous_frame=8.0))
    assert found.standing == "worse" and found.trivial
    assert found.words.endswith("is 10, 25 % above copying the last frame (8): worse than the trivial answer")
    assert "is 20, 2.5 times that of copying the last frame (8): worse" in about(error(20.0, previous_frame=8.0)).words


@pytest.mark.parametrize(
    ("own", "lead", "standing"),
    [
        (7.95, SURE, "level"),  # less than a hundredth
        (7.5, Lead(0.3, 1.0, 40), "level"),  # within two standard errors
        (7.3, Lead(0.3, 1.0, 40), "better"),
        (8.5, Lead(0.3, 0.0, 40), "level"),
        (8.7, Lead(0.3, 0.0, 40), "worse"),
        (1.0, Lead(float("inf"), 1.0, 40), "level"),
    ],
)
def test_a_tie_is_no_better(own: float, lead: Lead, standing: str) -> None:
    found = about(error(own, lead, previous_frame=8.0))
    assert found.standing == standing
    assert ("no better than copying the last frame (8)" in found.words) == (standing == "level")


def test_most_examples_may_be_otherwise_than_the_mean() -> None:
    words = about(error(6.0, Lead(0.1, 0.3, 40), previous_frame=8.0)).words
    assert words.endswith("; yet on 70 % of the pixels the trivial answer is nearer")


def test_baselines_that_learn_are_told_where_they_are_better() -> None:
    words = about(error(6.0, previous_frame=8.0, ridge_1_frame=5.0, ridge_2_frames=4.0, random_weights=1.0)).words
    assert words.endswith("; better still: linear map of the last 2 frames (4)")
    assert "better still" not in about(error(6.0, previous_frame=8.0, ridge_1_frame=6.5)).words


def test_a_baseline_that_copies_its_input_is_no_answer() -> None:
    assert "mean frame" in about(error(6.0, mean_frame=20.0, previous_frame=1e-4)).words
    assert about(error(6.0, previous_frame=1e-4)).standing == "worse", "the only one there is"


def test_units_have_words_of_their_own() -> None:
    def other(quantity: Quantity, own: float, value: float) -> str:
        return about(quantity.of(own, None, {"mean_frame": Measured(value, None, SURE)})).words

    assert "the accuracy is 92.0 %, 2.0 points above the mean frame (90.0 %)" in other(ACCURACY, 0.92, 0.9)
    assert "the log-likelihood is -80 nats, 20 above the mean frame (-100)" in other(NATS, -80.0, -100.0)
    assert "is -120 nats, 20 below the mean frame (-100): worse than the trivial answer" in other(NATS, -120.0, -100.0)


def test_rows_of_numbers_have_no_pixels() -> None:
    assert "held out, 40 values" in about(error(6.0, previous_frame=8.0), (4,)).words


# ---------------------------------------------------------------- on models


def pictures(keep: float, latent: int = 3, labels: bool = False) -> Subject:
    train, test = blobs(30), blobs(12, seed=1)
    parts = (
        (train, test) if labels else tuple(Part.of(part.frames.read(torch.arange(len(part)))) for part in (train, test))
    )
    return subject_of(Linear(Linear.Config(keep=keep, latent=latent), (1, 4, 4)), *parts)


def test_reconstruction_speaks_with_pca_of_as_many_components() -> None:
    found = verdict(pictures(0.99, latent=1))
    x = blobs(12, seed=1).frames.read(torch.arange(12)).float().flatten(1)
    own = float((0.01 * x).square().sum(1).mean())
    assert found is not None and found.measure == "reconstruction" and found.standing == "better"
    assert f"what comes back is {own:.3g}, " in found.words and "PCA with 1 components" in found.words
    worse = verdict(pictures(0.0))
    assert worse is not None and worse.standing == "worse" and "PCA with 3 components" in worse.words


def test_patches_are_called_patches() -> None:
    x = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    model = Linear(Linear.Config(), (1, 4, 4)).eval()
    found = verdict(subject_of(model, Part.of(x), Part.of(x[:5]), View(patch=4)))
    assert found is not None and found.words.startswith("held out, 20 patches of 4x4 pixels from 5 pictures: the ")


def test_a_wide_code_is_judged_by_its_labels_where_there_are_any() -> None:
    def speaks(subject: Subject) -> str:
        with measuring(subject.model):
            return speaker(subject)[0]

    assert speaks(pictures(0.5, latent=20, labels=True)) == "probe"
    assert speaks(pictures(0.5, latent=20)) == "reconstruction"
    assert speaks(pictures(0.5, latent=3, labels=True)) == "reconstruction"
    found = verdict(pictures(0.5, latent=20, labels=True))
    assert found is not None and "linear classifier on the features" in found.words and "raw pixels" in found.words


def test_a_copy_of_the_last_frame_is_no_better_than_one() -> None:
    train, test = Part.of(drifting(6, 12)), Part.of(drifting(6, 12, seed=1))
    found = verdict(subject_of(Forecast(Forecast.Config(rule="previous"), (1, 6, 6)), train, test))
    assert found is not None and found.measure == "prediction" and found.standing in ("level", "worse")
    bright = verdict(subject_of(Forecast(Forecast.Config(rule="too bright"), (1, 6, 6)), train, test))
    assert bright is not None and bright.standing == "worse" and "held out, 66 frames" in bright.words


def test_the_quick_numbers_are_those_of_the_measure() -> None:
    """Few data are measured whole at once, so that both ways lead to the same numbers."""
    train, test = Part.of(drifting(6, 12)), Part.of(drifting(6, 12, seed=1))
    subject = subject_of(Forecast(Forecast.Config(rule="mean of context"), (1, 6, 6)), train, test)
    taken: dict[str, Groups] = {}
    evaluate(subject, ["prediction"], ends=taken.__setitem__)
    name, measure = speaker(subject)
    assert measure is not None and measure.headline is not None
    whole, quick = said(name, measure.headline, taken[name], subject), verdict(subject)
    assert whole is not None and quick is not None
    assert re.sub("; better still.*", "", whole.words) == quick.words and whole.standing == quick.standing


def test_what_has_no_trivial_answer_has_no_verdict() -> None:
    class Silent(Linear):
        """Refuses to reconstruct."""

    part = Part.of(torch.rand(6, 2, 1, 4, 4))
    assert verdict(subject_of(Silent(Silent.Config(), (1, 4, 4)), part, part, _video_view())) is None


def _video_view() -> Any:
    from untaught.data.view import View

    return View(frames=2)
