"""Estimators that learn without labels."""

from __future__ import annotations

from typing import Any, Self

from untaught.estimators.estimator import ModelEstimator


class Unlabelled(ModelEstimator):
    """The estimator of a model that learns without labels."""

    def fit(self, X: Any, y: object = None) -> Self:
        """Train a new model on all rows and keep the weights with the lowest loss on them.

        Args:
            X: Rows `(n, feature)`, or pictures `(n, channel, height, width)`.
            y: Not used.

        Raises:
            ValueError: Rows are not finite numbers.
            ConfigError: A parameter is out of range.
            DataError: Rows or pictures do not have `image_shape`, or their values are not allowed by the model.
        """
        del y
        return self._learn(self._rows(X, new=True))

    def partial_fit(self, X: Any, y: object = None) -> Self:
        """Train for one more pass over the rows from the present weights; the first call makes a new model.

        The learning rate stays at its highest value, optimisers keep their state between calls, and the model's own
        schedules are at their end.

        Args:
            X: As in `fit`; later calls need the features of the first.
            y: Not used.
        """
        del y
        return self._go_on(self._rows(X, new="model_" not in vars(self)))

    def _class_names(self) -> tuple[str, ...]:
        return ()
