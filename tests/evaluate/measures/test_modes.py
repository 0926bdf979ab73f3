"""Samples that cover all modes, one mode, and none; beside the data and one Gaussian."""

import math
from collections.abc import Callable

import pytest
import torch

from untaught.capability import Samples
from untaught.data.source import open_data
from untaught.data.view import View
from untaught.evaluate.measures.modes import MEASURE, _gaussian, counted
from untaught.evaluate.subject import Subject
from untaught.model import Example, Model, Stage
from untaught.randomness import seeded
from untaught.shapes import Examples

SPEC = "mixture?train=2000&test=1000"


class Draws(Model, Samples):
    """Samples by a function."""

    def __init__(self, draw: Callable[[int], Examples]) -> None:
        super().__init__()
        self.draw, self.example = draw, Example((2,))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """By the function."""
        return self.draw(count)

    def stages(self) -> tuple[Stage, ...]:
        """None: it learns nothing."""
        return ()


def subject(draw: Callable[[int], Examples], spec: str = SPEC) -> Subject:
    return Subject(Draws(draw), open_data(spec).parts(), View())


def own(count: int) -> Examples:
    part = open_data(f"mixture?train={count}&seed=5").train
    return part.frames.read(part.first)


@pytest.mark.parametrize(
    ("draw", "covered", "good", "uneven"),
    [
        (own, 25, 1 - math.exp(-4.5), 0.0),
        (lambda count: 0.05 * torch.randn(count, 2), 1, 1 - math.exp(-4.5), math.log(25)),
        (lambda count: 1 + 0.05 * torch.randn(count, 2), 0, 0.0, None),
    ],
    ids=["all", "one", "between"],
)
def test_modes_are_counted(draw: Callable[[int], Examples], covered: int, good: float, uneven: float | None) -> None:
    with seeded(0):
        found = MEASURE.take(subject(draw))
    assert found["modes_covered"] == covered and found["modes"] == 25 and found["samples"] == 1000
    assert found["high_quality"] == pytest.approx(good, abs=4 * (0.011 * 0.989 / 1000) ** 0.5 + 0.002)
    assert found["unevenness_nats"] == (None if uneven is None else pytest.approx(uneven, abs=0.01))
    assert found["baselines"]["training_examples"] == 25
    assert found["high_quality_baselines"]["one_gaussian"] < 0.1


def test_one_good_sample_covers_a_mode() -> None:
    centres = torch.tensor([[0.0], [5.0], [9.0]], dtype=torch.float64)
    found = counted(torch.tensor([[0.1], [5.0], [5.1], [7.0]], dtype=torch.float64), centres, deviation=0.1)
    assert (found["modes_covered"], found["high_quality"]) == (2, 0.75)


def test_one_gaussian_has_the_mean_and_covariance_of_the_examples() -> None:
    with seeded(0):
        x = torch.tensor([3.0, -1.0]) + torch.randn(50, 2) @ torch.tensor([[2.0, 0.5], [0.0, 0.3]])
        drawn = _gaussian(x, 200_000)
    torch.testing.assert_close(drawn.mean(0), x.mean(0), rtol=0, atol=0.03)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(x.T), rtol=0.03, atol=0.01)


def test_the_picture_is_drawn_in_the_plane_and_on_a_line() -> None:
    for spec, draw in ((SPEC, own), ("mixture?layout=line&modes=2&train=200", lambda count: torch.randn(count, 1))):
        picture = MEASURE.pictures["modes.png"].draw(subject(draw, spec), {})
        assert picture is not None and picture.ndim == 3


def test_where_modes_are_not_known_there_is_nothing_to_count() -> None:
    unknown = Subject(Draws(own), open_data("one-hot").parts(), View())
    assert "modes are not known" in (MEASURE.applies(unknown) or "")
