"""Where frames come from: the file, and in video the time at which each is shown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where one frame comes from.

    Example:
        >>> str(Place("walk.mp4", seconds=83.25)), str(Place("cats/7.jpg")), str(Place(row=3, frame=40))
        ('walk.mp4 1:23.2', 'cats/7.jpg', 'row 3, frame 40')
    """

    file: str | None = None
    """Path as the source was given it; none for arrays and generated data."""
    row: int | None = None
    """Number of the example or clip in an array, from 0; none where there is a file."""
    frame: int | None = None
    """Number of the frame in its clip, from 0; none for pictures and vectors."""
    seconds: float | None = None
    """When the frame is shown, counted from the first one; none where no time is known."""
    page: int | None = None
    """Number of the page, or of an animation's frame, from 1; none where the file has one alone."""

    def __str__(self) -> str:
        """The file and the time, or the row and the frame."""
        whole = self.file if self.file is not None else f"row {self.row}"
        if self.seconds is not None:
            return f"{whole} {clock(self.seconds)}"
        if self.page is not None:
            return f"{whole}, page {self.page}"
        return whole if self.frame is None else f"{whole}, frame {self.frame}"


@dataclass(frozen=True)
class Origin:
    """The files of some frames in their order.

    Example:
        >>> origin = Origin(("a.mp4", "b.mp4"), first=(0, 2), seconds=(0.0, 0.5, 0.0, 0.04))
        >>> str(origin.place(1)), str(origin.place(3))
        ('a.mp4 0:00.5', 'b.mp4 0:00.0')
    """

    files: tuple[str, ...]
    first: Sequence[int]
    """Number of each file's first frame."""
    seconds: Sequence[float] | None = None
    """When each frame is shown, counted from its file's first; none for pictures."""
    numbers: Sequence[int] | None = None
    """Number of each frame in its clip, from 0, where every frame is a file."""

    pages: Sequence[int | None] | None = None
    """Number of each picture's page, from 1, none where its file has one alone; none where all have."""

    @staticmethod
    def of_pictures(files: Sequence[Path]) -> Origin:
        """Files of one frame each."""
        return Origin(tuple(map(str, files)), range(len(files)))

    def place(self, frame: int) -> Place:
        """Where a frame comes from, by its number among all frames."""
        number = bisect_right(self.first, frame) - 1
        if self.seconds is None:
            return Place(self.files[number], page=None if self.pages is None else self.pages[frame])
        own = frame - self.first[number] if self.numbers is None else self.numbers[frame]
        return Place(self.files[number], None, own, float(self.seconds[frame]))


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are any, cut off behind the tenths.

    Example:
        >>> clock(3.25), clock(59.97), clock(3675)
        ('0:03.2', '0:59.9', '1:01:15.0')
    """
    tenths = int(seconds * 10 + 1e-6)  # 0.3 seconds are 2.9999999999999996 tenths
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    told = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{told}" if hours else f"{minutes}:{told}"
