r"""How well simple classifiers recognise the classes from frozen features.

Four classifiers are trained on labelled training examples and judged by accuracy on test examples:

    ridge                  least squares on one-hot targets, alpha = 1
    logistic_regression    multinomial, C = 100 / n for n examples: a penalty of 0.01 |w|^2 / 2 beside the mean loss
    linear_svm             one against the rest, squared hinge, the same C
    nearest_neighbours     the 5 nearest vote

Features are scaled by one number (`representations.scaled`). With few labels, `few_labels` gives the mean and standard
deviation of logistic regression's accuracy over 5 draws of 1, 3, 10 and 100 labelled examples of each class. Baselines:
the same for raw pixels, principal components and random weights, on the same examples.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.judgement.paired import beside_model
from untaught.evaluate.measure import Groups, Headline, Measure
from untaught.evaluate.quantity import MODEL, Axis, Measured, Quantity, beside, facts
from untaught.evaluate.representations import Several, has_labels, pixels, representations, scaled
from untaught.evaluate.subject import EXAMPLES, Subject
from untaught.model import Encodes
from untaught.shapes import Labels

VALUES = 4_000_000
"""Most numbers that a classifier is fitted on: wide features have fewer examples."""
STRENGTH = 100.0
"""Times 1 / n it is scikit-learn's C. On MNIST's pixels, with 1 to 100 examples of a class, the best of 3, 10, 30, 100
and 300 is better by less than half a per cent."""
QUICK = 2_000
"""Training and test examples of the quick measure."""
FEW = (1, 3, 10, 100)
DRAWS = 5


def _labels(count: str) -> str:
    return f"{count} label{'' if count == '1' else 's'}"


SPOKEN = "the accuracy of a linear classifier on the features"
QUANTITIES = (
    Quantity("ridge_accuracy", title="accuracy of a ridge classifier", unit="%", better="higher", spoken=SPOKEN),
    Quantity("logistic_regression_accuracy", title="accuracy of logistic regression", unit="%", better="higher"),
    Quantity("linear_svm_accuracy", title="accuracy of a linear SVM", unit="%", better="higher"),
    Quantity("nearest_neighbours_accuracy", title="accuracy of the 5 nearest neighbours", unit="%", better="higher"),
    Quantity(
        "few_labels",
        title="few labels",
        unit="%",
        better="higher",
        spread_is="std",
        points="accuracy",
        axis=Axis(
            "labelled examples of each class",
            "accuracy on test examples, %",
            log=True,
            entry=_labels,
            label="accuracy, {} a class",
        ),
        meaning="Accuracy of logistic regression when only a few examples of each class have a label: the mean over 5 "
        "draws, and its standard deviation.",
    ),
)


@runtime_checkable
class Classifier(Protocol):
    """What this file needs of scikit-learn."""

    def fit(self, X: Any, y: Any) -> Any:
        """Learn classes from features."""
        ...

    def predict(self, X: Any) -> Any:
        """Classes of other features."""
        ...

    def score(self, X: Any, y: Any) -> float:
        """Accuracy on other features."""
        ...


CLASSIFIERS: dict[str, Callable[[int, int], Classifier]] = {
    "ridge": lambda seed, examples: RidgeClassifier(alpha=1.0),
    "logistic_regression": lambda seed, examples: LogisticRegression(C=STRENGTH / examples, max_iter=100),
    "linear_svm": lambda seed, examples: LinearSVC(C=STRENGTH / examples, dual="auto", tol=1e-2, random_state=seed),
    "nearest_neighbours": lambda seed, examples: KNeighborsClassifier(min(5, examples)),
}
"""Each classifier, made from a seed and the number of examples that it will be fitted on."""


def applies(subject: Subject) -> str | None:
    """None for models that encode, on data with labels in both parts."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    return None if has_labels(subject) else "the data have no labels"


