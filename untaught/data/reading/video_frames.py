"""Frames of video files, decoded when they are read.

To read a window, the file is sought at the last key frame shown before it and decoded from there until the window is
full; which frame is which is told by its time, never by counting. Where seeking lands too late, as some containers make
it, it begins one key frame earlier.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from torch import Tensor

from untaught.data.origin import Origin
from untaught.data.part import Frames
from untaught.data.reading.resize import fit
from untaught.data.reading.video_index import VideoIndex, decoded, open_video, picture_of
from untaught.errors import DataError


class VideoFrames(Frames):
    """Frames of files one after another, of which every `every`-th counts.

    Each thread that reads keeps the file open that it read last.
    """

    def __init__(self, files: Sequence[VideoIndex], every: int, grey: bool, size: tuple[int, int]) -> None:
        self.files = tuple(files)
        self.every = every
        self.shape = (1 if grey else 3, *size)
        self.size = size
        self.dtype = torch.uint8
        self.lengths = [-(-len(file) // every) for file in files]
        self.first = np.cumsum([0, *self.lengths])
        self.count = int(self.first[-1])
        self._opened = threading.local()

    @property
    def origin(self) -> Origin:
        """The files, and when each frame is shown."""
        seconds = np.concatenate([file.seconds[:: self.every] for file in self.files])
        return Origin(tuple(str(file.path) for file in self.files), self.first[:-1].tolist(), seconds.tolist())

    def read(self, index: Tensor) -> Tensor:
        """Decode frames by number.

        Raises:
            DataError: A frame cannot be decoded.
        """
        wanted, place = np.unique(index.flatten().numpy(), return_inverse=True)
        x = torch.empty(len(wanted), *self.shape, dtype=torch.uint8)
        owner = np.searchsorted(self.first, wanted, side="right") - 1
        for number in np.unique(owner).tolist():
            mine = np.flatnonzero(owner == number)
            frames = self._decode(number, ((wanted[mine] - self.first[number]) * self.every).tolist())
            for target, frame in zip(x[mine[0] : mine[-1] + 1], frames, strict=True):
                target.copy_(self.picture(frame))
        return x[torch.from_numpy(place)].view(*index.shape, *self.shape)

    def picture(self, frame: VideoFrame) -> Tensor:
        """Bring a decoded frame to the shape of all."""
        return fit(picture_of(frame, self.shape[0] == 1)[None], self.size)[0]

    def _decode(self, number: int, wanted: list[int]) -> Iterator[VideoFrame]:
        """Decode frames of one file, by ascending number."""
        file = self.files[number]
        container, stream = self._open(file.path)
        try:
            yield from frames_at(container, stream, file, wanted)
        except FFmpegError as error:
            raise DataError(f"{file.path} is broken: {error.strerror}") from error

    def _open(self, path: Path) -> tuple[InputContainer, VideoStream]:
        last = getattr(self._opened, "last", None)
        if last is None or last[0] != path:
            if last is not None:
                last[1].close()
            self._opened.last = last = (path, *open_video(path))
        return last[1], last[2]


def frames_at(
    container: InputContainer, stream: VideoStream, file: VideoIndex, wanted: list[int]
) -> Iterator[VideoFrame]:
    """Decode the frames with some numbers, ascending, seeking where that saves decoding.

    Raises:
        DataError: A frame does not come, even from the start of the file.
    """
    times = file.times[wanted].tolist()
    keys = (np.searchsorted(file.keys[:, 0], times, side="right") - 1).tolist()
    done = back = 0
    while done < len(times):
        key = keys[done] - back
        before = done
        for frame in _matching(_from_key(container, stream, file, key), times[done:], keys[done:]):
            yield frame
            done += 1
        if done == before and key < 0:
            raise DataError(f"frame {wanted[done]} of {file.path} cannot be decoded")
        back = back + 1 if done == before else 0


def _from_key(container: InputContainer, stream: VideoStream, file: VideoIndex, key: int) -> Iterator[VideoFrame]:
    """Decode from a key frame on, or from the start where there is none."""
    if key < 0:
        return decoded(file.path)
    container.seek(int(file.keys[key, 1]), stream=stream)
    return container.decode(stream)


def _matching(frames: Iterator[VideoFrame], times: list[int], keys: list[int]) -> Iterator[VideoFrame]:
    """Pick the frames shown at some times, until one is missed, or the next lies beyond the next key frame."""
    found = 0
    for frame in frames:
        if frame.pts is None or frame.pts < times[found]:
            continue
        if frame.pts > times[found]:
            return
        yield frame
        found += 1
        if found == len(times) or keys[found] > keys[found - 1] + 1:
            return
