"""Errors of reconstructions of models that give back half of what they see."""

from dataclasses import replace

import pytest
import torch

from tests.evaluate.fakes import Forecast, Linear, subject_of
from untaught.data.part import Part
from untaught.data.view import Statistics, View
from untaught.evaluate.image_quality import psnr_db, squared_error, ssim
from untaught.evaluate.principal import principal
from untaught.evaluate.reconstruction import applies, measure
from untaught.evaluate.subject import Subject

TRAIN, TEST = (torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))


def subject(view: View | None = None) -> Subject:
    return subject_of(Linear(Linear.Config(), (1, 12, 12)).eval(), Part.of(TRAIN), Part.of(TEST), view)


def test_half_a_picture_is_missing_a_quarter_of_its_square() -> None:
    found = measure(subject())
    assert found["squared_error_per_image"] == pytest.approx(0.25 * float(TEST.square().sum((1, 2, 3)).mean()))
    assert found["psnr_db"] == pytest.approx(float(psnr_db(TEST, TEST / 2).mean()))
    assert found["ssim"] == pytest.approx(float(ssim(TEST, TEST / 2).mean()))
    assert (found["images"], found["features"]) == (40, 3)


def test_baselines_are_fitted_on_the_training_part() -> None:
    plane = principal(TRAIN.flatten(1), 3)
    expected = squared_error(TEST.flatten(1), plane.reconstruct(TEST.flatten(1))).mean()
    found = measure(subject())
    assert found["baselines"]["pca"] == pytest.approx(float(expected))
    mean = squared_error(TEST, TRAIN.mean(0).expand_as(TEST)).mean()
    assert found["baselines"]["mean_image"] == pytest.approx(float(mean))
    assert list(found["ssim_baselines"]) == list(found["psnr_db_baselines"]) == list(found["baselines"])


def test_binarising_views_are_measured_on_grey_pictures() -> None:
    assert measure(subject(View(binarise=True))) == measure(subject())


def test_standardised_models_are_compared_in_pixels() -> None:
    """Half of (x - m) / d stands for m + (x - m) / 2."""
    mean, deviation = torch.full((1, 12, 12), 0.4), torch.full((1, 12, 12), 0.3)
    found = measure(replace(subject(View(standardise="pixel")), statistics=Statistics(mean, deviation)))
    expected = (TEST - 0.4).div(2).square().sum((1, 2, 3)).mean()
    assert found["squared_error_per_image"] == pytest.approx(float(expected), rel=1e-5)


def test_picture_quality_is_that_of_what_can_be_shown() -> None:
    """A copy three times as bright has its full squared error, and the quality of a picture that ends at white."""
    found = measure(replace(subject(), model=Linear(Linear.Config(keep=3), (1, 12, 12)).eval()))
    assert found["squared_error_per_image"] == pytest.approx(4 * float(TEST.square().sum((1, 2, 3)).mean()), rel=1e-5)
    assert found["psnr_db"] == pytest.approx(float(psnr_db(TEST, (3 * TEST).clamp(max=1)).mean()), rel=1e-5)


def test_vectors_have_no_picture_quality() -> None:
    part = Part.of(TEST.flatten(1))
    found = measure(subject_of(Linear(Linear.Config(), (144,)).eval(), part, part))
    assert "squared_error_per_image" in found and not {"psnr_db", "ssim"} & set(found)


def test_the_limit_is_on_test_examples() -> None:
    few = measure(replace(subject(), limit=7))
    assert few["images"] == 7
    assert measure(subject())["baselines"]["mean_image"] != few["baselines"]["mean_image"]


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(subject()) is None
    assert (
        applies(replace(subject(), model=Forecast(Forecast.Config(), (1, 12, 12)))) == "the model does not reconstruct"
    )
    assert "video" in str(applies(replace(subject(), view=View(frames=3))))
