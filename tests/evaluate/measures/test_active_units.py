"""Activity and sparseness against brute force and answers that are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.evaluate.fakes import Forecast, Linear, blobs, subject_of
from untaught.data.view import View
from untaught.evaluate.measures.active_units import MEASURE, activity, applies, described, sparseness
from untaught.evaluate.subject import Subject
from untaught.randomness import seeded


def subject() -> Subject:
    with seeded(0):
        model = Linear(Linear.Config(latent=6), (1, 4, 4)).eval()
    return subject_of(model, blobs(20), blobs(30, seed=1))


def test_activity_is_numpys_variance() -> None:
    f = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)).double()
    assert np.allclose(activity(f).numpy(), f.numpy().var(0))


def test_units_that_vary_are_counted() -> None:
    """Variances of 1, 0.0101, 0.0099 and 0."""
    sign = 1.0 - 2.0 * (torch.arange(100) % 2)
    f = torch.stack([sign, math.sqrt(0.0101) * sign, math.sqrt(0.0099) * sign, torch.full((100,), 7.0)], 1)
    found = described(f)
    assert (found["active_units"], found["active_units_fraction"]) == (2, 0.5)
    assert found["activation_mean"] == pytest.approx(7 / 4)
    assert found["activation_of_units"]["highest"] == 7
    assert found["activity_of_units"]["highest"] == pytest.approx(1, rel=1e-6)


def test_sparseness_is_that_of_the_formula() -> None:
    rows = torch.randn(9, 5, generator=torch.Generator().manual_seed(0)).double()
    for row, found in zip(rows.tolist(), sparseness(rows).tolist(), strict=True):
        ratio = sum(abs(value) for value in row) / math.sqrt(sum(value * value for value in row))
        assert found == pytest.approx((math.sqrt(5) - ratio) / (math.sqrt(5) - 1))


@pytest.mark.parametrize(
    ("row", "known"), [([2.0] * 9, 0.0), ([0.0] * 8 + [-3.0], 1.0), ([0.0] * 9, 1.0), ([5.0], 1.0)]
)
def test_sparseness_of_known_rows(row: list[float], known: float) -> None:
    assert float(sparseness(torch.tensor([row]))) == pytest.approx(known, abs=1e-6)


def test_sparseness_does_not_depend_on_the_scale() -> None:
    rows = torch.randn(9, 5, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(sparseness(rows / 1000), sparseness(rows))


def test_silent_units_are_near_zero() -> None:
    assert described(torch.zeros(7, 3))["near_zero_fraction"] == 1


def test_lifetime_is_over_examples_and_population_over_units() -> None:
    """One unit answers to every example: sparse in each example, never in its life."""
    f = torch.zeros(40, 3)
    f[:, 1] = 2.0
    found = described(f)
    assert found["population_sparseness"] == pytest.approx(1)
    assert found["lifetime_sparseness"] == pytest.approx(2 / 3), "two silent units count as sparse"
    assert found["near_zero_fraction"] == pytest.approx(2 / 3)


def test_the_untrained_network_stands_beside() -> None:
    held = subject()
    found, x = MEASURE.take(held), held.tested().x
    assert found["baselines"]["random_weights"] == described(held.untrained().features(x))
    assert (found["features"], found["examples"]) == (6, 30)
    assert {key: found[key] for key in described(held.features(x))} == described(held.features(x))


def test_it_says_why_it_does_not_apply() -> None:
    held = subject()
    assert applies(held) is None
    one = replace(held, parts=replace(held.parts, test=blobs(1)))
    assert "at least 2" in str(applies(one))
    forecast = subject_of(Forecast(Forecast.Config(), (1, 4, 4)), blobs(9), blobs(9), View(frames=3))
    assert applies(forecast) == "the data are not video"


def test_near_zero_is_below_a_hundredth_of_the_largest() -> None:
    f = torch.tensor([[10.0, 0.05, -0.09], [0.11, -0.2, 0.0]])
    assert described(f)["near_zero_fraction"] == pytest.approx(3 / 6)
