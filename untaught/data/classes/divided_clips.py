"""Sets of labelled clips that come as a folder for each class, whose parts follow from the names of the files.

There is nothing to download: the sets are large, and some come in archives that Python cannot read. Without a folder
behind the colon they are looked for in the cache folder, where a link to them is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from untaught.data.reading.download import cache_folder
from untaught.data.source import Source
from untaught.data.spec import Reading, size_of
from untaught.errors import DataError

PartOf = Callable[[Path], str]
"""The part that a file belongs to, `train`, `validation` or `test`; empty for none."""


def folder_of(name: str, path: Path | None) -> Path:
    """The folder of a set: the one that was given, else that of its name in the cache folder.

    Raises:
        DataError: It is not there.
    """
    folder = cache_folder() / name if path is None else path
    if not folder.is_dir():
        raise DataError(f"no folder {folder}: put or link the folder of {name}'s classes there, or give {name}:DIR")
    return folder


def divided_clips(folder: Path, part_of: PartOf, size: str, grey: bool, every: int) -> Source:
    """Open a folder of clips and divide it by the names of its files, unless folders are parts already.

    Args:
        folder: With a folder for each class.
        part_of: The part of a file.
        size: Height and width of the frames, as in a spec; empty leaves them.
        grey: Take the luminance.
        every: Take every n-th frame only.

    Raises:
        DataError: No file belongs to the training part, or none to the test part.
    """
    from untaught.data.reading import video  # decoding takes a while to import, and sets are listed without it

    options = video.Options(grey=grey, every=every, cuts=False)
    source = video.open_path(folder, options, Reading(size_of(size or None)))
    if source.test is not None:
        return source
    whole = source.train
    files = [Path(str(whole.place_of(int(first)).file)) for first in whole.first]
    named = [part_of(file) for file in files]
    parts = {
        name: whole.clips(torch.tensor([own == name for own in named]).nonzero()[:, 0])
        for name in ("train", "validation", "test")
    }
    for name in ("train", "test"):
        if not len(parts[name]):
            raise DataError(f"no clip of {folder} is of the {name} part by its name, {files[0].name} for one")
    left = tuple(str(file.relative_to(folder)) for file, own in zip(files, named, strict=True) if not own)
    validation = parts["validation"] if len(parts["validation"]) else None
    left_out = (*source.left_out, *left)
    return replace(source, train=parts["train"], validation=validation, test=parts["test"], left_out=left_out)
