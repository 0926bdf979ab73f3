"""Recurrent cells against torch's own, against sums pixel by pixel, and against themselves step by step."""

import pytest
import torch
from torch import Tensor

from untaught.nn.temporal.recurrent import LSTM, ConvGRU, ConvLSTM, Recurrent, State

CELLS = [lambda: ConvGRU(2, 3, 3), lambda: ConvLSTM(2, 3, 3), lambda: LSTM(2 * 5 * 4, 3)]
NAMES = ["convgru", "convlstm", "lstm"]


def randomised(cell: Recurrent, scale: float = 0.4) -> Recurrent:
    """A cell in double precision whose weights and biases all matter."""
    torch.manual_seed(0)
    cell = cell.double()
    for parameter in cell.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    return cell


def logistic(x: float) -> float:
    return 1 / (1 + torch.exp(torch.tensor(-x, dtype=torch.float64)).item())


def tanh(x: float) -> float:
    return torch.tanh(torch.tensor(x, dtype=torch.float64)).item()


def product(weight: Tensor, maps: Tensor, out: int, row: int, column: int) -> float:
    """One value of a convolution with zeros beyond the edge: a sum over maps and neighbours."""
    total, reach = 0.0, weight.shape[-1] // 2
    for m in range(maps.shape[0]):
        for i in range(-reach, reach + 1):
            for j in range(-reach, reach + 1):
                if 0 <= row + i < maps.shape[1] and 0 <= column + j < maps.shape[2]:
                    total += weight[out, m, reach + i, reach + j].item() * maps[m, row + i, column + j].item()
    return total


def places(state: Tensor) -> list[tuple[int, int, int]]:
    return [(int(m), int(i), int(j)) for m, i, j in torch.ones_like(state).nonzero()]


def gru_by_hand(cell: ConvGRU, x: Tensor, h: Tensor) -> Tensor:
    """Equations (1) to (3), one value after another."""
    w, b, u, uc, n = cell.input.weight, cell.input.bias, cell.gates.weight, cell.candidate.weight, cell.maps
    assert b is not None
    reset, new = torch.zeros_like(h), torch.zeros_like(h)
    for m, i, j in places(h):
        r = logistic(product(w, x, n + m, i, j) + product(u, h, n + m, i, j) + b[n + m].item())
        reset[m, i, j] = r * h[m, i, j]
    for m, i, j in places(h):
        z = logistic(product(w, x, m, i, j) + product(u, h, m, i, j) + b[m].item())
        candidate = tanh(product(w, x, 2 * n + m, i, j) + product(uc, reset, m, i, j) + b[2 * n + m].item())
        new[m, i, j] = (1 - z) * h[m, i, j] + z * candidate
    return new


def lstm_by_hand(cell: ConvLSTM, x: Tensor, state: State) -> State:
    """Equations (4) to (6), one value after another."""
    h, c = state
    b = cell.input.get_parameter("bias")
    new_h, new_c = torch.zeros_like(h), torch.zeros_like(h)
    for m, i, j in places(h):
        four = [m + k * cell.maps for k in range(4)]
        sums = [
            product(cell.input.weight, x, k, i, j) + product(cell.gates.weight, h, k, i, j) + b[k].item() for k in four
        ]
        new_c[m, i, j] = logistic(sums[1]) * c[m, i, j] + logistic(sums[0]) * tanh(sums[3])
        new_h[m, i, j] = logistic(sums[2]) * tanh(new_c[m, i, j].item())
    return new_h, new_c


@torch.no_grad()
def test_convgru_is_its_equations() -> None:
    cell = randomised(ConvGRU(2, 3, 3))
    x = torch.randn(3, 1, 2, 4, 3, dtype=torch.float64)
    h = torch.zeros(3, 4, 3, dtype=torch.float64)
    for frame, (hidden,) in zip(x, cell(x), strict=True):
        h = gru_by_hand(cell, frame[0], h)  # type: ignore[arg-type]
        torch.testing.assert_close(hidden[0], h)


@torch.no_grad()
def test_convlstm_is_its_equations() -> None:
    cell = randomised(ConvLSTM(2, 3, 3))
    x = torch.randn(3, 1, 2, 4, 3, dtype=torch.float64)
    state: State = (torch.zeros(3, 4, 3, dtype=torch.float64), torch.zeros(3, 4, 3, dtype=torch.float64))
    for frame, (hidden, memory) in zip(x, cell(x), strict=True):
        state = lstm_by_hand(cell, frame[0], state)  # type: ignore[arg-type]
        torch.testing.assert_close(hidden[0], state[0])
        torch.testing.assert_close(memory[0], state[1])


def to_torch(cell: LSTM | ConvLSTM, inputs: int) -> torch.nn.LSTM:
    """Torch's LSTM with the same weights; its gates stand in the order i, f, candidate, o."""
    units = cell.gates.weight.shape[1]
    order = torch.cat([torch.arange(units) + k * units for k in (0, 1, 3, 2)])
    twin = torch.nn.LSTM(inputs, units).double()
    middle = cell.gates.weight.shape[-1] // 2 if isinstance(cell, ConvLSTM) else 0
    weights = [w[:, :, middle, middle] if w.ndim == 4 else w for w in (cell.input.weight, cell.gates.weight)]
    with torch.no_grad():
        twin.weight_ih_l0.copy_(weights[0][order])
        twin.weight_hh_l0.copy_(weights[1][order])
        twin.bias_ih_l0.copy_(cell.input.get_parameter("bias")[order])
        twin.bias_hh_l0.zero_()
    return twin


