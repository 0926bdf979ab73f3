"""What is said of a source, against numpy."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numbered_video import write
from PIL import Image

from untaught.data.describe import describe, doubles
from untaught.data.part import Part, WholeFrames
from untaught.data.reading.arrays import from_array
from untaught.data.source import Source, open_data


def test_pictures_are_described() -> None:
    x = np.random.default_rng(0).integers(0, 256, (50, 6, 7), np.uint8)
    found = describe(from_array(x, label=[0] * 20 + [3] * 25 + [-1] * 5))
    assert found["kind"] == "pictures" and found["shape"] == [1, 6, 7] and found["stored"] == "uint8"
    assert found["parts"] == {"train": {"examples": 50}}
    assert found["range"] == [x.min() / 255, x.max() / 255]
    assert found["mean"] == pytest.approx((x / 255).mean(), abs=1e-5)
    assert found["deviation"] == pytest.approx((x / 255).std(), abs=1e-4)
    assert found["labels"] == {"0": 20, "3": 25}


def test_video_is_described_by_the_frames_of_its_clips_alone() -> None:
    frames = torch.zeros(10, 1, 4, 4)
    frames[[2, 3, 4, 7, 8]] = 0.5
    part = Part.over(WholeFrames(frames), torch.tensor([2, 3, 2, 2, 1])).clips(torch.tensor([1, 3]))
    found = describe(Source("made", part))
    assert found["kind"] == "video" and found["range"] == [0.5, 0.5] and found["deviation"] == 0
    assert found["parts"]["train"] == {"clips": 2, "frames": 5, "shortest": 2, "longest": 3}


def test_large_frames_are_described_by_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(40, 1, 8, 8)
    read: list[int] = []
    source = from_array(x)
    frames = source.train.frames
    monkeypatch.setattr("untaught.data.describe.VALUES", 10 * 64)
    monkeypatch.setattr(WholeFrames, "read", lambda self, index: read.append(len(index)) or frames.in_memory[index])
    describe(source)
    assert read == [10]


def test_named_sets_are_described_as_json() -> None:
    digits = json.loads(json.dumps(describe(open_data("digits"))))
    assert digits["labels"]["7"] == 179 and digits["range"] == [0, 1] and digits["latents"] == {}
    balls = describe(open_data("balls?clips=2&validation=1&test=1&frames=4"))
    assert list(balls["parts"]) == ["train", "validation", "test"] and balls["latents"] == {
        "position": 6,
        "velocity": 6,
    }
    assert balls["labels"] == {}


def test_where_it_comes_from_is_told(tmp_path: Path) -> None:
    for name, side, grey in (("b/1.png", 8, 10), ("b/2.png", 12, 200), ("c/again.png", 8, 10)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (side, 8), grey).save(tmp_path / name)
    found = describe(open_data(tmp_path))
    assert found["read_as"].startswith("a folder of pictures, its sub-folders are classes")
    assert "?video=true" in found["read_as"]
    assert found["duplicates"] == 1 and found["same"] == ["c/again.png is b/1.png"] and found["unlabelled"] == 0
    assert "pictures of 2 sizes: heights 8 to 8, widths 8 to 12" in found["notes"]
    assert describe(open_data(f"{tmp_path}?video=true"))["read_as"] == "numbered pictures, each a frame"
    np.save(tmp_path / "x.npy", np.eye(3))
    assert describe(open_data(tmp_path / "x.npy"))["read_as"] == "an array, vectors"


def test_video_has_a_length_in_seconds(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.mp4", "libx264", "yuv420p", 26)
    found = describe(open_data(tmp_path))
    assert found["read_as"] == "a folder of video" and found["parts"]["train"]["seconds"] == pytest.approx(2.0)


@pytest.mark.parametrize("memory", [2**30, 1000], ids=["memory", "disk"])
def test_the_same_clip_and_the_same_picture_again_are_named(memory: int, tmp_path: Path) -> None:
    clips, pictures = tmp_path / "clips", tmp_path / "pictures"
    for name, frames in (("a", 6), ("b", 5), ("c", 6)):
        (pictures / name).mkdir(parents=True)
        clips.mkdir(exist_ok=True)
        write(clips / f"{name}.mp4", "libx264", "yuv420p", frames)
        for number in range(3):
            grey = np.random.default_rng([frames, number]).integers(0, 256, (32, 32), dtype=np.uint8)
            Image.fromarray(grey).save(pictures / name / f"{number}.png")
    assert doubles(open_data(clips, memory=memory)) == [("clips/c.mp4", "clips/a.mp4")]
    assert doubles(open_data(pictures, memory=memory)) == [(f"c/{n}.png", f"a/{n}.png") for n in range(3)]
