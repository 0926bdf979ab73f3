"""Conversion between an estimator's rows and a model's examples: shape, range and statistics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.data.part import Part
from untaught.data.view import Statistics
from untaught.errors import DataError, SizeError
from untaught.model import Model
from untaught.randomness import seeded
from untaught.shapes import Shape

Rows = NDArray[np.floating[Any]]
"""Examples or features in rows, or pictures `(n, channel, height, width)`; float32 or float64."""
End: TypeAlias = float | tuple[float, ...]
"""An end of a range: of all values, or of each column."""


@dataclass(frozen=True)
class Layout:
    """How rows become a model's examples.

    Example:
        >>> layout = Layout((1, 2, 2), pictures=False, low=0, high=16)
        >>> seen = layout.seen(np.array([[0.0, 4.0, 8.0, 16.0]]))
        >>> seen.shape, float(seen[0, 0, 1, 0]), float(layout.given(seen)[0, 2])
        ((1, 1, 2, 2), 0.5, 8.0)
    """

    shape: Shape
    """One example's."""
    pictures: bool
    """Whether examples were given as pictures, and are returned as pictures."""
    low: End = 0.0
    """Value of rows that becomes 0."""
    high: End = 1.0
    """Value of rows that becomes 1."""
    bounded: bool = False
    """Whether values outside the range become its nearer end."""
    known: Statistics | None = None
    """Mean and deviation by which examples are standardised."""

    def examples(self, rows: Rows) -> Rows:
        """Examples `(n, *shape)` as a source would hold them."""
        low, high = self._ends(rows)
        x = (rows - low) / (high - low)
        return (x.clip(0, 1) if self.bounded else x).reshape(-1, *self.shape)

    def seen(self, rows: Rows) -> Rows:
        """Examples as the model sees them."""
        x = self.examples(rows)
        return x if self.known is None else (x - self.known.mean.numpy()) / self.known.deviation.numpy()

    def given(self, x: Rows) -> Rows:
        """The model's examples in the form of the user's: pictures, or rows."""
        own = x if self.known is None else x * self.known.deviation.numpy() + self.known.mean.numpy()
        low, high = self._ends(own)
        own = own.reshape(len(x), -1) * (high - low) + low
        return own.reshape(len(x), *self.shape) if self.pictures else own

    def _ends(self, like: Rows) -> tuple[Rows, Rows]:
        """Both ends of the range, in the precision of rows."""
        return np.asarray(self.low, like.dtype), np.asarray(self.high, like.dtype)

    def part(self, rows: Rows, label: Tensor | None = None) -> Part:
        """Examples as data to train on."""
        return Part.of(torch.from_numpy(np.require(self.examples(rows), np.float32, ["C", "W"])), label)

    def refuse_others(self, given: Shape, name: str) -> None:
        """Refuse examples of another shape.

        Raises:
            DataError: It is neither a row nor a picture of this layout.
        """
        flat = (math.prod(self.shape),)
        if given not in (flat, self.shape):
            kind = "pictures" if len(given) == 3 else "rows"
            wanted = f", or pictures of {_by(self.shape)} (image_shape)" if len(self.shape) == 3 else ""
            raise DataError(f"X has {kind} of {_by(given)}; {name} takes rows of {_by(flat)}{wanted}")


def range_of(rows: Rows, each: bool) -> tuple[End, End]:
    """Lowest and highest value, of each column or of all; one above the lowest where all values are the same.

    Example:
        >>> rows = np.array([[0.0, 7.0], [4.0, 7.0]])
        >>> range_of(rows, each=True), range_of(rows, each=False)
        (((0.0, 7.0), (4.0, 8.0)), (0.0, 7.0))
    """
    low, high = (rows.min(0), rows.max(0)) if each else (rows.min(), rows.max())
    above = np.where(low < high, high, low + 1)
    return _plain(low), _plain(above)


def _plain(end: Any) -> End:
    return tuple(end.tolist()) if np.ndim(end) else float(end)


def picture_shape(X: Any) -> Shape | None:
    """Channels, height and width where examples are pictures; None where they are rows.

    Raises:
        DataError: They are neither.
    """
    axes = getattr(X, "ndim", None) or np.asarray(X).ndim
    if axes == 3 or axes > 4:
        raise DataError(f"X has {axes} axes; give rows (n, feature), or pictures (n, channel, height, width)")
    return tuple(np.asarray(X).shape[1:]) if axes == 4 else None


def shape_of_rows(model: type[Model], features: int) -> Shape:
    """Default shape of a row: a vector; for a model that takes only pictures a square, or one row of pixels."""
    if not looks_at_pictures_alone(model):
        return (features,)
    side = math.isqrt(features)
    return (1, side, side) if side * side == features else (1, 1, features)


def looks_at_pictures_alone(model: type[Model]) -> bool:
    """Whether a model can be built for pictures, those of its smoke test, but not for vectors of the same size."""
    shape = model.smoke.shape
    if len(shape) != 3:
        return False
    try:
        with seeded(0):
            model(model.smoke.config, (math.prod(shape),))
    except SizeError:
        return True
    return False


def _by(shape: Shape) -> str:
    return "x".join(str(side) for side in shape)
