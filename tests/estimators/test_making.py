"""Estimators made from models, and scikit-learn's tools at work on them."""

from __future__ import annotations

import inspect
import io
import pickle
from dataclasses import field

import joblib
import numpy as np
import pytest
from models_for_tests import TinyStack
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import untaught.estimators
from untaught.config import Count, configuration, fields
from untaught.estimators import AutoencoderEstimator, ModelEstimator, all_estimators, classifier_class, estimator_class
from untaught.model import Classifies, Encodes, Smoke, model_class, model_names

X, Y = np.random.default_rng(0).random((60, 16)), np.arange(60) % 2
X[Y == 1, :8] /= 4


def small(**more: object) -> ModelEstimator:
    return AutoencoderEstimator(latent=3, hidden=(8,), max_epochs=5, random_state=0, **more)


def test_transformers_are_of_models_that_encode_and_classifiers_of_those_that_classify() -> None:
    made = [(estimator.model_type, is_classifier(estimator())) for _, estimator in all_estimators()]
    assert len(set(made)) == len(made)
    for model in (model_class(name) for name in model_names()):
        pictures = model.smoke.frames is None
        unlabelled = not getattr(model.Config(), "classes", 0)
        assert ((model, False) in made) == (pictures and unlabelled and issubclass(model, Encodes))
        assert ((model, True) in made) == (pictures and issubclass(model, Classifies))


def test_names_lead_to_the_one_class() -> None:
    for name, estimator in all_estimators():
        make = classifier_class if is_classifier(estimator()) else estimator_class
        assert getattr(untaught.estimators, name) is estimator is make(estimator.model_type)
        assert (estimator.__name__, estimator.__module__) == (name, "untaught.estimators")
    assert {"DBNEstimator", "DBNClassifier", "FinetunedClassifier"} <= dict(all_estimators()).keys()
    with pytest.raises(AttributeError, match="NothingEstimator"):
        _ = untaught.estimators.NothingEstimator


@pytest.mark.parametrize("name", [name for name, _ in all_estimators()])
def test_parameters_are_the_models_and_are_described(name: str) -> None:
    estimator = dict(all_estimators())[name]
    model, parameters = estimator.model_type, estimator().get_params()
    own = {described.name: described.default for described in fields(model.Config) if described.name != "classes"}
    labelled = is_classifier(estimator())
    by_rows = {*model.adapts, "initial_scale", *(["hidden"] if labelled else [])}
    tuned = {"fine_tuning": "'backpropagation'"} if name == "DBNClassifier" else {}
    for key, default in own.items():
        assert repr(parameters[key]) == ("'usual'" if key in by_rows else tuned.get(key, default))
    assert parameters["max_epochs"] is parameters["batch_size"] is None
    assert list(inspect.signature(estimator).parameters) == [
        *own, "max_epochs", "batch_size", "learning_rate", "image_shape", "value_range", "random_state", "device"
    ]  # fmt: skip
    for key in parameters:
        assert f"\n{key} : " in (estimator.__doc__ or "")


def test_unknown_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match="latnet"):
        AutoencoderEstimator(latnet=3)
    with pytest.raises(ValueError, match="latnet"):
        small().set_params(latnet=3)


@configuration
class Inner:
    """A configuration inside another."""

    size: Count = 2
    """Its size."""


class Nested(TinyStack):
    """A model whose configuration has defaults that scikit-learn could not compare."""

    @configuration
    class Config:
        """Sizes."""

        hidden: Count = 5
        """Hidden units."""
        inner: Inner = Inner(size=7)
        """A configuration."""
        table: dict[str, int] = field(default_factory=lambda: {"a": 1})
        """A dictionary."""
        limit: Count | None = 4
        """A number that may be none."""

    smoke = Smoke(config=Config(), shape=(1, 2, 3), binary=True)


def test_defaults_that_are_no_plain_values_are_left_to_the_model() -> None:
    estimator = estimator_class(Nested)(limit=None, max_epochs=1)
    assert (estimator.inner, estimator.table) == (None, None)
    config = estimator.fit((X < 0.5).astype(float)).model_.config
    assert (config.inner, config.table, config.limit) == (Inner(size=7), {"a": 1}, None)
    other = clone(estimator).set_params(inner=Inner(size=1)).fit((X < 0.5).astype(float))
    assert other.model_.config.inner == Inner(size=1)


class Colliding(TinyStack):
    """A model with a field of the name of every estimator's."""

    @configuration
    class Config:
        """Sizes."""

        batch_size: Count = 5
        """Not what the estimator means."""


def test_fields_of_every_estimators_names_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Colliding.Config has .*'batch_size'"):
        estimator_class(Colliding)


def test_it_survives_pickle_joblib_and_clone() -> None:
    estimator = small().fit(X)
    expected = estimator.transform(X)
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    for copy in (pickle.loads(pickle.dumps(estimator)), joblib.load(file)):
        assert type(copy) is AutoencoderEstimator
        np.testing.assert_array_equal(copy.transform(X), expected)
        assert copy.history_ == estimator.history_
    again = clone(estimator)
    assert "model_" not in vars(again)
    np.testing.assert_array_equal(again.fit(X).transform(X), expected)


def test_parameters_changed_after_fit_do_not_harm_a_pickle() -> None:
    estimator = small().fit(X)
    changed = pickle.loads(pickle.dumps(estimator.set_params(latent=9)))
    np.testing.assert_array_equal(changed.transform(X), estimator.transform(X))


def test_output_has_names() -> None:
    frame = small().set_output(transform="pandas").fit(X).transform(X)
    assert list(frame.columns) == ["autoencoderestimator0", "autoencoderestimator1", "autoencoderestimator2"]
    np.testing.assert_array_equal(frame.to_numpy(), small().fit(X).transform(X))


@pytest.mark.slow
def test_pipelines_and_cross_validation() -> None:
    pipeline = make_pipeline(
        small(learning_rate=0.01, batch_size=5).set_params(max_epochs=30), LogisticRegression(C=100)
    )
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.75
    assert cross_val_score(small(), X, cv=3).shape == (3,)


@pytest.mark.slow
def test_grid_search_in_two_processes() -> None:
    search = GridSearchCV(small(), {"latent": [1, 6], "learning_rate": [1e-6, 0.02]}, cv=2, n_jobs=2).fit(X)
    assert search.best_params_ == {"latent": 6, "learning_rate": 0.02}
    alone = small().set_params(**search.best_params_).fit(X)
    np.testing.assert_array_equal(search.best_estimator_.transform(X), alone.transform(X))
