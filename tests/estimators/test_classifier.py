"""Classifiers: labels of any kind, probabilities against the model's own, scikit-learn's tools, real digits."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from untaught.errors import ConfigError
from untaught.estimators import (
    AugmentedClassifier,
    DBMClassifier,
    DBNClassifier,
    DBNEstimator,
    DiscriminativeRBMClassifier,
    FeatureMatchingGANClassifier,
    FinetunedClassifier,
    LadderClassifier,
    ModelEstimator,
    SemiSupervisedVAEClassifier,
    SoftmaxClassifier,
    SWWAEClassifier,
    all_estimators,
    few_rows,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*it has not learnt the classes:sklearn.exceptions.ConvergenceWarning")
"""Many of these fits are too short to learn anything."""
X = np.random.default_rng(0).random((90, 8))
Y = X[:, :4].sum(1).argsort().argsort() // 30
"""Three classes of equal size."""
SMALL = {
    "SoftmaxClassifier": SoftmaxClassifier(max_epochs=3, batch_size=10, random_state=0),
    "DiscriminativeRBMClassifier": DiscriminativeRBMClassifier(hidden=6, max_epochs=3, batch_size=10, random_state=0),
    "FinetunedClassifier": FinetunedClassifier(hidden=(7,), max_epochs=3, batch_size=10, random_state=0),
    "DBNClassifier": DBNClassifier(hidden=(6, 5), max_epochs=3, batch_size=10, random_state=0),
    "SemiSupervisedVAEClassifier": SemiSupervisedVAEClassifier(
        hidden=(6,), class_hidden=(5,), latent=2, max_epochs=3, batch_size=10, random_state=0
    ),
    "FeatureMatchingGANClassifier": FeatureMatchingGANClassifier(
        generator=(6,), discriminator=(6,), noise=(0.1, 0.1), latent=2, max_epochs=3, batch_size=10, random_state=0
    ),
    "AugmentedClassifier": AugmentedClassifier(
        convolutions=(), maps=(), units=(5,), max_epochs=3, batch_size=10, random_state=0
    ),
    "SWWAEClassifier": SWWAEClassifier(
        convolutions=(), maps=(), units=(5,), max_epochs=3, batch_size=10, random_state=0
    ),
    "LadderClassifier": LadderClassifier(hidden=(6,), max_epochs=3, batch_size=10, random_state=0),
    "DBMClassifier": DBMClassifier(hidden=(6, 5), max_epochs=3, batch_size=10, sweeps=2, random_state=0),
}
QUICK = ("SoftmaxClassifier", "DBNClassifier")
"""Of which what takes several fits is looked at each time; of the others with the slow tests."""
EVERY = pytest.mark.parametrize(
    "estimator",
    [pytest.param(made, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, made in SMALL.items()],
)


def test_every_model_that_classifies_is_here() -> None:
    assert SMALL.keys() == {name for name, estimator in all_estimators() if is_classifier(estimator())}


@EVERY
def test_what_it_gives_is_the_models(estimator: ModelEstimator) -> None:
    fitted = clone(estimator).fit(X, Y)
    with torch.no_grad():
        expected = fitted.model_.class_probabilities(torch.tensor(X, dtype=torch.float32)).numpy()
    found = fitted.predict_proba(X)
    assert found.shape == (90, 3)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[found.argmax(1)])
    assert fitted.score(X, Y) == (fitted.predict(X) == Y).mean()
    assert fitted.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert ("transform" in dir(fitted)) == (not isinstance(estimator, SoftmaxClassifier))
    if "transform" in dir(fitted):
        assert fitted.transform(X).shape == (90, fitted.model_.encode(torch.zeros(1, 8)).shape[1])


@EVERY
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("zebra", "ant", "mole"), id="strings"),
        pytest.param((-1, 0, 1), id="signs", marks=pytest.mark.slow),
        pytest.param((10.0, 30.0, 20.0), id="whole floats", marks=pytest.mark.slow),
        pytest.param((7, 1000, -5), id="any numbers", marks=pytest.mark.slow),
    ],
)
def test_what_labels_are_called_changes_nothing(estimator: ModelEstimator, names: tuple[object, ...]) -> None:
    """Classes are sorted by name; a permutation of equal classes is undone by hand."""
    label = np.array(names)[Y]
    fitted = clone(estimator).fit(X, label)
    order = np.argsort(names)
    assert fitted.classes_.tolist() == sorted(names)
    plain = clone(estimator).fit(X, np.argsort(order)[Y])
    np.testing.assert_array_equal(fitted.predict_proba(X), plain.predict_proba(X))
    assert fitted.predict(X).dtype == label.dtype
    assert (fitted.predict(X) == np.array(names)[order][plain.predict(X)]).all()


@pytest.mark.parametrize(
    "label",
    [Y > 0, *(pytest.param(np.where(Y > 0, *pair), marks=pytest.mark.slow) for pair in ((1, -1), ("yes", "no")))],
)
def test_two_classes(label: np.ndarray) -> None:
    fitted = clone(SMALL["SoftmaxClassifier"]).set_params(learning_rate=0.3, max_epochs=30).fit(X, label)
    assert fitted.classes_.tolist() == np.unique(label).tolist()
    assert fitted.predict(X).dtype == label.dtype
    assert fitted.score(X, label) > 0.9


def test_labels_that_are_no_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="Unknown label type"):
        SoftmaxClassifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="requires y to be passed"):
        SoftmaxClassifier().fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SoftmaxClassifier().fit(X, Y[:-1])


def test_how_many_classes_follows_from_the_labels() -> None:
    assert "classes" not in SoftmaxClassifier().get_params()
    assert clone(SMALL["SoftmaxClassifier"]).fit(X, Y).model_.config.classes == 3
    assert "classes" not in DBNEstimator().get_params()
    assert DBNEstimator(hidden=(3,), max_epochs=1).fit(X, Y).model_.config.classes == 0
    with pytest.raises(TypeError, match="classes"):
        DBNClassifier(classes=3)


def test_a_net_may_be_tuned_by_labels_alone() -> None:
    net = DBNClassifier(
        hidden=(20,), pretraining=False, learning_rate=0.1, max_epochs=20, batch_size=10, random_state=0
    )
    assert net.fit(X, Y).score(X, Y) > 1 / 3 + 4 * np.sqrt(2 / 9 / len(X))
    assert net.history_[-1]["stage"] == "backpropagation"
    with pytest.raises(ConfigError, match="goes by labels"):
        DBNEstimator(fine_tuning="backpropagation").fit(X)


def test_passes_go_on_and_need_to_know_the_classes() -> None:
    machine = SoftmaxClassifier(batch_size=10, learning_rate=0.3, random_state=0)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        machine.partial_fit(X, Y)
    few = Y < 2
    machine.partial_fit(X[few], Y[few], classes=[2, 0, 1])
    assert machine.predict_proba(X).shape == (90, 3)
    scores = [machine.partial_fit(X, Y).score(X, Y) for _ in range(20)]
    assert machine.n_iter_ == 21
    assert scores[-1] > max(scores[0], 0.8)
    machine.partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] is not the same as in the first call: \[0, 1, 2\]"):
        machine.partial_fit(X[few], Y[few], classes=[0, 1])
    with pytest.raises(ValueError, match=r"y has .*5.*, which is none of the classes \[0, 1, 2\]"):
        machine.partial_fit(X, np.full(90, 5))


@EVERY
def test_it_survives_pickle_and_clone(estimator: ModelEstimator) -> None:
    label = np.array(["a", "b", "c"])[Y]
    fitted = clone(estimator).fit(X, label)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    assert copy.predict(X).tolist() == fitted.predict(X).tolist()
    with pytest.raises(NotFittedError):
        clone(fitted).predict(X)


@pytest.mark.slow
def test_scikit_learn_tools_take_it() -> None:
    label = np.array(["low", "middle", "high"])[Y]
    pipeline = make_pipeline(
        MinMaxScaler(), SoftmaxClassifier(max_epochs=20, batch_size=10, learning_rate=0.1, random_state=0)
    )
    chance, error = 1 / 3, np.sqrt(2 / 9 / len(X))
    assert cross_val_score(pipeline, X, label, cv=3).mean() > chance + 3 * error
    search = GridSearchCV(pipeline, {"softmaxclassifier__learning_rate": [1e-6, 0.1]}, cv=3).fit(X, label)
    assert search.best_params_ == {"softmaxclassifier__learning_rate": 0.1}
    assert set(search.predict(X)) <= set(label)


def test_pictures_are_rows_with_a_shape() -> None:
    pictures = X.reshape(90, 1, 2, 4)
    fitted = clone(SMALL["FinetunedClassifier"]).fit(pictures, Y)
    assert fitted.model_.shape == (1, 2, 4)
    np.testing.assert_array_equal(fitted.predict_proba(pictures), fitted.predict_proba(X))


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, ...]:
    pixels, digit = load_digits(return_X_y=True)
    return pixels[:1200], digit[:1200], pixels[1200:], digit[1200:]


def test_digits_are_told_apart_as_by_logistic_regression(digits: tuple[np.ndarray, ...]) -> None:
    x, y, x_test, y_test = digits
    trivial = DummyClassifier().fit(x, y).score(x_test, y_test)
    logistic = LogisticRegression(max_iter=2000).fit(x / 16, y).score(x_test / 16, y_test)
    softmax = SoftmaxClassifier(value_range=(0, 16), random_state=0).fit(x, y).score(x_test, y_test)
    error = np.sqrt(logistic * (1 - logistic) / len(y_test))
    assert trivial < 0.15
    assert abs(softmax - logistic) < 3 * error


STEPS = {"batch_size": 10, "random_state": 0}
"""So few examples make enough steps only in small batches."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        FinetunedClassifier(random_state=0),
        DiscriminativeRBMClassifier(random_state=0),
        DBMClassifier(hidden=(200, 200), **STEPS),
        DBNClassifier(hidden=(200, 200), fine_tuning="backpropagation", max_epochs=40, **STEPS),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_digits_are_told_apart_with_hidden_units(estimator: ModelEstimator, digits: tuple[np.ndarray, ...]) -> None:
    x, y, x_test, y_test = digits
    logistic = LogisticRegression(max_iter=2000).fit(x / 16, y).score(x_test / 16, y_test)
    error = np.sqrt(logistic * (1 - logistic) / len(y_test))
    assert estimator.fit(x, y).score(x_test, y_test) > logistic - 3 * error


