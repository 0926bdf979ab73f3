"""Numbered pictures as video: in folders, in folders of folders, by patterns, with gaps and without leading zeros."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from numbered_video import every, picture
from PIL import Image

from untaught.cli import main
from untaught.data.describe import counts
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError


def save(folder: Path, names: Iterable[str], size: tuple[int, int] = (32, 48)) -> Path:
    """Picture k under the k-th name."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number, *size)).save(folder / name)
    return folder


def pictures(numbers: Iterable[int]) -> torch.Tensor:
    return torch.from_numpy(np.stack([picture(number) for number in numbers])).permute(0, 3, 1, 2)


NAMES = {
    "padded": [f"{n:04d}.png" for n in range(1, 13)],
    "plain": [f"{n}.png" for n in range(12)],
    "prefix": [f"frame_{n}.png" for n in range(5, 17)],
    "suffix": [f"0001_{n:06d}_left8bit.png" for n in range(12)],
    "many": [f"shot1 take2 ({n}).BMP" for n in range(95, 107)],
    "stepped": [f"img{n:05d}.png" for n in range(0, 120, 10)],
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("memory", [0, 2**30])
def test_frames_come_in_the_order_of_their_numbers(kind: str, memory: int, tmp_path: Path) -> None:
    source = open_data(f"{save(tmp_path / 'clip', NAMES[kind])}?video=true&cuts=false", memory=memory)
    assert source.is_video and source.train.length.tolist() == [12]
    assert torch.equal(every(source), pictures(range(12)))
    assert source.train.place_of(10).file == str(tmp_path / "clip" / NAMES[kind][10])
    unpadded = any("no leading zeros" in note for note in source.notes)
    assert unpadded == (kind in ("plain", "prefix", "many")) and len(source.notes) == unpadded


def test_gaps_are_told_and_no_window_crosses_one(tmp_path: Path) -> None:
    save(tmp_path, [f"{n:03d}.png" for n in (1, 2, 3, 4, 8, 9, 10, 20)])
    source = open_data(f"{tmp_path}?video=true")
    assert source.train.cuts.tolist() == [4, 7] and source.train.gaps == 2 and counts(source.train).get("cuts") is None
    assert counts(source.train)["gaps"] == 2 and source.train.shots().length.tolist() == [4, 3, 1]
    assert source.notes[0].startswith("12 numbers of frames are missing, after 004.png, 010.png;")
    assert open_data(f"{tmp_path}?video=true&cuts=false").train.cuts.tolist() == []
    assert open_data(f"{tmp_path}?video=true&every=3").train.cuts.tolist() == [2]


def test_what_else_lies_in_the_folder_is_told(tmp_path: Path) -> None:
    save(tmp_path, ["1.png", "2.png", "3.png", "03.png", "cover.png", "poster7.png"])
    source = open_data(f"{tmp_path}?video=true")
    assert source.train.length.tolist() == [4]
    told = " | ".join(source.notes)
    assert "2 pictures are in no clip and left out: cover.png, poster7.png" in told
    assert "1 number stands twice" in told


def test_a_folder_of_clips_with_classes_and_lengths_and_sizes(tmp_path: Path) -> None:
    for place, (name, count) in enumerate({"walk/a": 4, "walk/b": 6, "run/a": 5}.items()):
        save(tmp_path / name, [f"{n}.png" for n in range(count)], (32, 48) if place else (40, 60))
    for memory in (0, 2**30):
        source = open_data(f"{tmp_path}?video=true", memory=memory, size=16)
        assert source.train.length.tolist() == [5, 4, 6] and source.shape == (3, 16, 16)
        assert source.label_names == ("run", "walk") and source.train.label[source.train.first].tolist() == [0, 1, 1]
    chosen = open_data(f"{tmp_path}?video=true")
    assert chosen.chosen_size == (32, 48) and open_data(chosen.spec).shape == (3, 32, 48)
    flat = open_data(f"{tmp_path / 'walk'}?video=true")
    assert flat.train.length.tolist() == [4, 6] and flat.label_names == ()


def test_several_clips_in_one_folder(tmp_path: Path) -> None:
    save(tmp_path, [*(f"run_{n}.png" for n in range(3)), *(f"walk_{n}.png" for n in range(4))])
    assert open_data(f"{tmp_path}?video=true").train.length.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("pattern", "lengths"),
    [
        ("clip/%04d.png", [8]),
        ("clip/%d.png", [8]),
        ("clip/####.png", [8]),
        ("clip/*.png", [8]),
        ("clip/%05d.png", None),
        ("*/%04d.png", [8, 3]),
        ("clip/%04d.jpg", None),
        ("other#1/%04d.png", [3]),
    ],
)
def test_patterns(pattern: str, lengths: list[int] | None, tmp_path: Path) -> None:
    save(tmp_path / "clip", [f"{n:04d}.png" for n in range(8)])
    save(tmp_path / "other#1", [f"{n:04d}.png" for n in range(3)])
    if lengths is None:
        with pytest.raises(DataError, match="no such file or folder"):
            open_data(str(tmp_path / pattern))
        return
    source = open_data(f"{tmp_path / pattern}?cuts=false")
    assert source.is_video and source.train.length.tolist() == lengths
    assert torch.equal(every(open_data(source.spec)), every(source))


