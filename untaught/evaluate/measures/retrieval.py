r"""How many of the training examples that lie nearest to a test example are of its class.

At most 1,000 labelled test examples are queries. For each, at most 20,000 labelled training examples are ranked, the
nearest first; ties keep the order of the source. With r_qi = 1 where the i-th has the class of query q and R_q of them
in all,

    precision at k = 1/Q sum_q sum_{i<=k} r_qi / k                                                  (1)
    recall at k = 1/Q sum_q sum_{i<=k} r_qi / R_q                                                   (2)
    mean average precision = 1/Q sum_q sum_i r_qi (sum_{j<=i} r_qj / i) / R_q                       (3)

The spread of (1) is the standard error of its mean over queries. (2) and (3) are means over queries with R_q > 0. A
training example that is equal to the query in every value is left out for it. Distances are Hamming for features that
are all 0 or 1, cosine for bags of words, and else Euclidean. Baselines are raw pixels, the same network untrained, and
chance. For bags of words there is also latent semantic analysis with 10, 50 and as many components as the model has
features; the first two also without word weights, as it was first described. For other data there are as many principal
components.

References:
    Hinton, Salakhutdinov, Reducing the dimensionality of data with neural networks (2006), for (1) at these k.
    Salakhutdinov, Hinton, Semantic hashing (2009).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from untaught.data.view import Batch
from untaught.evaluate.baselines.latent_semantic import directions, is_bag_of_words, latent_semantic
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.retrieval_picture import neighbours, precision_lines
from untaught.evaluate.hamming import distances, pack
from untaught.evaluate.measure import Drawing, Groups, Measure, Quantities
from untaught.evaluate.measures import probe
from untaught.evaluate.quantity import Axis, Measured, Quantity, beside, facts
from untaught.evaluate.representations import Several, pixels, representations
from untaught.evaluate.subject import Subject

QUERIES, SEARCHED = 1_000, 20_000
KEPT = (1, 3, 7, 15, 31, 63, 127, 255, 511, 1023)
"""Numbers k of examples that are retrieved."""
COMPONENTS = (10, 50)
"""Of latent semantic analysis."""
AT_ONCE = 100
"""Queries that are put in order together."""
DRAWN, NEAREST = 10, 8
"""Queries in the picture, and neighbours of each."""


def _nearest(count: str) -> str:
    return "the nearest" if count == "1" else f"the {count} nearest"


PRECISION = Quantity(
    "precision",
    better="higher",
    spread_is="std_error",
    axis=Axis(entry=_nearest, label="precision among {}"),
    meaning="The part of the nearest training examples that have the query's class, by how many are retrieved.",
)
QUANTITIES = (
    Quantity(
        "mean_average_precision",
        better="higher",
        meaning="Precision down to each training example of the query's class, mean over these and over queries.",
    ),
    PRECISION,
    Quantity(
        "recall",
        better="higher",
        axis=Axis(entry=_nearest, label="recall among {}"),
        meaning="The part of the training examples of the query's class that are among the nearest.",
    ),
)

Near = Literal["hamming", "cosine", "euclidean"]
Asking = Float[Tensor, "query feature"]
Searched = Float[Tensor, "searched feature"]
Apart = Float[Tensor, "query searched"]
Relevant = Bool[Tensor, "query searched"]


@dataclass(frozen=True)
class Search:
    """Labelled examples: the queries, and those that are searched."""

    queries: Batch
    searched: Batch
    documents: bool
    """Whether examples are bags of words."""
    same: Int[Tensor, "pair 2"]
    """Numbers of a query and of a training example that is the same."""


def applies(subject: Subject) -> str | None:
    """None for models that encode, on data with labels in both parts."""
    return probe.applies(subject)


def measure(subject: Subject) -> Groups:
    """Precision, recall and their means, of the model's features and of the baselines."""
    search = search_of(subject)
    found = {name: judged(features, search) for name, features in described(subject, search).items()}
    counts = facts(queries=len(search.queries.x), searched=len(search.searched.x))
    return [beside(QUANTITIES, {**found, "chance": _chance(search)}), counts]


def search_of(subject: Subject) -> Search:
    """The queries and the examples that are searched, evenly spaced in their parts."""
    queries = subject.tested(QUERIES).labelled
    searched = subject.pixels(subject.parts.train, SEARCHED).labelled
    return Search(queries, searched, is_bag_of_words(searched.x), _same(queries.x, searched.x))


def described(subject: Subject, search: Search) -> dict[str, Several]:
    """Features of the examples that are searched and of the queries, by the model and by the baselines."""
    both = [search.searched, search.queries]
    found = representations(subject, both, pca=not search.documents)
    if search.documents:
        raw = [pixels(subject, batch.x) for batch in both]
        own = found["model"][0].shape[1]
        for components in sorted({*COMPONENTS, own}):
            if components < min(raw[0].shape):
                plane = latent_semantic(raw[0], components)
                found[f"lsa_{components}"] = [plane.encode(x) for x in raw]
                if components in COMPONENTS:
                    plain = directions(raw[0], components)
                    found[f"lsa_{components}_unweighted"] = [x @ plain.T for x in raw]
    return found


