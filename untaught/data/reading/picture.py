"""Pictures of one file as bytes: every page, turned upright, laid on white, brought to a size.

A value of 8 bits is white at 255, one of 16 bits at 65535, and a floating-point one at 1, unless `White` says
otherwise; a palette, CMYK and the like become red, green and blue. A picture whose three channels are the same is grey
and has one.
Pages are those of a TIFF, thumbnails apart, and frames of an animation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from untaught.data.reading.deep_colour import deep_colours, on_white, upright
from untaught.data.reading.resize import fit
from untaught.data.scale import BYTE, white_for
from untaught.errors import DataError

ORIENTATION = 0x0112
"""The EXIF field that says how the camera was held; from 5 on, the picture lies on its side."""
KIND_OF_PAGE, WIDTH, HEIGHT = 254, 256, 257
"""Fields of a TIFF's page."""
THUMBNAIL = 1
"""A bit of the first of them."""
PAGED = frozenset({"TIFF", "GIF", "WEBP", "PNG", "AVIF"})
"""Formats whose files hold several pictures; in others the further ones are previews or layers."""
DEEP = 65535
SAMPLES = {"L;2": 85, "L;4": 17}
"""Grey values of PNG that have fewer than 8 bits are stretched to them by these factors."""

T = TypeVar("T")
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class White:
    """Which value is white."""

    byte: float = BYTE
    """Of values of 8 bits."""
    deep: float = DEEP
    """Of whole numbers of more bits."""
    fraction: float = 1.0
    """Of floating-point values."""

    @staticmethod
    def asked(scale: float) -> White:
        """One value for all, but for bytes that it is beyond.

        Example:
            >>> White.asked(4095).byte, White.asked(255).deep
            (255, 255)
        """
        return White(scale if scale <= BYTE else BYTE, scale, scale)


class Decoded(NamedTuple):
    """One picture."""

    x: Tensor
    """Uint8 `(1 or 3, height, width)`."""
    byte: int
    """The highest value of 8 bits in the file, before it was brought to a size; 0 where there are none."""
    deep: int
    """The highest of more bits."""


def upright_size(path: Path) -> tuple[int, int]:
    """Read height and width of the first page from a file's header.

    Raises:
        DataError: The file cannot be read, or is no picture.
    """
    return _read(path, _upright)


def upright_sizes(path: Path) -> dict[int, tuple[int, int]]:
    """Height and width of every page, by its number.

    Raises:
        DataError: The file cannot be read, or is no picture.
    """
    return _read(path, _sizes)


def decode(path: Path, size: tuple[int, int] | None = None) -> Tensor:
    """Decode a file's first page: uint8 `(1 or 3, height, width)`, brought to `size` by cutting around the centre.

    Raises:
        DataError: The file cannot be read, or is broken.
    """
    return decode_pages(path, [0], size)[0].x


def decode_pages(
    path: Path, pages: Sequence[int], size: tuple[int, int] | None = None, white: White | None = None
) -> list[Decoded]:
    """Decode pages of a file, by ascending number.

    Raises:
        DataError: The file cannot be read, or is broken.
    """
    how = white or White()
    return _read(path, lambda image: [_page(path, image, number, size, how) for number in pages])


def decode_image(image: Image.Image, name: str) -> Tensor:
    """Turn a picture of Pillow's into bytes `(1 or 3, height, width)`, upright and laid on white.

    Raises:
        DataError: It cannot be decoded.
    """
    try:
        x = torch.from_numpy(_plain(image, White())[0])
    except Exception as error:  # Pillow decodes only now what it opened before
        raise DataError(_broken(name, error)) from error
    x = x[None] if x.ndim == 2 else x.permute(2, 0, 1)
    return x[:1] if bool((x == x[:1]).all()) else x


def decode_bytes(content: bytes, name: str, most: int | None = None) -> Tensor:
    """Decode the bytes of a picture's file, its first page, if it has at most `most` pixels.

    Raises:
        DataError: It is no picture, broken, or larger.
    """
    try:
        image = Image.open(BytesIO(content))
    except Exception as error:  # as above
        raise DataError(_broken(name, error)) from error
    if most is not None and image.width * image.height > most:
        raise DataError(f"{name} has {image.width} x {image.height} pixels; at most {most:,} are taken")
    return decode_image(image, name)


