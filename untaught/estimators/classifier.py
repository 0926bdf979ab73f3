"""Estimators that learn classes: a scikit-learn classifier for every model that gives class probabilities."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.multiclass import check_classification_targets

from untaught.estimators import few_rows
from untaught.estimators.estimator import ModelEstimator
from untaught.estimators.rows import Rows
from untaught.model import Samples
from untaught.training.plan import Plan

Labels = NDArray[Any]
"""One label for each row: numbers, booleans, strings."""


class Classifier(ClassifierMixin, ModelEstimator):
    """The estimator of a model that classifies.

    Attributes:
        classes_: The labels, sorted; columns of `predict_proba` are in this order.
    """

    labelled = True
    classes_: Labels

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a new model on all rows and keep the weights with the lowest loss on them.

        Args:
            X: Rows `(n, feature)`, or pictures `(n, channel, height, width)`; or a source, a torch `Dataset` or
                `DataLoader`, a Hugging Face data set or a generator of pairs.
            y: A label for each: strings, booleans or whole numbers; they determine the number of classes. By default
                those that X brings.

        Raises:
            ValueError: Rows are not finite numbers, or labels are not classes.
            ConfigError: A parameter is out of range.
            DataError: Rows or pictures do not have `image_shape`, or their values are not allowed by the model.

        Warns:
            ConvergenceWarning: It names the classes of these rows no better than the most frequent class does.
        """
        rows, label = self._rows_with(X, y, new=True)
        check_classification_targets(label)
        self.classes_ = np.unique(label)
        self._learn(rows, torch.from_numpy(self._numbers(label)))
        self._warn_of_chance(rows, label)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Train for one more pass over the rows from the present weights; the first call makes a new model.

        The learning rate stays at its highest value, optimisers keep their state between calls, and the model's own
        schedules are at their end.

        Args:
            X: As in `fit`; later calls need the features of the first.
            y: A label for each.
            classes: All labels that will ever occur; required in the first call, and the same in later ones.

        Raises:
            ValueError: The first call does not give the classes, a later one gives others, or a label is not among
                them.
        """
        new = "model_" not in vars(self)
        rows, label = self._rows_with(X, y, new)
        check_classification_targets(label)
        if new:
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit")
            self.classes_ = np.unique(np.asarray(classes))
        elif classes is not None and not np.array_equal(np.unique(np.asarray(classes)), self.classes_):
            raise ValueError(f"classes={list(classes)} is not the same as in the first call: {self.classes_.tolist()}")
        return self._go_on(rows, torch.from_numpy(self._numbers(label)))

    def predict_proba(self, X: Any) -> Rows:
        """Probability of each class, `(n, class)`, in the order of `classes_`."""
        return self._apply(lambda model, x: model.class_probabilities(x), self._seen(X))

    def predict(self, X: Any) -> Labels:
        """The most probable class of each example, `(n,)`."""
        place = self.predict_proba(X).argmax(1)
        return self.classes_[place]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # A joint model of examples and classes needs more steps than twenty passes over 300 rows have.
        tags.classifier_tags = ClassifierTags(poor_score=issubclass(self.model_type, Samples))
        return tags

    def _warn_of_chance(self, rows: Rows, label: Labels) -> None:
        """Warn where what was learnt is no better on its own rows than the most frequent class."""
        right, most = (self.predict(rows) == label).mean(), np.unique(label, return_counts=True)[1].max() / len(label)
        if right <= most < 1:
            warnings.warn(
                f"{type(self).__name__} names {right:.0%} of the rows of fit rightly, and the most frequent class "
                f"{most:.0%}: it has not learnt the classes.\nTry more steps (a larger max_epochs, a smaller "
                "batch_size), another learning_rate, or fewer hidden units.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _revised(self, plan: Plan) -> Plan:
        return few_rows.with_adam(plan) if self._fitting().learning_rate is None else plan

    def _numbers(self, label: Labels) -> NDArray[np.int64]:
        """Index of each label in `classes_`.

        Raises:
            ValueError: A label is not among the classes.
        """
        place = np.searchsorted(self.classes_, label).clip(max=len(self.classes_) - 1)
        unknown = label[self.classes_[place] != label]
        if len(unknown):
            raise ValueError(f"y has {unknown[0]!r}, which is none of the classes {self.classes_.tolist()}")
        return place.astype(np.int64)

    def _class_names(self) -> tuple[str, ...]:
        return tuple(str(label) for label in self.classes_)
