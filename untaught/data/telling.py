"""Words for what is told of data: counts with their nouns, and the first of many names."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 5
"""Names that are written out; of others it is said how many there are."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun.

    Example:
        >>> counted(1, "file"), counted(1200, "class", "classes")
        ('1 file', '1,200 classes')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """The first names, and how many more there are.

    Example:
        >>> listed(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
