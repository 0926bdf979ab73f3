"""Labels of records as numbers of classes.

Text is a name of a class, whole numbers are classes themselves, and what is empty has none. A field that only bears the
name of one, and holds measurements or lists, is left out; where it was asked for, it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from untaught.data.classes.class_names import MinusOne, Numbered, numbered
from untaught.data.readers.fields import is_missing
from untaught.data.telling import listed
from untaught.errors import DataError

MANY = 20
"""Names of classes from which it is told where nearly every example has one of its own."""


def classes_of(
    parts: Sequence[Sequence[Any]], known: Sequence[str], asked: bool, place: str, minus_one: MinusOne = "auto"
) -> Numbered:
    """Number the classes of parts that belong together.

    Args:
        parts: The labels of each part, as a reader gave them.
        known: Names that the reader knows, in the order of the numbers.
        asked: Whether the user said that these are labels.
        place: What an error calls the reader.
        minus_one: What a label of -1 means.

    Raises:
        DataError: Labels are no classes, or text and numbers in turn.

    Example:
        >>> found = classes_of([["cat", None, "ant"]], (), False, "x")
        >>> found.labels[0].tolist(), found.names
        ([1, -1, 0], ('ant', 'cat'))
    """
    plain = [[_plain(label) for label in part] for part in parts]
    there = [label for part in plain for label in part if label is not None]
    none = tuple(None for _ in parts)
    if not there:
        return Numbered(none, tuple(known))
    wrong = [label for label in there if not isinstance(label, int | str)]
    if wrong:
        what = f"labels of {place} are no classes, such as {str(wrong[0])[:40]!r}"
        if asked:
            raise DataError(f"{what}; wanted: whole numbers, or names")
        return Numbered(none, (), (f"{what}: they are left out",))
    kinds = {type(label) for label in there}
    if len(kinds) > 1:
        raise DataError(f"labels of {place} are text and numbers in turn; wanted: names alone, or numbers alone")
    return _named(plain, known, place) if kinds == {str} else _numbered(plain, known, place, minus_one)


def _named(parts: Sequence[Sequence[str | None]], known: Sequence[str], place: str) -> Numbered:
    found = {label for part in parts for label in part if label is not None}
    names = tuple(known) if found <= set(known) else tuple(sorted(found))
    number = {name: number for number, name in enumerate(names)}
    labels = tuple(torch.tensor([-1 if one is None else number[one] for one in part]) for part in parts)
    count = sum(map(len, parts))
    many = len(names) > max(MANY, count / 2)
    told = f"{count:,} labels of {place} are {len(names):,} different texts: {listed(names, 2)}; each is a class"
    return Numbered(labels, names, (told,) if many else ())


def _numbered(parts: Sequence[Sequence[int | None]], known: Sequence[str], place: str, minus_one: MinusOne) -> Numbered:
    absent = any(label is None for part in parts for label in part)
    arrays = [np.array([-1 if label is None else label for label in part], dtype=np.int64) for part in parts]
    found = numbered(arrays, place, "absent" if absent else minus_one)
    highest = max(int(array.max()) for array in arrays)
    return found._replace(names=tuple(known)) if not found.names and highest < len(known) else found


def _plain(label: Any) -> Any:
    """A label as text or a whole number where it is one, and None where it is missing."""
    if isinstance(label, Tensor | np.ndarray | np.generic):
        array = np.asarray(label)
        label = array.item() if array.size == 1 else array.tolist()
    if isinstance(label, bytes):
        label = label.decode("utf-8", "replace").strip()
    if is_missing(label):
        return None
    if isinstance(label, bool) or (isinstance(label, float) and label.is_integer()):
        return int(label)
    return label