@torch.no_grad()
def test_lstm_is_torchs() -> None:
    cell = randomised(LSTM(5, 4))
    assert isinstance(cell, LSTM)
    x = torch.randn(6, 3, 5, dtype=torch.float64)
    hidden, (_, memory) = to_torch(cell, 5)(x)
    states = cell(x)
    torch.testing.assert_close(torch.stack([state[0] for state in states]), hidden)
    torch.testing.assert_close(states[-1][1], memory[0])


@torch.no_grad()
def test_convlstm_of_one_pixel_is_torchs_lstm() -> None:
    cell = randomised(ConvLSTM(5, 4, 3))
    assert isinstance(cell, ConvLSTM)
    x = torch.randn(6, 3, 5, dtype=torch.float64)
    hidden, _ = to_torch(cell, 5)(x)
    states = cell(x[..., None, None])
    torch.testing.assert_close(torch.stack([state[0][..., 0, 0] for state in states]), hidden)


@torch.no_grad()
def test_convgru_of_one_pixel_is_torchs_gru_where_nothing_is_reset() -> None:
    """Torch resets U h, GRU-RCN h; with every r near 1 both are the same, and z is torch's 1 - z."""
    cell = randomised(ConvGRU(5, 4, 1))
    assert isinstance(cell, ConvGRU)
    cell.input.weight[4:8] = 0
    cell.gates.weight[4:8] = 0
    bias = cell.input.get_parameter("bias")
    bias[4:8] = 40
    twin = torch.nn.GRUCell(5, 4).double()
    order = [range(4, 8), range(4), range(8, 12)]
    signs = torch.tensor([1.0] * 4 + [-1.0] * 4 + [1.0] * 4, dtype=torch.float64)
    rows = torch.tensor([k for part in order for k in part])
    recurrent = torch.cat([cell.gates.weight, cell.candidate.weight])[:, :, 0, 0]
    twin.weight_ih.copy_(cell.input.weight[:, :, 0, 0][rows] * signs[:, None])
    twin.weight_hh.copy_(recurrent[rows] * signs[:, None])
    twin.bias_ih.copy_(bias[rows] * signs)
    twin.bias_hh.zero_()
    x = torch.randn(6, 3, 5, dtype=torch.float64)
    h = torch.zeros(3, 4, dtype=torch.float64)
    for frame, (hidden,) in zip(x, cell(x[..., None, None]), strict=True):
        h = twin(frame, h)
        torch.testing.assert_close(hidden[..., 0, 0], h)


@pytest.mark.parametrize("make", CELLS, ids=NAMES)
def test_all_times_at_once_equal_one_by_one(make) -> None:  # noqa: ANN001
    cell = randomised(make())
    x = torch.randn(5, 2, 2, 5, 4, dtype=torch.float64)
    together = cell(x)
    state: State | None = None
    for frame, expected in zip(x, together, strict=True):
        state = cell(frame[None], state)[-1]
        for one, other in zip(state, expected, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("make", CELLS, ids=NAMES)
def test_gradient_is_the_slope(make) -> None:  # noqa: ANN001
    cell = randomised(make())
    names = [name for name, _ in cell.named_parameters()]

    def last(x: Tensor, *values: Tensor) -> Tensor:
        states = torch.func.functional_call(cell, dict(zip(names, values, strict=True)), (x,))
        return states[-1][0].square().sum()

    x = torch.randn(3, 1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(last, (x, *cell.parameters()), fast_mode=True)


@pytest.mark.parametrize("make", CELLS[:2], ids=NAMES[:2])
@torch.no_grad()
def test_convolutional_cells_move_with_their_input(make) -> None:  # noqa: ANN001
    """Far from the edges, a shifted input gives the shifted state."""
    cell = randomised(make())
    x = torch.zeros(3, 1, 2, 33, 33, dtype=torch.float64)
    x[..., 14:17, 14:17] = torch.randn(3, 1, 2, 3, 3, dtype=torch.float64)
    here, there = cell(x)[-1][0], cell(x.roll((2, 1), (-2, -1)))[-1][0]
    torch.testing.assert_close(here.roll((2, 1), (-2, -1))[..., 12:21, 12:21], there[..., 12:21, 12:21])
    assert not torch.allclose(here, there)


@pytest.mark.parametrize("make", [lambda: ConvLSTM(2, 3, 3), lambda: LSTM(4, 3)], ids=NAMES[1:])
def test_forget_gates_begin_open(make) -> None:  # noqa: ANN001
    assert make().input.bias.tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 6


def test_state_stays_in_single_precision_under_autocast() -> None:
    """What is added to a state a thousand times by a thousandth must not be lost."""
    cell = ConvGRU(2, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        (hidden,) = cell(torch.rand(3, 1, 2, 5, 5))[-1]
    assert hidden.dtype == torch.float32
