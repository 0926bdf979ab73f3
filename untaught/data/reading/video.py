"""A video file, or a folder of them: each file is a clip.

What fits into memory is decoded once, as bytes; larger video is read by window, see `video_frames.py`. Frames are
turned upright as the file says. Where files differ in size, all are brought to the smallest size of the commonest
aspect. The source is grey, one channel, when every file is without colour. `class_folders.py` says what sub-folders
are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from untaught.config import Count, configuration
from untaught.data.class_folders import arranged
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.reading.cuts import find_cuts
from untaught.data.reading.folder import VIDEO, attempt, files_of, refuse
from untaught.data.reading.video_frames import VideoFrames
from untaught.data.reading.video_index import decoded, index_video
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
    cuts: bool = True
    """Find cuts, so that no window of frames crosses one."""


LARGEST = 320
"""Longer side of a frame in pixels to which larger video is reduced where no size is asked for: motion between frames
is then of a few pixels, and a film fits into memory."""


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open a video file or a folder of them.

    Raises:
        DataError: A file is broken or cut off, or all are.
    """
    files = files_of(path, VIDEO)
    tables, broken = attempt(index_video, files)
    refuse(path, broken, len(files), reading)
    sizes = [table.size for table in tables.values()]
    size = reading.size or reduced_size(commonest_size(sizes))
    grey = options.grey or all(table.grey for table in tables.values())
    on_disk = VideoFrames(list(tables.values()), options.every, grey, size)
    frames, lengths, more = _whole(on_disk) if on_disk.nbytes <= reading.memory else _by_window(on_disk)
    broken = {**broken, **more}
    refuse(path, broken, len(files), reading)
    folders = arranged(path, list(tables))
    part = replace(_part(frames, on_disk, lengths, folders.label), origin=on_disk.origin)
    if options.cuts:
        part = replace(part, cuts=find_cuts(frames, part.first.tolist(), part.length.tolist()))
    skipped, chosen = tuple(map(str, broken)), None if reading.size or set(sizes) == {size} else size
    source = Source(str(path), part, skipped=skipped, chosen_size=chosen)
    return folders.kept([lengths.get(path, 0) > 0 for path in tables]).source(source)


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
    place = {file.path: slot for file, slot in zip(on_disk.files, places, strict=True)}
    lengths, broken = attempt(lambda path: _decode_into(place[path], path, on_disk), list(place))
    return WholeFrames(store), lengths, broken


def _decode_into(place: Tensor, path: Path, on_disk: VideoFrames) -> int:
    """Decode one file; gives how many frames it has, which are fewer than packets where the last ones are broken."""
    count = 0
    for frame in islice(decoded(path), 0, len(place) * on_disk.every, on_disk.every):
        place[count] = on_disk.picture(frame)
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
