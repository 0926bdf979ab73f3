"""What carries information through time, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from untaught.nn.temporal.dilated import Dilated
from untaught.nn.temporal.on_levels import OnLevels
from untaught.nn.temporal.recurrent import LSTM, ConvGRU, ConvLSTM, Recurrent, State
from untaught.shapes import Shape

Core: TypeAlias = Literal["convgru", "convlstm", "lstm", "dilated", "gru-rcn"]


def core(kind: Core, levels: Sequence[Shape], units: int, kernel: int) -> Recurrent | OnLevels:
    """Build the core of a name for an encoder's levels `(map, height, width)`, the lowest first.

    All look at the highest level, an lstm with units and the others with maps; a gru-rcn looks at the others too, each
    with as many maps as the encoder has there.
    """
    top = levels[-1]
    match kind:
        case "convgru":
            return ConvGRU(top[0], units, kernel)
        case "convlstm":
            return ConvLSTM(top[0], units, kernel)
        case "dilated":
            return Dilated(top[0], units, kernel)
        case "lstm":
            return LSTM(torch.Size(top).numel(), units)
        case "gru-rcn":
            inputs = [level[0] for level in levels]
            return OnLevels(inputs, [*inputs[:-1], units], kernel)


def states_over_time(core: Recurrent | OnLevels, levels: Sequence[Tensor], state: State | None) -> list[State]:
    """The core's state after each time, from maps `(time, batch, map, height, width)` of every level."""
    return core(levels if isinstance(core, OnLevels) else levels[-1], state)
