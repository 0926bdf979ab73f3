"""Cells that run over time: LSTM, ConvLSTM and ConvGRU.

A cell sees one input x at each time and keeps a hidden state h, an LSTM's also a cell state c; ' marks the new ones,
s is the logistic function, and * is a product with a matrix in an LSTM, a convolution in the others. ConvGRU:

    z  = s(W_z * x + U_z * h + b_z)                                 (1)
    r  = s(W_r * x + U_r * h + b_r)                                 (2)
    h' = (1 - z) h + z tanh(W * x + U * (r h) + b)                  (3)

LSTM and ConvLSTM:

    i, f, o = s(W_i,f,o * x + U_i,f,o * h + b_i,f,o)                (4)
    c' = f c + i tanh(W * x + U * h + b)                            (5)
    h' = o tanh(c')                                                 (6)

The contribution of inputs, W * x + b, does not depend on the state, so it is computed for all times at once; only the
rest is computed step by step.

References:
    Hochreiter, Schmidhuber (1997). Long short-term memory.
    Gers, Schmidhuber, Cummins (2000). Learning to forget (f).
    Shi, Chen, Wang, Yeung, Wong, Woo (2015). Convolutional LSTM network. arXiv:1506.04214.
    Ballas, Yao, Pal, Courville (2016). Delving deeper into convolutional networks for learning video representations.
    arXiv:1511.06432 (GRU-RCN, the ConvGRU).
    Jozefowicz, Zaremba, Sutskever (2015). An empirical exploration of recurrent network architectures (bias of f).

Departures:
    A ConvLSTM has no weights from cell state to gates (Shi's W_c), whose number would tie it to one frame size.
    The bias of a forget gate begins at 1, so that cells remember from the start of training.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]
"""Hidden state `(batch, ...)`; an LSTM's is followed by its cell state."""


class Recurrent(nn.Module, ABC):
    """A cell, and how it runs over time."""

    remembers: ClassVar[bool] = True
    """Whether the state depends on more than the last input."""

    @abstractmethod
    def drive(self, x: Tensor) -> Tensor:
        """What inputs `(example, ...)` contribute to each gate, gates along axis 1."""

    @abstractmethod
    def start(self, drive: Tensor) -> State:
        """The initial state: zeros, of the size that the drive of one time step implies."""

    @abstractmethod
    def step(self, drive: Tensor, state: State) -> State:
        """One step in time."""

    def forward(self, x: Tensor, state: State | None = None) -> list[State]:
        """Run over time.

        Args:
            x: Inputs `(time, batch, ...)`.
            state: Where to begin; none begins at zero.

        Returns:
            The state after each time.
        """
        drives = self.drive(x.flatten(0, 1)).unflatten(0, (x.shape[0], -1)).unbind(0)
        states = [self.start(drives[0]) if state is None else state]
        for drive in drives:
            states.append(self.step(drive, states[-1]))
        return states[1:]


class ConvGRU(Recurrent):
    """Gated recurrent unit with convolutions, equations (1) to (3). Any frame size.

    Example:
        >>> states = ConvGRU(3, 8, 5)(torch.zeros(4, 2, 3, 10, 12))
        >>> len(states), states[-1][0].shape
        (4, torch.Size([2, 8, 10, 12]))
    """

    def __init__(self, inputs: int, maps: int, kernel: int) -> None:
        super().__init__()
        self.maps = maps
        self.input = nn.Conv2d(inputs, 3 * maps, kernel, padding="same")
        self.gates = nn.Conv2d(maps, 2 * maps, kernel, padding="same", bias=False)
        self.candidate = nn.Conv2d(maps, maps, kernel, padding="same", bias=False)

    def drive(self, x: Tensor) -> Tensor:
        """Contribution of maps to z, r and the candidate state, in this order."""
        return self.input(x)

    def start(self, drive: Tensor) -> State:
        """Zeros, with a third of the drive's maps."""
        return (_zeros(drive, self.maps),)

    def step(self, drive: Tensor, state: State) -> State:
        """Equations (1) to (3)."""
        h = state[0]
        seen = h.to(drive.dtype)  # cast once, not at each use: under autocast the convolutions take bf16
        to_gates, to_candidate = drive.split((2 * self.maps, self.maps), 1)
        z, r = torch.sigmoid(to_gates + self.gates(seen)).chunk(2, 1)
        candidate = torch.tanh(to_candidate + self.candidate(r * seen))
        return (h + z * (candidate - h),)


class ConvLSTM(Recurrent):
    """Long short-term memory with convolutions, equations (4) to (6). Any frame size.

    Example:
        >>> hidden, cell = ConvLSTM(3, 8, 5)(torch.zeros(4, 2, 3, 10, 12))[-1]
        >>> hidden.shape == cell.shape == (2, 8, 10, 12)
        True
    """

    def __init__(self, inputs: int, maps: int, kernel: int) -> None:
        super().__init__()
        self.maps = maps
        self.input = nn.Conv2d(inputs, 4 * maps, kernel, padding="same")
        self.gates = nn.Conv2d(maps, 4 * maps, kernel, padding="same", bias=False)
        _remember_at_first(self.input.get_parameter("bias"))

    def drive(self, x: Tensor) -> Tensor:
        """Contribution of maps to i, f, o and the candidate, in this order."""
        return self.input(x)

    def start(self, drive: Tensor) -> State:
        """Zeros, with a quarter of the drive's maps."""
        return _zeros(drive, self.maps), _zeros(drive, self.maps)

    def step(self, drive: Tensor, state: State) -> State:
        """Equations (4) to (6)."""
        return _gated(drive + self.gates(state[0]), state[1])


class LSTM(Recurrent):
    """Long short-term memory, equations (4) to (6), on inputs laid out as vectors.

    Example:
        >>> hidden, cell = LSTM(3 * 10 * 12, 8)(torch.zeros(4, 2, 3, 10, 12))[-1]
        >>> hidden.shape == cell.shape == (2, 8)
        True
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.input = nn.Linear(inputs, 4 * units)
        self.gates = nn.Linear(units, 4 * units, bias=False)
        _remember_at_first(self.input.bias)

    def drive(self, x: Tensor) -> Tensor:
        """Contribution of inputs to i, f, o and the candidate, in this order."""
        return self.input(x.flatten(1))

    def start(self, drive: Tensor) -> State:
        """Zeros, with a quarter of the drive's units."""
        return _zeros(drive, self.units), _zeros(drive, self.units)

    def step(self, drive: Tensor, state: State) -> State:
        """Equations (4) to (6)."""
        return _gated(drive + self.gates(state[0]), state[1])


def _gated(sums: Tensor, cell: Tensor) -> State:
    """Equations (4) to (6), from the inputs of gates and candidate."""
    gates, candidate = sums.split((3 * cell.shape[1], cell.shape[1]), 1)
    i, f, o = torch.sigmoid(gates).chunk(3, 1)
    cell = f * cell + i * torch.tanh(candidate)
    return o * torch.tanh(cell), cell


def _zeros(drive: Tensor, maps: int) -> Tensor:
    """An initial state in the drive's memory layout, at least float32: small changes of a state are lost in bf16."""
    # Not `zeros_like`, which an export would replace by zeros for as many examples as it was shown.
    like = drive[:, :maps].detach()
    return like.to(torch.promote_types(like.dtype, torch.float32)).clamp(0, 0)


def _remember_at_first(bias: Tensor) -> None:
    units = len(bias) // 4
    nn.init.zeros_(bias)
    nn.init.ones_(bias[units : 2 * units])
