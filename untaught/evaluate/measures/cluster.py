r"""Whether clusters found without labels agree with the classes.

k-means with as many groups as there are classes, on the features of the test part, the best of 10 starts. With U
the classes, V the groups, H entropy and I mutual information,

    NMI = 2 I(U, V) / (H(U) + H(V)),   from 0 to 1                                         (1)
    ARI = (pairs that agree - expected) / (most possible - expected),   0 by chance, 1 at best   (2)

Baselines: the same for raw pixels, principal components and random weights.

References:
    Strehl, Ghosh, Cluster ensembles (2002), with the arithmetic mean.
    Hubert, Arabie, Comparing partitions (1985).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Quantity, beside, facts
from untaught.evaluate.representations import own_labels, representations
from untaught.evaluate.subject import Subject
from untaught.model import Encodes
from untaught.shapes import Features, Labels

EXAMPLES = 5_000
STARTS = 10
QUANTITIES = (
    Quantity(
        "normalised_mutual_information",
        digits=2,
        better="higher",
        meaning="Agreement of groups found without labels with the classes: 0 none, 1 perfect.",
    ),
    Quantity(
        "adjusted_rand_index",
        title="adjusted Rand index",
        digits=2,
        better="higher",
        meaning="Agreement about pairs of examples, corrected for chance: 0 by chance, 1 perfect.",
    ),
)


def applies(subject: Subject) -> str | None:
    """None for models that encode, on data with at least two classes."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    return None if len(own_labels(subject.parts.test).unique()) > 1 else "the test part has no labels"


def measure(subject: Subject) -> Groups:
    """NMI and ARI of the model's features and of the baselines."""
    batch = subject.tested(EXAMPLES).labelled
    described = representations(subject, [batch])
    scores = {name: agreement(x, batch.label, subject.seed) for name, (x,) in described.items()}
    return [[*beside(QUANTITIES, scores), *facts(clusters=len(batch.label.unique()), examples=len(batch.x))]]


def agreement(features: Features, label: Labels, seed: int) -> dict[str, float]:
    """Group the features and compare with the classes, equations (1) and (2)."""
    group = grouped(features, len(label.unique()), seed)
    return {
        "normalised_mutual_information": float(normalized_mutual_info_score(label.numpy(), group)),
        "adjusted_rand_index": float(adjusted_rand_score(label.numpy(), group)),
    }


def grouped(features: Features, groups: int, seed: int) -> NDArray[np.int32]:
    """Number of each example's group, by k-means."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct examples than groups: still an answer
        starts: Any = STARTS  # scikit-learn's own types admit only its word "auto"
        return KMeans(groups, n_init=starts, random_state=seed).fit_predict(features.numpy())


MEASURE = Measure(
    title="Groups found without labels",
    meaning="Whether groups that are found in the features without labels are the classes.",
    applies=applies,
    measure=measure,
    whole=True,
    quantities=QUANTITIES,
    together=True,
)
