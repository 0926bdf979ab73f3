"""scikit-learn's own checks, over every estimator as a user makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from untaught.estimators import ModelEstimator, all_estimators

QUICK = ("RBMEstimator", "SoftmaxClassifier")
"""A transformer and a classifier that are fast at their defaults; the others pass the checks with the slow tests."""
EVERY = {name: estimator() for name, estimator in all_estimators()}
# A code of thirty numbers can copy the few values that an example of the checks has, as the library says.
EXPECTED = pytest.mark.filterwarnings("ignore:.* can copy:UserWarning")


@EXPECTED
@parametrize_with_checks([EVERY[name] for name in QUICK])
def test_check(estimator: ModelEstimator, check: Callable[[Any], None]) -> None:
    check(estimator)


@EXPECTED
@pytest.mark.slow
@parametrize_with_checks([estimator for name, estimator in EVERY.items() if name not in QUICK])
def test_check_of_the_others(estimator: ModelEstimator, check: Callable[[Any], None]) -> None:
    check(estimator)
