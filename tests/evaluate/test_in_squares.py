"""Whole pictures through a model that sees squares alone, against double loops over squares and pixels."""

import pytest
import torch
from torch import Tensor

from tests.evaluate.fakes import Linear, subject_of
from untaught.data.part import Part
from untaught.data.view import Statistics, View
from untaught.errors import DataError
from untaught.evaluate.in_squares import features_of, given_back, squares
from untaught.evaluate.subject import Subject
from untaught.randomness import seeded

SIDE = 4
PICTURES = torch.rand(3, 2, 7, 10, generator=torch.Generator().manual_seed(0))


class Small(Linear):
    """Sees 4 x 4 alone; what it gives back depends on where in the square a pixel lies."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """Pixels times their number."""
        if x.shape[-2:] != (SIDE, SIDE):
            raise RuntimeError("shapes cannot be multiplied")
        return x * torch.arange(SIDE * SIDE).view(SIDE, SIDE)


def seeing(kind: type[Linear], statistics: Statistics | None = None) -> Subject:
    with seeded(0):
        model = kind(Linear.Config(keep=0.5), (2, SIDE, SIDE)).eval()
    return subject_of(model, Part.of(PICTURES), Part.of(PICTURES), View(patch=SIDE), statistics)


def corners(length: int) -> list[int]:
    """Evenly spaced beginnings, the first and the last at the edges."""
    count = -(-length // SIDE)
    return [round(number * (length - SIDE) / (count - 1)) for number in range(count)]


def test_squares_cover_the_picture() -> None:
    for height, width, side in ((20, 33, 8), (8, 8, 8), (9, 16, 8)):
        seen = torch.zeros(height, width)
        for top, left in squares(height, width, side):
            seen[top : top + side, left : left + side] += 1
            assert top + side <= height and left + side <= width
        assert seen.min() >= 1
    with pytest.raises(DataError, match="--size 8"):
        squares(7, 20, 8)


@pytest.mark.parametrize("statistics", [None, Statistics(torch.tensor(0.4), torch.tensor(0.2))])
def test_a_picture_is_put_together_from_its_squares(statistics: Statistics | None) -> None:
    mean, deviation = (0.0, 1.0) if statistics is None else (0.4, 0.2)
    expected = torch.zeros_like(PICTURES)
    for number, picture in enumerate(PICTURES):
        for row in range(7):
            for column in range(10):
                found = []
                for top in corners(7):
                    for left in corners(10):
                        if top <= row < top + SIDE and left <= column < left + SIDE:
                            weight = (row - top) * SIDE + column - left
                            found.append((picture[:, row, column] - mean) / deviation * weight * deviation + mean)
                expected[number, :, row, column] = sum(found) / len(found)
    torch.testing.assert_close(given_back(seeing(Small, statistics), PICTURES), expected)


def test_a_model_of_any_size_sees_the_whole() -> None:
    torch.testing.assert_close(given_back(seeing(Linear), PICTURES), PICTURES / 2)


def test_features_of_a_picture_are_the_means_over_its_squares() -> None:
    subject = seeing(Small)
    expected = torch.zeros(3, 3)
    for top in corners(7):
        for left in corners(10):
            expected += PICTURES[:, :, top : top + SIDE, left : left + SIDE].flatten(1) @ subject.model.weight.T
    torch.testing.assert_close(features_of(subject, PICTURES), expected.detach() / 6)


def test_features_are_as_many_as_in_training() -> None:
    class Pooled(Linear):
        """Takes any size, and has as many features of each."""

        def encode(self, x: Tensor) -> Tensor:
            """The mean of each channel."""
            return x.mean((-2, -1))

    class Spread(Linear):
        """Takes any size, and has more features of larger pictures."""

        def encode(self, x: Tensor) -> Tensor:
            """The picture itself."""
            return x.flatten(1)

    torch.testing.assert_close(features_of(seeing(Pooled), PICTURES), PICTURES.mean((-2, -1)))
    assert features_of(seeing(Spread), PICTURES).shape == (3, 2 * SIDE * SIDE)
