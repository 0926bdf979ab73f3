"""MNIST: handwritten digits, 28x28 grey, 60,000 to train and 10,000 to test, ten classes.

Read from the folder behind the colon, `mnist:DIR`; without one from the cache, else downloaded. The benchmark `basic`
has 10,000 digits to train on and 2,000 to select by: `mnist?train=10000&validation=2000`.

References:
    LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from untaught.config import Count, configuration
from untaught.data.reading.idx import load_idx, remotes
from untaught.data.source import Source
from untaught.errors import DataError

FILES = remotes(
    (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)


@configuration
class Options:
    """All digits, or the first of those to train on."""

    train: Count | None = None
    """Learn from only so many of the training digits, the first ones."""
    validation: Count | None = None
    """How many of those that follow select a checkpoint; by default a tenth of those to train on."""


def load(path: Path | None, options: Options) -> Source:
    """Open MNIST from a folder, the cache or the network.

    Raises:
        DataError: There are not so many digits.
    """
    source = load_idx(path, "mnist", FILES, tuple("0123456789"))
    there = len(source.train)
    selects = options.validation or 0
    learns = there - selects if options.train is None else options.train
    if learns + selects > there or learns < 1:
        raise DataError(f"mnist has {there} training digits, not {learns} to learn from and {selects} to select by")
    digits = torch.arange(there)
    validation = source.train.clips(digits[learns : learns + selects]) if selects else None
    return replace(source, train=source.train.clips(digits[:learns]), validation=validation)
