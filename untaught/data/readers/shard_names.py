"""Which paths and patterns name shards: a tar file, a folder of them, `shards/*.tar`, `shards/{000..009}.tar`."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

ENDINGS = (".tar", ".tar.gz", ".tgz")
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
"""Numbers from one to another, with the zeros of the first."""


def is_shard(path: Path | str) -> bool:
    """Whether a file is a shard by its ending.

    Example:
        >>> is_shard("a/0001.tar"), is_shard("a.npy")
        (True, False)
    """
    return str(path).lower().endswith(ENDINGS)


def numbered_names(text: str) -> list[str]:
    """All names that a text with a range means.

    Example:
        >>> numbered_names("a-{008..010}.tar")
        ['a-008.tar', 'a-009.tar', 'a-010.tar']
    """
    found = RANGE.search(text)
    if found is None:
        return [text]
    first, last = found.groups()
    middles = [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return [name for one in middles for name in numbered_names(text[: found.start()] + one + text[found.end() :])]


def shard_files(text: str) -> list[Path]:
    """Shards that a path or a pattern names, in the order of their names; those of a range in its order.

    A file that a range names and that is not there is in the list; it is refused when it is opened.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        return sorted(path / name for name in os.listdir(path) if is_shard(name) and not name.startswith("."))
    if path.is_file() or not is_shard(text):
        return [path] if is_shard(text) and path.is_file() else []
    if RANGE.search(text):
        names = numbered_names(str(path))
        return [Path(name) for name in names] if any(os.path.exists(name) for name in names) else []
    return sorted(Path(name) for name in glob.glob(str(path)))
