"""The Frechet distance against SciPy's matrix square root, and against its form for one dimension."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from untaught.evaluate.samples.frechet import frechet_distance
from untaught.randomness import seeded


@pytest.mark.parametrize(("examples", "features"), [(200, 5), (30, 12)])
def test_it_is_that_with_the_root_of_the_product(examples: int, features: int) -> None:
    with seeded(1):
        one = torch.randn(examples, features) @ torch.randn(features, features)
        other = torch.randn(examples + 7, features) @ torch.randn(features, features) + 0.5
    covariances = [np.cov(x.double().numpy(), rowvar=False) for x in (one, other)]
    root = np.real(sqrtm(covariances[0] @ covariances[1]))
    shift = np.square(one.double().mean(0).numpy() - other.double().mean(0).numpy()).sum()
    expected = shift + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-5)


def test_in_one_dimension_it_is_the_difference_of_means_and_deviations() -> None:
    with seeded(2):
        one, other = 3 * torch.randn(50, 1) + 1, torch.randn(80, 1)
    expected = (one.mean() - other.mean()) ** 2 + (one.std() - other.std()) ** 2
    assert frechet_distance(one, other) == pytest.approx(expected.item(), rel=1e-5)


def test_fewer_examples_than_features_are_no_difficulty() -> None:
    """There the product of covariances has no proper root."""
    with seeded(3):
        few = torch.randn(10, 64)
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(few, few + 2) == pytest.approx(4 * 64, rel=1e-6)
    assert frechet_distance(few, 2 * few - few.mean(0)) == pytest.approx(float(few.var(0).sum()), rel=1e-5)


def test_one_example_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="at least two"):
        frechet_distance(torch.zeros(1, 2), torch.zeros(5, 2))
