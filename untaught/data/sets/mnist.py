"""MNIST: handwritten digits, 28x28 grey, 60,000 to train and 10,000 to test, ten classes.

Read from the folder behind the colon, `mnist:DIR`; without one from the cache, else downloaded.

References:
    LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition.
"""

from __future__ import annotations

from pathlib import Path

from untaught.config import configuration
from untaught.data.reading.idx import load_idx, remotes
from untaught.data.source import Source

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
    """MNIST has no options."""


def load(path: Path | None, options: Options) -> Source:
    """Open MNIST from a folder, the cache or the network."""
    del options
    return load_idx(path, "mnist", FILES, tuple("0123456789"))
