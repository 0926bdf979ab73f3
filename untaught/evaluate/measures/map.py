r"""Two-dimensional maps of the features, and how well true variables and classes are ordered on them.

Up to 500 test examples (windows of at most 5 frames, for video) are mapped by the four methods of `embeddings`.
`stress` says what part of the distances a map loses. With N(i) the 10 nearest neighbours of example i on the map,
itself left out, a variable y and the classes c,

    neighbours_r2       = 1 - sum_i (y_i - mean_{j in N(i)} y_j)^2 / sum_i (y_i - mean y)^2                    (1)
    neighbours_accuracy = fraction of examples i whose class is the most frequent one in N(i).                 (2)

1 means that the variable changes smoothly over the map; about -0.1 that it is random there. Of a variable with several
components the first is taken. Baselines are the maps of raw pixels and of the same network untrained. Under `pca` they
include the codes of two-dimensional `planes` fitted on 1,000 training examples, with stress against raw pixels:
principal components, logistic PCA and, for documents, LSA.

In the picture the untrained and the trained network are mapped together, as the authors did: twice 500 examples, one
map. Each network's features are first centred and scaled by one number.

References:
    Lotter, Kreiman, Cox, Unsupervised learning of visual structure using predictive generative networks (2015).

Departures:
    The authors map features as they are. Where the features of the two networks have very different means, such a map
    mostly shows this difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from torch import Tensor

from untaught.data.batches import fixed_order
from untaught.data.view import Batch
from untaught.errors import ConfigError
from untaught.evaluate.baselines.planes import plane_codes
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.plots import drawn_on_paper, rendered
from untaught.evaluate.embeddings import LEAST, METHODS, Distances, Map, distances, embed, stress
from untaught.evaluate.measure import Drawing, Groups, Measure
from untaught.evaluate.quantity import Axis, Quantity, beside, facts, plain
from untaught.evaluate.representations import context, pixels, scaled
from untaught.evaluate.subject import Subject
from untaught.evaluate.variables import variables
from untaught.model import Encodes
from untaught.shapes import Features, Labels

EXAMPLES, FITTED = 500, 1000
NEIGHBOURS = 10
SHOWN = {"classical_mds": "classical MDS = PCA", "smacof": "metric MDS (SMACOF)", "tsne": "t-SNE"}
"""Methods in the picture, by what is written above them."""
ROWS = 4
"""Variables in the picture at most."""
METHOD = {"classical_mds": "classical MDS", "smacof": "metric MDS (SMACOF)", "pca": "PCA", "tsne": "t-SNE"}


def _entry(method: str, *variable: str) -> str:
    return ", ".join([METHOD.get(method, plain(method)), *map(plain, variable)])


QUANTITIES = (
    Quantity(
        "stress",
        better="lower",
        axis=Axis(entry=_entry, label="stress, {}"),
        meaning="The part of the distances between features that a map of two coordinates loses.",
    ),
    Quantity(
        "neighbours_r2",
        title="R² of true variables among neighbours",
        better="higher",
        digits=2,
        axis=Axis(entry=_entry, label="R² among neighbours, {}"),
        meaning="How well the 10 nearest neighbours on the map tell a true variable: 1 orders it, 0 does not.",
    ),
    Quantity(
        "neighbours_accuracy",
        title="accuracy among neighbours",
        better="higher",
        unit="%",
        axis=Axis(entry=_entry, label="accuracy among neighbours, {}"),
        meaning="The part of the examples whose class is the most frequent among their 10 nearest neighbours.",
    ),
)


def applies(subject: Subject) -> str | None:
    """None for models that encode, where there are examples enough for a map."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    part, view = subject.parts.test, subject.view
    if view.frames is not None and not part.is_video:
        return "the data are not video"
    enough = len(fixed_order(part, replace(view, frames=context(subject)), LEAST)) == LEAST
    return None if enough else f"a map takes at least {LEAST} test examples"


def measure(subject: Subject) -> Groups:
    """Stress and order of every map, of the model's features and of the baselines."""
    batch = _examples(subject)
    described = {
        "model": subject.features(batch.x),
        "raw_pixels": pixels(subject, batch.x),
        "random_weights": subject.untrained().features(batch.x),
    }
    found = {name: _mapped(features, batch, subject.seed) for name, features in described.items()}
    train = pixels(subject, subject.pixels(subject.parts.train, FITTED, context(subject)).x)
    apart = distances(described["raw_pixels"])
    for name, codes in plane_codes(train, described["raw_pixels"], 2).items():
        found[name] = _judged(apart, {"pca": codes.double()}, batch)
    return [beside(QUANTITIES, found), facts(examples=len(batch.x))]


def _examples(subject: Subject) -> Batch:
    return subject.tested(EXAMPLES, context(subject))


def _mapped(features: Features, batch: Batch, seed: int) -> dict[str, dict[str, Any]]:
    return _judged(distances(features), {name: embed(name, features, seed) for name in METHODS}, batch)


def _judged(apart: Distances, maps: dict[str, Map], batch: Batch) -> dict[str, dict[str, Any]]:
    columns, label = ordered(batch), batch.label
    found: dict[str, dict[str, Any]] = {"stress": {name: stress(apart, y) for name, y in maps.items()}}
    if columns:
        found["neighbours_r2"] = {
            name: {column: neighbours_r2(y, values) for column, values in columns.items()} for name, y in maps.items()
        }
    if len(label[label >= 0].unique()) > 1:
        known = label >= 0
        found["neighbours_accuracy"] = {n: neighbours_accuracy(y[known], label[known]) for n, y in maps.items()}
    return found


