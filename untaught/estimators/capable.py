"""The methods that an estimator has where its model is capable of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from untaught.errors import ConfigError, DataError
from untaught.estimators.estimator import FLOATS, ModelEstimator, Rows
from untaught.estimators.parameters import drawn_seed
from untaught.evaluate.measures.likelihood import binary_units, pseudo_log_likelihood
from untaught.model import Decodes, Energy, Reconstructs, Samples


class Inverts(ModelEstimator):
    """The estimator of a model that decodes."""

    def inverse_transform(self, X: Any) -> Rows:
        """Examples that the features `(n, feature)` describe, as rows, or as pictures where it was fitted on pictures.

        Raises:
            DataError: There are not as many features as `transform` gives.
        """
        check_is_fitted(self)
        features: Rows = check_array(X, dtype=FLOATS, estimator=self)
        if features.shape[1] != self._n_features_out:
            raise DataError(f"X has {features.shape[1]} features; {type(self).__name__} made {self._n_features_out}")
        return self._given(self._apply(lambda model, latent: model.decode(latent), features))


class Rebuilds(ModelEstimator):
    """The estimator of a model that reconstructs."""

    def score(self, X: Any, y: object = None) -> float:
        """Negative squared error of the reconstruction, sum over an example's values, mean over examples.

        -1/n sum_n sum_i (x_ni - reconstruction_ni)^2: higher is better, and 0 is perfect.
        """
        del y
        check_is_fitted(self)
        rows = self._rows(X)
        rebuilt = self._given(self._apply(lambda model, x: model.reconstruct(x), self._seen(rows)))
        return -float(np.square(rows - rebuilt.reshape(rows.shape)).sum(1).mean())


class Draws(ModelEstimator):
    """The estimator of a model that samples."""

    def sample(self, count: int = 1, random_state: Any = None) -> Rows:
        """Draw new examples, as rows, or as pictures where it was fitted on pictures.

        Args:
            count: How many, from 1.
            random_state: Seed or generator of the draws; the same seed gives the same examples.

        Raises:
            ConfigError: The count is below 1.
        """
        check_is_fitted(self)
        if count < 1:
            raise ConfigError(f"count = {count}: must be 1 or more")
        places = np.empty((count, 0), self._dtype)
        return self._given(self._apply(lambda model, x: model.sample(len(x)), places, drawn_seed(random_state)))


class HasEnergy(ModelEstimator):
    """The estimator of a model with an energy."""

    def score_samples(self, X: Any) -> Rows:
        """Negative free energy of each example in nats, `(n,)`.

        It is not normalised: log p(x) = -F(x) - log Z, where the constant log Z is not known. Differences between
        examples under one model are differences in log-likelihood; between two models they are not. What
        scikit-learn's BernoulliRBM calls by this name is an estimate of `pseudo_log_likelihood`, which can be compared.
        """
        check_is_fitted(self)
        return self._apply(lambda model, x: -model.free_energy(x), self._seen(self._rows(X)))

    def pseudo_log_likelihood(self, X: Any) -> Rows:
        """Sum over values of the log-probability of each given all others, in nats, `(n,)`; exact, for zeros and ones.

        log p(x_i | x_-i) needs no log Z, so two models can be compared by it. Each example costs as many free energies
        as it has values.

        Raises:
            ConfigError: The model's visible units are not binary.
        """
        check_is_fitted(self)
        model, seen = self.model_, self._seen(self._rows(X))
        if not (isinstance(model, Energy) and binary_units(model)):
            raise ConfigError(f"{type(model).__name__} has visible units of another kind than 0 and 1, each on its own")
        return self._apply(pseudo_log_likelihood, seen)

    def gibbs(self, X: Any, random_state: Any = None) -> Rows:
        """Draw examples one step of the model's Markov chain away from the given ones.

        Args:
            X: Where the chains are.
            random_state: Seed or generator of the step.
        """
        check_is_fitted(self)
        seen, seed = self._seen(self._rows(X)), drawn_seed(random_state)
        return self._given(self._apply(lambda model, x: model.gibbs_step(x), seen, seed))


FACES: dict[type, type[ModelEstimator]] = {
    Decodes: Inverts,
    Reconstructs: Rebuilds,
    Samples: Draws,
    Energy: HasEnergy,
}
"""Which methods come with which capability."""
