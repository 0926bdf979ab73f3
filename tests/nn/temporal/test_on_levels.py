"""Recurrences on several levels: each against a loop over frames, stacked ones with pooling written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from untaught.nn.temporal.on_levels import OnLevels
from untaught.nn.temporal.recurrent import ConvGRU
from untaught.randomness import seeded


def halved(states: Tensor) -> Tensor:
    """Means of 2x2 values."""
    return (states[..., ::2, ::2] + states[..., 1::2, ::2] + states[..., ::2, 1::2] + states[..., 1::2, 1::2]) / 4


@pytest.mark.parametrize("stacked", [False, True])
@torch.no_grad()
def test_states_are_those_of_a_loop_over_frames_and_levels(stacked: bool) -> None:
    with seeded(0):
        core = OnLevels((2, 3, 4), (3, 4, 5), 3, stacked).double()
        levels = [torch.randn(5, 2, maps, side, side, dtype=torch.float64) for maps, side in ((2, 8), (3, 4), (4, 2))]
    found = core(levels)
    state: list[Tensor] = [
        torch.zeros(2, maps, side, side, dtype=torch.float64) for maps, side in ((3, 8), (4, 4), (5, 2))
    ]
    for time in range(5):
        for number, cell in enumerate(core):
            assert isinstance(cell, ConvGRU)
            seen = levels[number][time]
            if stacked and number:
                seen = torch.cat([seen, halved(state[number - 1])], 1)
            state[number] = cell.step(cell.drive(seen), (state[number],))[0]
        for level, own in zip(found[time], reversed(state), strict=True):
            torch.testing.assert_close(level, own)


@pytest.mark.parametrize("stacked", [False, True])
@torch.no_grad()
def test_going_on_from_a_state_is_going_on(stacked: bool) -> None:
    with seeded(1):
        core = OnLevels((2, 3), (3, 4), 3, stacked)
        levels = [torch.randn(6, 2, 2, 8, 6), torch.randn(6, 2, 3, 3, 3)]
    whole = core(levels)
    first = core([level[:2] for level in levels])
    for there, after in zip(whole[2:], core([level[2:] for level in levels], first[-1]), strict=True):
        for one, other in zip(there, after, strict=True):
            torch.testing.assert_close(one, other)
