"""Colours of 16 bits a channel, of which Pillow keeps the higher 8: the first page of a PNG or TIFF, through FFmpeg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import DataError

OPAQUE = 65535
BYTE = 255


def deep_colours(path: Path) -> NDArray[np.uint16]:
    """Red, green, blue and opacity as they are stored, `(height, width, 4)`.

    Raises:
        DataError: The file holds no picture.
    """
    import av  # takes a while, and a listing needs none of it

    with av.open(str(path), metadata_errors="replace") as container:
        frame = next(container.decode(video=0), None)
    if frame is None:
        raise DataError(f"{path} holds no picture that can be decoded")
    return frame.to_ndarray(format="rgba64le").astype(np.uint16, copy=False)


def upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Rows and columns as they are shown, of a picture stored with an EXIF orientation.

    Example:
        >>> upright(np.array([[1, 2, 3]]), 6).tolist()
        [[1], [2], [3]]
    """
    turned = stored[:: -1 if orientation in (3, 4, 6, 7) else 1, :: -1 if orientation in (2, 3, 7, 8) else 1]
    return turned.swapaxes(0, 1) if orientation >= 5 else turned


def on_white(samples: NDArray[np.uint16], white: float) -> NDArray[np.uint8]:
    """Bytes `(height, width, 3)`, where `white` is the value that is white, laid on white paper."""
    opacity = samples[..., 3:] / OPAQUE
    colours = (samples[..., :3] * (BYTE / white)).clip(0, BYTE)
    return np.rint(colours * opacity + BYTE * (1 - opacity)).astype(np.uint8)
