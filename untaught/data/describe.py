"""What is in a source: counts, shape, range, mean and deviation, classes, lengths of clips."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.view import as_float

SAMPLED = 2_000
"""Frames from which the values are described, at most."""
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
        "shape": list(source.shape),
        "stored": str(source.train.frames.dtype).removeprefix("torch."),
        "in_memory": source.train.frames.in_memory is not None,
        "parts": {name: counts(part) for name, part in source.all_parts().items()},
        "range": [float(x.min()), float(x.max())],
        "mean": float(x.mean()),
        "deviation": float(x.std()),
        "labels": label_counts(source),
        "latents": {name: value.shape[1] for name, value in source.train.latents.items()},
        "skipped": list(source.skipped),
        "notes": list(source.notes),
    }


def kind(source: Source) -> str:
    """Say what the examples are: vectors, pictures or video."""
    if source.is_video:
        return "video"
    return "pictures" if len(source.shape) == 3 else "vectors"


def counts(part: Part) -> dict[str, int]:
    """Count a part's examples; for video clips, frames, and the shortest and longest clip."""
    if not part.is_video:
        return {"examples": len(part)}
    length = part.length
    return {
        "clips": len(part),
        "frames": int(length.sum()),
        "shortest": int(length.min()),
        "longest": int(length.max()),
        **({"cuts": len(part.cuts)} if len(part.cuts) else {}),
    }


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
