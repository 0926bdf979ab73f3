"""One picture file as bytes: turned upright, laid on white, brought to a size.

16-bit values are divided by 257; floating-point values must lie in [0, 1]; a palette, CMYK and the like become red,
green and blue. A picture whose three channels are the same is grey and has one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from untaught.data.reading.resize import fit
from untaught.errors import DataError

ORIENTATION = 0x0112
"""The EXIF field that says how the camera was held; from 5 on, the picture lies on its side."""


def upright_size(path: Path) -> tuple[int, int]:
    """Read height and width from a file's header.

    Raises:
        DataError: The file cannot be read, or is no picture.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            lies = image.getexif().get(ORIENTATION, 1) >= 5
    except Exception as error:  # Pillow's readers raise a dozen kinds for a broken file
        raise DataError(_broken(path, error)) from error
    return (width, height) if lies else (height, width)


def decode(path: Path, size: tuple[int, int] | None = None) -> Tensor:
    """Decode a file: uint8 `(1 or 3, height, width)`, brought to `size` by cutting around the centre.

    Raises:
        DataError: The file cannot be read, or is broken.
    """
    try:
        with Image.open(path) as image:
            if size is not None:
                # A JPEG is decoded at an eighth, a quarter or half where that is still twice what is wanted.
                image.draft(None, (2 * max(size), 2 * max(size)))
            pixels = _pixels(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow's readers raise a dozen kinds for a broken file
        raise DataError(_broken(path, error)) from error
    x = torch.from_numpy(pixels)
    x = x[None] if x.ndim == 2 else x.permute(2, 0, 1)
    if size is not None:
        x = fit(x[None], size)[0]
    return x[:1] if len(x) == 3 and bool((x == x[:1]).all()) else x


def to_channels(x: Tensor, channels: int) -> Tensor:
    """Give a picture one channel, the luminance, or three.

    The luminance is ITU-R 601's, 0.299 red + 0.587 green + 0.114 blue.
    """
    if len(x) == channels:
        return x
    if channels == 3:
        return x.expand(3, -1, -1)
    weight = torch.tensor([0.299, 0.587, 0.114])
    return torch.einsum("chw,c->hw", x.float(), weight).round().to(torch.uint8)[None]


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Turn any mode of Pillow's into bytes, `(height, width)` or `(height, width, 3)`."""
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    if image.mode.startswith("I"):
        return _whole_numbers(np.asarray(image))
    if image.mode == "F":
        return _fractions(np.asarray(image))
    return np.array(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _whole_numbers(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Turn 16 bits into 8; 32-bit numbers that fit are taken as 16 bits, and as 8 where all are below 256."""
    numbers = values.astype(np.int64)
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high > 65535:
        raise ValueError(f"its values run from {low} to {high}, beyond 16 bits")
    if values.dtype.itemsize > 2 and high < 256:
        return numbers.astype(np.uint8)
    return ((numbers + 128) // 257).astype(np.uint8)


def _fractions(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    numbers = values.astype(np.float64)
    if not (np.isfinite(numbers).all() and numbers.min() >= 0 and numbers.max() <= 1):
        raise ValueError(f"its floating-point values run from {numbers.min():g} to {numbers.max():g}, beyond [0, 1]")
    return (numbers * 255).round().astype(np.uint8)


def _broken(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"cannot read {path}: permission denied"
    if isinstance(error, Image.UnidentifiedImageError):
        return f"{path} is no picture that can be decoded"
    return f"{path} is broken: {str(error).partition(chr(10))[0] or type(error).__name__}"
