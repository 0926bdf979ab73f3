"""Clips that are shorter than the window are counted and named, whatever they come from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numbered_video import write

from untaught.cli import main
from untaught.data.batches import fixed_order
from untaught.data.coverage import behind_the_last, too_short, uncovered
from untaught.data.origin import Origin
from untaught.data.part import Part, WholeFrames
from untaught.data.view import View

LENGTHS = [6, 12, 6, 9, 25, 1]


def clips(*lengths: int) -> Part:
    part = Part.over(WholeFrames(torch.zeros(sum(lengths), 1, 4, 4, dtype=torch.uint8)), torch.tensor(lengths))
    files = tuple(f"clips/{number}.mp4" for number in range(len(lengths)))
    seconds = [place / 25 for length in lengths for place in range(length)]
    return replace(part, origin=Origin(files, part.first.tolist(), seconds))


@pytest.mark.parametrize("frames", [1, 2, 6, 7, 10, 25])
def test_what_is_left_out_is_what_no_window_holds(frames: int) -> None:
    """Oracle: every window, laid end to end."""
    part, view = clips(*LENGTHS), View(frames=frames)
    starts = fixed_order(part, view, None)
    held = {int(number) for start in starts.tolist() for number in range(start, start + frames)}
    own = [set(range(first, first + length)) for first, length in zip(part.first.tolist(), LENGTHS, strict=True)]
    missing = [number for number, frames_of in enumerate(own) if not frames_of & held]
    assert too_short(part, view) == missing
    assert behind_the_last(part, view) == sum(len(rest - held) for rest in own if rest & held)
    told = uncovered(part, view)
    assert len(told) == bool(missing)
    if missing:
        assert told[0].startswith(f"{len(missing)} of 6 clips have fewer than {frames} frames and are left out: ")
        assert f"{missing[0]}.mp4" in told[0] and ("and 1 more" in told[0]) == (len(missing) == 4)


def test_windows_that_are_shorter_than_asked_for() -> None:
    assert uncovered(clips(6, 6, 4), View(frames=10), remedy=True) == [
        "no clip has 10 frames, so windows have 6",
        "1 of 3 clips have fewer than 6 frames and are left out: 2.mp4; --frames 4 takes all",
    ]
    assert uncovered(clips(6), View(frames=6)) == [] and uncovered(clips(6), View()) == []
    assert "row 0" in uncovered(replace(clips(2, 6), origin=None), View(frames=4))[0]


@pytest.mark.slow
def test_training_and_encoding_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clips").mkdir()
    for number in range(15):
        write(tmp_path / "clips" / f"{number:02d}.mkv", "ffv1", "bgr0", 40 if number == 3 else 6)
    words = ("--size", "12", "--units", "3", "--filters", "3", "--epochs", "1", "--threads", "1", "--device", "cpu")
    out = str(tmp_path / "run")
    data = ("--data", str(tmp_path / "clips"))
    assert main(["train", "pgn", *data, "--frames", "10", "--no-motion", *words, "--out", out]) == 0
    told = capsys.readouterr().err
    assert "training: 10 of 11 clips have fewer than 10 frames and are left out: 00.mkv" in told
    assert "test: no clip has 10 frames, so windows have 6" in told
    assert main(["encode", out, "--out", f"{out}.npz"]) == 0
    assert "14 of 15 clips have fewer than 10 frames and are left out: 00.mkv, 01.mkv" in capsys.readouterr().err
    with np.load(f"{out}.npz") as rows:
        assert rows["file"].tolist() == [str(tmp_path / "clips" / "03.mkv")] * 4
        assert rows["frame"].tolist() == [0, 10, 20, 30] and rows["seconds"].tolist() == [0.0, 0.4, 0.8, 1.2]
        assert rows["row"].tolist() == [3] * 4 and rows["frames"].tolist() == [10] * 4
