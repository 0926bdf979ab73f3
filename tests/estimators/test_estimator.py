"""Training and arrays of an estimator: all rows, both precisions, rows and pictures, what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from torch import nn

from untaught.config import configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import ConfigError, DataError, NotFiniteError
from untaught.estimators import (
    AutoencoderEstimator,
    ContractiveAutoencoderEstimator,
    ConvolutionalRBMEstimator,
    DenoisingAutoencoderEstimator,
    HashingAutoencoderEstimator,
    ModelEstimator,
    RBMEstimator,
    SigmoidBeliefEstimator,
    SparseAutoencoderEstimator,
    estimator_class,
)
from untaught.model import Batch, Decodes, Encodes, Example, Learner, Loss, Optimiser, Recipe, Smoke, Usual, View
from untaught.models.autoencoder import Autoencoder
from untaught.randomness import seeded
from untaught.shapes import Examples, Features, Scalar, Shape
from untaught.training.fit import Training, train

PICTURES = np.random.default_rng(0).random((40, 1, 4, 4))
ROWS = PICTURES.reshape(40, 16)


def small(**more: object) -> ModelEstimator:
    return AutoencoderEstimator(latent=2, hidden=(6,), random_state=0, **more)


def bits() -> np.ndarray:
    return (np.random.default_rng(1).random((50, 6)) < 0.3).astype(float)


def test_fit_sees_every_row() -> None:
    """The machine's base rate is that of all rows: (ones + 1) / (n + 2) in each column."""
    x = bits()
    machine = RBMEstimator(hidden=2, random_state=0).fit(x).model_
    expected = (x.sum(0) + 1) / (len(x) + 2)
    np.testing.assert_allclose(torch.sigmoid(machine.base_rate()).numpy(), expected, rtol=1e-5)


def test_fit_is_the_training_of_the_library() -> None:
    estimator = small(max_epochs=3, batch_size=16, learning_rate=0.01).fit(ROWS)
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    with seeded(seed):
        model = Autoencoder(Autoencoder.Config(latent=2, hidden=(6,)), (16,))
    part = Part.of(torch.tensor(ROWS, dtype=torch.float32))
    asked = Training(epochs=3, batch_size=16, learning_rate=0.01, seed=seed, precision="float32", device="cpu")
    train(model, Source("rows", part, part, part), asked)
    for name, value in estimator.model_.state_dict().items():
        assert torch.equal(value.cpu(), model.state_dict()[name]), name


def test_fit_keeps_the_weights_of_the_lowest_loss() -> None:
    estimator = small(max_epochs=30, learning_rate=0.01, batch_size=10).fit(ROWS)
    epochs = [entry["epoch"] for entry in estimator.history_]
    assert estimator.n_iter_ == epochs[-1] == 30
    assert epochs == sorted(epochs)
    lowest = min(entry["total"] for entry in estimator.history_)
    assert estimator.score(ROWS) == pytest.approx(-lowest, rel=1e-5)
    assert lowest < ROWS.var(0).sum()  # the error of the mean row


