"""Pieces of longer video, whose times do not begin at zero: read whole, and still refused where they are cut off."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from numbered_video import every, picture, sequential, write

from untaught.data.source import open_data
from untaught.errors import DataError

PIECES = {
    "piece.mkv": ("libx264", "yuv420p", {}),
    "piece.webm": ("libvpx-vp9", "yuv420p", {"live": "0"}),
    "piece.mp4": ("libx264", "yuv420p", {}),
    "fragments.mp4": ("libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    "delayed.mp4": ("libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov", "use_editlist": "0"}),
    "piece.mov": ("png", "rgb24", {}),
    "piece.ts": ("mpeg2video", "yuv420p", {}),
    "piece.flv": ("libx264", "yuv420p", {}),
    "piece.mpg": ("mpeg2video", "yuv420p", {}),
    "piece.wmv": ("mpeg4", "yuv420p", {}),
}


def write_late(file: Path, codec: str, pixel_format: str, container: dict[str, str], begin: float, frames: int) -> Path:
    """Write numbered pictures of which the first is shown `begin` seconds after zero."""
    with av.open(str(file), "w", options=container) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, pixel_format
        stream.codec_context.time_base = Fraction(1, 25)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = number + round(25 * begin), Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("begin", [3.2])
def test_a_piece_that_begins_later_is_whole(name: str, begin: float, tmp_path: Path) -> None:
    file = write_late(tmp_path / name, *PIECES[name], begin, 30)
    expected = sequential(file)
    assert len(expected) == 30
    for memory in (0, 2**30):
        source = open_data(file, memory=memory)
        assert torch.equal(every(source), expected)
        assert source.train.place_of(25).seconds == pytest.approx(1.0, abs=0.05)


def test_all_pieces_that_ffmpeg_cuts_are_read(tmp_path: Path) -> None:
    options = {"segment_time": "0.8", "reset_timestamps": "0"}
    with av.open(str(tmp_path / "%03d.mkv"), "w", format="segment", options=options) as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "bgr0"
        stream.codec_context.gop_size = 4
        for number in range(100):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24").reformat(format="bgr0")))
        output.mux(stream.encode(None))
    part = open_data(tmp_path).train
    assert len(part) == 5 and part.length.tolist() == [20] * 5
    written = torch.stack([torch.from_numpy(picture(number)).permute(2, 0, 1) for number in range(100)])
    assert torch.equal(part.frames.read(torch.arange(100)), written)


@pytest.mark.parametrize(("name", "begin"), [("piece.mkv", 0.0), ("piece.mkv", 0.4), ("piece.mkv", 3.2)])
def test_a_piece_that_is_cut_off_is_refused(name: str, begin: float, tmp_path: Path) -> None:
    file = write_late(tmp_path / name, *PIECES[name], begin, 60)
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DataError, match="cut off"):
        open_data(file)


def test_a_length_left_from_another_file_does_not_count(tmp_path: Path) -> None:
    """What a remuxed file says of the file it was made of says nothing of itself."""
    file = write(tmp_path / "x.nut", "ffv1", "bgr0", 10)
    with av.open(str(file)) as given, av.open(str(tmp_path / "short.avi"), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        stream.metadata["DURATION"] = "01:00:00.000000000"
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    assert len(every(open_data(tmp_path / "short.avi"))) == 10