@pytest.mark.parametrize(
    ("rows", "batch", "passes", "scale"),
    [(90, 10, 45, 0.1), pytest.param(2500, 100, 20, 0.0490, marks=pytest.mark.slow)],
)
def test_few_rows_make_steps_enough(rows: int, batch: int, passes: int, scale: float) -> None:
    """Of a few rows batches are small, passes many and initial weights larger; what the user says is left alone."""
    x = np.random.default_rng(1).random((rows, 2))
    label = (x[:, 0] > 0.5).astype(int)
    fitted = DiscriminativeRBMClassifier(hidden=2, random_state=0).fit(x, label)
    plan = fitted._length(rows)
    assert (plan.get("batch_size", 100), plan["epochs"], fitted.n_iter_) == (batch, passes, passes)
    assert fitted.chosen_["initial_scale"] == fitted.model_.config.initial_scale == pytest.approx(scale, abs=1e-4)
    said = clone(fitted).set_params(max_epochs=2, batch_size=30, initial_scale=0.01).fit(x, label)
    assert (said.n_iter_, said._length(rows)["epochs"], said._length(rows).get("batch_size", 30)) == (2, 2, 30)
    assert said.model_.config.initial_scale == 0.01
    assert "initial_scale" not in said.chosen_


@pytest.mark.parametrize(("rows", "units"), [(20, (300, 40)), (310, (310, 40)), (600, (500, 40))])
def test_layers_are_no_wider_than_few_rows_can_teach(rows: int, units: tuple[int, int]) -> None:
    assert few_rows.hidden(rows, (500, 40)) == units and few_rows.hidden(rows, 500) == units[0]
    x = np.random.default_rng(1).random((rows, 2))
    fitted = FinetunedClassifier(max_epochs=1).fit(x, x[:, 0] > 0.5)
    assert fitted.model_.config.hidden == few_rows.hidden(rows, (500, 500, 2000)) == fitted.chosen_["hidden"]
    assert clone(fitted).set_params(hidden=(400,)).fit(x, x[:, 0] > 0.5).model_.config.hidden == (400,)


@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(DiscriminativeRBMClassifier(random_state=0), marks=pytest.mark.slow),
        pytest.param(DBNClassifier(hidden=(100, 100), random_state=0), marks=pytest.mark.slow),
        pytest.param(DBNClassifier(random_state=0), marks=pytest.mark.slow),
        pytest.param(DBMClassifier(random_state=0), marks=pytest.mark.slow),
    ],
    ids=repr,
)
def test_columns_of_any_width_are_learnt_at_the_defaults(estimator: ModelEstimator) -> None:
    """Wine, whose columns run from 0.1 to 1,680: under one range for all, most of them are constant."""
    x, y = load_wine(return_X_y=True)
    assert clone(estimator).fit(x[::2], y[::2]).score(x[1::2], y[1::2]) > 0.85


def test_a_classifier_that_learnt_nothing_says_so() -> None:
    with pytest.warns(ConvergenceWarning, match=r"33% of the rows .*\n.*max_epochs"):
        clone(SMALL["DBMClassifier"]).set_params(max_epochs=1, learning_rate=1e-9).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        SoftmaxClassifier(learning_rate=0.3, random_state=0).fit(X, Y)
