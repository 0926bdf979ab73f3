"""Which file and which time a frame comes from, whatever was cut from the source."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numbered_video import write
from PIL import Image

from untaught.data.origin import Origin, clock
from untaught.data.source import open_data


def test_a_picture_has_the_path_of_its_file(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        (tmp_path / str(number)).mkdir()
        Image.fromarray(np.full((8, 8), 80 * number, np.uint8)).save(tmp_path / str(number) / "one.png")
    part = open_data(tmp_path).train
    for frame in range(3):
        assert part.place_of(frame).file == str(tmp_path / str(frame) / "one.png")
        assert int(part.frames.read(torch.tensor(frame)).max()) == 80 * frame


def test_a_broken_picture_does_not_shift_the_names(tmp_path: Path) -> None:
    for number in range(4):
        Image.fromarray(np.full((8, 8), 60 * number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"no picture")
    part = open_data(tmp_path, on_bad="skip", size=8).train
    assert [Path(str(part.place_of(frame))).stem for frame in range(3)] == ["0", "2", "3"]
    assert int(part.frames.read(torch.tensor(1)).max()) == 120


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("memory", [2**30, 0])
def test_a_frame_of_video_has_its_file_and_time(tmp_path: Path, every: int, memory: int) -> None:
    """Times are uneven, in hundredths of a second, and count from the first frame."""
    times = [50 + 4 * number + (30 if number > 20 else 0) for number in range(40)]
    write(tmp_path / "b.mp4", "libx264", "yuv420p", 40, times=times)
    write(tmp_path / "a.mp4", "libx264", "yuv420p", 12)
    part = open_data(f"{tmp_path}?every={every}", memory=memory).train
    begin = int(part.first[1])
    assert Path(part.place_of(begin - 1).file or "").name == "a.mp4"
    for number in range(int(part.length[1])):
        place = part.place_of(begin + number)
        assert Path(place.file or "").name == "b.mp4"
        assert place.frame == number
        assert place.seconds == pytest.approx((times[number * every] - times[0]) / 100, abs=0.006)


def test_names_stay_when_a_part_is_cut(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", "libx264", "yuv420p", 40)
    test = open_data(tmp_path / "a.mp4", size=16).parts().test
    assert str(test.place_of(int(test.first[0]))) == f"{tmp_path / 'a.mp4'} 0:01.2"  # frame 32 of 25 a second


def test_rows_stand_for_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 8, 8), np.float32))
    assert str(open_data(tmp_path / "x.npy").train.place_of(4)) == "row 4"
    np.save(tmp_path / "v.npy", np.zeros((3, 6, 1, 8, 8), np.float32))
    assert str(open_data(tmp_path / "v.npy").train.place_of(13)) == "row 2, frame 1"


def test_clock_never_rounds_up_to_sixty() -> None:
    assert [clock(x) for x in (0.0, 0.3, 59.999, 60.0, 3599.95, 3600.0)] == [
        "0:00.0", "0:00.3", "0:59.9", "1:00.0", "59:59.9", "1:00:00.0",
    ]  # fmt: skip


def test_a_frame_between_files_belongs_to_the_one_before() -> None:
    origin = Origin(("a", "b"), (0, 3))
    assert [str(origin.place(frame)) for frame in range(3)] == ["a"] * 3
    assert str(origin.place(3)) == "b"
