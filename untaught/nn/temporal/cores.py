"""What carries information through time, by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

from untaught.nn.temporal.dilated import Dilated
from untaught.nn.temporal.recurrent import LSTM, ConvGRU, ConvLSTM, Recurrent
from untaught.shapes import Shape

Core: TypeAlias = Literal["convgru", "convlstm", "lstm", "dilated"]


def core(kind: Core, shape: Shape, units: int, kernel: int) -> Recurrent:
    """Build the core of a name, for inputs of a shape `(map, height, width)`; an lstm has units and the others maps."""
    match kind:
        case "convgru":
            return ConvGRU(shape[0], units, kernel)
        case "convlstm":
            return ConvLSTM(shape[0], units, kernel)
        case "dilated":
            return Dilated(shape[0], units, kernel)
        case "lstm":
            return LSTM(torch.Size(shape).numel(), units)
