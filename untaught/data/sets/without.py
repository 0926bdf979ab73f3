"""Any source without some of its classes: they are missing where a model learns, and stay in the test part.

What was left out is then what a model should find unusual: `untaught evaluate RUN --measure unusual` says how well it
does. A folder stands behind the colon, `without:photos/?classes=cat`; a named set is an option,
`without?of=digits&classes=3`. Several classes are separated by commas, as names or as numbers.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import torch

from untaught.config import configuration
from untaught.data.labels import clip_labels
from untaught.data.part import Part
from untaught.data.source import Source, open_data
from untaught.errors import DataError


@configuration
class Options:
    """Of what, and without what."""

    of: str = ""
    """A named set, in place of a path."""
    classes: str = ""
    """Classes to leave out of the training and validation parts, by name or number, separated by commas."""


def load(path: Path | None, options: Options) -> Source:
    """Open what stands behind the colon, and leave classes out of all parts but the test part."""
    if (path is None) == (not options.of) or not options.classes:
        raise DataError(
            "without takes a path or a named set, and classes:\n"
            "without:photos/?classes=cat, without?of=digits&classes=3, without?of=digits&classes=3,8"
        )
    source = open_data(path or options.of)
    parts = source.parts()
    left_out = torch.tensor([_number(source, name.strip()) for name in options.classes.split(",")])
    train, validation = (_without(part, left_out) for part in (parts.train, parts.validation))
    if not len(train):
        raise DataError(f"without {options.classes} nothing is left to learn from {source.spec}")
    return replace(source, spec="without", train=train, validation=validation, test=parts.test)


def _without(part: Part, left_out: torch.Tensor) -> Part:
    return part.clips((~torch.isin(clip_labels(part), left_out)).nonzero()[:, 0])


def _number(source: Source, name: str) -> int:
    """The number of a class that the source has.

    Raises:
        DataError: It has no class of that name or number.
    """
    there = [int(label) for label in source.train.label.unique() if label >= 0]
    names = [source.label_names[label] if label < len(source.label_names) else str(label) for label in there]
    if name in names:
        return there[names.index(name)]
    if name.isdecimal() and int(name) in there:
        return int(name)
    if not names:
        raise DataError(
            f"{source.spec} has no classes; a folder of pictures has, where every picture is in a sub-folder"
        )
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names[:20])}"
    raise DataError(f"{source.spec} has no class {name!r}; {hint}")
