"""Which of a record's fields is the picture, and which the label.

A record is a mapping of fields, a pair or longer tuple whose first entry is the picture and whose second the label, or
a picture alone. A field is asked for by name, or by position in a tuple; else it goes by the names that people use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from PIL import Image
from torch import Tensor

from untaught.data.telling import listed
from untaught.errors import DataError

PICTURES = (
    *("image", "images", "img", "picture", "photo", "pixel_values", "pixels", "frames", "video", "clip", "x", "data"),
    *("png", "jpg", "jpeg", "webp", "ppm", "pgm", "pbm", "bmp", "gif", "tif", "tiff", "npy"),
    *("image_path", "path", "file", "file_name", "filename"),
)
"""Names of a field with the picture, the likeliest first."""
LABELS = ("label", "labels", "class", "cls", "target", "y", "category", "fine_label")
"""Names of a field with the class."""
OTHERS = ("__key__", "__url__", "__local_path__")
"""Fields that webdataset adds."""


@dataclass(frozen=True)
class Wanted:
    """What is taken of each record."""

    image: str | int | None = None
    """The field with the picture."""
    label: str | int | None = None
    """The field with the label."""
    clip: str | None = None
    """The field that says to which clip a frame belongs."""
    axes: str | None = None
    """A letter for each axis of one example, or of all, as `layout.py` has them."""
    size: tuple[int, int] | None = None
    """Height and width that pictures are brought to."""


class Taken(NamedTuple):
    """Fields of one record."""

    picture: Any
    label: Any = None
    clip: Any = None
    key: str | None = None
    """The record's own name."""
    unused: tuple[str, ...] = ()
    label_field: str | None = None


def take(record: Any, wanted: Wanted, name: str) -> Taken:
    """Take the picture and the label out of a record.

    Raises:
        DataError: It has no picture, or not the field that is asked for.

    Example:
        >>> take({"img": 7, "cls": 1, "note": ""}, Wanted(), "x")
        Taken(picture=7, label=1, clip=None, key=None, unused=('note',), label_field='cls')
    """
    if isinstance(record, Mapping) and not is_encoded(record):
        return _of_mapping(cast(Mapping[str, Any], record), wanted, name)
    if isinstance(record, tuple) or (isinstance(record, list) and _is_pair(cast(list[Any], record))):
        return _of_tuple(cast(Sequence[Any], record), wanted, name)
    for field in (wanted.image, wanted.label, wanted.clip):
        if field is not None:
            raise DataError(f"{name} is a picture alone, without fields, so it has no {field!r}")
    return Taken(_present(record, name))


def is_picture(value: object) -> bool:
    """Whether a value is a picture by itself, whatever stands beside it."""
    return isinstance(value, Image.Image | bytes | Tensor | np.ndarray | Path) or is_encoded(value)


def is_encoded(value: object) -> bool:
    """Whether a value is a picture as Hugging Face keeps one that is not decoded."""
    return isinstance(value, Mapping) and set(cast(Mapping[str, Any], value)) == {"bytes", "path"}


def is_missing(value: object) -> bool:
    """Whether a field is empty: None, or the NaN of tables.

    Example:
        >>> is_missing(None), is_missing(float("nan")), is_missing(0)
        (True, True, False)
    """
    return value is None or (isinstance(value, float) and value != value)


def named(names: Sequence[str], known: Sequence[str]) -> str | None:
    """The likeliest of some names: one that is known, in capitals or not, or that ends in a known one behind a dot.

    Example:
        >>> named(["id", "left.PNG", "Class"], PICTURES), named(["id"], LABELS)
        ('left.PNG', None)
    """
    plain = {name.lower().rpartition(".")[2]: name for name in reversed(names)}
    return next((plain[one] for one in known if one in plain), None)


def _is_pair(record: list[Any]) -> bool:
    """Whether a list is a picture with something else behind it, rather than numbers or a clip.

    Loaders turn a pair of a picture and a number into a list of two tensors, of which the second has no axes.
    """
    if len(record) < 2 or not is_picture(record[0]):
        return False
    second = record[1]
    return not is_picture(second) or getattr(second, "ndim", None) != getattr(record[0], "ndim", None)


def _of_mapping(record: Mapping[str, Any], wanted: Wanted, name: str) -> Taken:
    fields = [field for field in record if field not in OTHERS]
    for field in (wanted.image, wanted.label, wanted.clip):
        if field is not None and field not in record:
            raise DataError(f"{name} has no field {field!r}; there are: {listed(fields, 20)}")
    image = wanted.image if wanted.image is not None else named(fields, PICTURES)
    if image is None:
        raise DataError(
            f"{name} has no field that is called a picture; there are: {listed(fields, 20) or 'none'}\n"
            "image=NAME says which one is"
        )
    label = wanted.label if wanted.label is not None else named(fields, LABELS)
    used = (image, label, wanted.clip)
    return Taken(
        _present(record[cast(str, image)], name, image),
        None if label is None else record[cast(str, label)],
        None if wanted.clip is None else record[wanted.clip],
        str(record["__key__"]) if "__key__" in record else None,
        tuple(field for field in fields if field not in used),
        None if label is None else str(label),
    )


def _of_tuple(record: Sequence[Any], wanted: Wanted, name: str) -> Taken:
    image, label = _position(wanted.image, 0), _position(wanted.label, 1)
    for field, at in ((wanted.image, image), (wanted.label, label)):
        if (field is not None or at == 0) and at >= len(record):
            raise DataError(f"{name} is a tuple of {len(record)}, and has no entry {field if field is not None else 0}")
    if wanted.clip is not None:
        raise DataError(f"{name} is a tuple, and has no field {wanted.clip!r}")
    return Taken(_present(record[image], name), record[label] if label < len(record) and label != image else None)


def _position(field: str | int | None, usual: int) -> int:
    if field is None:
        return usual
    if not str(field).isdecimal():
        raise DataError(f"examples are tuples, whose entries have numbers and no names: {field!r} is none of them")
    return int(field)


def _present(value: Any, name: str, field: str | int | None = None) -> Any:
    if is_missing(value):
        raise DataError(f"{name} has no picture" + ("" if field is None else f": its field {field!r} is empty"))
    return value
