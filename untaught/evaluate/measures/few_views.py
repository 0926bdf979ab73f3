r"""How many views of an object it takes to recognise it among all others.

The data show L objects, each from the same V views: single pictures, or clips that stand still. The label is the
object, and a true variable of one number, an angle, the view. For n = 1 to 10 views, at most V - 2:

    1. n views are drawn at random, and one more for validation; the other views are the test.
    2. A linear support vector machine, one against one (libSVM), learns L classes from the n views of each object.
    3. Its C is chosen on the validation view: from 1, 100 and 10,000, then extended tenfold while the best is an end
       alone, within [1e-4, 1e5]; of equally good ones, the smallest.
    4. accuracy(n) is the mean over 40 draws (all, where there are fewer) of the accuracy on the test views, and
       accuracy_std_error(n) the standard deviation over draws divided by the root of their number.

Features f are centred and scaled so that |f|^2 is 1 on average, so that C means the same for all; with G_ij = f_i . f_j
the machine solves, for each pair of classes,

    max_a sum_i a_i - 1/2 sum_ij a_i a_j y_i y_j G_ij,   0 <= a_i <= C,   sum_i a_i y_i = 0,   y = +-1.        (1)

Only G enters, so it is computed once for all draws. Where no a_i is C, every larger C has the same solution, and is not
fitted again. For a model of video, features are those after up to 5 frames. Baselines are raw pixels, the same network
untrained, and chance, 1 / L. Objects are those of all parts of the source.

References:
    Lotter, Kreiman, Cox, Unsupervised learning of visual structure using predictive generative networks (2015).
    Chang, Lin, LIBSVM: a library for support vector machines (2011).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.svm import SVC
from torch import Tensor

from untaught.data.part import Part
from untaught.errors import DataError
from untaught.evaluate.baselines.names import short
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.plots import Line, line_chart
from untaught.evaluate.measure import Drawing, Groups, Measure, Quantities
from untaught.evaluate.quantity import Axis, Measured, Quantity, facts
from untaught.evaluate.representations import context, pixels
from untaught.evaluate.subject import Subject
from untaught.model import Encodes
from untaught.shapes import Examples, Features

MOST = 10
"""Most training views."""
DRAWS = 40
PENALTIES = (1.0, 1e2, 1e4)
LEAST_PENALTY, LARGEST_PENALTY = 1e-4, 1e5
EXACT = 1 - 1e-6
"""Fraction of C from which a coefficient counts as C."""
DIGITS = 4
"""Digits to which values of a view are rounded before they are compared."""
ACCURACY = Quantity(
    "accuracy",
    unit="%",
    better="higher",
    spread_is="std_error",
    axis=Axis("training views of each object", "accuracy on other views, %", label="accuracy from {} views"),
    meaning="A linear support vector machine learns every object from a few views and is asked about the others: the "
    "mean over draws of the views, with its standard error.",
)

Draw = tuple[tuple[int, ...], int]
"""Views to learn from, and the one to choose C on."""


@dataclass(frozen=True)
class Gallery:
    """Objects from the same views, `x[object * views + view]`."""

    x: Examples
    objects: int
    views: int


def applies(subject: Subject) -> str | None:
    """None for models that encode, on objects that are all seen from the same views."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    parts = subject.parts
    if subject.view.frames is not None and not parts.test.is_video:
        return "the data are not video"
    every = [_seen(part) for part in (parts.train, parts.validation, parts.test)]
    return None if _grid(every) else "the data do not show every object from the same 3 or more views"


def measure(subject: Subject) -> Groups:
    """Accuracy against the number of views, from the model's features and from the baselines."""
    shown = gallery(subject)
    draws = {n: drawn_views(shown.views, n, subject.seed) for n in range(1, min(MOST, shown.views - 2) + 1)}
    described = {
        "model": subject.features(shown.x),
        "raw_pixels": pixels(subject, shown.x),
        "random_weights": subject.untrained().features(shown.x),
    }
    found = {name: _curve(features, shown, draws) for name, features in described.items()}
    own = found.pop("model")
    chance = Measured([1 / shown.objects] * len(draws), [0.0] * len(draws))
    return [
        [ACCURACY.of(own.value, own.spread, {**found, "chance": chance}), *facts(views=list(draws))],
        facts(objects=shown.objects, views_of_each=shown.views, draws=[len(some) for some in draws.values()]),
    ]


# The objects and their views


def gallery(subject: Subject) -> Gallery:
    """One example of every object from every view, all parts together, ordered by object, then by view.

    Raises:
        DataError: They take more than 1 GiB.
    """
    parts = subject.parts
    every = [part for part in (parts.train, parts.validation, parts.test) if len(part)]
    batches = [subject.pixels(part, int(part.length.sum()), context(subject)) for part in every]
    name = next(iter(_grid([_seen(part) for part in every])))
    view = torch.cat([_values(batch.latents[name]) for batch in batches]).round(decimals=DIGITS)
    label = torch.cat([batch.label for batch in batches])
    objects, views = label.unique(), view.unique()
    cell = torch.searchsorted(objects, label) * len(views) + torch.searchsorted(views, view)
    count = len(objects) * len(views)
    first = torch.full((count,), len(cell)).scatter_reduce(0, cell, torch.arange(len(cell)), "amin")
    if int(first.max()) == len(cell):
        raise DataError(f"{count} views take too much memory at once: give fewer objects or smaller pictures")
    return Gallery(torch.cat([batch.x for batch in batches])[first], len(objects), len(views))


def _values(latent: Tensor) -> Tensor:
    """A variable of one number, at the last frame of each example."""
    return (latent[:, -1] if latent.ndim == 3 else latent)[:, 0]


