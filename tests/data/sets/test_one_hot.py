"""One-hot vectors: what is in each part, and how often."""

from pathlib import Path

import pytest
import torch

from untaught.data.batches import epoch_order
from untaught.data.source import open_data
from untaught.data.view import View
from untaught.errors import ConfigError, DataError


def test_each_pattern_has_one_unit_on_in_every_copy() -> None:
    source = open_data("one-hot?units=3&copies=2")
    expected = [[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1]]
    assert source.shape == (6,) and not source.is_video and source.label_names == ("0", "1", "2")
    for part in source.all_parts().values():
        assert part.frames.read(part.first).tolist() == expected
        assert part.label[part.first].tolist() == [0, 1, 2]


def test_all_three_parts_are_the_patterns() -> None:
    source = open_data("one-hot?units=8&repeats=5")
    assert [len(part) for part in source.all_parts().values()] == [40, 8, 8]
    parts = source.parts()
    assert torch.equal(parts.validation.frames.read(parts.validation.first), torch.eye(8))


def test_an_epoch_shows_each_pattern_as_often_as_was_asked() -> None:
    part = open_data("one-hot?units=4&repeats=3").train
    shown = part.frames.read(epoch_order(part, View(), seed=1, epoch=2))
    assert shown.shape == (12, 4) and shown.sum(0).tolist() == [3, 3, 3, 3]


def test_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="take no path"):
        open_data(f"one-hot:{tmp_path}")


def test_no_units_are_refused() -> None:
    with pytest.raises(ConfigError, match="units"):
        open_data("one-hot?units=0")