def test_times_need_a_rate(tmp_path: Path) -> None:
    save(tmp_path, NAMES["padded"])
    with pytest.raises(ConfigError, match=r"\?fps=25"):
        open_data(f"{tmp_path}?video=true&from=0.5s")
    source = open_data(f"{tmp_path}?video=true&fps=4&from=0.5s&to=2s&cuts=false")
    assert torch.equal(every(source), pictures(range(2, 8)))
    place = source.train.place_of(1)
    assert (place.file, place.frame, place.seconds) == (str(tmp_path / "0004.png"), 1, 0.75)
    assert torch.equal(every(open_data(f"{tmp_path}?video=true&from=3&to=6&cuts=false")), pictures(range(3, 6)))


def test_missing_numbers_take_their_time(tmp_path: Path) -> None:
    folder = save(tmp_path / "clip", (f"{number:04d}.png" for number in (3, 4, 5, 8, 9)))
    source = open_data(f"{folder}?video=true&fps=2")
    origin = source.train.origin
    assert origin is not None and list(origin.seconds or ()) == [0.0, 0.5, 1.0, 2.5, 3.0]
    later = open_data(f"{folder}?video=true&fps=2&from=2s").train.origin
    assert later is not None and [Path(file).name for file in later.files] == ["0008.png", "0009.png"]


@pytest.mark.parametrize("memory", [0, 2**30])
@pytest.mark.parametrize("broken", [b"", b"\x89PNG\r\n\x1a\n", None])
def test_a_broken_frame_is_named_or_leaves_a_gap(memory: int, broken: bytes | None, tmp_path: Path) -> None:
    save(tmp_path, NAMES["padded"])
    bad = tmp_path / "0005.png"
    bad.write_bytes(bad.read_bytes()[:90] if broken is None else broken)
    with pytest.raises(DataError, match=r"0005\.png.*\n1 of 12 files are broken"):
        open_data(f"{tmp_path}?video=true", memory=memory)
    source = open_data(f"{tmp_path}?video=true", memory=memory, on_bad="skip")
    assert source.train.length.tolist() == [11] and 4 in source.train.cuts and source.skipped == (str(bad),)


def test_without_the_option_they_are_pictures_unless_a_model_needs_video(tmp_path: Path) -> None:
    save(tmp_path / "clip", NAMES["padded"])
    assert not open_data(tmp_path / "clip").is_video
    assert open_data(tmp_path / "clip", video=True).is_video
    assert not open_data(f"{tmp_path / 'clip'}?video=false", video=True).is_video
    save(tmp_path / "photos", ["cat.png", "dog.png", "img1.png"])
    assert not open_data(tmp_path / "photos", video=True).is_video
    with pytest.raises(DataError, match="no picture of .* has a number"):
        open_data(f"{save(tmp_path / 'named', ['a.png', 'b.png'])}?video=true")


@pytest.mark.slow
def test_pgn_learns_from_a_folder_of_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "clip", [f"{n}.png" for n in range(20)], (12, 16))
    words = ("--units", "3", "--filters", "3", "--frames", "3", "--epochs", "1", "--threads", "1", "--device", "cpu")
    out = str(tmp_path / "run")
    assert main(["train", "pgn", "--data", str(tmp_path / "clip"), *words, "--no-motion", "--out", out]) == 0
    assert "order of their numbers" in capsys.readouterr().err
    assert main(["predict", out, "--data", str(tmp_path / "clip"), "--context", "4", "--out", f"{out}.npz"]) == 0
