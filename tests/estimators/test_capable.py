"""Methods that come with capabilities, against sums over all states and against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracles import gibbs_kernel, rbm_joint, states
from sklearn.exceptions import NotFittedError

from untaught.errors import ConfigError, DataError
from untaught.estimators import (
    AutoencoderEstimator,
    DBMEstimator,
    ModelEstimator,
    RBMEstimator,
    SigmoidBeliefEstimator,
)
from untaught.estimators.estimator import CHUNK

BITS = (np.random.default_rng(0).random((60, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9]).astype(float)


@pytest.fixture(scope="module")
def machine() -> ModelEstimator:
    return RBMEstimator(hidden=3, max_epochs=5, batch_size=10, random_state=0, sample_steps=10).fit(BITS)


def joint(machine: ModelEstimator) -> torch.Tensor:
    model = machine.model_
    return rbm_joint(*(value.detach().double() for value in (model.weight, model.visible_bias, model.hidden_bias)))


def test_methods_are_the_models_capabilities() -> None:
    for method in ("sample", "gibbs"):
        assert method in dir(RBMEstimator)
        assert method not in dir(AutoencoderEstimator)
    for method in ("inverse_transform", "score", "score_samples"):
        assert method in dir(RBMEstimator)
        assert method in dir(AutoencoderEstimator)


def test_score_samples_is_the_log_likelihood_but_for_a_constant(machine: ModelEstimator) -> None:
    exact = joint(machine).sum(1).log().numpy()
    difference = machine.score_samples(states(5).numpy()) - exact
    assert difference.shape == (32,)
    np.testing.assert_allclose(difference, difference[0], atol=1e-5)
    assert machine.score_samples(BITS.astype(np.float32)).dtype == np.float32


def test_score_samples_is_minus_the_error_of_each_example() -> None:
    estimator = AutoencoderEstimator(latent=2, hidden=(4,), max_epochs=2, random_state=0).fit(BITS)
    rebuilt = estimator.inverse_transform(estimator.transform(BITS))
    found = estimator.score_samples(BITS)
    np.testing.assert_allclose(found, [-((x - y) ** 2).sum() for x, y in zip(BITS, rebuilt, strict=True)])
    assert estimator.score(BITS) == pytest.approx(found.mean())
    odd = np.vstack([BITS, np.full((1, 5), 9.0)])
    assert estimator.score_samples(odd).argmin() == 60


def test_score_samples_is_the_log_likelihood() -> None:
    """A network of few hidden units, whose probabilities of all 32 states sum to one."""
    estimator = SigmoidBeliefEstimator(hidden=(3,), max_epochs=2, random_state=0).fit(BITS)
    assert np.exp(estimator.score_samples(states(5).numpy())).sum() == pytest.approx(1)


@pytest.mark.slow
def test_a_likelihood_comes_before_a_reconstruction() -> None:
    estimator = DBMEstimator(max_epochs=1, random_state=0, sample_steps=2).fit(BITS)
    with torch.no_grad():
        bound = estimator.model_.double().unnormalised_bound(torch.from_numpy(BITS)).numpy()
    np.testing.assert_allclose(estimator.score_samples(BITS), bound, rtol=1e-6)


def test_gibbs_is_one_step_of_the_chain(machine: ModelEstimator) -> None:
    start, draws = states(5)[9].numpy(), 4000
    drawn = machine.gibbs(np.tile(start, (draws, 1)), random_state=0)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    share = (gibbs_kernel(joint(machine))[9] @ states(5)).numpy()
    error = np.sqrt(share * (1 - share) / draws)
    assert (np.abs(drawn.mean(0) - share) < 4.5 * error).all()


def test_draws_follow_their_seed(machine: ModelEstimator) -> None:
    for draw in (machine.sample, lambda count, state: machine.gibbs(BITS[:count], state)):
        np.testing.assert_array_equal(draw(20, 1), draw(20, np.random.RandomState(1)))
        assert (draw(20, 1) != draw(20, 2)).any()


def test_samples_are_laid_out_like_the_rows(machine: ModelEstimator) -> None:
    assert machine.sample(7, random_state=0).shape == (7, 5)
    assert machine.sample(random_state=0).dtype == np.float64
    pictures = RBMEstimator(hidden=2, max_epochs=1, sample_steps=2).fit(
        BITS[:, :4].reshape(-1, 1, 2, 2).astype(np.float32)
    )
    assert pictures.sample(3).shape == (3, 1, 2, 2)
    assert pictures.sample(3).dtype == np.float32
    assert pictures.gibbs(BITS[:, :4]).shape == (60, 1, 2, 2)
    with pytest.raises(ConfigError, match="count = 0"):
        machine.sample(0)


def test_chunks_of_samples_differ(machine: ModelEstimator) -> None:
    drawn = machine.sample(2 * CHUNK, random_state=0)
    assert (drawn[:CHUNK] != drawn[CHUNK:]).any()


def test_inverse_transform_is_the_mean_of_the_visible_units(machine: ModelEstimator) -> None:
    features = machine.transform(BITS)
    weight, bias = (value.detach().double().numpy() for value in (machine.model_.weight, machine.model_.visible_bias))
    np.testing.assert_allclose(machine.inverse_transform(features), 1 / (1 + np.exp(-(features @ weight.T + bias))))


def test_features_of_another_model_are_refused(machine: ModelEstimator) -> None:
    with pytest.raises(DataError, match="X has 4 features; RBMEstimator made 3"):
        machine.inverse_transform(np.zeros((2, 4)))


def test_score_is_the_squared_error_per_example() -> None:
    x = np.random.default_rng(1).random((30, 1, 4, 4))
    estimator = AutoencoderEstimator(latent=3, hidden=(5,), max_epochs=2, random_state=0).fit(x)
    rebuilt = estimator.inverse_transform(estimator.transform(x))
    expected = -sum(((one - other) ** 2).sum() for one, other in zip(x, rebuilt, strict=True)) / 30
    assert estimator.score(x) == pytest.approx(expected)
    assert estimator.score(x.reshape(30, 16)) == pytest.approx(expected)


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "score", "score_samples", "gibbs"])
def test_nothing_is_answered_before_fit(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(RBMEstimator(), method)(BITS)
    with pytest.raises(NotFittedError):
        RBMEstimator().sample()
