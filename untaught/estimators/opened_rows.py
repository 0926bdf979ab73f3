"""Rows from readers: what an estimator takes out of a source, a data set, a loader or a generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from untaught.data.readers.things import is_readable
from untaught.data.source import Source, open_data
from untaught.data.spec import MEMORY
from untaught.errors import DataError


def opened(X: Any) -> tuple[Any, NDArray[Any] | None]:
    """Rows or pictures of a reader, and their labels, names where there are any; what is rows already stays as it is.

    Values are those of a source, bytes divided by 255. Of a source that brings parts, the training part is taken.

    Raises:
        DataError: It is video, does not fit into memory as floats, or an example is broken.
    """
    if not is_readable(X):
        return X, None
    source = open_data(X)
    part = source.train
    if source.is_video:
        raise DataError(
            "X is video; estimators take rows or pictures: give single frames, or use untaught.plan and fit"
        )
    size = len(part) * torch.Size(part.shape).numel() * 4
    if size > MEMORY:
        raise DataError(
            f"X has {len(part):,} examples, {size / 2**30:.1f} GiB as numbers, and estimators hold all in memory\n"
            "untaught.plan and untaught.fit read them by piece"
        )
    x = part.frames.read(part.first)
    rows = x.float() / 255 if x.dtype == torch.uint8 else x.float()
    return rows.numpy(), _labels(source)


def _labels(source: Source) -> NDArray[Any] | None:
    """The label of each example; None where one has none."""
    label = source.train.label[source.train.first].numpy()
    if (label < 0).any():
        return None
    return np.array(source.label_names)[label] if source.label_names else label
