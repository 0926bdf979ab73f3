r"""What the features know: how well each true variable of generated data can be read off them by a line.

Features f_n (after the last frame of a context of at most 5 frames, for video) and a true variable y_n at that
frame. A ridge with intercept,

    w, b = argmin sum_n (y_n - f_n w - b)^2 + alpha |w|^2,                                 (1)
    R2   = 1 - sum_n (y_n - y^_n)^2 / sum_n (y_n - mean y)^2,                              (2)

is fitted on up to 2000 training examples; alpha is chosen on up to 1000 validation examples and R2 is reported on up
to 1000 test examples. The search begins with 1000, 100, 10 ... 0.01 without 10 (the authors' five) and while the
best lies at an end goes on tenfold, within [1e-5, 1e5]; each variable has its own. A variable with several
components reports their mean; components that do not vary are left out. Beside it the pixels of that frame and
the same network untrained.

References:
    Lotter, Kreiman, Cox, Unsupervised learning of visual structure using predictive generative networks (2015).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.representations import Several, representations
from untaught.evaluate.subject import Subject
from untaught.model import Encodes
from untaught.shapes import Features

FITTED, CHOSEN, TESTED = 2000, 1000, 1000
CONTEXT = 5
"""Frames before features are read: the authors decoded after the fifth."""
ALPHAS = (1e3, 1e2, 1.0, 0.1, 0.01)
LEAST, MOST = 1e-5, 1e5


def applies(subject: Subject) -> str | None:
    """None for models that encode, on data whose true variables are known."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    return None if subject.parts.test.latents else "the data's true variables are not known"


def measure(subject: Subject) -> dict[str, Any]:
    """R2 of every true variable, from the model's features and from the baselines."""
    parts, frames = subject.parts, subject.view.frames
    context = None if frames is None else min(CONTEXT, frames)
    counts = (FITTED, CHOSEN, min(TESTED, subject.limit or TESTED))
    which = (parts.train, parts.validation, parts.test)
    batches = [subject.pixels(part, count, context) for part, count in zip(which, counts, strict=True)]
    described = representations(subject, batches, pca=False)
    scores = {name: _scores(features, batches) for name, features in described.items()}
    return {
        "r2": scores.pop("model"),
        "baselines": scores,
        "examples": {"fit": len(batches[0].x), "choose": len(batches[1].x), "test": len(batches[2].x)},
        "features": described["model"][0].shape[1],
    }


def _scores(features: Several, batches: list[Batch]) -> dict[str, float]:
    names = list(batches[0].latents)
    targets = {name: [_last(batch.latents[name]) for batch in batches] for name in names}
    varying = {name: (fit.std(0) > 0) & (test.std(0) > 0) for name, (fit, _, test) in targets.items()}
    kept = [name for name in names if bool(varying[name].any())]
    columns = [torch.cat([targets[name][part][:, varying[name]] for name in kept], 1) for part in range(3)]
    r2, _ = decoded(features, columns)
    sizes = [int(varying[name].sum()) for name in kept]
    return {name: float(some.mean()) for name, some in zip(kept, r2.split(sizes), strict=True)}


def _last(latent: Tensor) -> Tensor:
    """The variable at the last frame of each window."""
    return latent[:, -1] if latent.ndim == 3 else latent


def decoded(features: Several, targets: list[Tensor]) -> tuple[Tensor, Tensor]:
    """R2 on the third of three batches and the alpha chosen on the second, for every column of the targets."""
    ridge = Ridge(features[0], targets[0])
    alpha = chosen_alphas(ridge, features[1], targets[1])
    return r2(ridge.predict(features[2], alpha), targets[2]), alpha


def r2(predicted: Tensor, target: Tensor) -> Tensor:
    """Explained fraction of the variance of every column, equation (2)."""
    target = target.double()
    return 1 - (target - predicted).square().sum(0) / (target - target.mean(0)).square().sum(0)


def chosen_alphas(ridge: Ridge, features: Features, target: Tensor) -> Tensor:
    """The best alpha of every column on validation examples: five first, then tenfold on while the best is an end."""
    tried = {alpha: _score(ridge, features, target, alpha) for alpha in ALPHAS}
    while True:
        table = sorted(tried)
        best = torch.stack([tried[alpha] for alpha in table]).argmax(0)
        further = {table[0] / 10} if bool((best == 0).any()) else set[float]()
        further |= {table[-1] * 10} if bool((best == len(table) - 1).any()) else set[float]()
        further = {alpha for alpha in further if LEAST * 0.99 < alpha < MOST * 1.01}
        if not further:
            return torch.tensor(table, dtype=torch.float64)[best]
        tried |= {alpha: _score(ridge, features, target, alpha) for alpha in further}


def _score(ridge: Ridge, features: Features, target: Tensor, alpha: float) -> Tensor:
    every = torch.full((target.shape[1],), alpha, dtype=torch.float64)
    return r2(ridge.predict(features, every), target)


class Ridge:
    """Equation (1) for every alpha at once.

    With centred features X and the eigenvectors of the smaller of two matrices, found once, in float64:

        X^T X = V D V^T,   w = V (D + alpha)^-1 V^T X^T y,      or
        X X^T = U D U^T,   w = X^T U (D + alpha)^-1 U^T y.
    """

    def __init__(self, features: Features, target: Tensor) -> None:
        x, y = features.double(), target.double()
        self.mean, self.offset = x.mean(0), y.mean(0)
        x, y = x - self.mean, y - self.offset
        self.wide = x.shape[1] > len(x)
        values, vectors = torch.linalg.eigh(x @ x.T if self.wide else x.T @ x)
        self.values = values.clamp_min(0)
        self.vectors, self.x = vectors, x
        self.cross = vectors.T @ (y if self.wide else x.T @ y)

    def predict(self, features: Features, alpha: Tensor) -> Tensor:
        """Read off every column with its own alpha, `(batch, column)`."""
        weights = self.vectors @ (self.cross / (self.values[:, None] + alpha))
        weights = self.x.T @ weights if self.wide else weights
        return (features.double() - self.mean) @ weights + self.offset
