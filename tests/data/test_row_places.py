"""Columns that say where each row comes from, of pictures, arrays and clips; none is pickled."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numbered_video import write
from PIL import Image

from untaught.cli.output import write_arrays
from untaught.data.batches import fixed_order
from untaught.data.row_places import row_places
from untaught.data.source import open_data
from untaught.data.view import View


def columns(spec: object, view: View, tmp_path: Path) -> dict[str, np.ndarray]:
    """Written and read again."""
    parts = open_data(str(spec)).all_parts()
    found = row_places((name, part, fixed_order(part, view, None), view.frames) for name, part in parts.items())
    write_arrays(tmp_path / "places.npz", "x", 1, [torch.zeros(1)], lambda: found)
    with np.load(tmp_path / "places.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if name != "x"}


def test_pictures(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name in ("b", "a", "é"):
        Image.new("L", (4, 4)).save(tmp_path / "x" / f"{name}.png")
    found = columns(tmp_path / "x", View(), tmp_path)
    assert found["file"].tolist() == [str(tmp_path / "x" / f"{name}.png") for name in ("a", "b", "é")]
    assert found["row"].tolist() == [0, 1, 2] and found["frame"].tolist() == [-1] * 3
    assert found["frames"].tolist() == [1] * 3 and np.isnan(found["seconds"]).all()


def test_arrays_with_a_test_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((3, 8, 4, 4), np.float32), x_test=np.zeros((2, 8, 4, 4), np.float32))
    np.savez(tmp_path / "v.npz", x=np.eye(3), x_test=np.eye(3)[:2])
    found = columns(tmp_path / "v.npz", View(), tmp_path)
    assert found["part"].tolist() == ["train"] * 3 + ["test"] * 2
    assert found["row"].tolist() == [0, 1, 2, 0, 1] and found["file"].tolist() == [""] * 5
    assert found["name"].tolist() == ["row 0", "row 1", "row 2", "row 0", "row 1"]


@pytest.mark.parametrize(("options", "frames"), [("", [0, 4, 0, 4, 8]), ("?every=2", [0, 0]), ("?from=2&to=8", [0, 0])])
def test_clips(options: str, frames: list[int], tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    write(tmp_path / "x" / "a.mkv", "ffv1", "bgr0", 8)
    write(tmp_path / "x" / "b.mkv", "ffv1", "bgr0", 13 if not options else 9)
    found = columns(f"{tmp_path / 'x'}{options}", View(frames=4), tmp_path)
    assert found["frame"].tolist() == frames
    step, begin = (2 if "every" in options else 1), (2 if "from" in options else 0)
    assert found["seconds"] == pytest.approx([(begin + step * frame) / 25 for frame in frames], abs=0.002)
    assert [Path(file).name for file in found["file"]] == [f"{'ab'[row]}.mkv" for row in found["row"]]
    assert found["row"].tolist() == sorted(found["row"].tolist()) and set(found["row"].tolist()) == {0, 1}


def test_clips_of_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 9, 1, 6, 6), np.uint8))
    found = columns(tmp_path / "x.npy", View(frames=4), tmp_path)
    assert found["row"].tolist() == [0, 0, 1, 1] and found["frame"].tolist() == [0, 4, 0, 4]


def test_nothing_to_place() -> None:
    assert row_places([]) == {}
    part = open_data("bars?examples=4").train
    assert all(
        len(column) == 0 for column in row_places([("train", part, torch.zeros(0, dtype=torch.int64), None)]).values()
    )
