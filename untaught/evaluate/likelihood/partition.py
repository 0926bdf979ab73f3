r"""The partition function of a small machine, exactly, by summing over all states of one of its sides.

    log Z = log sum_s exp(-F(s))                                                           (1)

s runs over the states of n binary units and F(s) is their free energy, with all other units summed out. There are 2^n
states; with 784 other units 2^20 of them take 8 seconds on one processor core in float64, and 2^25 some 5 minutes.
"""

from __future__ import annotations

import torch

from untaught.capability import Energy, Side
from untaught.errors import SizeError
from untaught.nn.energy.all_states import all_states
from untaught.shapes import Scalar

LARGEST = 25
"""Most units whose states can be summed over."""
BLOCK = {"cpu": 10, "cuda": 16}
"""Units whose states form one block; 1,024 states fit into a processor's cache."""


def smallest_side(energy: Energy) -> Side | None:
    """The side of a machine with the fewest units; none where no side is binary."""
    return min(energy.sides(), key=lambda side: side.units, default=None)


def exact_partition(energy: Energy) -> Scalar:
    """Log Z in nats by equation (1), in the precision and on the device of the machine.

    Raises:
        SizeError: Every side has more than 25 units, or none is binary.
    """
    side = smallest_side(energy)
    offer = "annealed importance sampling estimates it for any size (untaught.evaluate.likelihood.annealing)"
    if side is None:
        raise SizeError(f"the partition function of a machine without binary units is no sum;\n{offer}")
    if side.units > LARGEST:
        raise SizeError(
            f"the machine's smaller side has {side.units} units, and 2^{side.units} states are too many to sum;\n"
            f"an exact partition function is possible up to {LARGEST} units; {offer}"
        )
    like = energy.base_rate()
    low = min(side.units, BLOCK.get(like.device.type, BLOCK["cpu"]))
    block = all_states(low, like)
    sums = [
        torch.logsumexp(-side.free_energy(torch.cat([block, high.expand(len(block), -1)], 1)), 0)
        for high in all_states(side.units - low, like)
    ]
    return torch.logsumexp(torch.stack(sums), 0)
