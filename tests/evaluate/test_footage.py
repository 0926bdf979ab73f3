"""Clips end to end: which frames stand before and after which."""

from dataclasses import replace

import torch

from tests.evaluate.fakes import drifting
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.footage import footage

RAGGED = [5, 1, 3]


def ragged() -> Part:
    """Clips of 5, 1 and 3 frames; every pixel of frame i is i / 10."""
    frames = (torch.arange(9) / 10).view(1, 9, 1, 1, 1).expand(1, 9, 1, 2, 2)
    length = torch.tensor(RAGGED)
    return replace(Part.of(frames), first=length.cumsum(0) - length, length=length)


def test_rows_count_within_their_clip() -> None:
    found = footage(ragged(), View(), 1000)
    assert found.length.tolist() == [5, 3]
    assert found.rows(1).tolist() == [1, 2, 3, 4, 6, 7]
    assert found.rows(3).tolist() == [3, 4]
    assert found.clip_of(torch.tensor([0, 4, 5, 7])).tolist() == [0, 0, 1, 1]
    assert found.given(torch.tensor([1, 4, 6, 7]), 3).tolist() == [1, 3, 1, 2]


def test_frames_before_and_after_are_in_order() -> None:
    found = footage(ragged(), View(), 1000)
    rows = torch.tensor([3, 7])
    assert torch.allclose(found.before(rows, 2)[:, :, 0, 0, 0], torch.tensor([[0.1, 0.2], [0.6, 0.7]]))
    assert torch.allclose(found.after(rows, 1)[:, 0, 0, 0, 0], torch.tensor([0.3, 0.8]))


def test_a_long_clip_is_taken_as_several() -> None:
    found = footage(Part.of(drifting(1, 230, 2)), View(), 1000)
    assert found.length.tolist() == [100, 100, 30]
    assert len(found.frames) == 230


def test_a_last_single_frame_is_left_out() -> None:
    assert footage(Part.of(drifting(1, 101, 2)), View(), 1000).length.tolist() == [100]


def test_few_frames_are_whole_clips_spread_over_the_part() -> None:
    x = drifting(9, 4, 2)
    found = footage(Part.of(x), View(), 12)
    assert torch.equal(found.frames.unflatten(0, (3, 4)), x[[0, 4, 8]])


def test_at_least_one_clip_is_read() -> None:
    assert len(footage(Part.of(drifting(3, 4, 2)), View(), 1).first) == 1


def test_a_patch_is_the_same_square_of_all_frames() -> None:
    picture = torch.arange(36.0).view(1, 1, 1, 6, 6).expand(2, 5, 1, 6, 6) / 36
    found = footage(Part.of(picture), View(patch=3), 1000, seed=1).frames.unflatten(0, (2, 5))
    assert found.shape == (2, 5, 1, 3, 3)
    assert torch.equal(found, found[:, :1].expand_as(found))