def ordered(batch: Batch, most: int = 1) -> dict[str, Tensor]:
    """The first columns of every true variable that varies, by name."""
    known = variables([batch])
    return {name: known.columns[0][:, place].double() for name, place in known.places(most).items()}


def neighbours_r2(found: Map, values: Tensor) -> float:
    """How well the mean of an example's neighbours on a map tells its own value, equation (1)."""
    guess = values[_neighbours(found)].mean(1)
    return float(1 - (values - guess).square().sum() / (values - values.mean()).square().sum())


def neighbours_accuracy(found: Map, label: Labels) -> float:
    """How often most neighbours on a map have an example's own class, equation (2); of equals the first class."""
    among = label[_neighbours(found)]
    votes = torch.zeros(len(label), int(label.max()) + 1).scatter_add_(1, among, torch.ones(among.shape))
    return float((votes.argmax(1) == label).double().mean())


def _neighbours(found: Map) -> Tensor:
    """Numbers of the nearest examples on a map, `(batch, neighbour)`."""
    apart = distances(found).fill_diagonal_(torch.inf)
    return apart.topk(min(NEIGHBOURS, len(found) - 1), largest=False).indices


def jointly(method: str, first: Features, second: Features, seed: int = 0) -> tuple[Map, Map]:
    """Map the same examples as two networks describe them together; each is first centred and scaled by one number."""
    both = torch.cat([scaled([first])[0], scaled([second])[0]])
    found = embed(method, both, seed)
    return found[: len(first)], found[len(first) :]


# The picture


def picture(subject: Subject, names: Sequence[str] = ()) -> Picture:
    """Maps of the untrained network beside the trained one: a column for each, a row for each variable or class.

    Args:
        subject: A model that encodes, and its data.
        names: Variables that colour the rows, `("angle", "identity_7")`; none takes the first of each, at most four.

    Raises:
        ConfigError: The data have no variable of that name.
    """
    batch = _examples(subject)
    before, after = subject.untrained().features(batch.x), subject.features(batch.x)
    maps = {name: jointly(name, before, after, subject.seed) for name in SHOWN}
    rows: dict[str, Tensor] = dict(list(ordered(batch).items())[:ROWS])
    if names:
        every = ordered(batch, sum(value.shape[-1] for value in batch.latents.values()))
        for name in names:
            if name not in every:
                raise ConfigError(f"no true variable is called {name!r}; there are: {', '.join(every)}")
        rows = {name: every[name] for name in names}
    if len(batch.label[batch.label >= 0].unique()) > 1:
        rows["class"] = batch.label
    return drawn(maps, rows or {"examples": torch.zeros(len(batch.x))})


def drawn(maps: dict[str, tuple[Map, Map]], rows: dict[str, Tensor]) -> Picture:
    """Untrained and trained maps of every method, coloured by the rank of each variable, or by class."""
    with drawn_on_paper():
        figure = Figure(figsize=(0.6 + 4 * len(maps) + 0.9, 2.1 * len(rows) + 0.7), layout="constrained")
        panels = figure.subplots(len(rows), 2 * len(maps), squeeze=False)
        for row, (name, values) in enumerate(rows.items()):
            for column, found in enumerate(one for pair in maps.values() for one in pair):
                _points(panels[row, column], found, values, name)
            panels[row, 0].set_ylabel(plain(name), fontsize=12)
            _scale(figure, list(panels[row]), values, name)
        for column, name in enumerate(maps):
            panels[0, 2 * column].set_title(f"{SHOWN.get(name, name)}\nuntrained")
            panels[0, 2 * column + 1].set_title("\ntrained")
        return rendered(figure)


def _points(axes: Axes, found: Map, values: Tensor, name: str) -> None:
    """One map, in limits of its own and without axes: only nearness has a meaning."""
    x, y = found.unbind(1)
    if name == "class":
        axes.scatter(x, y, c=values % 20, cmap="tab20", vmin=0, vmax=19, s=7, linewidths=0)
    else:
        rank = values.argsort().argsort().double() / max(1, len(values) - 1)
        axes.scatter(x, y, c=rank, cmap="viridis", vmin=0, vmax=1, s=7, linewidths=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_alpha(0.3)


def _scale(figure: Figure, panels: list[Axes], values: Tensor, name: str) -> None:
    """What the colours of a row mean: the lowest, the middle and the highest value."""
    if name in ("class", "examples"):
        return
    bar = figure.colorbar(ScalarMappable(cmap="viridis"), ax=panels, aspect=12, pad=0.01)
    low, middle, high = (float(values.double().quantile(q)) for q in (0.0, 0.5, 1.0))
    digits = max(0, 1 - math.floor(math.log10(high - low)))
    bar.set_ticks([0, 0.5, 1], labels=[f"{round(value, digits) + 0:.{digits}f}" for value in (low, middle, high)])


MEASURE = Measure(
    title="The features as a map",
    meaning="Two-dimensional maps of the features, and how well true variables and classes lie in order on them.",
    applies=applies,
    measure=measure,
    quantities=QUANTITIES,
    together=True,
    pictures={
        "map.png": Drawing(
            lambda subject, found: picture(subject),
            "Each point is a test example; those that the network describes alike lie near. A row for each true "
            "variable, which gives the colour; the same network before training to the left of each pair.",
        )
    },
)
