"""Output units by their formulas: values, errors, ranges, and the inputs that give a mean."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor

from untaught.errors import DataError
from untaught.nn.output_units import RARE, Output, OutputUnits, wide_range

KINDS: tuple[Output, ...] = get_args(Output)
A = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SHARES = torch.softmax(2 * A.flip(0), 1)
LOW, HIGH = -2.0, 5.0


def looked(kind: Output) -> OutputUnits:
    """Units that have seen values from -2 to 5, or such as they take."""
    units = OutputUnits(kind).double()
    units.look(SHARES if kind in ("bernoulli", "softmax") else torch.tensor([[LOW, 1.0, HIGH, 0.0]]).double())
    return units


def by_hand(kind: Output) -> Tensor:
    logistic = 1 / (1 + (-A).exp())
    return {
        "linear": A,
        "tanh": A.tanh(),
        "relu": torch.where(A > 0, A, 0),
        "sigmoid": LOW + (HIGH - LOW) * logistic,
        "bernoulli": logistic,
        "softmax": A.exp() / A.exp().sum(1, keepdim=True),
        "clipped": A.clamp(LOW, HIGH),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_values_and_errors_are_their_formulas(kind: Output) -> None:
    units, y = looked(kind), by_hand(kind)
    torch.testing.assert_close(units(A), y)
    error, parts = units.error(A, SHARES)
    squared = (y - SHARES).square().sum(1).mean()
    nats = {
        "bernoulli": -(SHARES * y.log() + (1 - SHARES) * (1 - y).log()).sum(1).mean(),
        "softmax": -(SHARES * y.log()).sum(1).mean(),
    }
    torch.testing.assert_close(error, nats.get(kind, squared))
    torch.testing.assert_close(parts["squared_error_per_image"], squared)
    assert ("reconstruction_nats" in parts) == (kind in nats)


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_for_a_mean_give_it(kind: Output) -> None:
    units, mean = looked(kind), by_hand(kind)[:1]
    mean = mean.clamp_min(0.02) if kind == "relu" else mean
    torch.testing.assert_close(units(units.inputs_for(mean)), mean)


def test_initial_outputs_stay_clear_of_the_ends_of_their_range() -> None:
    ends = torch.tensor([[0.0, 1.0]])
    for kind, low, high in (("bernoulli", 0.01, 0.99), ("tanh", 0.0, 0.99), ("relu", 0.01, 1.0)):
        units = OutputUnits(kind)  # type: ignore[arg-type]
        torch.testing.assert_close(units(units.inputs_for(ends)), torch.tensor([[low, high]]))
    minus = OutputUnits("tanh").inputs_for(torch.tensor([[-1.0]]))
    torch.testing.assert_close(minus.tanh(), torch.tensor([[-0.99]]))
    assert float(OutputUnits("softmax").inputs_for(ends).exp()[0, 0]) == pytest.approx(RARE)


def test_an_input_beyond_the_range_comes_back_where_the_value_lies_within() -> None:
    units, inputs = looked("clipped"), torch.tensor([[9.0, -7.0]], dtype=torch.float64, requires_grad=True)
    units.error(inputs, torch.tensor([[4.0, -1.0]]).double())[0].backward()
    assert inputs.grad is not None
    assert inputs.grad.tolist() == [[2.0, -2.0]]  # 2 (5 - 4) and 2 (-2 + 1): of the values, not of the inputs


def test_a_range_is_widened_and_never_narrowed() -> None:
    assert wide_range(torch.tensor([0.2, 0.7])) == (0.0, 1.0)
    assert wide_range(torch.tensor([-3.0, 0.7])) == (-3.0, 1.0)


@pytest.mark.parametrize("shares", [[[0.5, 0.2]], [[1.5, -0.5]]])
def test_words_need_shares(shares: list[list[float]]) -> None:
    with pytest.raises(DataError, match="no probabilities of words"):
        OutputUnits("softmax").look(torch.tensor(shares))
    OutputUnits("softmax").look(torch.tensor([[0.3, 0.7]]))
