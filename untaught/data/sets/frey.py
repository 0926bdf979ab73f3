"""Frey faces: 1,965 frames of one man's face from a film, 28x20 grey, in the film's order.

Read from the file or folder behind the colon, `frey:FILE`; without one from the cache folder. Two forms are read:
`frey_rawface.mat`, as published, whose array `ff` has a picture in each column, and an array file such as
`freyfaces.npz`, whose `x` is `(1965, 28, 20)`. The set is not downloaded, for no digest of it was published.

The frames are single pictures; `frey?video=true` gives them as one clip. Neighbours in the film look alike, and every
fifth picture is for testing, so a test picture has its like in the training part.

References:
    Roweis, Saul, Hinton 2002, Global coordination of local linear models, NIPS 14.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from untaught.config import configuration
from untaught.data.part import Part, WholeFrames
from untaught.data.reading import arrays
from untaught.data.reading.download import cache_folder
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.errors import DataError

FILES = ("frey_rawface.mat", "freyfaces.npz")
PUBLISHED = "https://cs.nyu.edu/~roweis/data/frey_rawface.mat"
HEIGHT, WIDTH = 28, 20


@configuration
class Options:
    """How the frames are taken."""

    video: bool = False
    """Give the film as one clip, and not its frames as single pictures."""


def load(path: Path | None, options: Options) -> Source:
    """Open the faces from a file, a folder or the cache."""
    file = _find(path)
    x = _from_mat(file) if file.suffix == ".mat" else _from_array(file)
    length = torch.tensor([len(x)]) if options.video else None
    return Source("frey", Part.over(WholeFrames(x), length))


def _find(path: Path | None) -> Path:
    """Find the file.

    Raises:
        DataError: Neither form is in the folder; the message says where to get it and where to put it.
    """
    folder = cache_folder() / "frey" if path is None else path
    if folder.is_file():
        return folder
    found = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if found is None:
        raise DataError(
            f"no {' or '.join(FILES)} in {folder}\nthe first is at {PUBLISHED}\n"
            "put it there, or anywhere and give --data frey:FILE"
        )
    return found


def _from_mat(file: Path) -> Tensor:
    from scipy.io import loadmat  # it takes a fifth of a second to import

    try:
        columns = loadmat(file, variable_names=["ff"]).get("ff")
    except Exception as error:  # the reader raises a dozen kinds for a broken file
        raise DataError(f"{file} is a broken .mat file, or none: {str(error).partition(chr(10))[0]}") from error
    if columns is None or columns.dtype != "uint8" or columns.ndim != 2 or len(columns) != HEIGHT * WIDTH:
        found = "is missing" if columns is None else f"is {columns.dtype} {columns.shape}"
        raise DataError(f"ff of {file} {found}; wanted: bytes, {HEIGHT * WIDTH} rows, a picture in each column")
    return torch.from_numpy(columns.T.copy()).view(-1, 1, HEIGHT, WIDTH)


def _from_array(file: Path) -> Tensor:
    part = arrays.open_path(file, arrays.Options(), Reading()).train
    if part.shape != (1, HEIGHT, WIDTH):
        raise DataError(f"{file} holds examples of the shape {part.shape}; Frey faces are {(1, HEIGHT, WIDTH)}")
    return part.frames.read(torch.arange(part.frames.count))
