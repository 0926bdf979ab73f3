"""Frames kept as they come: in memory while they fit into it, then in a file of the cache folder.

The file has no name and is gone with the process. What can be read by number again is not kept when it does not fit.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.data.reading.download import cache_folder
from untaught.errors import DataError

SPARE = 2**30
"""Bytes that are left free on the disk."""
ASKED = 2**26
"""Bytes written between two looks at what is free."""


class FrameStore:
    """Rows of one shape and type, in order."""

    def __init__(self, memory: int, again: bool, place: str) -> None:
        """Keep rows.

        Args:
            memory: Bytes that may be kept in memory.
            again: Whether the rows can be read again, so that a file is not needed.
            place: What an error calls the reader.
        """
        self.memory, self.again, self.place = memory, again, place
        self.rows: list[NDArray[Any]] = []
        self.shape: tuple[int, ...] = ()
        self.dtype: np.dtype[Any] = np.dtype(np.uint8)
        self.count = self.nbytes = self.looked_at = 0
        self.file: IO[bytes] | None = None

    @property
    def dropped(self) -> bool:
        """Whether the rows did not fit and are to be read again."""
        return self.again and self.nbytes > self.memory

    def add(self, rows: NDArray[Any]) -> None:
        """Keep some more rows.

        Raises:
            DataError: The disk is full.
        """
        self.shape, self.dtype = rows.shape[1:], rows.dtype
        self.count, self.nbytes = self.count + len(rows), self.nbytes + rows.nbytes
        if self.nbytes <= self.memory:
            self.rows.append(np.array(rows))  # a reader may hand out the same array again with other values
        elif self.again:
            self.rows = []
        else:
            self._write(rows)

    def array(self) -> NDArray[Any] | None:
        """All rows, in memory or mapped from the file; None where they are to be read again."""
        if self.dropped:
            return None
        if self.file is None:
            return np.concatenate(self.rows)
        self.file.flush()
        return np.memmap(self.file, self.dtype, "r", shape=(self.count, *self.shape))

    def _write(self, rows: NDArray[Any]) -> None:
        folder = cache_folder() / "streams"
        if self.file is None:
            folder.mkdir(parents=True, exist_ok=True)
            self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, it lives as long as the frames
            for kept in self.rows:
                self.file.write(np.ascontiguousarray(kept).data)
            self.rows = []
        self.file.write(np.ascontiguousarray(rows).data)
        if self.nbytes - self.looked_at > ASKED:
            self.looked_at = self.nbytes
            if shutil.disk_usage(folder).free < SPARE:
                raise DataError(
                    f"{self.place} has given {self.count:,} frames, {self.nbytes / 2**30:.1f} GiB, and the disk of\n"
                    f"{folder} is nearly full; limit=N takes the first N examples, size=64 smaller ones"
                )
