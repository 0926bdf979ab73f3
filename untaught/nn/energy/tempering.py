"""Parallel tempering: chains at several temperatures that exchange their states.

Chains run at inverse temperatures t_1 = 0 < ... < t_m = 1. After every step neighbours i, j = i + 1 exchange states
with the probability that leaves their joint distribution exp(-F_i(v_i) - F_j(v_j)) invariant:

    min(1, exp(F_i(v_i) + F_j(v_j) - F_i(v_j) - F_j(v_i)))

so that chains at t = 1 receive states from hot chains, which mix easily.

References:
    Swendsen, Wang (1986). Replica Monte Carlo simulation of spin glasses.
    Desjardins, Courville, Bengio, Vincent, Delalleau (2010). Tempered Markov chain Monte Carlo for training of
    restricted Boltzmann machines.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], Tensor]
"""States after one step, of states `(chain, unit)` at inverse temperatures `(chain, 1)`."""
FreeEnergy = Callable[[Tensor, Tensor], Tensor]
"""Nats `(chain,)` of states `(chain, unit)` at inverse temperatures `(chain, 1)`."""


def tempered_step(states: Tensor, temperatures: int, step: Step, free_energy: FreeEnergy) -> Tensor:
    """Move every chain at its own temperature, then let neighbours exchange: pairs (1, 2), ..., then (2, 3), ...

    Args:
        states: Where chains are, `(temperature * chain, unit)`; the last ones are those at t = 1.
        temperatures: How many, evenly spaced from t = 0, at least 2.
        step: One step that leaves exp(-F_t) unchanged.
        free_energy: F_t(v).
    """
    each = torch.linspace(0, 1, temperatures, device=states.device, dtype=states.dtype)
    tempers = each.repeat_interleave(len(states) // temperatures)[:, None]
    moved = step(states, tempers).unflatten(0, (temperatures, -1))
    tempers = tempers.unflatten(0, (temperatures, -1))

    def energies(some: Tensor, at: Tensor) -> Tensor:
        return free_energy(some.flatten(0, 1), at.flatten(0, 1)).unflatten(0, some.shape[:2])

    for first in (0, 1):
        pairs = (temperatures - first) // 2
        low, high = slice(first, first + 2 * pairs, 2), slice(first + 1, first + 2 * pairs, 2)
        a, b, s, t = moved[low], moved[high], tempers[low], tempers[high]
        gain = energies(a, s) + energies(b, t) - energies(b, s) - energies(a, t)
        swap = (torch.rand(gain.shape, device=gain.device).log() < gain)[..., None]
        moved = moved.clone()
        moved[low], moved[high] = torch.where(swap, b, a), torch.where(swap, a, b)
    return moved.flatten(0, 1)