def measure(subject: Subject) -> Groups:
    """Accuracies from the model's features and from the baselines."""
    test = subject.tested().labelled
    widest = max(subject.features(test.x[:1]).shape[1], test.x[0].numel())
    train = subject.pixels(subject.parts.train, min(EXAMPLES, max(1000, VALUES // widest))).labelled
    draws = few_draws(train.label, subject.seed)
    described = {name: scaled(features) for name, features in representations(subject, [train, test]).items()}
    scores = {name: _scores(subject, features, train, test, draws) for name, features in described.items()}
    return [[*beside(QUANTITIES, scores), *facts(train_examples=len(train.x), test_examples=len(test.x))]]


def quick(subject: Subject) -> Groups:
    """The ridge classifier alone, on features and on raw pixels, of fewer examples."""
    test = subject.tested(QUICK).labelled
    widest = max(subject.features(test.x[:1]).shape[1], test.x[0].numel())
    train = subject.pixels(subject.parts.train, min(QUICK, max(500, VALUES // widest))).labelled
    described = {
        MODEL: [subject.features(batch.x) for batch in (train, test)],
        "raw_pixels": [pixels(subject, batch.x) for batch in (train, test)],
    }
    right = {name: _right(subject, scaled(features), train, test) for name, features in described.items()}
    own = right.pop(MODEL)
    baselines = {name: beside_model(own, one, "higher") for name, one in right.items()}
    return [[QUANTITIES[0].of(float(own.mean()), baselines=baselines), *facts(test_examples=len(test.x))]]


def _right(subject: Subject, features: Several, train: Batch, test: Batch) -> Tensor:
    """Whether the ridge classifier is right, 1 or 0 for each test example."""
    fit, judged = features
    classifier = CLASSIFIERS["ridge"](subject.seed, len(fit)).fit(fit.numpy(), train.label.numpy())
    return torch.from_numpy(classifier.predict(judged.numpy()) == test.label.numpy()).double()


def _scores(
    subject: Subject, features: Several, train: Batch, test: Batch, draws: dict[int, list[Tensor]]
) -> dict[str, Any]:
    fit, judged = features

    def score(name: str, some: Tensor) -> float:
        classifier = CLASSIFIERS[name](subject.seed, len(some))
        return accuracy(classifier, (fit[some], train.label[some]), (judged, test.label))

    every = torch.arange(len(fit))
    few = {count: [score("logistic_regression", some) for some in chosen] for count, chosen in draws.items()}
    return {
        **{f"{name}_accuracy": score(name, every) for name in CLASSIFIERS},
        "few_labels": _spread({str(count): torch.tensor(some, dtype=torch.float64) for count, some in few.items()}),
    }


def _spread(scores: dict[str, Tensor]) -> Measured:
    means = {count: float(some.mean()) for count, some in scores.items()}
    return Measured(means, {count: float(some.std(correction=0)) for count, some in scores.items()})


def few_draws(label: Labels, seed: int) -> dict[int, list[Tensor]]:
    """Numbers of 1, 3, 10 and 100 random examples of each class, 5 times each, where every class has more."""
    generator = torch.Generator().manual_seed(seed)
    classes = [(label == value).nonzero()[:, 0] for value in label.unique()]
    possible = [count for count in FEW if count < min(len(members) for members in classes)]
    return {
        count: [
            torch.cat([members[torch.randperm(len(members), generator=generator)[:count]] for members in classes])
            for _ in range(DRAWS)
        ]
        for count in possible
    }


def accuracy(classifier: Classifier, fit: tuple[Tensor, Tensor], judged: tuple[Tensor, Tensor]) -> float:
    """Fraction of the second features' labels that a classifier fitted on the first gets right."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a probe stopped early is still a probe
        classifier.fit(fit[0].numpy(), fit[1].numpy())
    return float(classifier.score(judged[0].numpy(), judged[1].numpy()))


MEASURE = Measure(
    title="Classes in the features",
    meaning="How much of the classes a simple classifier finds in frozen features.",
    applies=applies,
    measure=measure,
    quantities=QUANTITIES,
    together=True,
    headline=Headline((QUANTITIES[0].name,), ("raw_pixels",), "examples", lambda subject: True, quick),
)
