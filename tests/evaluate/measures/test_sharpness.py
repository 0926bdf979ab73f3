"""Sharpness: by hand, under blur, and of models whose predictions are known."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from tests.evaluate.fakes import Forecast, Linear, Watcher, drifting, subject_of, turning
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.measures.sharpness import MEASURE, applies, gradient_energy_ratio, sharpness_difference_db
from untaught.evaluate.subject import Subject


def edge(width: int, height: float = 0.8) -> Tensor:
    """A vertical edge spread evenly over some pixels."""
    ramp = ((torch.arange(20) - 8) / width).clamp(0, 1) * height
    return ramp.expand(1, 1, 20, 20)


@pytest.mark.parametrize("width", [2, 4])
def test_an_edge_spread_over_w_pixels_has_a_wth_of_its_energy(width: int) -> None:
    assert float(gradient_energy_ratio(edge(1), edge(width))) == pytest.approx(1 / width)


def test_both_are_written_out_pixel_by_pixel() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 2, 4, 5, generator=generator), torch.rand(2, 2, 4, 5, generator=generator)
    energy, decibels = [0.0, 0.0], []
    for n in range(2):
        apart, count = 0.0, 0
        for c in range(2):
            for i in range(1, 4):
                for j in range(1, 5):
                    steep = []
                    for k, z in enumerate((x, y)):
                        down = float(z[n, c, i, j] - z[n, c, i - 1, j])
                        across = float(z[n, c, i, j] - z[n, c, i, j - 1])
                        energy[k] += down**2 + across**2
                        steep.append(abs(down) + abs(across))
                    apart += abs(steep[0] - steep[1])
                    count += 1
        decibels.append(10 * math.log10(1 / (apart / count)))
    assert float(gradient_energy_ratio(x, y)) == pytest.approx(energy[1] / energy[0], rel=1e-5)
    assert sharpness_difference_db(x, y).tolist() == pytest.approx(decibels, rel=1e-4)


def test_the_same_picture_is_as_sharp_as_can_be() -> None:
    x = torch.rand(3, 1, 9, 9)
    assert float(gradient_energy_ratio(x, x)) == 1.0 and sharpness_difference_db(x, x).tolist() == [100.0] * 3
    still = torch.ones(1, 1, 5, 5)
    assert float(gradient_energy_ratio(still, still)) == 1.0


def test_the_more_blur_the_less_sharp_and_noise_is_more() -> None:
    x = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(1))
    x = torch.from_numpy(gaussian_filter(x.numpy(), (0, 0, 1, 1))).float()
    blurred = [torch.from_numpy(gaussian_filter(x.numpy(), (0, 0, s, s))).float() for s in (0.4, 1, 2)]
    ratios = [float(gradient_energy_ratio(x, y)) for y in (x, *blurred)]
    decibels = [float(sharpness_difference_db(x, y)) for y in (x, *blurred)]
    assert ratios == sorted(ratios, reverse=True) and decibels == sorted(decibels, reverse=True)
    noise = 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    assert float(gradient_energy_ratio(x, x + noise)) > 1


def watched(keep: float) -> Subject:
    model = Watcher(Watcher.Config(keep=keep), (1, 12, 12)).eval()
    return subject_of(model, turning(30), turning(20, seed=1), View(frames=6))


def test_a_model_that_fades_has_less_energy() -> None:
    """Half of the differences is a quarter of their energy; the sixth frame is predicted, one from each clip."""
    found, faded = MEASURE.take(watched(1.0)), MEASURE.take(watched(0.5))
    assert found["gradient_energy_ratio"] == pytest.approx(
        found["baselines"]["previous_frame"]["gradient_energy_ratio"]
    )
    assert faded["gradient_energy_ratio"] == pytest.approx(found["gradient_energy_ratio"] / 4, rel=1e-4)
    assert (found["context"], found["frames"]) == (5, 20)
    copied = found["baselines"]["previous_frame"]["squared_error_per_frame"]
    assert found["squared_error_per_frame"] == pytest.approx(copied)


def test_the_mean_frame_is_blurred() -> None:
    x = turning(20, seed=1).frames.in_memory
    assert x is not None
    mean = turning(30).frames.in_memory.double().mean(0)  # type: ignore[union-attr]
    true = x.unflatten(0, (20, 6))[:, 5]
    beside = MEASURE.take(watched(1.0))["baselines"]["mean_frame"]
    assert beside["gradient_energy_ratio"] < 0.5
    assert beside["squared_error_per_frame"] == pytest.approx(float((true - mean).square().sum((1, 2, 3)).mean()), 1e-4)


def test_decibels_are_the_mean_over_frames() -> None:
    x = turning(20, seed=1).frames.in_memory
    assert x is not None
    clips = x.unflatten(0, (20, 6))
    each = sharpness_difference_db(clips[:, 5], clips[:, 4])
    found = MEASURE.take(watched(1.0))["baselines"]["previous_frame"]["sharpness_difference_db"]
    assert found == pytest.approx(float(each.mean()), rel=1e-5)


def test_long_clips_are_predicted_from_ten_frames() -> None:
    part = Part.of(drifting(3, 14))
    found = MEASURE.take(subject_of(Forecast(Forecast.Config(), (1, 6, 6)).eval(), part, part, View(frames=4)))
    assert (found["context"], found["frames"]) == (10, 12)
    assert all(np.isfinite(value) for value in found["baselines"]["mean_frame"].values())


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(watched(1.0)) is None
    narrow = Part.of(torch.rand(4, 5, 1, 1, 9))
    assert "one row" in str(applies(subject_of(Forecast(Forecast.Config(), (1, 1, 9)), narrow, narrow, View(frames=4))))
    pictures = Part.of(torch.rand(4, 1, 4, 4))
    assert applies(subject_of(Linear(Linear.Config(), (1, 4, 4)), pictures, pictures)) == "the model does not predict"
