"""Errors of reconstructions of models that give back half of what they see."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from tests.evaluate.fakes import Forecast, Linear, subject_of
from untaught.data.part import Part
from untaught.data.view import Statistics, View
from untaught.evaluate.baselines.latent_semantic import truncated
from untaught.evaluate.baselines.logistic_principal import linear_code, logistic_principal
from untaught.evaluate.image_quality import psnr_db, squared_error, ssim
from untaught.evaluate.measures import reconstruction
from untaught.evaluate.measures.reconstruction import MEASURE, applies, cross_entropy_nats
from untaught.evaluate.subject import Subject
from untaught.nn.principal import principal

TRAIN, TEST = (torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))


def subject(view: View | None = None) -> Subject:
    return subject_of(Linear(Linear.Config(), (1, 12, 12)).eval(), Part.of(TRAIN), Part.of(TEST), view)


def test_half_a_picture_is_missing_a_quarter_of_its_square() -> None:
    found = MEASURE.take(subject())
    assert found["squared_error_per_image"] == pytest.approx(0.25 * float(TEST.square().sum((1, 2, 3)).mean()))
    assert found["psnr_db"] == pytest.approx(float(psnr_db(TEST, TEST / 2).mean()))
    assert found["ssim"] == pytest.approx(float(ssim(TEST, TEST / 2).mean()))
    assert (found["images"], found["features"]) == (40, 3)


def test_baselines_are_fitted_on_the_training_part() -> None:
    plane = principal(TRAIN.flatten(1), 3)
    expected = squared_error(TEST.flatten(1), plane.reconstruct(TEST.flatten(1))).mean()
    found = MEASURE.take(subject())
    assert found["baselines"]["pca"] == pytest.approx(float(expected))
    mean = squared_error(TEST, TRAIN.mean(0).expand_as(TEST)).mean()
    assert found["baselines"]["mean_image"] == pytest.approx(float(mean))
    assert list(found["ssim_baselines"]) == list(found["psnr_db_baselines"]) == list(found["baselines"])


def test_a_plane_that_copies_its_input_is_left_out_and_named() -> None:
    train, test = (torch.rand(90, 6, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    found = MEASURE.take(subject_of(Linear(Linear.Config(latent=6), (6,)).eval(), Part.of(train), Part.of(test)))
    assert "pca" not in found["baselines"] and "mean_image" in found["baselines"]
    assert "PCA with as many components" in found["left_out_as_they_copy_their_input"]
    narrow = MEASURE.take(subject_of(Linear(Linear.Config(latent=5), (6,)).eval(), Part.of(train), Part.of(test)))
    assert "pca" in narrow["baselines"] and "left_out_as_they_copy_their_input" not in narrow


def test_logistic_planes_are_fitted_on_the_training_part() -> None:
    found, given = MEASURE.take(subject()), TEST.flatten(1)
    for name, plane in {"logistic_pca": logistic_principal, "logistic_pca_linear_code": linear_code}.items():
        expected = squared_error(given, plane(TRAIN.flatten(1), 3).reconstruct(given)).mean()
        assert found["baselines"][name] == pytest.approx(float(expected))
    beyond = subject_of(Linear(Linear.Config(), (1, 12, 12)).eval(), Part.of(2 * TRAIN), Part.of(TEST))
    assert list(MEASURE.take(beyond)["baselines"]) == ["pca", "mean_image"], "values above 1 are no probabilities"


def test_documents_are_measured_in_nats_per_word() -> None:
    """A model that gives back every document whole is left with the documents' own entropy."""
    train, test = (torch.rand(30, 9, generator=torch.Generator().manual_seed(n)).pow(3) for n in (0, 1))
    test[:, 4] = 0
    train, test = train / train.sum(1, keepdim=True), test / test.sum(1, keepdim=True)
    whole = Linear(Linear.Config(keep=1.0), (9,)).eval()
    found = MEASURE.take(subject_of(whole, Part.of(train), Part.of(test)))
    assert found["cross_entropy_nats"] == pytest.approx(float(entropy(test.numpy(), axis=1).mean()), rel=1e-5)
    unigram = train.mean(0).double().numpy()
    expected = -float((test.double().numpy() * np.log(unigram)).sum(1).mean())
    assert found["cross_entropy_nats_baselines"] == {"unigram": pytest.approx(expected, rel=1e-6)}
    lsa = squared_error(test, truncated(train, 3, test)).mean()
    assert found["baselines"]["lsa"] == pytest.approx(float(lsa)) and "logistic_pca" not in found["baselines"]
    half = MEASURE.take(subject_of(Linear(Linear.Config(), (9,)).eval(), Part.of(train), Part.of(test)))
    assert "cross_entropy_nats" not in half, "half of each probability is no probability"


