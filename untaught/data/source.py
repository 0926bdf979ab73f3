"""What `--data` means: a spec or a path becomes a source.

A spec is `NAME[:PATH][?key=value&...]` or a path. A name is a file of this folder that defines `load`; the
directory is the registry. A path is told apart by what is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from untaught.data.part import Part
from untaught.errors import DataError
from untaught.shapes import Shape


@dataclass(frozen=True)
class Parts:
    """What training reads, what selects the best checkpoint, and what measures are taken on."""

    train: Part
    validation: Part
    test: Part


@dataclass(frozen=True)
class Source:
    """A data set, opened."""

    spec: str
    """What was asked for, in full, so that it can be opened again."""
    train: Part
    validation: Part | None = None
    """The source's own validation part, where it brings one."""
    test: Part | None = None
    """The source's own test part, where it brings one."""
    label_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Broken files that were left out."""

    @property
    def shape(self) -> Shape:
        """One example's shape; for video, one frame's."""
        return self.train.shape

    @property
    def is_video(self) -> bool:
        """Whether frames belong to clips."""
        return self.train.is_video

    def parts(self) -> Parts:
        """Split: a fifth is the test part and a tenth of the rest selects, unless the source brings its own.

        Pictures and vectors give every fifth example, so that a folder sorted by class is split evenly; video gives
        the last clips, and where there are fewer than ten, the end of each. What selects a checkpoint is never what
        it is measured on.
        """
        train, test = (self.train, self.test) if self.test is not None else _cut_off(self.train, 0.2)
        train, validation = (train, self.validation) if self.validation is not None else _cut_off(train, 0.1)
        return Parts(train, validation, test)


def _cut_off(part: Part, fraction: float) -> tuple[Part, Part]:
    """Cut `fraction` off a part: the end of each clip where clips are few, the last clips, or every n-th picture."""
    count = len(part)
    if part.is_video and count < 10:
        if int(part.length.min()) < 4:
            raise DataError(f"a clip of {int(part.length.min())} frames cannot be split; give at least 4 frames")
        return part.time(0, 1 - fraction), part.time(1 - fraction, 1)
    if count < 2:
        return part, part
    number = torch.arange(count)
    if part.is_video:
        held = number >= count - max(1, round(count * fraction))
    else:
        held = ((number + 1) * fraction).floor() > (number * fraction).floor()
        held[-1] |= not held.any()
    return part.clips(number[~held]), part.clips(number[held])
