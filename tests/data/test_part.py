"""Parts and how a source is split."""

import pytest
import torch

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import DataError


def frames_of(part: Part) -> set[int]:
    return {
        int(first) + number
        for first, length in zip(part.first, part.length, strict=True)
        for number in range(int(length))
    }


def test_labels_and_latents_belong_to_frames() -> None:
    part = Part.of(
        torch.rand(2, 3, 1, 4, 4), torch.tensor([5, 7]), {"angle": torch.rand(2, 3, 1), "identity": torch.rand(2, 6)}
    )
    assert part.label.tolist() == [5, 5, 5, 7, 7, 7]
    assert part.latents["angle"].shape == (6, 1) and part.latents["identity"].shape == (6, 6)
    assert torch.equal(part.latents["identity"][0], part.latents["identity"][2])


@pytest.mark.parametrize("count", [3, 10, 17, 100, 1797])
def test_pictures_are_split_evenly_and_nothing_is_shared(count: int) -> None:
    parts = Source("made", Part.of(torch.zeros(count, 2))).parts()
    groups = [frames_of(part) for part in (parts.train, parts.validation, parts.test)]
    assert set.union(*groups) == set(range(count)) and sum(map(len, groups)) == count
    assert all(groups)
    if count >= 100:
        assert len(groups[2]) == count // 5
        assert max(groups[2]) > 0.9 * count and min(groups[2]) < 0.1 * count, (
            "a folder sorted by class would lose classes"
        )


def test_one_clip_is_split_by_time() -> None:
    parts = Source("made", Part.of(torch.zeros(1, 120, 1, 2, 2))).parts()
    assert frames_of(parts.test) == set(range(96, 120))
    assert frames_of(parts.train) == set(range(86)) and frames_of(parts.validation) == set(range(86, 96))


def test_many_clips_are_split_by_clip() -> None:
    parts = Source("made", Part.of(torch.zeros(20, 5, 1, 2, 2))).parts()
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [14, 2, 4]
    assert frames_of(parts.test) == set(range(80, 100))


def test_the_last_clips_of_every_class_are_held_out() -> None:
    label = torch.tensor([0] * 10 + [1] * 20 + [2] * 2)
    parts = Source("made", Part.of(torch.zeros(32, 5, 1, 2, 2), label)).parts()
    number = {name: (part.first // 5).tolist() for name, part in vars(parts).items()}
    assert number["test"] == [8, 9, 26, 27, 28, 29]
    assert number["validation"] == [7, 24, 25]
    assert sorted([*number["train"], *number["validation"], *number["test"]]) == list(range(32))


def test_one_clip_at_least_is_held_out_where_every_class_has_few() -> None:
    parts = Source("made", Part.of(torch.zeros(12, 5, 1, 2, 2), torch.arange(12) // 2)).parts()
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [10, 1, 1]


def test_own_parts_are_kept() -> None:
    train, test = Part.of(torch.zeros(50, 2)), Part.of(torch.ones(9, 2))
    parts = Source("made", train, test=test).parts()
    assert parts.test is test
    assert len(parts.train) == 45 and len(parts.validation) == 5


def test_a_clip_too_short_to_split_says_so() -> None:
    with pytest.raises(DataError, match="at least 6 frames"):
        Source("made", Part.of(torch.zeros(1, 3, 1, 2, 2))).parts()
