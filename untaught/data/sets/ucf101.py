"""UCF101: 13,320 clips of 101 human actions from YouTube, 320x240, in colour, in a folder of your own.

`ucf101:DIR` is the folder in which a folder of each class lies, at any depth; without one it is `ucf101` in the cache
folder. Where the lists of the three splits are there, `testlist01.txt` and its like, they say which clips are for
testing. Without them the file names do: `v_Archery_g05_c02.avi` is of group 5, and the groups 1 to 7, 8 to 14 or 15
to 21 are the test part of split 1, 2 or 3. Groups 22 and 23 of the training part select a checkpoint: clips of a group
were cut from one video.

A folder of other clips is read in the same way where its files have such names; any other folder of classes needs no
name in front: `--data DIR`.

References:
    Soomro, Zamir, Shah 2012, UCF101: a dataset of 101 human action classes from videos in the wild, arXiv:1212.0402.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from untaught.config import Count, configuration
from untaught.data.classes.divided_clips import divided_clips, folder_of
from untaught.data.source import Source

GROUP = re.compile(r"_g(\d+)_c\d+$")
IN_A_SPLIT = 7
"""Groups in the test part of a split."""
SELECTING = (22, 23)
"""Groups that are never tested on, and select a checkpoint."""


@configuration
class Options:
    """Which split, and how clips are read."""

    split: Annotated[int, Field(ge=1, le=3)] = 1
    """Which of the three published splits."""
    grey: bool = False
    """Take the luminance."""
    every: Count = 1
    """Take every n-th frame only."""
    size: str = ""
    """Height and width of the frames: 64 or 48x64; empty leaves them."""


def load(path: Path | None, options: Options) -> Source:
    """Open UCF101 from a folder or from the cache folder."""
    folder = folder_of("ucf101", path)
    lists = sorted(folder.rglob(f"testlist{options.split:02d}.txt"))
    tested = {Path(line.split()[0]).stem for line in lists[0].read_text().splitlines() if line} if lists else None
    its_part = partial(part_of, split=options.split, tested=tested)
    return divided_clips(folder, its_part, options.size, options.grey, options.every)


def part_of(file: Path, split: int, tested: set[str] | None) -> str:
    """The part of a clip, by the list of those that are tested, or by its group.

    Example:
        >>> part_of(Path("v_Archery_g05_c02.avi"), 1, None), part_of(Path("v_Archery_g22_c02.avi"), 1, None)
        ('test', 'validation')
        >>> part_of(Path("v_Archery_g05_c02.avi"), 1, {"v_Archery_g01_c01"}), part_of(Path("notes.avi"), 1, None)
        ('train', '')
    """
    found = GROUP.search(file.stem)
    group = None if found is None else int(found[1])
    if tested is None and group is None:
        return ""
    last = IN_A_SPLIT * split
    if file.stem in tested if tested is not None else last - IN_A_SPLIT < (group or 0) <= last:
        return "test"
    return "validation" if group in SELECTING else "train"
