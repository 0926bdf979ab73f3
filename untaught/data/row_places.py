"""Where each row of an answer comes from: part, file, clip, frame and time, as columns beside the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from untaught.data.part import Part

Columns = dict[str, NDArray[Any]]


def row_places(rows: Iterable[tuple[str, Part, Tensor, int | None]]) -> Columns:
    """Columns of the rows that begin at some frames.

    - `name`: all of it in words,
    - `part`: the source's part, `train`, `validation` or `test`,
    - `row`: the number of the example or clip in its part, from 0,
    - `file`: the path, empty where there is none,
    - `frame`: the row's first frame in its clip, from 0, and -1 of single pictures and vectors,
    - `frames`: how many frames the row takes, 1 of single pictures and vectors,
    - `seconds`: when the first one is shown, counted from the file's first; not a number where that is not known.

    What else a place knows, such as a page, is a column too.

    Args:
        rows: For each part its name, the part, the number of each row's first frame, and the frames of a row.

    Example:
        >>> import torch
        >>> columns = row_places([("train", Part.of(torch.zeros(2, 9, 1, 8, 8)), torch.tensor([0, 4, 9]), 4)])
        >>> columns["name"].tolist(), columns["row"].tolist(), columns["frame"].tolist()
        (['row 0, frame 0', 'row 0, frame 4', 'row 1, frame 0'], [0, 0, 1], [0, 4, 0])
    """
    found = [line for name, part, starts, frames in rows for line in _lines(name, part, starts, frames)]
    keys = list(found[0]) if found else []
    return {key: _column(key, [line[key] for line in found]) for key in keys}


def _lines(name: str, part: Part, starts: Tensor, frames: int | None) -> Iterable[Mapping[str, Any]]:
    """One line for each row; a place's own number of a row or a frame gives way to those of the part."""
    first, numbers = part.first.cpu().numpy(), starts.cpu().numpy()
    clips = np.searchsorted(first, numbers, side="right") - 1
    for start, clip in zip(numbers.tolist(), clips.tolist(), strict=True):
        place = part.place_of(start)
        frame = start - int(first[clip]) if part.is_video else None
        own = {**asdict(place), "row": clip, "frame": frame}
        yield {"name": str(place), "part": name, **own, "frames": frames or 1}


ABSENT: Mapping[str, Any] = {"file": "", "seconds": np.nan}
"""What stands for nothing in a column; in others it is -1."""


def _column(key: str, values: list[Any]) -> NDArray[Any]:
    absent = ABSENT.get(key, -1)
    filled = [absent if value is None else value for value in values]
    return np.array(filled, dtype=None if isinstance(filled[0], str) else type(absent) if key in ABSENT else np.int64)