def _read(path: Path, read: Callable[[Image.Image], T]) -> T:
    try:
        # Not by its name: Pillow would map the file into memory, and take rows of a TIFF on its side for columns.
        with path.open("rb") as file, Image.open(file) as image:
            return read(image)
    except Exception as error:  # Pillow's readers raise a dozen kinds for a broken file
        raise DataError(_broken(path, error)) from error


def _upright(image: Image.Image) -> tuple[int, int]:
    """Height and width of the present page once it is upright.

    Whether Pillow has turned the size of a TIFF already depends on its version; the file's own fields do not.
    """
    fields: Any = getattr(image, "tag_v2", None)
    width, height = image.size if fields is None else (int(fields[WIDTH]), int(fields[HEIGHT]))
    lies = (image.getexif() if fields is None else fields).get(ORIENTATION, 1) in (5, 6, 7, 8)
    return (width, height) if lies else (height, width)


def _sizes(image: Image.Image) -> dict[int, tuple[int, int]]:
    found = {0: _upright(image)}
    for number in range(1, _count(image)):
        if image.format == "TIFF":
            image.seek(number)
            if int(getattr(image, "tag_v2", {}).get(KIND_OF_PAGE, 0)) & THUMBNAIL:
                continue
        found[number] = _upright(image)
    return found


def _count(image: Image.Image) -> int:
    """Pages of a file, thumbnails among them."""
    try:
        return getattr(image, "n_frames", 1) if image.format in PAGED else 1
    except Exception as error:  # a page of a kind that Pillow does not know, or one that is cut off
        raise ValueError(f"{error} (a page behind the first; ?pages=first takes the first alone)") from error


def _page(path: Path, image: Image.Image, number: int, size: tuple[int, int] | None, white: White) -> Decoded:
    if number:
        image.seek(number)
    elif size is not None:
        # A JPEG is decoded at an eighth, a quarter or half where that is still twice what is wanted.
        image.draft(None, (2 * max(size), 2 * max(size)))
    pixels, byte, deep = _deep_colour(path, image, number, white) if _is_deep_colour(image) else _plain(image, white)
    x = torch.from_numpy(pixels)
    x = x[None] if x.ndim == 2 else x.permute(2, 0, 1)
    if size is not None:
        x = fit(x[None], size)[0]
    return Decoded(x[:1] if len(x) == 3 and bool((x == x[:1]).all()) else x, byte, deep)


Read = tuple[Pixels, int, int]
"""Bytes `(height, width)` or `(height, width, 3)`, and the highest values of 8 bits and of more."""


def _raw(image: Image.Image) -> str:
    """How samples lie in the file, in Pillow's words, as long as they are not decoded."""
    tiles: Any = getattr(image, "tile", None)
    arguments: Any = tiles[0][3] if tiles else ""
    return arguments if isinstance(arguments, str) else str(arguments[0]) if arguments else ""


def _is_deep_colour(image: Image.Image) -> bool:
    return image.format in ("PNG", "TIFF") and ";16" in _raw(image) and image.mode in ("RGB", "RGBA")


def _deep_colour(path: Path, image: Image.Image, number: int, white: White) -> Read:
    """Colours of 16 bits: all of them where it matters, on the first page; else the higher 8."""
    if number == 0 and (white.deep != DEEP or "transparency" in image.info):
        return _every_bit(path, image, white)
    pixels, high, _ = _plain(image, White())
    if number == 0 and high == 0:  # black, or all in the lower 8
        return pixels, 0, _every_bit(path, image, White())[2]
    if white.deep != DEEP:
        pixels = np.rint(pixels * (DEEP / white.deep)).clip(0, BYTE).astype(np.uint8)
    return pixels, 0, (high << 8) + BYTE if high else 0


