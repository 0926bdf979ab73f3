"""Whole pictures through a model that was trained on square patches.

A model that takes pictures of any size is shown the whole. Another is shown the fewest evenly spaced squares S that
cover the picture; they overlap where its sides are no multiples of the square's. With y_S what the model makes of
square S, and n(p) the number of squares that pixel p lies in,

    y(p) = 1/n(p) sum_{S: p in S} y_S(p)         where it makes pictures                  (1)
    y    = 1/|S| sum_S y_S                       where it gives numbers, such as features  (2)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from untaught.data.view import View
from untaught.errors import DataError, UntaughtError
from untaught.evaluate.subject import Subject
from untaught.model import Reconstructs, Translates
from untaught.shapes import Examples, Features, Images


def whole_view(subject: Subject) -> View:
    """Whole pictures in [0, 1], though the model was trained on patches."""
    return replace(subject.pixel_view, patch=None)


def given_back(subject: Subject, x: Examples) -> Examples:
    """What the model makes of whole examples in [0, 1]; equation (1) where it sees squares alone."""
    model = subject.model
    assert isinstance(model, Reconstructs)
    return in_squares(subject, x, lambda some: subject.shown(subject.apply(model.reconstruct, some)))


def translated(subject: Subject, x: Images, forward: bool = True) -> Images:
    """What a model makes of whole pictures of one kind, as the other kind; equation (1) where it sees squares alone."""
    model = subject.model
    assert isinstance(model, Translates)
    return in_squares(subject, x, lambda some: subject.apply(lambda seen: model.translate(seen, forward), some))


def features_of(subject: Subject, x: Examples) -> Features:
    """Features of whole examples in [0, 1]: as many as in training, by equation (2) where those of the whole are more.

    Raises:
        DataError: A square is larger than the picture.
    """
    side = subject.view.patch
    if side is None or x.shape[-2:] == (side, side):
        return subject.features(x)
    places = squares(x.shape[-2], x.shape[-1], side)
    corner = subject.features(x[:1, ..., :side, :side])
    if _takes(subject.features, x) and subject.features(x[:1]).shape == corner.shape:
        return subject.features(x)
    return subject.features(_pieces(x, places, side)).unflatten(0, (len(places), len(x))).mean(0)


def in_squares(subject: Subject, x: Tensor, look: Callable[[Tensor], Tensor]) -> Tensor:
    """What a model gives of whole pictures: equation (1) of pictures, (2) of one number for each."""
    side = subject.view.patch
    if side is None or _takes(look, x):
        return look(x)
    places = squares(x.shape[-2], x.shape[-1], side)
    looked = look(_pieces(x, places, side)).unflatten(0, (len(places), len(x)))
    if looked.ndim == 2:
        return looked.mean(0)
    total = looked.new_zeros(*looked.shape[1:-2], *x.shape[-2:])
    times = total.new_zeros(x.shape[-2:])
    for (top, left), piece in zip(places, looked, strict=True):
        total[..., top : top + side, left : left + side] += piece
        times[top : top + side, left : left + side] += 1
    return total / times


def squares(height: int, width: int, side: int) -> list[tuple[int, int]]:
    """Top and left of the fewest evenly spaced squares that cover a picture.

    Raises:
        DataError: A square is larger than the picture.

    Example:
        >>> squares(8, 10, 8)
        [(0, 0), (0, 2)]
    """
    if side > min(height, width):
        raise DataError(
            f"the model sees squares of {side}x{side} pixels, and these pictures are {height}x{width};\n"
            f"--size {side} enlarges them"
        )
    down, across = (
        torch.linspace(0, length - side, -(-length // side)).round().int().tolist() for length in (height, width)
    )
    return [(top, left) for top in down for left in across]


def _pieces(x: Tensor, places: list[tuple[int, int]], side: int) -> Tensor:
    """The first square of all pictures, then the second of all, and so on."""
    return torch.cat([x[..., top : top + side, left : left + side] for top, left in places])


def _takes(look: Callable[[Tensor], Tensor], x: Tensor) -> bool:
    """Whether the model takes pictures of this size."""
    try:
        look(x[:1])
    except (UntaughtError, RuntimeError, TypeError):  # ours, or torch's where shapes do not meet
        return False
    return True
