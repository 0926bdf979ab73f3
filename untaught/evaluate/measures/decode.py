r"""What features know: how well each true variable of generated data can be read off them by a linear map.

Features f_n (after the last frame of a context of at most 5 frames, for video) and a true variable y_n at that
frame. A ridge with intercept,

    w, b = argmin sum_n (y_n - f_n w - b)^2 + alpha |w|^2,                                 (1)
    R2   = 1 - sum_n (y_n - y^_n)^2 / sum_n (y_n - mean y)^2,                              (2)

is fitted on up to 2000 training examples; alpha is chosen on up to 1000 validation examples and R2 is reported on up
to 1000 test examples. The search begins with 1000, 100, 1, 0.1 and 0.01, the authors' five. While the best is at an
end, it is extended tenfold, within [1e-5, 1e5]. Each variable has its own alpha. A variable with several components
reports their mean, and under `r2_components` the first 10 of them; components that do not vary are left out.

`states` has the same for the hidden and the cell state of a model that shows them, `principal_components` for the
first 1, 5, 10, 25 and 100 principal components of the features alone. Baselines are the pixels of the frame and the
same network untrained.

References:
    Lotter, Kreiman, Cox, Unsupervised learning of visual structure using predictive generative networks (2015).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.drawing import perturb
from untaught.evaluate.hidden_states import FEATURES, states
from untaught.evaluate.measure import Drawing, Groups, Measure
from untaught.evaluate.quantity import Axis, Quantity, beside, facts, plain
from untaught.evaluate.representations import Several, context, pixels
from untaught.evaluate.subject import Subject
from untaught.evaluate.variables import Variables, variables
from untaught.model import Encodes
from untaught.shapes import Features

FITTED, CHOSEN, TESTED = 2000, 1000, 1000
ALPHAS = (1e3, 1e2, 1.0, 0.1, 0.01)
LEAST, MOST = 1e-5, 1e5
COMPONENTS = (1, 5, 10, 25, 100)
"""Principal components of the features that variables are read off."""
LISTED, NAMED = 10, 4
"""Components of a variable that `r2_components` lists, and that other results name: the authors plotted four."""
STATES = {"hidden": "hidden state:", "cell": "cell state:", "hidden_and_cell": "hidden and cell state:"}


def _state(name: str, *variable: str) -> str:
    return plain(STATES.get(name, name), *variable)


def _components(count: str, *variable: str) -> str:
    return plain(f"{count} component{'' if count == '1' else 's'}:", *variable)


QUANTITIES = (
    Quantity(
        "r2",
        title="R²",
        digits=2,
        better="higher",
        axis=Axis(label="R² of {}"),
        meaning="A linear map from the features to each true variable, fitted on training examples and judged on "
        "others: 1 reads the variable exactly, 0 is no better than its mean.",
    ),
    Quantity(
        "r2_components",
        title="R² of single components",
        digits=2,
        better="higher",
        axis=Axis(label="R² of {}"),
        meaning="The same for the first components of each variable that has several.",
    ),
    Quantity(
        "states",
        title="R² from hidden and cell state",
        digits=2,
        better="higher",
        axis=Axis(entry=_state, label="R² from {}"),
        meaning="The same, read off the states of the network instead of its features.",
    ),
    Quantity(
        "principal_components",
        title="R² from the first principal components",
        digits=2,
        better="higher",
        axis=Axis(entry=_components, label="R² from {}"),
        meaning="The same, read off the first principal components of the features alone.",
    ),
)


def applies(subject: Subject) -> str | None:
    """None for models that encode, on data whose true variables are known."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    return None if subject.parts.test.latents else "the data's true variables are not known"


def measure(subject: Subject) -> Groups:
    """R2 of every true variable, from the model's features and from the baselines."""
    batches = three_batches(subject)
    known = variables(batches)
    held = states(subject, batches)
    found = {
        "model": _readings(held, known),
        "raw_pixels": _readings({FEATURES: [pixels(subject, batch.x) for batch in batches]}, known),
        "random_weights": _readings(states(subject.untrained(), batches), known),
    }
    examples = dict(zip(("fit", "choose", "test"), (len(batch.x) for batch in batches), strict=True))
    return [beside(QUANTITIES, found), facts(examples=examples, features=held[FEATURES][0].shape[1])]


def three_batches(subject: Subject, frames: int | None = None) -> list[Batch]:
    """Examples to fit on, to choose on and to test on; of video, windows of the context, or of `frames`."""
    frames, parts = context(subject) if frames is None else frames, subject.parts
    counts = ((parts.train, FITTED), (parts.validation, CHOSEN), (parts.test, min(TESTED, subject.limit or TESTED)))
    return [subject.pixels(part, count, frames) for part, count in counts]