def _seen(part: Part) -> dict[str, tuple[Tensor, Tensor]]:
    """Labels and views of all clips, for every variable of one number that could be the view."""
    if len(part) == 0:
        return {}
    ends = part.first + part.length - 1
    single = {name: value[:, 0] for name, value in part.latents.items() if value.shape[1] == 1}
    still = {name: value for name, value in single.items() if torch.equal(value[part.first], value[ends])}
    return {name: (part.label[part.first], value[part.first].round(decimals=DIGITS)) for name, value in still.items()}


def _grid(every: list[dict[str, tuple[Tensor, Tensor]]]) -> list[str]:
    """Variables of which every object has every value: 3 at least, and 2 objects."""
    found: list[str] = []
    filled = [part for part in every if part]
    for name in filled[0] if filled else ():
        pairs = {
            pair for part in filled if name in part for pair in zip(*(v.tolist() for v in part[name]), strict=True)
        }
        labels, views = {label for label, _ in pairs}, {view for _, view in pairs}
        if min(labels) >= 0 and len(labels) > 1 and len(views) > 2 and len(pairs) == len(labels) * len(views):
            found.append(name)
    return found


def drawn_views(views: int, count: int, seed: int) -> list[Draw]:
    """At most 40 different draws of `count` views and one more; the same for a seed."""
    if math.comb(views, count) * (views - count) <= DRAWS:
        chosen = combinations(range(views), count)
        return [(some, other) for some in chosen for other in range(views) if other not in some]
    generator = torch.Generator().manual_seed(seed * 1_000 + count)
    found: dict[Draw, None] = {}
    while len(found) < DRAWS:
        order = torch.randperm(views, generator=generator).tolist()
        found[(tuple(sorted(order[:count])), order[count])] = None
    return list(found)


# Learning


def gram(features: Features) -> NDArray[np.float64]:
    """Inner products of all examples, centred, 1 on average on the diagonal."""
    x = features.double() - features.double().mean(0)
    products = (x @ x.T).numpy()
    return products / max(float(products.diagonal().mean()), float(np.finfo(np.float64).tiny))


def _curve(features: Features, shown: Gallery, draws: Mapping[int, list[Draw]]) -> Measured:
    """Mean accuracy over draws, and its standard error, for each number of views."""
    products = gram(features)

    def score(draw: Draw) -> float:
        return accuracy(products, shown.objects, shown.views, draw)

    with warnings.catch_warnings(), ThreadPoolExecutor(torch.get_num_threads()) as pool:  # libSVM lets others run
        warnings.simplefilter("ignore", UserWarning)  # one view: as many classes as examples, and meant so
        scores = {n: np.array(list(pool.map(score, some))) for n, some in draws.items()}
    means = [float(some.mean()) for some in scores.values()]
    return Measured(means, [float(some.std(ddof=1) / len(some) ** 0.5) for some in scores.values()])


def accuracy(products: NDArray[np.float64], objects: int, views: int, draw: Draw) -> float:
    """Accuracy on the test views of one draw, C chosen on its one view."""
    label, view = np.divmod(np.arange(objects * views), views)
    learnt, chosen = np.isin(view, draw[0]), view == draw[1]
    machines: dict[float, SVC] = {}

    def right(penalty: float, where: NDArray[np.bool_]) -> float:
        if penalty not in machines:
            machines[penalty] = _machine(products[np.ix_(learnt, learnt)], label[learnt], penalty, machines)
        told = machines[penalty].predict(products[np.ix_(where, learnt)])
        return float((told == label[where]).mean())

    best = best_penalty(lambda penalty: right(penalty, chosen))
    return right(best, ~learnt & ~chosen)


def _machine(
    products: NDArray[np.float64], label: NDArray[np.int64], penalty: float, known: Mapping[float, SVC]
) -> SVC:
    """Solve equation (1), unless a smaller C has the same solution."""
    for smaller, machine in known.items():
        if smaller < penalty and float(np.abs(np.asarray(machine.dual_coef_)).max()) < EXACT * smaller:
            return machine
    return SVC(C=penalty, kernel="precomputed", cache_size=50).fit(products, label)


def best_penalty(score: Callable[[float], float]) -> float:
    """The C of the highest score: three first, then tenfold on while an end alone is the best; of equals the least."""
    tried = {penalty: score(penalty) for penalty in PENALTIES}
    while True:
        table = sorted(tried)
        highest = max(tried.values())
        best = [penalty for penalty in table if tried[penalty] == highest]
        further = {table[0]: table[0] / 10, table[-1]: table[-1] * 10}.get(best[0]) if len(best) == 1 else None
        if further is None or not LEAST_PENALTY * 0.99 < further < LARGEST_PENALTY * 1.01:
            return best[0]
        tried[further] = score(further)


# The picture


def picture(found: Quantities) -> Picture:
    """Accuracy against the number of views, of the model and of what stands beside it."""
    return chart({short(name): one for name, one in found[ACCURACY.name].all.items()})


def chart(curves: Mapping[str, Measured]) -> Picture:
    """Accuracy against the number of views with standard errors: a line for each curve, by name."""
    percent = {
        name: Line([100 * y for y in one.value], [100 * error for error in one.spread]) for name, one in curves.items()
    }
    assert ACCURACY.axis is not None
    return line_chart(percent, ACCURACY.axis.across, ACCURACY.axis.up, top=100)


MEASURE = Measure(
    title="Known from few views",
    meaning="How many views of an object it takes to know it from all others.",
    applies=applies,
    measure=measure,
    quantities=(ACCURACY,),
    together=True,
    pictures={
        "few_views.png": Drawing(
            lambda subject, found: picture(found),
            "Accuracy against the number of views that each object was learnt from, with standard errors.",
        )
    },
)
