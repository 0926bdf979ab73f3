"""KTH actions: 599 clips of six actions by 25 people in four scenes, 160x120, grey, in a folder of your own.

`kth:DIR` is the folder in which a folder of each action lies, as its six archives are named; without one it is `kth` in
the cache folder. Parts are by person, as published: `person15_walking_d1_uncomp.avi` is of person 15, and eight people
are to learn from, eight others select a checkpoint, and nine are tested on.

References:
    Schüldt, Laptev, Caputo 2004, Recognizing human actions: a local SVM approach, ICPR.
"""

from __future__ import annotations

import re
from pathlib import Path

from untaught.config import Count, configuration
from untaught.data.classes.divided_clips import divided_clips, folder_of
from untaught.data.source import Source

PERSON = re.compile(r"^person(\d+)_")
LEARNT = frozenset(range(11, 19))
SELECTING = frozenset((19, 20, 21, 23, 24, 25, 1, 4))
TESTED = frozenset((22, 2, 3, 5, 6, 7, 8, 9, 10))
"""People of each part, those of the paper."""


@configuration
class Options:
    """How clips are read."""

    every: Count = 1
    """Take every n-th frame only."""
    size: str = ""
    """Height and width of the frames: 64 or 48x64; empty leaves them."""


def load(path: Path | None, options: Options) -> Source:
    """Open KTH from a folder or from the cache folder."""
    return divided_clips(folder_of("kth", path), part_of, options.size, grey=True, every=options.every)


def part_of(file: Path) -> str:
    """The part of a clip by its person.

    Example:
        >>> part_of(Path("person15_walking_d1_uncomp.avi")), part_of(Path("person22_boxing_d2_uncomp.avi"))
        ('train', 'test')
    """
    found = PERSON.match(file.stem)
    person = 0 if found is None else int(found[1])
    for name, people in (("train", LEARNT), ("validation", SELECTING), ("test", TESTED)):
        if person in people:
            return name
    return ""
