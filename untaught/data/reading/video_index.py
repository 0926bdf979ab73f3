"""When each frame of a video file is shown, read without decoding.

A file is a row of packets, one for each frame, in the order of decoding; each says when its frame is shown. Sorting
these times numbers the frames in the order of showing, whatever frames are decoded ahead of their turn. Packets that an
edit list cuts off are left out. The first frames are decoded and compared with the table, so that a file whose packets
do not tell the truth is known; such a file can be decoded from its start, but not be read by window.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from untaught.data.reading.clips.frame_pixels import frames_of, is_grey
from untaught.data.reading.clips.upright import Orientation, orientation_of
from untaught.errors import DataError

COMPARED = 32
"""Frames at the start whose times are compared with the table: more than any codec shuffles."""
MISSING_SECONDS = 0.5
"""A file whose last frame ends this much before the length that its header gives is cut off."""


@dataclass(frozen=True)
class VideoIndex:
    """The table of one file."""

    path: Path
    times: NDArray[np.int64]
    """When each frame is shown, ascending, in units of the stream."""
    keys: NDArray[np.int64]
    """Frames from which decoding can begin `(key, 2)`: when each is shown, ascending, and where to seek for it."""
    exact: bool
    """Whether the table agrees with the decoded frames, so that windows can be read."""
    size: tuple[int, int]
    """Height and width, upright."""
    grey: bool
    """Whether the file has no colour."""
    unit: float
    """Seconds in a unit of `times`."""
    upright: Orientation
    """How its frames are laid."""
    stream: int
    """Which of the file's video streams it is, from 0."""
    streams: int
    """How many video streams the file holds."""

    @property
    def seconds(self) -> NDArray[np.float64]:
        """When each frame is shown, counted from the first."""
        return (self.times - self.times[0]).astype(np.float64) * self.unit

    def __len__(self) -> int:
        """Frames in the file."""
        return len(self.times)


def open_video(path: Path, number: int | None = None) -> tuple[InputContainer, VideoStream]:
    """Open a file at one of its video streams, by default the best, decoding with several threads.

    Raises:
        DataError: It cannot be read, or holds no video, or no stream of that number.
    """
    try:
        container = av.open(str(path), metadata_errors="replace")  # titles may be in any encoding
    except PermissionError as error:
        raise DataError(f"cannot read {path}: permission denied") from error
    except (FFmpegError, OSError) as error:
        raise DataError(f"{path} is no video that can be decoded: it is cut off, or something else") from error
    try:
        stream = _chosen(container, path, number)
    except DataError:
        container.close()
        raise
    stream.thread_type = "AUTO"
    return container, stream


def streams_of(container: InputContainer) -> list[VideoStream]:
    """Video streams of a file, without pictures of its cover."""
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    return moving or list(container.streams.video)


def index_video(path: Path, number: int | None = None) -> VideoIndex:
    """Read the table of one of a file's video streams, by default the best.

    Raises:
        DataError: The file cannot be decoded, or is cut off, or has no stream of that number.
    """
    container, stream = open_video(path, number)
    with container, _named(path):
        streams = streams_of(container)
        own = next(place for place, other in enumerate(streams) if other.index == stream.index)
        packets = [
            _Packet(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, packet.is_corrupt)
            for packet in container.demux(stream)
            if packet.size and not packet.is_discard
        ]
        _check_whole(path, container, stream, packets)
        tick, frame = float(stream.time_base or 0), 1 / float(stream.average_rate or 25)
    table = _table(path, packets, list(islice(decoded(path, own), COMPARED)), tick, frame)
    return replace(table, stream=own, streams=len(streams))


def decoded(path: Path, number: int | None = None) -> Iterator[VideoFrame]:
    """Decode a stream of a file from its start.

    Raises:
        DataError: The decoder gives up.
    """
    container, stream = open_video(path, number)
    with container, _named(path):
        yield from frames_of(container, stream)


