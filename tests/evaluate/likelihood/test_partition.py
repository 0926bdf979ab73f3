"""Partition functions by enumeration, against sums over both layers."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from tests.evaluate.machines import log_z, machine
from untaught.errors import SizeError
from untaught.evaluate.likelihood import partition
from untaught.evaluate.likelihood.partition import exact_partition, smallest_side
from untaught.model import Energy, Side
from untaught.nn.energy.all_states import all_states


class Independent(Energy):
    """Units without connections: log Z is a sum of softplus."""

    def __init__(self, units: int, binary: bool = True) -> None:
        self.logit, self.binary = torch.linspace(-1, 2, units, dtype=torch.float64), binary
        self.looks = 0

    def free_energy(self, visible: Tensor, temper: Tensor | float = 1.0) -> Tensor:
        """Linear in the states."""
        self.looks += len(visible)
        return -(visible @ self.logit)

    def gibbs_step(self, visible: Tensor, temper: Tensor | float = 1.0) -> Tensor:
        """A fresh draw."""
        return torch.bernoulli(torch.sigmoid(self.logit).expand_as(visible))

    def base_rate(self) -> Tensor:
        """The logits."""
        return self.logit

    def base_partition(self) -> Tensor:
        """The sum of softplus."""
        return torch.nn.functional.softplus(self.logit).sum()

    def sides(self) -> Sequence[Side]:
        """One."""
        return (Side(len(self.logit), self.free_energy),) if self.binary else ()


@pytest.mark.parametrize(("visible", "hidden"), [(6, 4), (4, 6), (1, 1), (5, 5)])
def test_either_side_gives_the_sum_over_both(visible: int, hidden: int) -> None:
    rbm = machine(visible, hidden)
    assert float(exact_partition(rbm)) == pytest.approx(log_z(rbm), abs=1e-10)
    side = smallest_side(rbm)
    assert side is not None and side.units == min(visible, hidden)


@pytest.mark.parametrize("block", [1, 3, 12])
def test_blocks_of_any_size_cover_every_state_once(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(partition.BLOCK, "cpu", block)
    energy = Independent(12)
    assert float(exact_partition(energy)) == pytest.approx(float(energy.base_partition()), abs=1e-10)
    assert energy.looks == 2**12


def test_large_energies_do_not_overflow() -> None:
    energy = Independent(8)
    energy.logit = energy.logit * 1e4
    assert float(exact_partition(energy)) == pytest.approx(float(energy.base_partition()), rel=1e-12)


def test_states_are_all_different() -> None:
    assert len(all_states(5, torch.zeros(())).unique(dim=0)) == 32
    assert all_states(0, torch.zeros(())).shape == (1, 0)


def test_a_large_machine_is_refused_with_what_is_possible() -> None:
    with pytest.raises(SizeError) as told:
        exact_partition(machine(40, 26))
    message = str(told.value)
    assert "26 units" in message and "up to 25 units" in message and "annealed importance sampling" in message
    assert len(message.splitlines()) <= 3


def test_a_machine_without_a_binary_side_is_refused() -> None:
    with pytest.raises(SizeError, match="without binary units"):
        exact_partition(Independent(3, binary=False))


def test_single_precision_is_kept() -> None:
    found = exact_partition(machine(4, 3).float())
    assert found.dtype == torch.float32 and math.isclose(float(found), log_z(machine(4, 3)), rel_tol=1e-5)
