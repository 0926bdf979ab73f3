"""Contact sheets: what is where on them, against the pixels of the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.reading.arrays import from_array
from untaught.data.source import open_data
from untaught.errors import DataError
from untaught.evaluate.drawing import contact_sheet as drawn
from untaught.evaluate.drawing.contact_sheet import contact_sheet
from untaught.evaluate.drawing.pictures import GAP, PAPER, TEXT


def captions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are written below pictures, in their order."""
    said: list[str] = []
    under = drawn._under
    monkeypatch.setattr(drawn, "_under", lambda tile, text: said.append(text) or under(tile, text))
    return said


def test_pictures_stand_above_their_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    x, said = torch.rand(4, 8, 8), captions(monkeypatch)
    sheet = contact_sheet(from_array(x, label=["cat", "dog", "cat", "dog"]))
    assert said == ["cat", "dog", "cat", "dog"]
    left, down = 96 + 2 * GAP, 96 + 2 * GAP + TEXT + GAP
    shown = sheet[GAP + 6 : GAP + 96 : 12, left + 6 : left + 96 : 12, 0]
    np.testing.assert_array_equal(shown, (x[1] * 255).round().numpy())
    assert sheet[down, GAP, 0] == round(float(x[2, 0, 0]) * 255)


def test_files_without_classes_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b" * 40):
        Image.new("RGB", (9, 9), "red").save(tmp_path / f"{name}.png")
    said = captions(monkeypatch)
    sheet = contact_sheet(open_data(str(tmp_path)))
    assert said == ["a.png", f"{'b' * 40}.png"] and sheet.shape[1] < 250


def test_clips_are_rows_of_frames_evenly_spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    x, said = torch.arange(10 * 9).view(10, 9, 1, 1, 1).expand(-1, -1, 1, 4, 4) / 100, captions(monkeypatch)
    sheet = contact_sheet(from_array(x))
    assert said == [f"row {row}: 8 of 9 frames" for row in range(10)]
    first = sheet[2 * GAP + 50, [2 * GAP + 50 + n * (96 + GAP) for n in range(8)], 0]
    np.testing.assert_array_equal(first, [round(255 * n / 100) for n in (0, 1, 2, 3, 5, 6, 7, 8)])


def test_shorter_clips_leave_paper_and_one_clip_has_several_rows(tmp_path: Path) -> None:
    for clip, count in (("a", 2), ("b", 4)):
        for number in range(count):
            (tmp_path / clip).mkdir(exist_ok=True)
            Image.new("L", (96, 96), 255).save(tmp_path / clip / f"{number}.png")
    sheet = contact_sheet(open_data(f"{tmp_path}?video=true"))
    assert tuple(sheet[60, 2 * GAP + 2 * (96 + GAP) + 40]) == PAPER and sheet[60, 60, 0] == 255
    one = contact_sheet(from_array(torch.zeros(1, 20, 1, 8, 8)))
    assert one.shape[0] > 3 * 96 and one.shape[1] < 9 * 100


def test_vectors_cannot_be_drawn() -> None:
    with pytest.raises(DataError, match="vectors of 3 numbers"):
        contact_sheet(from_array(torch.zeros(4, 3)))


def test_optical_flow_is_drawn_in_colours_of_where_to_behind_their_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red to the right, blue-green to the left; the second flow of a stack is not mixed in."""
    said, stacks = captions(monkeypatch), torch.full((10, 3, 4, 8, 8), 0.5)
    stacks[:, 0, 0], stacks[:, 1, 0], stacks[:, :, 2:] = 0.75, 0.375, 1.0
    sheet = contact_sheet(replace(from_array(stacks), flow_bound=8.0))
    assert said[0] == "row 0: 3 frames; the wheel shows which way, bright: 4.0 pixels"
    at = [sheet[2 * GAP + 50, 2 * GAP + 50 + n * (96 + GAP)].tolist() for n in range(1, 4)]
    assert at == [[255, 0, 0], [0, 128, 128], [0, 0, 0]]
    assert sheet[2 * GAP + 50, 2 * GAP + 85].argmax() == 0  # the right side of the wheel