def _chosen(container: InputContainer, path: Path, number: int | None) -> VideoStream:
    """The stream that is asked for, or the best."""
    streams = streams_of(container)
    best = container.streams.best("video")
    if not streams or not isinstance(best, VideoStream):
        raise DataError(f"{path} holds no video")
    if number is None:
        return best if best.index in {stream.index for stream in streams} else streams[0]
    if number >= len(streams):
        there = "one video stream, 0" if len(streams) == 1 else f"video streams 0 to {len(streams) - 1}"
        raise DataError(f"stream = {number}: {path} has {there}")
    return streams[number]


class _Packet(NamedTuple):
    """What a packet says of its frame, times in units of the stream."""

    shown: int | None
    decoded: int | None
    lasts: int
    is_key: bool
    is_corrupt: bool


@contextmanager
def _named(path: Path) -> Generator[None]:
    """Name the file in what FFmpeg raises."""
    try:
        yield
    except FFmpegError as error:
        raise DataError(f"{path} is broken: {error.strerror}") from error


def _check_whole(path: Path, container: InputContainer, stream: VideoStream, packets: Sequence[_Packet]) -> None:
    """Refuse a file without frames, with a damaged packet, or that ends long before its header says.

    Some write how long the stream is, others when it ends, which differs where it does not begin at zero, as in pieces
    of a longer file. Only what is too short by both is cut off.
    """
    if not packets:
        raise DataError(f"{path} holds no frames")
    damaged = next((number for number, packet in enumerate(packets) if packet.is_corrupt), None)
    if damaged is not None:
        raise DataError(f"{path} is damaged or cut off at frame {damaged} of {max(stream.frames, len(packets))}")
    ends = [packet.shown + packet.lasts for packet in packets if packet.shown is not None]
    expected, unit = _seconds(container, stream), float(stream.time_base or 0)
    if not ends or expected is None:
        return
    found = max(max(ends), max(ends) - (stream.start_time or 0)) * unit
    if expected - found > MISSING_SECONDS:
        raise DataError(f"{path} is cut off: it ends after {found:.2f} of {expected:.2f} seconds")


def _seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """How long the header says that the stream is; Matroska writes it as text, `00:00:02.400000000`.

    In other files such a text is left from what they were made of.
    """
    if stream.duration is not None:
        return float(stream.duration * (stream.time_base or 0))
    if "matroska" not in container.format.name:
        return None
    parts = stream.metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def _table(
    path: Path, packets: Sequence[_Packet], first: Sequence[VideoFrame], tick: float, frame: float
) -> VideoIndex:
    """Sort the packets by time, and compare the table with the first decoded frames.

    `tick` and `frame` are the seconds of a unit of time and of a frame; where times are not known, frames are counted.
    Frames before the first decoded one lean on frames that the file does not have, and are left out.
    """
    if not first:
        raise DataError(f"{path} holds no frame that can be decoded")
    shown = np.unique(np.array([packet.shown for packet in packets if packet.shown is not None], dtype=np.int64))
    seen = [frame.pts for frame in first]
    begin = int(np.searchsorted(shown, seen[0])) if seen[0] is not None else 0
    exact = len(shown) == len(packets) and shown[begin : begin + len(seen)].tolist() == seen
    keys = sorted((packet.shown or 0, _place(packet)) for packet in packets if packet.is_key)
    times = shown[begin:] if exact else np.arange(len(packets))
    seek = np.array(keys, dtype=np.int64).reshape(-1, 2)
    unit = tick if exact else frame
    how, height, width = orientation_of(first[0]), first[0].height, first[0].width
    size = (width, height) if how.transposed else (height, width)
    return VideoIndex(path, times, seek, exact, size, is_grey(first[0]), unit, how, 0, 1)


def _place(packet: _Packet) -> int:
    return packet.decoded if packet.decoded is not None else packet.shown or 0
