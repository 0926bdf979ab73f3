"""scikit-learn's own checks, over every estimator as a user makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from untaught.estimators import ModelEstimator, all_estimators

QUICK = ("RBMEstimator", "SoftmaxClassifier")
"""A transformer and a classifier that are fast at their defaults; the others pass the checks with the slow tests."""
OF_BOTH = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimators_nan_inf",
    "check_estimators_unfitted",
    "check_fit2d_1sample",
    "check_get_params_invariance",
    "check_n_features_in_after_fitting",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_transformer_n_iter",
    "check_transformers_unfitted",
)
"""Checks that are made of the transformer each time, which takes longer to fit than the classifier."""
LONG = (
    "check_classifiers_one_label",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_supervised_y_2d",
    "check_dtype_object",
    "check_estimators_overwrite_params",
    "check_fit_check_is_fitted",
    "check_fit_score_takes_y",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_estimators_dtypes",
    "check_fit_idempotent",
    "check_pipeline_consistency",
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_preserve_dtypes",
)
"""Checks that fit many times; they are made with the slow tests."""


def checks() -> Iterator[Any]:
    """Every check of every estimator."""
    for name, estimator in all_estimators():
        for number, (made, check) in enumerate(estimator_checks_generator(estimator())):
            own = getattr(check, "func", check).__name__
            quick = own in OF_BOTH if name == QUICK[0] else name in QUICK and own not in LONG
            yield pytest.param(made, check, id=f"{name}-{own}-{number}", marks=() if quick else pytest.mark.slow)


# A code of thirty numbers can copy the few values that an example of the checks has, as the library says.
@pytest.mark.filterwarnings("ignore:.* can copy:UserWarning")
@pytest.mark.filterwarnings("ignore:.*it has not learnt the classes:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_check(estimator: ModelEstimator, check: Callable[[Any], None]) -> None:
    check(estimator)
