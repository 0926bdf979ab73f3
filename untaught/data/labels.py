"""How many labels a training knows: examples stay, labels are hidden; or only labelled examples stay."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.errors import DataError
from untaught.nn.targets import NO_LABEL

SELECTING = 5
"""One label of so many selects the best checkpoint, and is not learnt from."""


def as_labelled(parts: Parts, per_class: int | None, seed: int, only: bool, selects: bool) -> Parts:
    """The parts as a stage sees them.

    Args:
        parts: All that there is.
        per_class: How many labels of each class are known; none leaves all.
        seed: Of the labels that are drawn.
        only: Leave out what has no label.
        selects: Whether labels decide which checkpoint is best: of few, all that may, and no other examples.
    """
    known = parts if per_class is None else few_labels(parts, per_class, seed)
    if only:
        return labelled_only(known)
    return replace(known, validation=labelled_only(known).validation) if selects and per_class is not None else known


def few_labels(parts: Parts, per_class: int, seed: int) -> Parts:
    """Hide all labels of the training and the validation part but `per_class` of each class, drawn by the seed.

    Of five labels or more a fifth are the validation part's; with fewer it has none.

    Raises:
        DataError: A class has fewer labels than that.
    """
    held = per_class // SELECTING
    return replace(
        parts,
        train=_hidden(parts.train, per_class - held, seed, "training"),
        validation=_hidden(parts.validation, held, seed + 1, "validation"),
    )


def labelled_only(parts: Parts) -> Parts:
    """Leave out what has no label; where the validation part has none, the training part's examples select.

    Raises:
        DataError: The training part has no label.
    """
    train, validation = (_with_labels(part) for part in (parts.train, parts.validation))
    if not len(train):
        raise DataError(NO_LABEL)
    return replace(parts, train=train, validation=validation if len(validation) else train)


def clip_labels(part: Part) -> Tensor:
    """The class of each clip, int64 `(clip,)`: that of its first frame."""
    return part.label[part.first.to(part.label.device)]


def _with_labels(part: Part) -> Part:
    return part.clips((clip_labels(part) >= 0).nonzero()[:, 0].to(part.first.device))


def _hidden(part: Part, per_class: int, seed: int, name: str) -> Part:
    """The part with labels of `per_class` random clips of each class, and of no other."""
    of_clip, generator = clip_labels(part).cpu(), torch.Generator().manual_seed(seed % 2**63)
    label = torch.full_like(part.label, -1)
    if per_class and not bool((of_clip >= 0).any()):
        raise DataError(f"--labels-per-class {per_class}: no example of the {name} part has a label")
    for number in of_clip[of_clip >= 0].unique():
        members = (of_clip == number).nonzero()[:, 0]
        if len(members) < per_class:
            raise DataError(
                f"class {int(number)} has {len(members)} labels in the {name} part, and {per_class} were asked for;\n"
                f"--labels-per-class {len(members)} at most, of which a fifth select"
            )
        for clip in members[torch.randperm(len(members), generator=generator)[:per_class]]:
            begin, frames = int(part.first[clip]), int(part.length[clip])
            label[begin : begin + frames] = number
    return replace(part, label=label)