def test_a_word_that_was_thought_impossible_is_finite() -> None:
    assert cross_entropy_nats(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])) == pytest.approx(-np.log(1e-12))


def test_binarising_views_are_measured_on_grey_pictures() -> None:
    assert MEASURE.take(subject(View(binarise=True))) == MEASURE.take(subject())


def test_standardised_models_are_compared_in_pixels() -> None:
    """Half of (x - m) / d stands for m + (x - m) / 2."""
    mean, deviation = torch.full((1, 12, 12), 0.4), torch.full((1, 12, 12), 0.3)
    found = MEASURE.take(replace(subject(View(standardise="pixel")), statistics=Statistics(mean, deviation)))
    expected = (TEST - 0.4).div(2).square().sum((1, 2, 3)).mean()
    assert found["squared_error_per_image"] == pytest.approx(float(expected), rel=1e-5)


def test_picture_quality_is_that_of_what_can_be_shown() -> None:
    """A copy three times as bright has its full squared error, and the quality of a picture that ends at white."""
    found = MEASURE.take(replace(subject(), model=Linear(Linear.Config(keep=3), (1, 12, 12)).eval()))
    assert found["squared_error_per_image"] == pytest.approx(4 * float(TEST.square().sum((1, 2, 3)).mean()), rel=1e-5)
    assert found["psnr_db"] == pytest.approx(float(psnr_db(TEST, (3 * TEST).clamp(max=1)).mean()), rel=1e-5)


def test_vectors_have_no_picture_quality() -> None:
    part = Part.of(TEST.flatten(1))
    found = MEASURE.take(subject_of(Linear(Linear.Config(), (144,)).eval(), part, part))
    assert "squared_error_per_image" in found and not {"psnr_db", "ssim"} & set(found)


def test_the_limit_is_on_test_examples() -> None:
    few = MEASURE.take(replace(subject(), limit=7))
    assert few["images"] == 7
    assert MEASURE.take(subject())["baselines"]["mean_image"] != few["baselines"]["mean_image"]


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(subject()) is None
    assert (
        applies(replace(subject(), model=Forecast(Forecast.Config(), (1, 12, 12)))) == "the model does not reconstruct"
    )
    assert "video" in str(applies(replace(subject(), view=View(frames=3))))


def test_standardised_pixels_are_also_measured_in_their_deviations() -> None:
    """The model gives back half of what it sees: a quarter of the sum of squares, which is 144 by design."""
    mean, deviation = TEST.mean(0), TEST.std(0, correction=0)
    own = replace(subject(View(standardise="pixel")), statistics=Statistics(mean, deviation))
    found = MEASURE.take(own)
    assert found["squared_deviations_per_image"] == pytest.approx(144 / 4, rel=1e-4)
    seen = (TEST - mean) / deviation
    plane = principal(((TRAIN - mean) / deviation).flatten(1), 3)
    expected = float(squared_error(seen.flatten(1), plane.reconstruct(seen.flatten(1))).mean())
    assert found["squared_deviations_per_image_baselines"]["pca"] == pytest.approx(expected, rel=1e-4)
    assert "squared_deviations_per_image" not in MEASURE.take(subject())


@pytest.mark.parametrize("standardised", [False, True])
def test_quick_numbers_are_in_pixels_beside_what_the_training_part_gives(standardised: bool) -> None:
    held, copy = subject(), TEST / 2
    if standardised:
        statistics = Statistics(torch.full((1, 12, 12), 0.4), torch.full((1, 12, 12), 0.3))
        held, copy = replace(subject(View(standardise="pixel")), statistics=statistics), 0.4 + (TEST - 0.4) / 2
    assert MEASURE.headline is not None
    ((found, *_),) = MEASURE.headline.quick(held)
    each = (TEST - copy).square().sum((1, 2, 3))
    assert found.value == pytest.approx(float(each.mean()), rel=1e-5)
    assert found.spread == pytest.approx(float(each.std(correction=0)), rel=1e-4)
    plane = principal(TRAIN.flatten(1), 3).reconstruct(TEST.flatten(1))
    for name, other in {"pca": plane, "mean_image": TRAIN.flatten(1).mean(0).expand(40, -1)}.items():
        expected = squared_error(TEST.flatten(1), other).mean()
        assert found.baselines[name].value == pytest.approx(float(expected), rel=1e-4)


def test_all_of_mnist_is_fitted() -> None:
    assert reconstruction.FITTED == 60_000
