"""Words for examples that are no pictures: rows of a table have values, not pixels."""

from __future__ import annotations

import re

VECTORS = {
    r", with pixels from 0 \(black\) to 1 \(white\)": "",
    r"\bpixels\b": "values",
    r"\bpixel\b": "value",
    r"\b(picture|image)(s?)\b": r"example\2",
    r"\b(Picture|Image)(s?)\b": r"Example\2",
    r"\bPixels\b": "Values",
}
"""Words about pictures, and the same about rows of numbers."""


def worded(text: str, vectors: bool) -> str:
    """A text about pictures, as it is, or about rows of numbers.

    Example:
        >>> worded("squared error per image: the sum over one picture's pixels", vectors=True)
        "squared error per example: the sum over one example's values"
    """
    if vectors:
        for words, others in VECTORS.items():
            text = re.sub(words, others, text)
    return text