def test_fitting_again_begins_anew() -> None:
    once = small(max_epochs=2).fit(ROWS)
    twice = small(max_epochs=2).fit(ROWS[:, :9]).fit(ROWS)
    np.testing.assert_array_equal(once.transform(ROWS), twice.transform(ROWS))
    assert len(once.history_) == len(twice.history_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_in_is_precision_out(dtype: type) -> None:
    estimator = small(max_epochs=2).fit(ROWS.astype(dtype))
    features = estimator.transform(ROWS.astype(dtype))
    assert features.dtype == estimator.inverse_transform(features).dtype == dtype
    expected = estimator.model_.encode(torch.tensor(ROWS, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(features, expected, atol=1e-6)
    assert estimator.model_.encoder.state_dict().popitem()[1].dtype == torch.float32


def test_integers_are_numbers() -> None:
    counts = (9 * ROWS).astype(int)
    estimator = small(max_epochs=2).fit(counts)
    np.testing.assert_array_equal(estimator.transform(counts), estimator.transform(counts.astype(float)))


def test_pictures_are_rows_with_a_shape() -> None:
    network = {"network": "convolution", "max_epochs": 2}
    rows = small(image_shape=(1, 4, 4), **network).fit(ROWS)
    pictures = small(**network).fit(PICTURES)
    np.testing.assert_array_equal(rows.transform(ROWS), pictures.transform(PICTURES))
    np.testing.assert_array_equal(rows.transform(PICTURES), pictures.transform(ROWS))
    features = rows.transform(ROWS)
    assert rows.inverse_transform(features).shape == (40, 16)
    assert pictures.inverse_transform(features).shape == (40, 1, 4, 4)
    assert rows.n_features_in_ == pictures.n_features_in_ == 16


def test_tensors_and_lists_are_arrays() -> None:
    estimator = small(max_epochs=2).fit(torch.tensor(ROWS))
    expected = small(max_epochs=2).fit(ROWS).transform(ROWS)
    np.testing.assert_array_equal(estimator.transform(torch.tensor(ROWS)), expected)
    np.testing.assert_array_equal(estimator.transform(ROWS.tolist()), expected)


@pytest.mark.parametrize(
    ("given", "shape", "message"),
    [
        (ROWS, (1, 4, 5), r"X has rows of 16; .* takes rows of 20, or pictures of 1x4x5 \(image_shape\)"),
        (PICTURES, (1, 2, 8), r"X has pictures of 1x4x4; .* takes rows of 16, or pictures of 1x2x8"),
        (PICTURES[:, 0], None, r"X has 3 axes; give rows \(n, feature\), or pictures \(n, channel, height, width\)"),
        (PICTURES[None], None, "X has 5 axes"),
    ],
)
def test_other_shapes_are_refused(given: np.ndarray, shape: tuple[int, ...] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        small(image_shape=shape).fit(given)


def test_pictures_are_refused_where_rows_were_fitted() -> None:
    with pytest.raises(DataError, match=r"X has pictures of 1x4x4; AutoencoderEstimator takes rows of 16$"):
        small(max_epochs=1).fit(ROWS).transform(PICTURES)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"latent": 0}, "latent in AutoencoderEstimator = 0"),
        ({"max_epochs": 0}, "max_epochs in AutoencoderEstimator = 0"),
        ({"image_shape": (4, 4)}, "image_shape"),
        ({"device": "abacus"}, "device"),
        ({"activation": "step"}, "activation"),
    ],
)
def test_parameters_out_of_range_are_refused_by_fit(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AutoencoderEstimator(**wrong).fit(ROWS)


def test_numpy_numbers_are_parameters() -> None:
    estimator = AutoencoderEstimator(latent=np.int64(3), hidden=[np.int64(5)], learning_rate=np.float32(0.01))
    assert estimator.fit(ROWS).transform(ROWS).shape == (40, 3)


def belief(**more: object) -> ModelEstimator:
    """An estimator whose model takes values as probabilities and has no units for others."""
    return SigmoidBeliefEstimator(hidden=(3,), max_epochs=2, random_state=0, **more)


@pytest.mark.parametrize(("low", "high"), [(0, 16), (-1, 1), (-3.5, -0.25)])
def test_values_that_are_no_probabilities_are_taken_in_proportion(low: float, high: float) -> None:
    x, rows = bits(), bits() * (high - low) + low
    expected, estimator = belief().fit(x), belief().fit(rows)
    assert estimator.chosen_["value_range"] == ((low,) * 6, (high,) * 6)
    features = expected.transform(x)
    np.testing.assert_allclose(estimator.transform(rows), features, atol=1e-12)
    rebuilt = expected.inverse_transform(features) * (high - low) + low
    np.testing.assert_allclose(estimator.inverse_transform(features), rebuilt, atol=1e-12)
    assert estimator.score(rows) == pytest.approx(-((rows - rebuilt) ** 2).sum(1).mean())
    draws = estimator.sample(9, random_state=1)
    np.testing.assert_allclose(draws, expected.sample(9, random_state=1) * (high - low) + low, atol=1e-6)


def test_one_value_alone_is_a_range_too() -> None:
    estimator = belief().fit(np.full((4, 3), 7.0))
    assert estimator.chosen_["value_range"] == ((7,) * 3, (8,) * 3)


def test_probabilities_are_left_as_they_are() -> None:
    estimator = belief().fit(bits() / 2 + 0.25)
    assert "value_range" not in estimator.chosen_
    assert "value_range" not in small(max_epochs=1).fit(100 * ROWS - 50).chosen_  # linear layers take any value


def test_a_range_that_is_said_holds_for_every_model() -> None:
    expected = small(max_epochs=2).fit(ROWS)
    estimator = small(max_epochs=2, value_range=(-8, 8)).fit(16 * ROWS - 8)
    np.testing.assert_allclose(estimator.transform(16 * ROWS - 8), expected.transform(ROWS), atol=1e-5)
    assert "value_range" not in estimator.chosen_
    with pytest.raises(ConfigError, match="the first must be below the second"):
        small(value_range=(3, 3)).fit(ROWS)
    with pytest.raises(DataError, match="0 to 1"):
        belief(value_range=(0, 4)).fit(16 * bits())


@pytest.mark.parametrize(("features", "shape"), [(9, (1, 3, 3)), (6, (1, 1, 6)), (1, (1, 1, 1))])
def test_rows_are_pictures_to_a_model_of_pictures_alone(features: int, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random((12, features))
    small = {"filters": 2, "kernel": 2, "max_epochs": 1, "sample_steps": 2, "random_state": 0}
    estimator = ConvolutionalRBMEstimator(**small).fit(x)
    assert estimator.model_.shape == estimator.chosen_["image_shape"] == shape
    expected = ConvolutionalRBMEstimator(**small).fit(x.reshape(12, *shape)).transform(x)
    np.testing.assert_array_equal(estimator.transform(x), expected)
    assert estimator.sample(2).shape == (2, features)
    assert "image_shape" not in ConvolutionalRBMEstimator(**small, image_shape=shape).fit(x).chosen_


class Choosing(Autoencoder):
    """An autoencoder that looks at the rows before it chooses its output units, view and recipe."""

    adapts = {"output": "linear where values leave [0, 1]", "latent": "two where they do not"}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear outputs, standardised values and little steps for wide ranges."""
        low, high = sample.x.aminmax()
        if low >= 0 and high <= 1:
            return Usual({"latent": 2}, because="values lie in [0, 1]")
        recipe = Recipe(batch_size=7, optimiser=Optimiser(learning_rate=1e-4))
        return Usual({"output": "linear"}, View(standardise="all"), recipe, f"values from {low:.0f} to {high:.0f}")


def test_what_is_usual_follows_the_rows() -> None:
    estimator = estimator_class(Choosing)(hidden=(6,), max_epochs=1, random_state=0)
    assert {estimator.get_params()[name] for name in Choosing.adapts} == {"usual"}
    narrow = clone(estimator).fit(ROWS)
    assert (narrow.chosen_, narrow.because_) == ({"latent": 2}, "values lie in [0, 1]")
    assert (narrow.model_.config.output, narrow.transform(ROWS).shape[1]) == ("sigmoid", 2)
    wide = clone(estimator).fit(100 * ROWS - 50)
    assert {"output", "view", "recipe"} == wide.chosen_.keys()
    assert (wide.model_.config.output, wide.transform(ROWS).shape[1]) == ("linear", 30)
    assert wide.model_.recipe.batch_size == 7
    assert "linear where values leave [0, 1]" in (type(estimator).__doc__ or "")
    rebuilt = wide.inverse_transform(wide.transform(100 * ROWS - 50))
    assert abs(rebuilt.mean() - (100 * ROWS - 50).mean()) < 5  # what was standardised is put back


def test_what_is_said_wins_over_what_is_usual() -> None:
    estimator = estimator_class(Choosing)(hidden=(6,), max_epochs=1).set_params(output="tanh", latent=3)
    fitted = estimator.fit(100 * ROWS - 50)
    assert (fitted.model_.config.output, fitted.transform(ROWS).shape[1]) == ("tanh", 3)
    assert "output" not in fitted.chosen_
    assert estimator.set_params(output="usual").fit(100 * ROWS - 50).model_.config.output == "linear"


def test_what_is_usual_can_be_searched_over() -> None:
    estimator = estimator_class(Choosing)(hidden=(6,), latent=2, max_epochs=3, random_state=0)
    search = GridSearchCV(estimator, {"output": ["usual", "sigmoid"]}, cv=2).fit(ROWS)
    assert len(search.cv_results_["params"]) == 2
    assert search.cv_results_["mean_test_score"][0] == search.cv_results_["mean_test_score"][1]


def test_same_seed_same_results() -> None:
    first, again, other = (
        AutoencoderEstimator(latent=2, max_epochs=2, random_state=state).fit_transform(ROWS)
        for state in (3, np.random.RandomState(3), 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_generators_of_the_caller_are_left_alone() -> None:
    before = torch.get_rng_state()
    estimator = small(max_epochs=1).fit(ROWS)
    estimator.partial_fit(ROWS).transform(ROWS)
    assert torch.equal(torch.get_rng_state(), before)


class Standardising(Learner, Encodes, Decodes):
    """Sees each value less its mean, in units of its deviation, and passes it on."""

    @configuration
    class Config:
        """Nothing."""

    view = View(standardise="pixel")
    smoke = Smoke(config=Config(), shape=(4,))

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.mean = nn.Parameter(torch.zeros(self.shape))

    def encode(self, x: Examples) -> Features:
        """Give what it is given."""
        return x

    def decode(self, features: Features) -> Examples:
        """Give back what it was given."""
        return features

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared distance of a learnt mean."""
        return Loss((batch.x - self.mean).square().sum(1).mean(), {})


def test_standardising_views_are_applied_and_undone() -> None:
    x = np.random.default_rng(2).normal([3.0, -20.0, 0.5], [0.1, 5.0, 2.0], (200, 3))
    estimator = estimator_class(Standardising)(learning_rate=0.1).fit(x)
    features = estimator.transform(x)
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(features.std(0), 1, rtol=5e-3)
    np.testing.assert_allclose(estimator.inverse_transform(features), x, rtol=1e-5)
    assert estimator.model_.mean.abs().max() < 0.1  # that of what the model saw
    assert estimator.partial_fit(x).model_.mean.abs().max() < 0.3


def test_features_tell_what_was_drawn() -> None:
    """Pictures with two causes: two numbers of a code suffice to read both off."""
    causes = np.random.default_rng(3).uniform(size=(300, 2))
    x = causes @ np.random.default_rng(4).uniform(size=(2, 20)) / 2
    estimator = AutoencoderEstimator(
        latent=2, hidden=(), max_epochs=60, batch_size=20, learning_rate=0.02, random_state=0
    )
    features = estimator.fit_transform(x)
    assert Ridge(1e-6).fit(features[:200], causes[:200]).score(features[200:], causes[200:]) > 0.95


@pytest.mark.parametrize(
    "estimator",
    [
        AutoencoderEstimator(latent=2, hidden=(4,), output="bernoulli"),
        AutoencoderEstimator(
            latent=2, hidden=(4,), pretraining="rbm", activation="sigmoid", code="sigmoid", output="sigmoid"
        ),
        DenoisingAutoencoderEstimator(hidden=(4,), output="bernoulli"),
        ContractiveAutoencoderEstimator(hidden=(4,), output="bernoulli"),
        SparseAutoencoderEstimator(hidden=(4,), output="bernoulli"),
        HashingAutoencoderEstimator(latent=2, hidden=(4,), output="bernoulli"),
    ],
)
def test_units_that_the_user_set_decide_whether_values_are_probabilities(estimator: ModelEstimator) -> None:
    x = np.random.default_rng(5).normal(size=(60, 6))
    fitted = estimator.set_params(max_epochs=1, random_state=0).fit(x)
    assert "value_range" in fitted.chosen_
    rebuilt = fitted.inverse_transform(fitted.transform(x))
    assert (rebuilt >= x.min(0) - 1e-6).all() and (rebuilt <= x.max(0) + 1e-6).all()


def test_each_column_of_a_table_has_a_range_of_its_own() -> None:
    """Columns of any width are to the model what they are when each is brought to [0, 1] by hand."""
    x = np.random.default_rng(6).random((40, 3)) * [1e-3, 1.0, 1000.0] + [0.0, -2.0, 5.0]
    low, width = x.min(0), np.ptp(x, 0)
    expected, estimator = belief().fit((x - low) / width), belief().fit(x)
    np.testing.assert_allclose(estimator.chosen_["value_range"], (x.min(0), x.max(0)))
    features = expected.transform((x - low) / width)
    np.testing.assert_allclose(estimator.transform(x), features, atol=1e-6)
    rebuilt = expected.inverse_transform(features) * width + low
    np.testing.assert_allclose(estimator.inverse_transform(features), rebuilt, rtol=1e-6)
    draws = expected.sample(5, random_state=1) * width + low
    np.testing.assert_allclose(estimator.sample(5, random_state=1), draws, rtol=1e-5)
    copy = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(copy.inverse_transform(features), estimator.inverse_transform(features))
    assert estimator.transform(x.astype(np.float32)).dtype == np.float32
    assert estimator.inverse_transform(features.astype(np.float32)).dtype == np.float32


def test_pictures_have_one_range() -> None:
    x = 16 * PICTURES
    x[:, 0, 0, 0] /= 16
    assert belief().fit(x).chosen_["value_range"] == (x.min(), x.max())
    assert belief(image_shape=(1, 4, 4)).fit(x.reshape(40, 16)).chosen_["value_range"] == (x.min(), x.max())


def test_a_range_that_the_rows_chose_bounds_later_rows() -> None:
    """A model of probabilities sees what lies outside as the nearer end, in training and after it."""
    x = 4 * bits()
    estimator = belief().fit(x)
    np.testing.assert_array_equal(estimator.transform(3 * x - 4), estimator.transform((3 * x - 4).clip(0, 4)))
    estimator.partial_fit(3 * x - 4)


def test_a_fit_that_fails_leaves_nothing_fitted() -> None:
    broken = small(max_epochs=3, learning_rate=1e30)
    with pytest.raises(NotFiniteError):
        broken.fit(100 * ROWS)
    with pytest.raises(NotFittedError):
        broken.transform(ROWS)
    again = broken.set_params(learning_rate=1e-3).fit(ROWS).set_params(learning_rate=1e30)
    with pytest.raises(NotFiniteError):
        again.fit(100 * ROWS)
    with pytest.raises(NotFittedError):
        again.transform(ROWS)


def test_units_that_do_not_fit_those_that_the_rows_chose_are_told_of_it() -> None:
    x = 9 * np.random.default_rng(7).normal(size=(40, 6))
    with pytest.raises(
        ConfigError, match=r"visible=gaussian was chosen from the data: values run from .* not from 0 to 1"
    ):
        RBMEstimator(hidden=4, hidden_units="gaussian", max_epochs=1).fit(x)
