"""Which pictures are frames of one clip, by the numbers in their names.

A name is taken apart into its numbers and the text between them. In one folder, pictures whose names differ in their
last number alone are frames of a clip, in the order of these numbers: `walk_9.png` comes before `walk_10.png`, whatever
zeros lead. Numbers that are the same in all of a folder's names do not count: in `0001_left_8bit.png` the number is 1.
The commonest distance between two numbers is the clip's step; a larger one is a gap.

A pattern names such pictures too: `%d` is a number, `%04d` or `####` one of at least four digits, `*` any text.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from untaught.data.telling import listed

NAMED = 3
"""Frames and clips that are named; the others are only counted."""
WILD = re.compile(r"%0?(\d*)d|#+|\*")
"""What stands for something else in a pattern."""


@dataclass(frozen=True)
class Numbered:
    """Pictures that follow one another."""

    name: Path
    """The folder, and what all names in it have in common where the folder holds several clips."""
    files: tuple[Path, ...]
    numbers: tuple[int, ...]
    """Ascending; equal where two names have one number."""

    @property
    def step(self) -> int:
        """The commonest distance of two numbers."""
        apart = Counter(later - before for before, later in pairwise(self.numbers) if later > before)
        return min(apart, key=lambda step: (-apart[step], step), default=1)

    @property
    def gaps(self) -> list[int]:
        """Positions of frames before which numbers are missing.

        Example:
            >>> names = tuple(Path(f"{number}.png") for number in (1, 2, 3, 7, 8))
            >>> numbered(names)[0][0].gaps
            [3]
        """
        return [place for place, apart in enumerate(self._apart(), 1) if apart > self.step]

    @property
    def doubles(self) -> list[int]:
        """Positions of frames that have the number of the one before."""
        return [place for place, apart in enumerate(self._apart(), 1) if apart == 0]

    @property
    def missing(self) -> int:
        """How many numbers are missing."""
        return sum(apart // self.step - 1 for apart in self._apart() if apart > self.step)

    @property
    def unpadded(self) -> bool:
        """Whether the order of the numbers is another than that of the names."""
        return list(self.files) != sorted(self.files, key=str)

    def _apart(self) -> list[int]:
        return [later - before for before, later in pairwise(self.numbers)]


def numbered(files: Sequence[Path]) -> tuple[list[Numbered], list[Path]]:
    """Clips of pictures, in the order of their names, and the pictures that belong to none.

    Example:
        >>> clips, others = numbered([Path("a/2.png"), Path("a/10.png"), Path("a/cover.png"), Path("b/1.png")])
        >>> [(str(clip.name), clip.numbers) for clip in clips], [file.name for file in others]
        ([('a', (2, 10)), ('b', (1,))], ['cover.png'])
    """
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for file in files:
        by_folder[file.parent].append(file)
    found = [_in_folder(folder, own) for folder, own in by_folder.items()]
    clips = sorted((clip for own, _ in found for clip in own), key=lambda clip: str(clip.name))
    return clips, [file for _, others in found for file in others]


def is_numbered(files: Sequence[Path]) -> bool:
    """Whether most pictures are numbered, so that they could be frames."""
    clips, _ = numbered(files)
    return 2 * sum(len(clip.files) for clip in clips if len(clip.files) > 1) > len(files)


def first_named(files: Sequence[Path]) -> str:
    """The first names, within their folders where these differ, and how many more there are."""
    several = len({file.parent for file in files}) > 1
    return listed([f"{file.parent.name}/{file.name}" if several else file.name for file in files], NAMED)


# ---------------------------------------------------------------- patterns


def is_pattern(text: str) -> bool:
    """Whether a path names many pictures by a pattern."""
    return WILD.search(text) is not None


def root_of(pattern: Path) -> Path:
    """The innermost folder that holds whatever a pattern names."""
    parts = pattern.parts
    wild = (place for place, part in enumerate(parts) if is_pattern(part) and not Path(*parts[: place + 1]).exists())
    return Path(*parts[: next(wild)])


def matching(pattern: Path) -> list[Path]:
    """Files that a pattern names, by name."""
    root = root_of(pattern)
    parts = pattern.parts[len(root.parts) :]
    glob = "/".join(WILD.sub("*", _escaped(part)) for part in parts)
    wanted = re.compile("/".join(map(_expression, parts)))
    found = [file for file in root.glob(glob) if wanted.fullmatch(file.relative_to(root).as_posix()) and file.is_file()]
    return sorted((file for file in found if not file.name.startswith(".")), key=str)


def _escaped(part: str) -> str:
    """A part of a pattern in which brackets and question marks stand for themselves."""
    return re.sub(r"[\[?]", lambda found: f"[{found[0]}]", part)


def _expression(part: str) -> str:
    """A regular expression of one part of a pattern."""
    pieces, end = list[str](), 0
    for wild in WILD.finditer(part):
        pieces += [re.escape(part[end : wild.start()]), _of_wild(wild)]
        end = wild.end()
    return "".join([*pieces, re.escape(part[end:])])


def _of_wild(wild: re.Match[str]) -> str:
    if wild[0] == "*":
        return "[^/]*"
    return f"[0-9]{{{int(wild[1] or 1) if wild[0][0] == '%' else len(wild[0])},}}"


# ---------------------------------------------------------------- one folder


def _in_folder(folder: Path, files: Sequence[Path]) -> tuple[list[Numbered], list[Path]]:
    """Clips of one folder, and pictures without a number; one alone beside a clip of many belongs to none."""
    groups = _groups(files)
    frames = {key: own for key, own in groups.items() if key is not None}
    longest = max(map(len, frames.values()), default=0)
    alone = [own[0][1] for own in frames.values() if len(own) == 1 < longest]
    kept = {key: own for key, own in frames.items() if len(own) > 1 or longest == 1}
    clips = [_clip(folder / _common(key) if len(kept) > 1 else folder, own) for key, own in kept.items()]
    return clips, sorted([*alone, *(file for _, file in groups.get(None, []))], key=str)


Key = tuple[str, ...]


def _groups(files: Sequence[Path]) -> Mapping[Key | None, list[tuple[int, Path]]]:
    """Files with their numbers, by everything else in their names; None has those without a number."""
    apart = {file: re.split(r"([0-9]+)", file.stem) for file in files}
    alike: dict[Key, list[Path]] = defaultdict(list)
    for file, pieces in apart.items():
        alike[(*pieces[::2], file.suffix.lower())].append(file)
    groups: dict[Key | None, list[tuple[int, Path]]] = defaultdict(list)
    for own in alike.values():
        place = _counting(own, apart)
        for file in own:
            pieces = apart[file]
            key = None if place is None else (*pieces[:place], "#", *pieces[place + 1 :], file.suffix.lower())
            groups[key].append((0 if place is None else int(pieces[place]), file))
    return groups


def _counting(files: Sequence[Path], apart: Mapping[Path, Sequence[str]]) -> int | None:
    """Which piece of the names counts: the last number that is not the same in all, or the last of a single name."""
    places = range(len(apart[files[0]]) - 2, 0, -2)
    varied = [place for place in places if len({int(apart[file][place]) for file in files}) > 1]
    return next(iter(varied or places), None)


def _clip(name: Path, own: list[tuple[int, Path]]) -> Numbered:
    ordered = sorted(own, key=lambda pair: (pair[0], str(pair[1])))
    return Numbered(name, tuple(file for _, file in ordered), tuple(number for number, _ in ordered))


def _common(key: Key) -> str:
    return "".join(key)
