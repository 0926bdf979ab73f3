"""What is in a source: counts, shape, range, mean and deviation, classes, lengths of clips."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.reading.clips.frame_names import is_numbered
from untaught.data.reading.folder import IMAGES, VIDEO
from untaught.data.source import Source
from untaught.data.view import as_float

SAMPLED = 2_000
"""Frames from which the values are described, at most."""
NAMED = 100
"""Duplicates that are named."""
COMPARED = 2**28
"""Values of all examples up to which these are compared with one another."""
VALUES = 2**26
"""Values from which they are described, at most: large frames must not fill the memory."""


def describe(source: Source) -> dict[str, Any]:
    """Describe a source in plain values, ready for JSON.

    Range, mean and deviation are those of at most 2,000 evenly spaced training frames, fewer of large ones, as a model
    sees them: bytes are divided by 255.

    Example:
        >>> from untaught.data.reading.arrays import from_array
        >>> found = describe(from_array(torch.zeros(6, 8, 8), label=[0, 0, 0, 0, 1, 1]))
        >>> found["kind"], found["shape"], found["labels"]
        ('pictures', [1, 8, 8], {'0': 4, '1': 2})
    """
    x = as_float(source.train.frames.read(_spaced(source.train)))
    return {
        "spec": source.spec,
        "kind": kind(source),
        "read_as": read_as(source),
        "shape": list(source.shape),
        "stored": str(source.train.frames.dtype).removeprefix("torch."),
        "in_memory": source.train.frames.in_memory is not None,
        "parts": {name: counts(part) for name, part in source.all_parts().items()},
        "range": [float(x.min()), float(x.max())],
        "mean": float(x.mean()),
        "deviation": float(x.std()),
        "labels": label_counts(source),
        "unlabelled": int((source.train.label[source.train.first] < 0).sum()),
        "latents": {name: value.shape[1] for name, value in source.train.latents.items()},
        "scale": source.scale,
        "duplicates": None if (found := doubles(source)) is None else len(found),
        "same": [f"{again} is {earlier}" for again, earlier in (found or [])[:NAMED]],
        "skipped": [*source.skipped, *source.left_out],
        "notes": list(source.notes),
    }


def doubles(source: Source) -> list[tuple[str, str]] | None:
    """Pictures, vectors or clips that are the same as an earlier one, each with that one.

    In memory their values are compared, and on disk their files; None where there are too many values, or where a file
    holds more than one.

    Example:
        >>> from untaught.data.reading.arrays import from_array
        >>> doubles(from_array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
        [('row 2', 'row 0')]
    """
    parts = list(source.all_parts().values())
    values = sum(part.frames.count for part in parts) * torch.Size(source.shape).numel()
    in_memory = values <= COMPARED and all(part.frames.in_memory is not None for part in parts)
    contents = [_values(part) for part in parts] if in_memory else _files(parts)
    seen: dict[object, str] = {}
    found: list[tuple[str, str]] = []
    if contents is None:
        return None
    for part, content in zip(parts, contents, strict=True):
        for first, digest in zip(part.first.tolist(), content, strict=True):
            if digest in seen:
                found.append((_place(part, first), seen[digest]))
            else:
                seen[digest] = _place(part, first)
    return found


def _values(part: Part) -> list[object]:
    """A digest of each example's values."""
    frames = part.frames.in_memory
    assert frames is not None
    clips = [frames[first : first + length] for first, length in zip(part.first, part.length, strict=True)]
    return [sha256(clip.contiguous().cpu().numpy().data).digest() for clip in clips]


def _files(parts: Sequence[Part]) -> list[list[object]] | None:
    """What tells each example's file from others; None where there are none, or where one holds several.

    That is its size, and where several files have that size, a digest too: few files are read.
    """
    origins = [part.origin for part in parts]
    found: list[list[tuple[str, int]]] = []
    for part, origin in zip(parts, origins, strict=True):
        if origin is None or list(origin.first) != part.first.tolist():
            return None
        found.append([(file, os.path.getsize(file)) for file in origin.files])
    often = Counter(size for files in found for _, size in files)
    return [[(size, _digest(file) if often[size] > 1 else b"") for file, size in files] for files in found]


def _digest(file: str) -> bytes:
    with open(file, "rb") as opened:
        return file_digest(opened, "sha256").digest()


def _place(part: Part, frame: int) -> str:
    place = part.place_of(frame)
    short = str(place if place.file is None else replace(place, file="/".join(Path(place.file).parts[-2:])))
    return short.rpartition(" ")[0] if place.seconds is not None else short


def read_as(source: Source) -> str:
    """Say by which rule a source was read.

    Example:
        >>> from untaught.data.source import open_data
        >>> read_as(open_data("bars"))
        'the named set bars'
    """
    subject, origin = source.spec.partition("?")[0], source.train.origin
    if origin is None:
        return f"the named set {subject}" if not Path(subject).exists() else f"an array, {kind(source)}"
    files, what = [Path(file) for file in origin.files], kind(source)
    if source.is_video and files[0].suffix.lower() in IMAGES - VIDEO:
        return "numbered pictures, each a frame"
    if not Path(subject).is_dir():
        return f"one file of {what}"
    classes = ", its sub-folders are classes" if source.label_names else ""
    hint = (
        "; they are numbered, and ?video=true takes them for frames"
        if not source.is_video and is_numbered(files)
        else ""
    )
    return f"a folder of {what}{classes}{hint}"


def kind(source: Source) -> str:
    """Say what the examples are: vectors, pictures or video."""
    if source.is_video:
        return "video"
    return "pictures" if len(source.shape) == 3 else "vectors"


def counts(part: Part) -> dict[str, int | float]:
    """Count a part's examples; for video clips, frames, and the shortest and longest clip."""
    if not part.is_video:
        return {"examples": len(part)}
    length = part.length
    return {
        "clips": len(part),
        "frames": int(length.sum()),
        "shortest": int(length.min()),
        "longest": int(length.max()),
        **_seconds(part),
        **({"cuts": len(part.cuts) - part.gaps} if len(part.cuts) > part.gaps else {}),
        **({"gaps": part.gaps} if part.gaps else {}),
    }


def _seconds(part: Part) -> dict[str, float]:
    """How long all clips last, from their first frame to their last, where times are known."""
    ends = [(int(first), int(first + length - 1)) for first, length in zip(part.first, part.length, strict=True)]
    times = [(part.place_of(begin).seconds, part.place_of(end).seconds) for begin, end in ends]
    known = [end - begin for begin, end in times if begin is not None and end is not None]
    return {"seconds": round(sum(known), 3)} if known and len(known) == len(times) else {}


def label_counts(source: Source) -> dict[str, int]:
    """Count the training examples of each class, by its name where it has one."""
    label = source.train.label[source.train.first]
    classes, number = label[label >= 0].unique(return_counts=True)
    names = source.label_names
    return {
        names[one] if one < len(names) else str(one): count
        for one, count in zip(classes.tolist(), number.tolist(), strict=True)
    }


def _spaced(part: Part) -> Tensor:
    """Numbers of evenly spaced frames of all clips."""
    total = int(part.length.sum())
    count = max(1, min(SAMPLED, total, VALUES // torch.Size(part.shape).numel()))
    wanted = torch.linspace(0, total - 1, count, dtype=torch.float64).long()
    after = part.length.cumsum(0)
    clip = torch.searchsorted(after, wanted, right=True)
    return part.first[clip] + wanted - (after - part.length)[clip]
