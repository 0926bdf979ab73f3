"""Classes from the middle and from everywhere, of a classifier that sees brightness in a square."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from tests.evaluate.fakes import subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.measures.crops import MEASURE, _probability, applies, everywhere, middle
from untaught.evaluate.subject import Subject
from untaught.model import Classifies, Model, Stage


class Bright(Model, Classifies):
    """Class 1 where a square has a bright pixel."""

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def class_probabilities(self, x: Tensor) -> Tensor:
        """Nearly sure."""
        assert x.shape[-2:] == (4, 4)
        lit = x.flatten(1).amax(1)
        return torch.stack([1 - 0.9 * lit, 0.9 * lit], 1)


def subject(patch: int | None = 4) -> Subject:
    """Of four pictures of class 1, one is bright in the middle, one at an edge, one nowhere, one everywhere."""
    x = torch.zeros(4, 1, 8, 12)
    x[0, 0, 3, 5] = x[1, 0, 0, 0] = 1
    x[3] = 1
    train = Part.of(torch.zeros(3, 1, 8, 12), torch.tensor([0, 1, 0]))
    return subject_of(Bright().eval(), train, Part.of(x, torch.ones(4, dtype=torch.int64)), view=View(patch=patch))


def test_the_middle_and_everywhere() -> None:
    found = MEASURE.take(subject())
    assert found["centre_error_rate"] == 0.5 and found["examples"] == 4 and found["squares"] == 5 * 9
    assert found["dense_error_rate"] == 0.75, "one square in many is bright at the edge, and in the middle a third are"
    assert found["baselines"]["most_frequent_class"]["dense_error_rate"] == 1


def test_probabilities_are_means_over_squares() -> None:
    x = torch.zeros(1, 1, 8, 12)
    x[..., :4, :4] = 1
    places = [(0, 0), (4, 8), (0, 8), (4, 0), (0, 2)]
    found = _probability(subject(), x, places, 4)
    torch.testing.assert_close(found, torch.tensor([[1 - 0.9 * 2 / 5, 0.9 * 2 / 5]]))


def test_squares_reach_all_edges() -> None:
    x = torch.zeros(1, 1, 9, 13)
    places = everywhere(x, 4)
    assert min(places) == (0, 0) and max(places) == (5, 9) and len(set(places)) == len(places)
    assert middle(x, 4) == (2, 4)


def test_where_it_applies() -> None:
    assert applies(subject()) is None
    assert "sees whole pictures" in (applies(subject(None)) or "")
    assert "no larger" in (applies(subject(8)) or "")


@pytest.mark.parametrize("side", [4, 8])
def test_one_square_is_the_picture(side: int) -> None:
    assert everywhere(torch.zeros(1, 1, side, side), side) == [(0, 0)]
