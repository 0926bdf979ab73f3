"""A deep and narrow sigmoid belief network for any distribution over a few binary units, with weights set by hand.

Go through all states of n units in an order g_0, g_1, ..., g_K in which each differs from the one before in one unit, a
Gray code. Besides the n units each layer has a mark, which is on while the state has not reached its final value. At
the top the state is g_0; the k-th layer below moves a marked state on to g_k and copies an unmarked one:

    mark: on with probability r_{k+1} if the mark above is on, else off                      (1)
    the unit in which g_k differs from g_{k-1}: (unit above) or (mark above)   if it is to be turned on,
                                                (unit above) and not (mark above) if off     (2)
    every other unit: as above                                                               (3)
    r_k = (p(g_k) + ... + p(g_K)) / (p(g_{k-1}) + p(g_k) + ... + p(g_K))                     (4)

A marked state can only be g_{k-1}, so one sigmoid is enough for (2). By (1) and (4) a state ends at g_k with
probability p(g_k). The layer of the last step is visible and needs no mark. Copies and (2) fail with probability
exp(-40). The network has 2^n layers, the visible one counted, of n + 1 units.

References:
    Sutskever and Hinton (2008). Deep, narrow sigmoid belief networks are universal approximators.

Departures:
    The paper also passes probability from state to state, but with three layers for each, 3 * 2^n in all.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.errors import DataError
from untaught.nn.belief.network import BeliefNetwork

CERTAIN = 40.0
"""Logit of near certainty: exp(-40) is below the precision of float64."""


def narrow_network(probability: Float[Tensor, " state"]) -> BeliefNetwork:
    """The network whose visible states, in the order of `all_states`, have these probabilities; float64.

    Raises:
        DataError: The probabilities are not of the 2, 4, 8, 16, ... states of some units, or do not sum to 1.

    Example:
        >>> target = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
        >>> network = narrow_network(target)
        >>> network.units, torch.allclose(network.marginal(0).exp(), target)
        ((2, 3, 3, 3), True)
    """
    count = len(probability)
    units = count.bit_length() - 1
    if units < 1 or count != 2**units:
        raise DataError(f"{count} probabilities are not those of binary units, which have 2, 4, 8, 16, ... states")
    p = probability.double()
    if p.min() < 0 or abs(float(p.sum()) - 1) > 1e-6:
        raise DataError(f"probabilities from {float(p.min()):.3g} with the sum {float(p.sum()):.6g} are none")
    order = [k ^ k >> 1 for k in range(count)]
    left = p[order].flip(0).cumsum(0).flip(0)
    going_on = [float(after / before) if before > 0 else 0.0 for before, after in zip(left, left[1:], strict=False)]
    network = BeliefNetwork((units, *(count - 1) * (units + 1,))).double()
    with torch.no_grad():
        top = network.biases[-1]
        top.fill_(-CERTAIN)
        top[units] = _logit(going_on[0])
        for k in range(1, count):
            _step(network, count - 1 - k, order[k - 1], order[k], going_on[k] if k < count - 1 else None)
    return network


def _step(network: BeliefNetwork, layer: int, before: int, after: int, going_on: float | None) -> None:
    """Set a layer's weights from the one above, equations (1) to (3); the visible layer has no mark."""
    weight, bias = network.weights[layer], network.biases[layer]
    units = network.units[0]
    weight.zero_()
    weight[:units, :units] = 2 * CERTAIN * torch.eye(units, dtype=weight.dtype)
    bias.fill_(-CERTAIN)
    changed = units - (before ^ after).bit_length()  # the first unit counts most
    weight[changed, units] = 2 * CERTAIN if after > before else -2 * CERTAIN
    if going_on is not None:
        weight[units, units] = CERTAIN + _logit(going_on)


def _logit(p: float) -> float:
    if p <= 0 or p >= 1:
        return math.copysign(CERTAIN, p - 0.5)
    return max(-CERTAIN, min(CERTAIN, math.log(p) - math.log1p(-p)))
