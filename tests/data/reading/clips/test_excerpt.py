"""A part of a clip by its times or its frames' numbers, and one of several streams."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numbered_video import every, picture, sequential, write
from PIL import Image

from untaught.data.reading.clips.excerpt import excerpt
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("1m", 60),
        ("1m30s", 90),
        ("1h", 3600),
        ("500ms", 0.5),
        ("1:30", 90),
        ("0:01:02.5", 62.5),
        ("2.5s", 2.5),
    ],
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    found = excerpt(text, None, 1).begin
    assert found is not None and found.seconds == pytest.approx(seconds) and found.frame is None


@pytest.mark.parametrize("text", ["", "ten", "10 s later", "-3", "1:2:3:4", "s", "10s5", "nan"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="from = "):
        excerpt(text, None, 1)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ("from=0.4s&to=1s", slice(10, 25)),
        ("from=10&to=25", slice(10, 25)),
        ("from=1s", slice(25, 40)),
        ("to=12", slice(0, 12)),
        ("from=0:00.4&to=1s&every=5", slice(10, 25, 5)),
        ("from=7&every=4", slice(7, 40, 4)),
        ("to=1h", slice(0, 40)),
        ("from=39", slice(39, 40)),
    ],
)
@pytest.mark.parametrize("name", ["x.mkv", *(pytest.param(own, marks=pytest.mark.slow) for own in ("x.mp4", "x.ts"))])
def test_a_part_holds_exactly_its_frames(name: str, options: str, chosen: slice, clips_of: dict[str, Path]) -> None:
    expected = sequential(clips_of[name])
    for memory in (0, 2**30):
        source = open_data(f"{clips_of[name]}?{options}&cuts=false", memory=memory)
        assert torch.equal(every(source), expected[chosen])
        place = source.train.place_of(1 if len(expected[chosen]) > 1 else 0)
        assert place.seconds == pytest.approx(list(range(40))[chosen][:2][-1] / 25, abs=0.01)
        again = open_data(source.spec, memory=memory)
        assert torch.equal(every(again), expected[chosen])


@pytest.fixture(scope="module")
def clips_of(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One clip of forty frames in three containers."""
    folder = tmp_path_factory.mktemp("clips")
    options = {"preset": "ultrafast", "x264-params": "bframes=2:keyint=8:scenecut=0"}
    names = ("x.mkv", "x.mp4", "x.ts")
    return {name: write(folder / name, "libx264", "yuv420p", **options) for name in names}


def test_an_avi_without_times_counts_frames(tmp_path: Path) -> None:
    file = write(tmp_path / "x.avi", "libx264", "yuv420p", bf="2")
    assert torch.equal(every(open_data(f"{file}?from=0.4s&to=30&every=3")), sequential(file)[10:30:3])


def test_a_part_beyond_the_end_is_refused_and_short_clips_are_told(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", "ffv1", "bgr0", 5)
    with pytest.raises(DataError, match=r"no frame from 10s: 5 frames, the last at 0:00\.1"):
        open_data(f"{tmp_path}?from=10s")
    write(tmp_path / "b.mkv", "ffv1", "bgr0", 20)
    source = open_data(f"{tmp_path}?from=10&to=15")
    assert source.train.length.tolist() == [5] and source.train.place_of(0).file == str(tmp_path / "b.mkv")
    assert source.notes == ("1 of 2 clips have no frame from 10 to 15: a.mkv",)
    with pytest.raises(ConfigError, match="not later"):
        open_data(f"{tmp_path}?from=2s&to=1s")
    with pytest.raises(ConfigError, match="did you mean"):
        open_data(f"{tmp_path}?form=2s")


@pytest.mark.parametrize("ending", ["mkv", "mp4", "ts", "mov"])
def test_one_of_several_streams(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"x.{ending}"
    with av.open(str(file), "w") as output:
        streams = [output.add_stream("mpeg4", rate=25), output.add_stream("mpeg4", rate=25)]
        for stream, size in zip(streams, ((32, 48), (64, 48)), strict=True):
            stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        for number in range(12):
            for place, stream in enumerate(streams):
                frame = av.VideoFrame.from_ndarray(picture(number + 40 * place, stream.height, 48), "rgb24")
                output.mux(stream.encode(frame.reformat(format="yuv420p")))
        for stream in streams:
            output.mux(stream.encode(None))
    with av.open(str(file)) as container:
        expected = [
            [frame.to_ndarray(format="rgb24") for frame in _again(file, place)]
            for place in range(len(container.streams))
        ]
    for memory in (0, 2**30):
        for place in (0, 1):
            source = open_data(f"{file}?stream={place}&cuts=false", memory=memory)
            assert torch.equal(every(source).permute(0, 2, 3, 1), torch.from_numpy(np.stack(expected[place])))
            assert not source.notes
            window = source.train.frames.read(torch.tensor([7, 3]))
            assert torch.equal(window.permute(0, 2, 3, 1), torch.from_numpy(np.stack(expected[place])[[7, 3]]))
    assert "2 video streams" in open_data(file).notes[0] and "?stream=N" in open_data(file).notes[0]
    with pytest.raises(DataError, match="stream = 2: .* has video streams 0 to 1"):
        open_data(f"{file}?stream=2")


def _again(file: Path, place: int) -> list[av.VideoFrame]:
    with av.open(str(file)) as container:
        return list(container.decode(container.streams.video[place]))


def test_a_picture_of_the_cover_is_no_stream(tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), "green").save(tmp_path / "cover.jpg")
    with av.open(str(tmp_path / "x.mp4"), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        with av.open(str(tmp_path / "cover.jpg")) as cover:
            beside = output.add_stream_from_template(cover.streams.video[0])
            beside.disposition = av.stream.Disposition.attached_pic.value  # PyAV 17 takes only a number
            output.start_encoding()
            for packet in cover.demux():
                if packet.size:
                    packet.stream = beside
                    output.mux(packet)
            for number in range(12):
                frame = av.VideoFrame.from_ndarray(picture(number), "rgb24").reformat(format="yuv420p")
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    source = open_data(tmp_path / "x.mp4")
    assert source.shape == (3, 32, 48) and source.train.length.tolist() == [12] and not source.notes
