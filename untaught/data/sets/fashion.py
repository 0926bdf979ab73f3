"""Fashion-MNIST: pictures of clothes in the place of MNIST's digits, 28x28 grey, 60,000 and 10,000, ten classes.

Read from the folder behind the colon, `fashion:DIR`; without one from the cache, else downloaded.

References:
    Xiao, Rasul, Vollgraf 2017, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms,
    arXiv:1708.07747.
"""

from __future__ import annotations

from pathlib import Path

from untaught.config import configuration
from untaught.data.reading.idx import load_idx, remotes
from untaught.data.source import Source

FILES = remotes(
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)
CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


@configuration
class Options:
    """Fashion-MNIST has no options."""


def load(path: Path | None, options: Options) -> Source:
    """Open Fashion-MNIST from a folder, the cache or the network."""
    del options
    return load_idx(path, "fashion", FILES, CLASSES)
