"""Video files and folders of them as sources, and what is broken."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numbered_video import HEIGHT, WIDTH, every, picture, sequential, write
from PIL import Image

from untaught.data.reading.resize import fit
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError


def test_lossless_video_is_what_was_written(tmp_path: Path) -> None:
    file = write(tmp_path / "x.mkv", "ffv1", "bgr0", 9)
    expected = torch.from_numpy(np.stack([picture(number) for number in range(9)])).permute(0, 3, 1, 2)
    source = open_data(file)
    assert torch.equal(every(source), expected)
    assert source.is_video and source.shape == (3, HEIGHT, WIDTH) and source.train.length.tolist() == [9]


@pytest.mark.parametrize("turned", [90, 180, -90])
def test_frames_are_turned_upright(turned: int, tmp_path: Path) -> None:
    """The matrix of the file is given anticlockwise, as Pillow turns."""
    file = write(tmp_path / "x.mp4", "libx264", "yuv420p", 6, turned=turned)
    as_stored = sequential(file)
    expected = [
        np.asarray(Image.fromarray(frame.permute(1, 2, 0).numpy()).rotate(turned, expand=True)) for frame in as_stored
    ]
    for memory in (0, 2**30):
        x = every(open_data(file, memory=memory))
        assert np.array_equal(x.permute(0, 2, 3, 1).numpy(), np.stack(expected))


def test_large_frames_are_reduced_unless_a_size_is_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path / "x.mkv", "ffv1", "bgr0", 3, size=(400, 640))
    whole = sequential(file)
    source = open_data(file)
    assert source.shape == (3, 200, 320) and source.chosen_size == (200, 320)
    assert torch.equal(every(source), fit(whole, (200, 320)))
    assert open_data(source.spec).shape == source.shape and source.spec.endswith("size=200x320")
    kept = open_data(file, size=(400, 640))
    assert kept.chosen_size is None and torch.equal(every(kept), whole)


def test_every_nth_frame(tmp_path: Path) -> None:
    file = write(tmp_path / "x.mkv", "ffv1", "bgr0", 20)
    expected = sequential(file)[::3]
    for memory in (0, 2**30):
        source = open_data(f"{file}?every=3", memory=memory)
        assert source.train.length.tolist() == [7] and torch.equal(every(source), expected)
    frames = open_data(f"{file}?every=3", memory=0).train.frames
    assert torch.equal(frames.read(torch.tensor([6, 2])), expected[[6, 2]])


def test_grey_on_request_and_by_itself(tmp_path: Path) -> None:
    file = write(tmp_path / "x.mkv", "ffv1", "gray", 5)
    source = open_data(file)
    assert source.shape == (1, HEIGHT, WIDTH)
    red, green, blue = (torch.from_numpy(picture(2))[..., channel].float() for channel in range(3))
    assert float((every(source)[2, 0] - (0.299 * red + 0.587 * green + 0.114 * blue)).abs().max()) <= 2
    file = write(tmp_path / "coloured.mkv", "ffv1", "bgr0", 5)
    for memory in (0, 2**30):
        grey = every(open_data(f"{file}?grey=1", memory=memory))
        assert grey.shape == (5, 1, HEIGHT, WIDTH) and float((grey.float() - every(source)).abs().max()) <= 2


def test_frames_are_brought_to_a_size(tmp_path: Path) -> None:
    file = write(tmp_path / "x.mkv", "ffv1", "bgr0", 5)
    expected = fit(sequential(file), (16, 16))
    for memory in (0, 2**30):
        source = open_data(file, size=16, memory=memory)
        assert source.shape == (3, 16, 16) and torch.equal(every(source), expected)


def test_a_folder_of_clips(tmp_path: Path) -> None:
    lengths = {"b.mkv": 5, "a.mkv": 12, "c.mkv": 1}
    for name, length in lengths.items():
        write(tmp_path / name, "ffv1", "bgr0", length)
    expected = torch.cat([sequential(tmp_path / name) for name in sorted(lengths)])
    for memory in (0, 2**30):
        part = open_data(tmp_path, memory=memory).train
        assert part.length.tolist() == [12, 5, 1] and part.first.tolist() == [0, 12, 17]
        assert torch.equal(part.frames.read(torch.arange(18)), expected)
        assert torch.equal(part.frames.read(torch.tensor([17, 3, 13])), expected[[17, 3, 13]])


def test_sub_folders_of_clips_are_classes(tmp_path: Path) -> None:
    for name, length in {"walk/1.mkv": 3, "run/1.mkv": 2, "run/2.mkv": 4}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, "ffv1", "bgr0", length)
    source = open_data(tmp_path)
    assert source.label_names == ("run", "walk") and source.train.label.tolist() == [0] * 6 + [1] * 3


def test_clips_of_different_sizes_are_brought_to_the_commonest_aspect(tmp_path: Path) -> None:
    for name, size in {"a": (64, 64), "b": (48, 64), "c": (24, 32)}.items():
        write(tmp_path / f"{name}.mkv", "ffv1", "bgr0", 2, size=size)
    chosen = open_data(tmp_path)
    assert chosen.shape == (3, 24, 32) and chosen.chosen_size == (24, 32) and len(chosen.train) == 3
    assert open_data(chosen.spec).shape == (3, 24, 32) and open_data(chosen.spec).chosen_size is None
    assert every(open_data(tmp_path, size=24)).shape == (6, 3, 24, 24)


def test_a_moving_gif_is_video_and_a_still_one_is_not(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((8, 10), value, np.uint8)) for value in (0, 90, 180, 255)]
    frames[0].save(tmp_path / "moves.gif", save_all=True, append_images=frames[1:], duration=100)
    frames[1].save(tmp_path / "still.gif")
    x = every(open_data(tmp_path / "moves.gif"))
    assert x.shape[0] == 4 and x[:, 0, 0, 0].tolist() == [0, 90, 180, 255]
    assert not open_data(tmp_path / "still.gif").is_video
    (tmp_path / "still.gif").unlink()
    assert open_data(tmp_path).is_video


@pytest.mark.parametrize("content", [b"", b"this is a text\n" * 50, bytes(range(256)) * 20])
def test_what_is_no_video_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_bytes(content)
    with pytest.raises(DataError, match=r"text\.mp4 is no video that can be decoded"):
        open_data(tmp_path / "text.mp4")


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.float32), "fltp", "mono")
        sound.sample_rate = 8000
        output.mux(stream.encode(sound))
        output.mux(stream.encode(None))
    with pytest.raises(DataError, match=r"song\.mp4 holds no video"):
        open_data(tmp_path / "song.mp4")


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "container"),
    [
        ("x.mp4", "libx264", "yuv420p", {}),
        ("front.mp4", "libx264", "yuv420p", {"movflags": "faststart"}),
        ("x.mkv", "libx264", "yuv420p", {}),
        ("x.avi", "mpeg4", "yuv420p", {}),
    ],
)
@pytest.mark.parametrize("memory", [0, 2**30])
def test_a_cut_off_video_is_named_or_skipped(
    name: str, codec: str, pixel_format: str, container: dict[str, str], memory: int, tmp_path: Path
) -> None:
    good = write(tmp_path / "good.mkv", "libx264", "yuv420p", 10)
    bad = write(tmp_path / name, codec, pixel_format, container=container)
    raw = bad.read_bytes()
    bad.write_bytes(raw[: len(raw) * 6 // 10])
    with pytest.raises(DataError) as caught:
        open_data(tmp_path, memory=memory)
    assert str(bad) in str(caught.value) and "--on-bad skip" in str(caught.value)
    source = open_data(tmp_path, on_bad="skip", memory=memory)
    assert source.skipped == (str(bad),) and source.train.length.tolist() == [10]
    index = source.train.first[0] + torch.arange(10)
    assert torch.equal(source.train.frames.read(index), sequential(good))


def test_options_are_checked(tmp_path: Path) -> None:
    file = write(tmp_path / "x.mkv", "ffv1", "bgr0", 2)
    with pytest.raises(ConfigError, match="every in x.mkv = '0'"):
        open_data(f"{file}?every=0")


@pytest.mark.slow
def test_real_video(shared_data: Path) -> None:
    file = shared_data / "video" / "carphone_pristine.mp4"
    expected = sequential(file)
    source, lazy = open_data(file), open_data(file, memory=0)
    assert source.shape == (3, 144, 176) and source.train.length.tolist() == [120]
    assert torch.equal(every(source), expected)
    index = torch.tensor([[3, 4, 5], [90, 91, 92], [117, 118, 119]])
    assert torch.equal(lazy.train.frames.read(index), expected[index])
    assert open_data(shared_data / "video", size=64).train.length.tolist() == [120, 390, 36]


def test_a_video_whose_last_frame_is_cut_off_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "x.mp4", "libx264", "yuv420p", container={"movflags": "faststart"})
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"x\.mp4 is damaged or cut off at frame 39 of 40"):
        open_data(file)


def test_title_in_another_encoding(tmp_path: Path) -> None:
    """A camera or an old program writes Latin-1; the pictures are as good."""
    path = tmp_path / "film.avi"
    with av.open(str(path), "w") as file:
        file.metadata["title"] = "B_ume"
        stream: Any = file.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for grey in range(0, 250, 40):
            frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), grey, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"B_ume", b"B\xe4ume"))
    assert b"B\xe4ume" in path.read_bytes()
    levels = open_data(path).train.frames.read(torch.arange(7)).float().mean((1, 2, 3))
    np.testing.assert_allclose(levels, np.arange(0, 250, 40), atol=6)
