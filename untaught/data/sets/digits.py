"""Digits: scikit-learn's 1,797 handwritten digits, 8x8 grey, ten classes; real data that need no download.

Grey values are whole numbers from 0 to 16 and are divided by 16.

References:
    Alpaydin, Kaynak 1998, Optical recognition of handwritten digits, UCI machine learning repository.
"""

from __future__ import annotations

from pathlib import Path

import torch

from untaught.config import configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import DataError


@configuration
class Options:
    """Digits have no options."""


def load(path: Path | None, options: Options) -> Source:
    """Open the digits that come with scikit-learn."""
    del options
    if path is not None:
        raise DataError(f"digits come with scikit-learn and take no path; {path} was given")
    from sklearn.datasets import load_digits  # it takes a second to import

    vectors, classes = load_digits(return_X_y=True)
    x = torch.as_tensor(vectors).float().div(16).view(-1, 1, 8, 8)
    return Source("digits", Part.of(x, torch.as_tensor(classes)), label_names=tuple("0123456789"))
