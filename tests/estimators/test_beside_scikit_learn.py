"""The estimator of the RBM beside scikit-learn's BernoulliRBM with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracles import gibbs_kernel, rbm_joint, states
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline

from untaught.errors import ConfigError
from untaught.estimators import ModelEstimator, RBMEstimator

BITS = (np.random.default_rng(0).random((80, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9]).astype(float)
DRAWS = 20_000


@pytest.fixture(scope="module")
def ours() -> ModelEstimator:
    machine = RBMEstimator(hidden=3, max_epochs=2, random_state=0, initial_scale=1.0, sample_steps=5).fit(BITS)
    with torch.no_grad():
        machine.model_.hidden_bias.copy_(torch.tensor([0.5, -1.0, 0.2]))
    return machine


@pytest.fixture(scope="module")
def theirs(ours: ModelEstimator) -> BernoulliRBM:
    machine, model = BernoulliRBM(3, n_iter=1, random_state=0).fit(BITS), ours.model_
    machine.components_ = model.weight.detach().double().numpy().T.copy()
    machine.intercept_hidden_ = model.hidden_bias.detach().double().numpy().copy()
    machine.intercept_visible_ = model.visible_bias.detach().double().numpy().copy()
    return machine


def test_features_are_the_same(ours: ModelEstimator, theirs: BernoulliRBM) -> None:
    np.testing.assert_allclose(ours.transform(BITS), theirs.transform(BITS), rtol=1e-9)
    grey = np.random.default_rng(1).random((9, 5))
    np.testing.assert_allclose(ours.transform(grey), theirs.transform(grey), rtol=1e-9)


def test_score_samples_is_their_free_energy(ours: ModelEstimator, theirs: BernoulliRBM) -> None:
    np.testing.assert_allclose(ours.score_samples(BITS), -theirs._free_energy(BITS), rtol=1e-9)


def test_pseudo_likelihood_is_what_theirs_estimates(ours: ModelEstimator, theirs: BernoulliRBM) -> None:
    """Theirs looks at one random value of each example: over all seeds its mean is ours."""
    one = BITS[:1].repeat(DRAWS, 0)
    estimate = theirs.score_samples(one)
    assert abs(estimate.mean() - ours.pseudo_log_likelihood(BITS[:1])[0]) < 4 * estimate.std() / DRAWS**0.5
    assert ours.pseudo_log_likelihood(BITS).shape == (80,)
    assert ours.pseudo_log_likelihood(BITS.astype(np.float32)).dtype == np.float32


def test_one_gibbs_step_has_the_same_distribution(ours: ModelEstimator, theirs: BernoulliRBM) -> None:
    start = states(5)[9].numpy()
    begin = np.tile(start, (DRAWS, 1))
    model = ours.model_
    joint = rbm_joint(*(value.detach().double() for value in (model.weight, model.visible_bias, model.hidden_bias)))
    exact = gibbs_kernel(joint)[9].numpy()
    for drawn in (ours.gibbs(begin, random_state=1), theirs.gibbs(begin).astype(float)):
        share = np.bincount((drawn @ (2 ** np.arange(4, -1, -1))).astype(int), minlength=32) / DRAWS
        assert np.abs((share - exact) / np.sqrt(exact * (1 - exact) / DRAWS)).max() < 4.5


def test_partial_fit_gives_itself_and_goes_on() -> None:
    machine = RBMEstimator(hidden=3, batch_size=10, random_state=0)
    assert machine.partial_fit(BITS[:40]) is machine
    first = machine.model_.weight.detach().clone()
    assert machine.partial_fit(BITS[40:]) is machine and machine.n_iter_ == 2
    assert not torch.equal(first, machine.model_.weight)


@pytest.mark.slow
def test_it_stands_where_theirs_stood_in_a_pipeline() -> None:
    label = (BITS[:, 0] + BITS[:, 2] > 0.5).astype(int)
    for machine in (RBMEstimator(hidden=8, batch_size=10, random_state=0), BernoulliRBM(8, random_state=0)):
        pipeline = make_pipeline(machine, LogisticRegression()).fit(BITS, label)
        assert pipeline.predict(BITS).shape == (80,)


def test_pseudo_likelihood_is_for_binary_units() -> None:
    machine = RBMEstimator(hidden=2, visible="gaussian", max_epochs=1).fit(BITS)
    with pytest.raises(ConfigError, match="not independent binary units"):
        machine.pseudo_log_likelihood(BITS)


@pytest.mark.parametrize(("rows", "batch", "passes"), [(90, 10, 100), (1500, 75, 50), (2500, 100, 40), (9000, 100, 20)])
def test_few_rows_make_steps_enough_without_labels(rows: int, batch: int, passes: int) -> None:
    """A stage has 1,000 steps, or 100 passes; what the user says is left alone."""
    said = RBMEstimator()._length(rows)
    assert (said.get("batch_size", 100), said["epochs"]) == (batch, passes)
    assert RBMEstimator(batch_size=30, max_epochs=3)._length(rows)["epochs"] == 3


def test_what_transform_gives_is_as_wide_as_was_said() -> None:
    """The number of rows decides the scale of the weights, and not how many features there are."""
    machine = RBMEstimator(max_epochs=1, random_state=0).fit(BITS)
    assert machine.transform(BITS).shape == (80, 500)
    assert machine.chosen_["initial_scale"] == machine.model_.config.initial_scale == 0.1
    assert RBMEstimator(hidden=2, initial_scale=0.02, max_epochs=1).fit(BITS).model_.config.initial_scale == 0.02


@pytest.mark.slow
def test_features_of_few_digits_serve_few_labels_as_theirs_do() -> None:
    """A hundred labels on the features of 1,000 digits; both machines at their defaults."""
    pixels, digit = load_digits(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(digit))
    pixels, digit = pixels[order] / 16, digit[order]
    scores = {}
    for name, machine in {"ours": RBMEstimator(hidden=100, random_state=0), "theirs": BernoulliRBM(100)}.items():
        seen = machine.set_params(random_state=0).fit(pixels[:1000]).transform(pixels)
        scores[name] = LogisticRegression(max_iter=2000).fit(seen[:100], digit[:100]).score(seen[1000:], digit[1000:])
    assert scores["ours"] > max(0.7, scores["theirs"])
