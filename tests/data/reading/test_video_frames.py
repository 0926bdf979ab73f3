"""Which frame is which, whatever the codec and the container, in memory and by window."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numbered_video import every, sequential, write

from untaught.data.reading import video_frames
from untaught.data.reading.video_frames import VideoFrames
from untaught.data.reading.video_index import index_video
from untaught.data.source import open_data
from untaught.errors import DataError

# No HEVC: the encoder of PyAV 18 that would write it (libx265) brings the process down when it is freed.
KINDS = {
    "ffv1.mkv": ("ffv1", "bgr0", {}),
    "png.mov": ("png", "rgb24", {}),
    "h264.mp4": ("libx264", "yuv420p", {"preset": "ultrafast", "bf": "0"}),
    "b-frames.mp4": ("libx264", "yuv420p", {"x264-params": "bframes=3:b-pyramid=normal:scenecut=0"}),
    "open-gop.mp4": ("libx264", "yuv420p", {"x264-params": "open-gop=1:bframes=3:keyint=8:min-keyint=8:scenecut=0"}),
    "b-frames.mkv": ("libx264", "yuv420p", {"x264-params": "bframes=3:open-gop=1:keyint=10:scenecut=0"}),
    "stream.ts": ("libx264", "yuv420p", {"x264-params": "bframes=3:keyint=10:scenecut=0"}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {"bf": "2"}),
    "motion-jpeg.avi": ("mjpeg", "yuvj420p", {}),
    "vp9.webm": ("libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}),
    "vp8.webm": ("libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "12", "deadline": "good"}),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", {"bf": "2"}),
}


OFTEN = ("h264.mp4", "b-frames.mkv", "stream.ts", "vp9.webm", "motion-jpeg.avi")
"""Kinds that are read each time; all are with the slow tests."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in OFTEN)) for name in KINDS])
def test_windows_hold_exactly_the_frames_asked_for(name: str, tmp_path: Path) -> None:
    codec, pixel_format, options = KINDS[name]
    file = write(tmp_path / name, codec, pixel_format, **options)
    expected = sequential(file)
    whole, lazy = open_data(file), open_data(file, memory=0)
    assert len(expected) == 40 and torch.equal(every(whole), expected)
    frames = lazy.train.frames
    assert isinstance(frames, VideoFrames) and frames.count == 40
    draw = random.Random(0)
    for length in (1, 1, 3, 9, 25):
        start = draw.randrange(41 - length)
        read = frames.read(torch.arange(start, start + length))
        assert torch.equal(read, expected[start : start + length]), f"{length} frames from {start}"
    scattered = torch.tensor([[39, 0, 12, 12], [3, 38, 11, 0]])
    assert torch.equal(frames.read(scattered), expected[scattered])
    assert torch.equal(frames.read(torch.arange(40)), expected)


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_frames_of_uneven_lengths(ending: str, tmp_path: Path) -> None:
    times = np.cumsum([0, *(1 + (7 * number) % 23 for number in range(39))]).tolist()
    file = write(tmp_path / f"x.{ending}", "libx264", "yuv420p", times=times)
    expected = sequential(file)
    frames = open_data(file, memory=0).train.frames
    assert len(expected) == frames.count == 40
    for start in (0, 7, 11, 12, 13, 30):
        assert torch.equal(frames.read(torch.arange(start, start + 6)), expected[start : start + 6])


def test_frames_that_an_edit_list_cuts_off_are_no_frames(tmp_path: Path) -> None:
    """Times that begin below zero are written as an edit list, which hides the frames before zero."""
    file = write(tmp_path / "x.mp4", "libx264", "yuv420p", times=list(range(-40, 120, 4)), bf="0")
    expected = sequential(file)
    with av.open(str(file)) as container:
        hidden = sum(packet.is_discard for packet in container.demux(video=0) if packet.size)
    assert len(expected) + hidden == 40 and hidden > 0
    source = open_data(file, memory=0)
    assert source.train.length.tolist() == [len(expected)]
    assert torch.equal(every(source), expected) and torch.equal(every(open_data(file)), expected)


def test_video_without_times_is_decoded_whole_or_refused(tmp_path: Path) -> None:
    """An .avi keeps no times of showing; with frames out of order its packets do not tell which is which."""
    file = write(tmp_path / "x.avi", "libx264", "yuv420p", bf="2")
    assert not index_video(file).exact
    assert torch.equal(every(open_data(file)), sequential(file))
    with pytest.raises(DataError, match="cannot be read by window"):
        open_data(file, memory=0)


def test_threads_may_read_at_the_same_time(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write(tmp_path / name, "libx264", "yuv420p")
    expected = torch.cat([sequential(tmp_path / name) for name in ("a.mp4", "b.mp4")])
    frames = open_data(tmp_path, memory=0).train.frames
    ready = threading.Barrier(4)

    def read(seed: int) -> bool:
        ready.wait()
        draw = torch.Generator().manual_seed(seed)
        return all(
            torch.equal(frames.read(index), expected[index]) for index in torch.randint(0, 80, (6, 5), generator=draw)
        )

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(read, range(4)))


def test_a_window_is_read_without_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few more frames are decoded than asked for: from the key frame before, not from the start."""
    file = write(tmp_path / "x.mkv", "ffv1", "bgr0", 120)
    frames = open_data(file, memory=0).train.frames
    decoded: list[int] = []
    matching = video_frames._matching

    def counted(stream: object, *rest: object) -> object:
        def each() -> object:
            for frame in stream:  # type: ignore[attr-defined]
                decoded.append(frame.pts)
                yield frame

        return matching(each(), *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(video_frames, "_matching", counted)
    frames.read(torch.arange(100, 105))
    assert 5 <= len(decoded) <= 5 + 12
