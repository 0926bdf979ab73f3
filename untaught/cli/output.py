"""Files that commands write: arrays in pieces, pictures, animations. A file is written completely or not at all."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from untaught.errors import ConfigError
from untaught.runs.checkpoint import replacing

PLAIN_WIDTH = 120
"""Characters in a line of a table where the output is not a terminal."""


def console() -> Console:
    """Standard output for tables, wide enough where it is not a terminal."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def check_ending(out: str, *endings: str) -> Path:
    """Refuse a file that a command cannot write, before it begins.

    Raises:
        ConfigError: The ending is not one of those, or `out` is a folder.
    """
    path = Path(out)
    if path.suffix.lower() not in endings:
        raise ConfigError(f"--out {out}: the ending says what is written; it can be {', '.join(endings)}")
    if path.is_dir():
        raise ConfigError(f"--out {out} is a folder; give the name of a file in it")
    return path


def write_arrays(
    path: Path,
    name: str,
    count: int,
    pieces: Iterable[Tensor],
    others: Callable[[], Mapping[str, Tensor | NDArray[Any]]] = lambda: {},
) -> None:
    """Write an .npz whose array `name` is given in pieces, which need not fit into memory together.

    Arguments:
        path: The file; it appears once it is complete.
        name: The array that comes in pieces.
        count: Its rows.
        pieces: Its rows in order.
        others: Gives the other arrays; called after the last piece.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
        with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
            for number, piece in enumerate(pieces):
                rows: np.ndarray[Any, Any] = np.ascontiguousarray(piece.numpy())
                if number == 0:
                    shape = (count, *rows.shape[1:])
                    header = {"descr": rows.dtype.str, "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(entry, header)
                entry.write(rows.data)
        for key, value in others().items():
            with archive.open(f"{key}.npy", "w") as entry:
                np.lib.format.write_array(entry, np.asarray(value))
