"""A video file, or a folder of them: each file is a clip.

What fits into memory is decoded once, as bytes; larger video is read by window, see `video_frames.py`. Frames are
turned upright as the file says, and laid on white where they are transparent. Where files differ in size, all are
brought to the smallest size of the commonest aspect. The source is grey, one channel, when every file is without
colour. `class_folders.py` says what sub-folders are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from untaught.config import Count, Whole, configuration
from untaught.data.classes.class_folders import arranged
from untaught.data.origin import clock
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.reading.clips.excerpt import Excerpt, excerpt
from untaught.data.reading.clips.frame_names import first_named
from untaught.data.reading.cuts import find_cuts
from untaught.data.reading.folder import VIDEO, attempt, files_of, refuse
from untaught.data.reading.video_frames import VideoFrames
from untaught.data.reading.video_index import VideoIndex, index_video
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.errors import DataError


@configuration
class Options:
    """How video is read."""

    grey: bool = False
    """Take the luminance of coloured video."""
    every: Count = 1
    """Take every n-th frame only."""
    from_: Annotated[str | None, Field(alias="from")] = None
    """Begin at this moment of each file: a time, 10s, 1m30s or 1:30, or a frame's number."""
    to: str | None = None
    """End before this moment."""
    stream: Whole | None = None
    """Which of a file's video streams, from 0; by default the best."""
    cuts: bool = True
    """Find cuts, so that no window of frames crosses one."""


LARGEST = 320
"""Longer side of a frame in pixels to which larger video is reduced where no size is asked for: motion between frames
is then of a few pixels, and a film fits into memory."""


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open a video file or a folder of them.

    Raises:
        DataError: A file is broken or cut off, or all are, or none lasts until the first moment.
    """
    asked = excerpt(options.from_, options.to, options.every)
    files = files_of(path, VIDEO)
    tables, broken = attempt(lambda file: index_video(file, options.stream), files)
    refuse(path, broken, len(files), reading)
    long, notes = _long_enough(path, list(tables.values()), asked, options)
    sizes = [table.size for table in long]
    size = reading.size or reduced_size(commonest_size(sizes))
    grey = options.grey or all(table.grey for table in long)
    on_disk = VideoFrames(long, [asked.of(table.seconds) for table in long], grey, size)
    frames, lengths, more = _whole(on_disk) if on_disk.nbytes <= reading.memory else _by_window(on_disk)
    broken = {**broken, **more}
    refuse(path, broken, len(files), reading)
    folders = arranged(path, [table.path for table in long])
    part = replace(_part(frames, on_disk, lengths, folders.label), origin=on_disk.origin)
    if options.cuts:
        part = replace(part, cuts=find_cuts(frames, part.first.tolist(), part.length.tolist()))
    skipped, chosen = tuple(map(str, broken)), None if reading.size or set(sizes) == {size} else size
    source = Source(str(path), part, skipped=skipped, chosen_size=chosen, notes=notes)
    return folders.kept([lengths.get(table.path, 0) > 0 for table in long]).source(source)


def _long_enough(
    path: Path, tables: Sequence[VideoIndex], asked: Excerpt, options: Options
) -> tuple[list[VideoIndex], tuple[str, ...]]:
    """Files that have a frame of what is asked for, and what is to be told of the others and of further streams.

    Raises:
        DataError: There is none.
    """
    long = [table for table in tables if len(asked.of(table.seconds))]
    if not long:
        longest = max(tables, key=lambda table: float(table.seconds[-1]))
        raise DataError(f"{path} has no frame {asked}: {len(longest)} frames, the last at {clock(longest.seconds[-1])}")
    short = [table.path for table in tables if not len(asked.of(table.seconds))]
    several = [table for table in long if table.streams > 1] if options.stream is None else []
    told = [f"{len(short)} of {len(tables)} clips have no frame {asked}: {first_named(short)}"] if short else []
    if several:
        first, streams = several[0], f"{several[0].streams} video streams; number {several[0].stream} is read"
        also = f", and {len(several) - 1} more files have several" if len(several) > 1 else ""
        told.append(f"{first.path} has {streams}, ?stream=N takes another{also}")
    return long, tuple(told)


def commonest_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The smallest size of the commonest aspect, width over height to a twentieth; of equally common ones the first.

    Example:
        >>> commonest_size([(1080, 1920), (480, 640), (720, 1280), (1920, 1080)])
        (720, 1280)
    """
    aspects = [round(20 * width / height) for height, width in sizes]
    commonest = Counter(aspects).most_common(1)[0][0]
    return min(size for size, aspect in zip(sizes, aspects, strict=True) if aspect == commonest)


def reduced_size(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of frames of which the longer side is at most 320 pixels.

    Example:
        >>> reduced_size((1080, 1920)), reduced_size((1920, 1080)), reduced_size((144, 176))
        ((180, 320), (320, 180), (144, 176))
    """
    times = LARGEST / max(size)
    return size if times >= 1 else (max(1, round(size[0] * times)), max(1, round(size[1] * times)))


Opened = tuple[Frames, dict[Path, int], dict[Path, DataError]]
"""Frames, how many of each file's there are, and what is wrong with the others."""


def _whole(on_disk: VideoFrames) -> Opened:
    """Decode every file once, each into its place."""
    store = torch.empty(on_disk.count, *on_disk.shape, dtype=torch.uint8)
    places = store.tensor_split(torch.from_numpy(on_disk.first[1:-1]))
    number = {file.path: number for number, file in enumerate(on_disk.files)}
    lengths, broken = attempt(lambda path: _decode_into(places[number[path]], number[path], on_disk), list(number))
    return WholeFrames(store), lengths, broken


def _decode_into(place: Tensor, number: int, on_disk: VideoFrames) -> int:
    """Decode one file; gives how many frames it has, which are fewer than packets where the last ones are broken."""
    count = 0
    for frame in on_disk.all_of(number):
        place[count] = on_disk.picture(number, frame)
        count += 1
    return count


def _by_window(on_disk: VideoFrames) -> Opened:
    """Leave the frames on disk, where each file's table can be trusted."""
    broken = {
        file.path: DataError(
            f"{file.path} does not say when its frames are shown, so it cannot be read by window\n"
            "re-encode it, for instance to .mp4, or bring it to a --size that fits into memory"
        )
        for file in on_disk.files
        if not file.exact
    }
    lengths = dict(zip((file.path for file in on_disk.files), on_disk.lengths, strict=True))
    return on_disk, {path: length for path, length in lengths.items() if path not in broken}, broken


def _part(frames: Frames, on_disk: VideoFrames, lengths: Mapping[Path, int], label: Tensor | None) -> Part:
    """Make clips of the files that are not broken."""
    part = Part.over(frames, torch.tensor(on_disk.lengths), label)
    length = torch.tensor([lengths.get(file.path, 0) for file in on_disk.files])
    return replace(part, length=length).clips((length > 0).nonzero()[:, 0])
