"""Classes: numbers for names, and one source's classes as another's, matched by name.

Labels of an array are names, or whole numbers that are classes themselves, with -1 where there is none. Where labels
are -1 and 1 and nothing else, both are classes: a problem of two classes is often written so, and one class alone
teaches nothing.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import DataError

MinusOne = Literal["auto", "absent", "class"]
"""What a label of -1 means."""


class Numbered(NamedTuple):
    """Labels as numbers of classes."""

    labels: tuple[Tensor | None, ...]
    """Of each part, int64 `(example,)`, -1 where absent."""
    names: tuple[str, ...]
    """Names of the classes in the order of their numbers; empty where classes are called by their numbers."""
    notes: tuple[str, ...] = ()
    """How labels were read, where it is not plain."""


def numbered(found: Sequence[NDArray[Any] | None], place: str, minus_one: MinusOne = "auto") -> Numbered:
    """Number the classes of parts that belong together.

    Args:
        found: Labels of each part, names or numbers; none where a part has no labels.
        place: What an error calls them.
        minus_one: What a label of -1 means; by default a class beside 1 alone, else that there is none.

    Raises:
        DataError: They are neither names nor whole numbers from -1.

    Example:
        >>> numbered([np.array(["cat", "ant"]), None, np.array(["bee"])], "x").names
        ('ant', 'bee', 'cat')
        >>> numbered([np.array([-1, 1, -1])], "x").labels[0].tolist()
        [0, 1, 0]
    """
    found = [None if label is None else _plainly_typed(label.ravel()) for label in found]
    there = [label for label in found if label is not None]
    if there and all(label.dtype.kind in "UST" for label in there):
        return _by_name([None if label is None else label.astype(str) for label in found])
    wanted = f"labels of {place} should be whole numbers from 0, -1 where absent, or names"
    labels = [None if label is None else _whole(label, wanted) for label in found]
    values = np.unique(np.concatenate([label for label in labels if label is not None])) if there else np.zeros(0)
    absent = sum(int((label == -1).sum()) for label in labels if label is not None)
    if minus_one == "class" or (minus_one == "auto" and values.tolist() == [-1, 1]):
        return _by_value(labels, values, minus_one == "auto")
    told = f"{absent:,} of {sum(map(len, there)):,} labels are -1, which means none; ?minus_one=class makes it a class"
    tensors = tuple(None if label is None else torch.from_numpy(label) for label in labels)
    return Numbered(tensors, (), (told,) if absent else ())


def as_others(names: Sequence[str], others: Sequence[str]) -> list[int | None]:
    """The number of each class among another source's classes, by name; None where that has none of its name.

    Names are the same that differ in capitals alone, or in how accents are encoded, unless two classes of one source
    differ in nothing else.

    Example:
        >>> as_others(["dog", "Fox", "wolf"], ["cat", "dog", "fox"])
        [1, 2, None]
        >>> as_others(["Dog", "dog"], ["cat", "dog"])
        [None, 1]
    """
    exact = {name: number for number, name in enumerate(others)}
    own, plain = Counter(map(_plain, names)), Counter(map(_plain, others))
    alike = {_plain(name): number for number, name in enumerate(others) if plain[_plain(name)] == 1}
    return [exact.get(name, alike.get(_plain(name)) if own[_plain(name)] == 1 else None) for name in names]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


def _plainly_typed(label: NDArray[Any]) -> NDArray[Any]:
    """Texts alone, or numbers alone, that are kept as Python's objects, as pandas does, by a type of their own."""
    texts = {isinstance(one, str) for one in label}
    return np.array(label.tolist()) if label.dtype == object and len(texts) == 1 else label


def _by_name(found: Sequence[NDArray[Any] | None]) -> Numbered:
    names = np.unique(np.concatenate([label for label in found if label is not None]))
    labels = tuple(None if label is None else torch.from_numpy(np.searchsorted(names, label)) for label in found)
    return Numbered(labels, tuple(names.tolist()))


def _by_value(found: Sequence[NDArray[Any] | None], values: NDArray[Any], alone: bool) -> Numbered:
    """Each value that occurs is a class, called by it."""
    labels = tuple(None if label is None else torch.from_numpy(np.searchsorted(values, label)) for label in found)
    told = "labels are -1 and 1: two classes; ?minus_one=absent takes -1 for none"
    return Numbered(labels, tuple(str(value) for value in values.tolist()), (told,) if alone else ())


def _whole(label: NDArray[Any], wanted: str) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):  # NaN is no whole number, and is refused
        whole = label.astype(np.int64) if label.dtype.kind in "biuf" else None
    if whole is None or not (whole == label).all() or (len(whole) and whole.min() < -1):
        raise DataError(wanted)
    return whole