def _readings(held: dict[str, Several], known: Variables) -> dict[str, dict[str, Any]]:
    """Everything that can be read off one network, or off the pixels."""
    if not known.sizes:
        return {"r2": {}}
    reader = Reader(held[FEATURES], known.columns)
    whole = reader.score()
    inside = {
        name: whole if several is held[FEATURES] else Reader(several, known.columns).score()
        for name, several in held.items()
        if name != FEATURES
    }
    leading = {str(count): reader.score(count) for count in COMPONENTS if count <= reader.ridge.rank}
    found = {
        "r2": known.means(whole),
        "r2_components": known.components(whole, LISTED),
        "states": {name: _named(r2, known) for name, r2 in inside.items()},
        "principal_components": {count: _named(r2, known) for count, r2 in leading.items()},
    }
    return {name: table for name, table in found.items() if table}


def _named(r2: Tensor, known: Variables) -> dict[str, float]:
    """R2 of each variable and of its first components."""
    return known.means(r2) | {name: float(r2[place]) for name, place in known.places(NAMED).items()}


class Reader:
    """Reads variables off three batches of features: fits on the first, chooses on the second, scores on the third."""

    def __init__(self, features: Several, targets: list[Tensor]) -> None:
        self.ridge = Ridge(features[0], targets[0])
        self.chooses, self.tests = (self.ridge.coordinates(some) for some in features[1:])
        self.targets = targets

    def alphas(self, components: int | None = None) -> Tensor:
        """The best alpha of every column."""

        def score(alpha: float) -> Tensor:
            every = torch.full((self.targets[1].shape[1],), alpha, dtype=torch.float64)
            return r2(self.ridge.read(self.chooses, every, components), self.targets[1])

        return best_alphas(score)

    def score(self, components: int | None = None) -> Tensor:
        """R2 of every column, from all features or from their first principal components."""
        return r2(self.ridge.read(self.tests, self.alphas(components), components), self.targets[2])


def r2(predicted: Tensor, target: Tensor) -> Tensor:
    """Explained fraction of the variance of every column, equation (2)."""
    target = target.double()
    return 1 - (target - predicted).square().sum(0) / (target - target.mean(0)).square().sum(0)


def best_alphas(score: Callable[[float], Tensor]) -> Tensor:
    """The alpha with the best score for every column: five first, then tenfold on while the best is an end."""
    tried = {alpha: score(alpha) for alpha in ALPHAS}
    while True:
        table = sorted(tried)
        best = torch.stack([tried[alpha] for alpha in table]).argmax(0)
        further = {table[0] / 10} if bool((best == 0).any()) else set[float]()
        further |= {table[-1] * 10} if bool((best == len(table) - 1).any()) else set[float]()
        further = {alpha for alpha in further if LEAST * 0.99 < alpha < MOST * 1.01}
        if not further:
            return torch.tensor(table, dtype=torch.float64)[best]
        tried |= {alpha: score(alpha) for alpha in further}


class Ridge:
    """Equation (1) for every alpha, and for every number of principal components, at once.

    With centred features X and the eigenvectors of the smaller of two matrices, found once, in float64:

        X^T X = V D V^T,   coordinates = X V,        w = V (D + alpha)^-1 V^T X^T y,      or
        X X^T = U D U^T,   coordinates = X X^T U,    w = X^T U (D + alpha)^-1 U^T y.

    The coordinates are the principal components of the features, up to a factor each, so the first k of them
    alone, with the same formula, are the ridge on k principal components.
    """

    def __init__(self, features: Features, target: Tensor) -> None:
        x, y = features.double(), target.double()
        self.mean, self.offset = x.mean(0), y.mean(0)
        x, y = x - self.mean, y - self.offset
        self.x = x if x.shape[1] > len(x) else None
        values, self.vectors = torch.linalg.eigh(x.T @ x if self.x is None else x @ x.T)
        self.values = values.clamp_min(0)
        self.cross = self.vectors.T @ (x.T @ y if self.x is None else y)
        self.rank = min(len(x) - 1, x.shape[1])

    def coordinates(self, features: Features) -> Tensor:
        """Features along the eigenvectors, the smallest eigenvalue first."""
        centred = features.double() - self.mean
        return (centred if self.x is None else centred @ self.x.T) @ self.vectors

    def read(self, coordinates: Tensor, alpha: Tensor, components: int | None = None) -> Tensor:
        """Read off every column with its own alpha, `(batch, column)`, from all or the first principal components."""
        some = slice(-components if components else None, None)
        return coordinates[:, some] @ (self.cross[some] / (self.values[some, None] + alpha)) + self.offset

    def predict(self, features: Features, alpha: Tensor) -> Tensor:
        """Read every column off features."""
        return self.read(self.coordinates(features), alpha)


MEASURE = Measure(
    title="What the representation knows",
    meaning="How well each true variable of generated data can be read off the features by a linear map.",
    applies=applies,
    measure=measure,
    quantities=QUANTITIES,
    pictures={
        "perturb.png": Drawing(
            lambda subject, found: None if perturb.applies(subject) else perturb.picture(subject),
            "One example, its features moved along one true variable at a time, and decoded.",
        )
    },
)
