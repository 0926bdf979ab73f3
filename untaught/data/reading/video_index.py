"""When each frame of a video file is shown, read without decoding.

A file is a row of packets, one for each frame, in the order of decoding; each says when its frame is shown. Sorting
these times numbers the frames in the order of showing, whatever frames are decoded ahead of their turn. Packets that an
edit list cuts off are left out. The first frames are decoded and compared with the table, so that a file whose packets
do not tell the truth is known; such a file can be decoded from its start, but not be read by window.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from torch import Tensor

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

    @property
    def seconds(self) -> NDArray[np.float64]:
        """When each frame is shown, counted from the first."""
        return (self.times - self.times[0]).astype(np.float64) * self.unit

    def __len__(self) -> int:
        """Frames in the file."""
        return len(self.times)


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file at its best video stream, decoding with several threads.

    Raises:
        DataError: It cannot be read, or holds no video.
    """
    try:
        container = av.open(str(path))
    except PermissionError as error:
        raise DataError(f"cannot read {path}: permission denied") from error
    except (FFmpegError, OSError) as error:
        raise DataError(f"{path} is no video that can be decoded: it is cut off, or something else") from error
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        container.close()
        raise DataError(f"{path} holds no video")
    stream.thread_type = "AUTO"
    return container, stream


def index_video(path: Path) -> VideoIndex:
    """Read a file's table.

    Raises:
        DataError: The file cannot be decoded, or is cut off.
    """
    container, stream = open_video(path)
    with container, _named(path):
        packets = [
            _Packet(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, packet.is_corrupt)
            for packet in container.demux(stream)
            if packet.size and not packet.is_discard
        ]
        _check_whole(path, stream, packets)
        tick, frame = float(stream.time_base or 0), 1 / float(stream.average_rate or 25)
    return _table(path, packets, list(islice(decoded(path), COMPARED)), tick, frame)


def decoded(path: Path) -> Iterator[VideoFrame]:
    """Decode a file from its start.

    Raises:
        DataError: The decoder gives up.
    """
    container, stream = open_video(path)
    with container, _named(path):
        yield from container.decode(stream)


def picture_of(frame: VideoFrame, grey: bool) -> Tensor:
    """Turn a decoded frame upright: uint8 `(1 or 3, height, width)`."""
    x = torch.from_numpy(frame.to_ndarray(format="gray" if grey else "rgb24"))
    x = x[None] if grey else x.permute(2, 0, 1)
    return torch.rot90(x, _quarter_turns(frame), (1, 2)).contiguous()


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


def _check_whole(path: Path, stream: VideoStream, packets: Sequence[_Packet]) -> None:
    """Refuse a file without frames, with a damaged packet, or that ends long before its header says."""
    if not packets:
        raise DataError(f"{path} holds no frames")
    damaged = next((number for number, packet in enumerate(packets) if packet.is_corrupt), None)
    if damaged is not None:
        raise DataError(f"{path} is damaged or cut off at frame {damaged} of {max(stream.frames, len(packets))}")
    ends = [packet.shown + packet.lasts for packet in packets if packet.shown is not None]
    expected, unit = _seconds(stream), float(stream.time_base or 0)
    if not ends or expected is None:
        return
    found = (max(ends) - (stream.start_time or 0)) * unit
    if expected - found > MISSING_SECONDS:
        raise DataError(f"{path} is cut off: it ends after {found:.2f} of {expected:.2f} seconds")


def _seconds(stream: VideoStream) -> float | None:
    """How long the header says that the stream is; Matroska writes it as text, `00:00:02.400000000`."""
    if stream.duration is not None:
        return float(stream.duration * (stream.time_base or 0))
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
    return VideoIndex(path, times, seek, exact, *_kind(first[0]), tick if exact else frame)


def _place(packet: _Packet) -> int:
    return packet.decoded if packet.decoded is not None else packet.shown or 0


def _kind(frame: VideoFrame) -> tuple[tuple[int, int], bool]:
    """Height and width of the frame once it is upright, and whether it is without colour."""
    lies = _quarter_turns(frame) % 2 == 1
    grey = len(frame.format.components) == 1 and not frame.format.has_palette
    return (frame.width, frame.height) if lies else (frame.height, frame.width), grey


def _quarter_turns(frame: VideoFrame) -> int:
    """Turns anticlockwise that make a frame upright."""
    return round(frame.rotation / 90) % 4
