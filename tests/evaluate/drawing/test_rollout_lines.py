"""The picture of a rollout: names that do not hide each other, a line for each context and kind of baseline."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from untaught.evaluate.drawing.rollout_lines import apart, rollout_picture
from untaught.evaluate.measures.rollout import ERROR_AHEAD
from untaught.evaluate.quantity import Quantity


def measured(contexts: int = 3, frames: int = 12) -> Quantity:
    lines = {f"context_{n}": [h / n for h in range(1, frames + 1)] for n in range(1, contexts + 1)}
    beside = {name: {"context_3": [4.0] * frames} for name in ("previous_frame", "ridge_1_frame", "ridge_2_frames")}
    return ERROR_AHEAD.of(lines, baselines=beside)


@pytest.mark.parametrize("heights", [[0.5] * 5, [0.1, 0.9, 0.12, 0.11], [0.3], [0.2, 0.25, 0.3, 0.31, 0.6]])
def test_names_are_apart_in_the_order_of_their_lines(heights: list[float]) -> None:
    placed = apart(heights, 0.05)
    assert all(b - a >= 0.05 - 1e-9 for a, b in pairwise(sorted(placed)))
    assert sorted(range(len(heights)), key=lambda n: placed[n]) == sorted(range(len(heights)), key=lambda n: heights[n])
    assert sum(placed) == pytest.approx(sum(heights)), "names move as a whole away from their lines"


def test_heights_that_are_apart_stay() -> None:
    assert apart([0.9, 0.1, 0.5], 0.05) == [0.9, 0.1, 0.5]


def test_a_line_more_is_a_colour_more() -> None:
    def colours(contexts: int) -> int:
        pixels = rollout_picture(measured(contexts)).reshape(-1, 3).astype(int)
        vivid = pixels[(pixels.max(1) - pixels.min(1)) > 40]
        found, counts = np.unique(vivid, axis=0, return_counts=True)
        return int((counts > 150).sum())

    assert [colours(n) for n in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize("frames", [1, 2, 50])
def test_it_is_a_picture_of_any_length(frames: int) -> None:
    picture = rollout_picture(measured(frames=frames))
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert picture.min() < 60 and picture.max() > 200


def test_errors_of_zero_are_drawn() -> None:
    assert rollout_picture(replace(measured(), value={"context_1": [0.0] * 12})).max() > 200
