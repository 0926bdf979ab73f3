"""Moving a frame along a flow against SciPy, and changes between frames against differences by hand."""

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from untaught.nn.temporal.motion import AROUND, STILL, moved, share_moving, with_changes
from untaught.randomness import seeded


@pytest.mark.parametrize("size", [(7, 9), (1, 6), (5, 1)])
def test_moving_is_linear_interpolation_with_the_nearest_pixel_beyond_the_edge(size: tuple[int, int]) -> None:
    with seeded(1):
        x = torch.rand(3, 2, *size, dtype=torch.float64)
        flow = 4 * torch.randn(3, 2, *size, dtype=torch.float64)
    rows, columns = np.mgrid[: size[0], : size[1]]
    for frame, own, found in zip(x.numpy(), flow.numpy(), moved(x, flow), strict=True):
        at = np.stack([np.clip(rows + own[1], 0, size[0] - 1), np.clip(columns + own[0], 0, size[1] - 1)])
        for channel, expected in zip(frame, found.numpy(), strict=True):
            assert expected == pytest.approx(map_coordinates(channel, at, order=1, mode="nearest"))


def test_a_whole_step_to_the_right_shows_the_pixel_to_the_right() -> None:
    x = torch.arange(12.0).view(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0] = 1
    torch.testing.assert_close(moved(x, flow)[..., :-1], x[..., 1:])


def test_gradient_of_the_flow_is_the_slope() -> None:
    with seeded(2):
        x = torch.rand(1, 1, 4, 5, dtype=torch.float64)
        flow = (0.3 + 0.3 * torch.rand(1, 2, 4, 5, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: moved(x, f), (flow,))


def test_changes_are_differences_the_latest_first() -> None:
    with seeded(3):
        clip = torch.rand(2, 6, 3, 4, 4)
    seen = with_changes(clip[:, 2:], clip[:, :2])
    assert seen.shape == (2, 4, 9, 4, 4)
    for time in range(4):
        at = time + 2
        parts = [clip[:, at] - 0.5, clip[:, at] - clip[:, at - 1], clip[:, at - 1] - clip[:, at - 2]]
        torch.testing.assert_close(seen[:, time], torch.cat(parts, 1))


def test_the_share_that_moves_is_its_formula() -> None:
    """The mean square over all parts and the pixels around, those beyond the edge left out, over noise."""
    changes = 0.03 * torch.randn(2, 3, 9, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    changes[0, :, :, 7:] *= 0.01
    share, reach = share_moving(changes), AROUND // 2
    for row, column in ((0, 0), (4, 6), (8, 23), (3, 10)):
        around = changes[:, :, max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        mean = around.square().mean((1, 2, 3))
        expected = torch.where(mean > STILL, (mean - STILL) / mean, 0)
        torch.testing.assert_close(share[:, 0, row, column], expected)
    assert (share == 0).any() and (share > 0.5).any()
    assert not share_moving(torch.zeros(1, 2, 4, 4)).any(), "nothing moves in a still picture"
