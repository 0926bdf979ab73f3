"""Frames that are read from a reader when they are needed: data sets that do not fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.data.channels import to_channels
from untaught.data.part import Frames
from untaught.data.readers.decoded_records import sample_of
from untaught.data.readers.fields import Wanted
from untaught.data.readers.reader import Reader
from untaught.data.reading.layout import Layout
from untaught.errors import DataError


class ReaderFrames(Frames):
    """Random access to the frames of a reader whose records have numbers."""

    def __init__(
        self, reader: Reader, wanted: Wanted, numbers: Sequence[int], lengths: Sequence[int], layout: Layout
    ) -> None:
        """Make frames of records.

        Args:
            reader: Where they are.
            wanted: Which fields are taken.
            numbers: Number of each record that is kept.
            lengths: How many frames each has.
            layout: How values become frames, and the shape of one.
        """
        self.reader, self.wanted, self.layout = reader, wanted, layout
        self.numbers, self.after = numbers, np.cumsum(lengths)
        self.shape, self.dtype = layout.shape, layout.dtype
        self.count = int(self.after[-1])

    def read(self, index: Tensor) -> Tensor:
        """Read each record that is needed once.

        Raises:
            DataError: A record cannot be read any more, or has changed its shape.
        """
        wanted = index.flatten().numpy()
        record = np.searchsorted(self.after, wanted, "right")
        x = torch.empty(len(wanted), *self.shape, dtype=self.dtype)
        for one in np.unique(record):
            places = np.flatnonzero(record == one)
            before = self.after[one - 1] if one else 0
            x[torch.from_numpy(places)] = self._frames(int(one), wanted[places] - before)
        return x.view(*index.shape, *self.shape)

    def _frames(self, number: int, which: NDArray[Any]) -> Tensor:
        name = f"example {self.numbers[number]} of {self.reader.place}"
        sample = sample_of(self.reader.record(self.numbers[number]), self.wanted, name)
        frames = sample.frames
        if sample.decoded:
            frames = to_channels(torch.from_numpy(frames), self.shape[0]).numpy()
        if frames.shape[1:] != self.shape or len(frames) <= which.max():
            raise DataError(f"{name} has changed since it was opened: it is a {sample.form}")
        return self.layout.frames(frames[which])