def _every_bit(path: Path, image: Image.Image, white: White) -> Read:
    samples = upright(deep_colours(path), int(image.getexif().get(ORIENTATION, 1)))
    high = int(samples[..., :3][samples[..., 3] > 0].max(initial=0))
    _refuse_above(high, white.deep)
    return np.ascontiguousarray(on_white(samples, white.deep)), 0, high


def _plain(image: Image.Image, white: White) -> Read:
    """Turn any mode of Pillow's into bytes."""
    key, is_deep = _key_colour(image), image.format == "PPM"
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return _whole_numbers(np.asarray(image), key, is_deep, white)
    if image.mode == "F":
        return _fractions(np.asarray(image), white), 0, 0
    if image.has_transparency_data:
        return _on_white(image, key, white)
    pixels = np.array(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    return _stretched(pixels, white), int(pixels.max()), 0


def _key_colour(image: Image.Image) -> Any:
    """The colour that is transparent, in the values that Pillow gives: the file has it in samples of its own depth."""
    key: Any = image.info.get("transparency")
    if image.format == "PNG" and isinstance(key, int):
        return key * SAMPLES.get(_raw(image), 1)
    return tuple(part >> 8 for part in key) if isinstance(key, tuple) and _raw(image) == "RGB;16B" else key


def _on_white(image: Image.Image, key: Any, white: White) -> Read:
    if key is not None:
        image.info["transparency"] = key
    pixels = np.array(image.convert("RGBA"))
    seen = pixels[..., :3][pixels[..., 3] > 0]
    pixels[..., :3] = _stretched(pixels[..., :3], white)
    paper = Image.new("RGBA", image.size, "white")
    laid = Image.alpha_composite(paper, Image.fromarray(pixels)).convert("RGB")
    return np.array(laid), int(seen.max(initial=0)), 0


def _stretched(pixels: Pixels, white: White) -> Pixels:
    """Bytes of which another value than 255 is white."""
    if white.byte == BYTE:
        return pixels
    _refuse_above(int(pixels.max()), white.byte)
    return np.rint(pixels * (BYTE / white.byte)).clip(0, BYTE).astype(np.uint8)


def _whole_numbers(values: NDArray[Any], key: Any, deep: bool, white: White) -> Read:
    """Turn 16 bits into 8; numbers of 32 bits are taken as 16, and as 8 where all are below 256 and not `deep`."""
    numbers = values.astype(np.int64)
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high > max(DEEP, white.deep):
        hint = f"; ?scale={white_for(high):g} says which is white" if low >= 0 else ""
        raise ValueError(f"its values run from {low} to {high}, beyond 16 bits{hint}")
    if values.dtype.itemsize > 2 and high <= BYTE and not deep and white.deep == DEEP:
        return _stretched(numbers.astype(np.uint8), white), high, 0
    if white.deep != DEEP:
        _refuse_above(high, white.deep)
    pixels = np.rint(numbers * (BYTE / white.deep)).clip(0, BYTE).astype(np.uint8)
    if isinstance(key, int):
        pixels[numbers == key] = BYTE
    return pixels, 0, high


def _refuse_above(high: int, white: float) -> None:
    if high > white:
        raise ValueError(f"its values run to {high}, and {white:g} should be white")


def _fractions(values: NDArray[Any], white: White) -> Pixels:
    numbers = values.astype(np.float64) / white.fraction
    if not (np.isfinite(numbers).all() and numbers.min() >= 0 and numbers.max() <= 1):
        low, high = float(values.min()), float(values.max())
        beyond = "[0, 1]" if white.fraction == 1 else f"[0, {white.fraction:g}]"
        hint = f"; ?scale={white_for(high):g} says which is white" if low >= 0 and np.isfinite(high) else ""
        raise ValueError(f"its floating-point values run from {low:g} to {high:g}, beyond {beyond}{hint}")
    return (numbers * BYTE).round().astype(np.uint8)


def _broken(path: Path | str, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"cannot read {path}: permission denied"
    if isinstance(error, Image.UnidentifiedImageError):
        return f"{path} is no picture that can be decoded"
    return f"{path} is broken: {str(error).partition(chr(10))[0] or type(error).__name__}"
