"""Colours of flow: which way, how far, and the same on the wheel as in the picture."""

import pytest
import torch

from untaught.evaluate.drawing.flow_colours import flow_colours, wheel

RIGHT, DOWN, LEFT = (1.0, 0.0, 0.0), (0.5, 1.0, 0.0), (0.0, 1.0, 1.0)


def flow(x: float, y: float) -> torch.Tensor:
    found = torch.zeros(1, 1, 2, 4, 6)
    found[:, :, 0], found[:, :, 1] = x, y
    return found


@pytest.mark.parametrize(("x", "y", "colour"), [(-3, 0, RIGHT), (0, -3, DOWN), (3, 0, LEFT)])
def test_the_colour_says_where_a_thing_moves_to(x: float, y: float, colour: tuple[float, ...]) -> None:
    """What comes from the left moves to the right."""
    picture, longest = flow_colours(flow(x, y))
    assert longest == 3
    assert picture[0, 0, :, 1, 1].tolist() == pytest.approx(colour, abs=1e-6)


def test_the_wheel_has_the_colour_of_a_direction_on_that_side() -> None:
    seen = wheel(41, 61)[0]
    assert seen[:, 20, 49].argmax() == 0 and seen[:, 20, 49][1:].max() < 0.1
    assert seen[:, 39, 30].tolist() == pytest.approx([value * 0.93 for value in DOWN], abs=0.1)
    assert seen[:, 20, 30].max() < 0.05 and seen[:, 0, 0].max() == 0


def test_brightness_is_length_and_noise_stays_dark() -> None:
    some = flow(-4, 0)
    some[..., :3] = some[..., :3] / 2
    picture, longest = flow_colours(some)
    assert longest == 4 and picture[0, 0, 0, 0, 0] == pytest.approx(0.5) and picture[0, 0, 0, 0, 5] == 1
    picture, longest = flow_colours(flow(0.05, 0))
    assert longest == 0.5 and picture.max() == pytest.approx(0.1)
