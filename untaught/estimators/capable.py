"""Methods of estimators, one class for each capability of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted

from untaught.errors import ConfigError, DataError
from untaught.estimators.estimator import FLOATS, ModelEstimator
from untaught.estimators.parameters import drawn_seed
from untaught.estimators.rows import Rows
from untaught.evaluate.measures.likelihood import binary_units, pseudo_log_likelihood
from untaught.evaluate.ranking.improbable import score_of
from untaught.model import Decodes, Encodes, Energy, LowerBound, Reconstructs, Samples, Scores


class Transforms(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ModelEstimator):
    """The estimator of a model that encodes."""

    def transform(self, X: Any) -> Rows:
        """Features of each example, `(n, feature)`."""
        return self._apply(lambda model, x: model.encode(x), self._seen(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Inverts(ModelEstimator):
    """The estimator of a model that decodes."""

    def inverse_transform(self, X: Any) -> Rows:
        """Decode features `(n, feature)` into examples: rows, or pictures where it was fitted on pictures.

        Raises:
            DataError: The number of features is not that of `transform`.
        """
        check_is_fitted(self, "model_")
        features: Rows = check_array(X, dtype=FLOATS, estimator=self)
        if features.shape[1] != self._n_features_out:
            raise DataError(f"X has {features.shape[1]} features; {type(self).__name__} made {self._n_features_out}")
        return self._layout.given(self._apply(lambda model, latent: model.decode(latent), features))


class Rebuilds(ModelEstimator):
    """The estimator of a model that reconstructs."""

    def score(self, X: Any, y: object = None) -> float:
        """Negative squared error of the reconstruction, summed over an example's values, mean over examples.

        -1/n sum_n sum_i (x_ni - reconstruction_ni)^2: higher is better, and 0 is perfect.
        """
        del y
        return float(self._minus_errors(X).mean())

    def score_samples(self, X: Any) -> Rows:
        """Negative squared error of each example's reconstruction, `(n,)`: the lower, the more unusual.

        -sum_i (x_i - reconstruction_i)^2. `score` is its mean.
        """
        return self._minus_errors(X)

    def _minus_errors(self, X: Any) -> Rows:
        check_is_fitted(self, "model_")
        rows = self._rows(X)
        rebuilt = self._layout.given(self._apply(lambda model, x: model.reconstruct(x), self._layout.seen(rows)))
        return -np.square(rows - rebuilt.reshape(rows.shape)).sum(1)


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
        check_is_fitted(self, "model_")
        if count < 1:
            raise ConfigError(f"count = {count}: must be 1 or more")
        places = np.empty((count, 0), self._dtype)
        seed = drawn_seed(random_state)
        return self._layout.given(self._apply(lambda model, x: model.sample(len(x)), places, seed))


class Likely(ModelEstimator):
    """The estimator of a model that gives log-likelihoods, or a lower bound on them."""

    def score_samples(self, X: Any) -> Rows:
        """Log-likelihood of each example in nats, `(n,)`: the lower, the more unusual.

        Of a model with a lower bound it is that bound but for log Z, a constant that is not known: values of two models
        cannot be compared. Where the bound is estimated, it is the mean over draws, which are the same every time for
        the same examples.
        """
        return -self._apply(lambda model, x: score_of(model, x, "likelihood"), self._seen(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # of examples in another order the draws are others
        return tags


class HasEnergy(ModelEstimator):
    """The estimator of a model with an energy."""

    def score_samples(self, X: Any) -> Rows:
        """Negative free energy of each example in nats, `(n,)`: the lower, the more unusual.

        It is not normalised: log p(x) = -F(x) - log Z, where the constant log Z is not known. Differences between
        examples under one model are differences in log-likelihood; values of two models cannot be compared. In
        scikit-learn's BernoulliRBM the method of this name estimates `pseudo_log_likelihood`, which can be compared.
        """
        return -self._apply(lambda model, x: score_of(model, x, "free-energy"), self._seen(X))

    def pseudo_log_likelihood(self, X: Any) -> Rows:
        """Sum over values of the log-probability of each given all others, in nats, `(n,)`; exact, for zeros and ones.

        log p(x_i | x_-i) does not need log Z, so two models can be compared by it. For each example the free energy is
        computed as many times as it has values.

        Raises:
            ConfigError: The model's visible units are not binary.
        """
        seen = self._seen(X)
        model = self.model_
        if not (isinstance(model, Energy) and binary_units(model)):
            raise ConfigError(f"{type(model).__name__} has visible units that are not independent binary units")
        return self._apply(pseudo_log_likelihood, seen)

    def gibbs(self, X: Any, random_state: Any = None) -> Rows:
        """Draw examples one step of the model's Markov chain away from the given ones.

        Args:
            X: The present states of the chains.
            random_state: Seed or generator of the step.
        """
        seen, seed = self._seen(X), drawn_seed(random_state)
        return self._layout.given(self._apply(lambda model, x: model.gibbs_step(x), seen, seed))


FACES: dict[type, type[ModelEstimator]] = {
    Encodes: Transforms,
    Decodes: Inverts,
    Scores: Likely,
    LowerBound: Likely,
    Energy: HasEnergy,
    Reconstructs: Rebuilds,
    Samples: Draws,
}
"""The class of methods for each capability; of several that have `score_samples` the first gives it."""
