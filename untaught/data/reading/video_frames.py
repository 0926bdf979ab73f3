"""Frames of video files, decoded when they are read.

To read a window, the file is sought at the last key frame shown before it and decoded from there until the window is
full; which frame is which is told by its time, never by counting. Where seeking lands too late, as some containers make
it, it begins one key frame earlier.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from torch import Tensor

from untaught.data.origin import Origin
from untaught.data.part import Frames
from untaught.data.reading.clips.frame_pixels import frames_of, picture_of
from untaught.data.reading.resize import fit
from untaught.data.reading.video_index import VideoIndex, decoded, open_video
from untaught.errors import DataError


class VideoFrames(Frames):
    """Chosen frames of files one after another.

    Each thread that reads keeps the file open that it read last.
    """

    def __init__(self, files: Sequence[VideoIndex], chosen: Sequence[range], grey: bool, size: tuple[int, int]) -> None:
        self.files = tuple(files)
        self.chosen = tuple(chosen)
        self.shape = (1 if grey else 3, *size)
        self.size = size
        self.dtype = torch.uint8
        self.lengths = [len(numbers) for numbers in chosen]
        self.first = np.cumsum([0, *self.lengths])
        self.count = int(self.first[-1])
        self._opened = threading.local()

    @property
    def origin(self) -> Origin:
        """The files, and when each frame is shown."""
        chosen = zip(self.files, self.chosen, strict=True)
        seconds = np.concatenate([file.seconds[mine.start : mine.stop : mine.step] for file, mine in chosen])
        return Origin(tuple(str(file.path) for file in self.files), self.first[:-1].tolist(), seconds.tolist())

    def all_of(self, number: int) -> Iterator[VideoFrame]:
        """Decode the chosen frames of one file in a row; fewer where the last ones are broken.

        Raises:
            DataError: The decoder gives up.
        """
        file, chosen = self.files[number], self.chosen[number]
        if chosen.start == 0 or not file.exact:
            return islice(decoded(file.path, file.stream), chosen.start, chosen.stop, chosen.step)
        return self._decode(number, list(chosen))

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
            frames = self._decode(number, [self.chosen[number][place] for place in wanted[mine] - self.first[number]])
            for target, frame in zip(x[mine[0] : mine[-1] + 1], frames, strict=True):
                target.copy_(self.picture(number, frame))
        return x[torch.from_numpy(place)].view(*index.shape, *self.shape)

    def picture(self, number: int, frame: VideoFrame) -> Tensor:
        """Bring a decoded frame of a file to the shape of all."""
        return fit(picture_of(frame, self.shape[0] == 1, self.files[number].upright)[None], self.size)[0]

    def _decode(self, number: int, wanted: list[int]) -> Iterator[VideoFrame]:
        """Decode frames of one file, by ascending number."""
        file = self.files[number]
        container, stream = self._open(file)
        try:
            yield from frames_at(container, stream, file, wanted)
        except FFmpegError as error:
            raise DataError(f"{file.path} is broken: {error.strerror}") from error

    def _open(self, file: VideoIndex) -> tuple[InputContainer, VideoStream]:
        last = getattr(self._opened, "last", None)
        if last is None or last[0] != file.path:
            if last is not None:
                last[1].close()
            self._opened.last = last = (file.path, *open_video(file.path, file.stream))
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
        return decoded(file.path, file.stream)
    container.seek(int(file.keys[key, 1]), stream=stream)
    return frames_of(container, stream)


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