def judged(features: Several, search: Search) -> dict[str, Any]:
    """Equations (1) to (3) of one description."""
    relevant = torch.cat(list(_relevant(features, search)))
    left_out = int(search.same[:, 0].bincount().max()) if len(search.same) else 0
    return scores(relevant, [k for k in KEPT if k <= relevant.shape[1] - left_out])


def scores(relevant: Relevant, kept: list[int]) -> dict[str, Any]:
    """Equations (1) to (3), of r in order, at some k.

    Example:
        >>> scores(torch.tensor([[True, False, True], [False, False, True]]), [1, 3])["precision"].value
        {'1': 0.5, '3': 0.5}
    """
    right = relevant.cumsum(1, dtype=torch.int32)
    known = right[:, -1] > 0
    every = right[:, -1].clamp_min(1).double()
    rank = torch.arange(1, relevant.shape[1] + 1)
    precise = {str(k): right[:, k - 1].double() / k for k in kept}
    average = (right / rank * relevant).sum(1, dtype=torch.float64) / every
    return {
        "mean_average_precision": _mean(average[known]),
        "precision": Measured(
            {k: _mean(of_each) for k, of_each in precise.items()},
            {k: _error(of_each) for k, of_each in precise.items()},
        ),
        "recall": {str(k): _mean((right[:, k - 1] / every)[known]) for k in kept},
    }


def _mean(values: Tensor) -> float:
    return float(values.double().mean()) if len(values) else 0.0


def _error(values: Tensor) -> float:
    """Standard error of the mean over queries."""
    return float(values.std() / len(values) ** 0.5) if len(values) > 1 else 0.0


def nearness(features: Several, documents: bool) -> Near:
    """What is near under a description."""
    if all(bool(((some == 0) | (some == 1)).all()) for some in features):
        return "hamming"
    return "cosine" if documents else "euclidean"


def apart(queries: Asking, searched: Searched, near: Near) -> Apart:
    """Distance of every query from every example."""
    if near == "hamming":
        return torch.from_numpy(distances(pack(queries), pack(searched))).float()
    if near == "cosine":
        return 1 - functional.normalize(queries) @ functional.normalize(searched).T
    return torch.cdist(queries, searched)


def ordered(features: Several, search: Search, queries: Int[Tensor, " some"]) -> Int[Tensor, "some searched"]:
    """Numbers of the examples, the nearest to each of some queries first; what is the query itself comes last."""
    searched, asking = features
    far = apart(asking[queries], searched, nearness(features, search.documents))
    query, place = search.same.unbind(1)
    row, pair = (queries[:, None] == query).nonzero().unbind(1)
    far[row, place[pair]] = torch.inf
    return far.argsort(dim=1, stable=True)


def _relevant(features: Several, search: Search) -> Iterator[Relevant]:
    """Whether each example is of the query's class, in order; what is the query itself is not."""
    for some in torch.arange(len(search.queries.x)).split(AT_ONCE):
        right = search.queries.label[some, None] == search.searched.label
        row, pair = (some[:, None] == search.same[:, 0]).nonzero().unbind(1)
        right[row, search.same[pair, 1]] = False
        yield right.gather(1, ordered(features, search, some))


def _same(queries: Tensor, searched: Tensor) -> Int[Tensor, "pair 2"]:
    """Pairs of a query and an example that are the same in every value."""
    places: dict[bytes, list[int]] = {row.tobytes(): [] for row in queries.numpy()}
    for place, row in enumerate(searched.numpy()):
        if (key := row.tobytes()) in places:
            places[key].append(place)
    pairs = [(query, place) for query, row in enumerate(queries.numpy()) for place in places[row.tobytes()]]
    return torch.tensor(pairs, dtype=torch.int64).view(-1, 2)


def _chance(search: Search) -> dict[str, Any]:
    """Expected scores of a random order."""
    label, total = search.searched.label, len(search.searched.x)
    share = float((search.queries.label[:, None] == label).double().mean())
    kept = [k for k in KEPT if k <= total]
    return {"precision": {str(k): share for k in kept}, "recall": {str(k): k / total for k in kept}}


def picture(subject: Subject, found: Quantities) -> Picture:
    """Neighbours of some queries where examples are pictures; else precision against the number retrieved."""
    if len(subject.parts.test.shape) != 3 or subject.view.frames is not None:
        return precision_lines(found[PRECISION.name])
    search = search_of(subject)
    queries = torch.linspace(0, len(search.queries.x) - 1, min(DRAWN, len(search.queries.x))).long()
    both = [search.searched.x, search.queries.x]
    features = {
        "by this model": [subject.features(x) for x in both],
        "by raw pixels": [pixels(subject, x) for x in both],
    }
    nearest = {name: ordered(some, search, queries)[:, :NEAREST] for name, some in features.items()}
    return neighbours(Batch(search.queries.x[queries], search.queries.label[queries]), search.searched, nearest)


MEASURE = Measure(
    title="What lies near",
    meaning="How many of the training examples that lie nearest to a test example are of its class.",
    applies=applies,
    measure=measure,
    quantities=QUANTITIES,
    together=True,
    pictures={
        "retrieval.png": Drawing(
            picture, "Queries and what lies nearest to them by the model's features, beside what does by raw pixels."
        )
    },
)
