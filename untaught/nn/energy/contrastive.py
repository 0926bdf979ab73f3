"""Learning an energy from data and Markov chains: the gradient, the chains, and a sparsity target.

    d log p(x) / d theta = -<dE / d theta> of the data + <dE / d theta> of chains     (1)
    pull = k (q - r)                                                                  (2)

Chains begin at the data and take a few steps (contrastive divergence), whose number may grow through the training; or
they continue from their states at the last update (persistent chains), perhaps at several temperatures
(`untaught.nn.energy.tempering`). In (2) q is the mean activation of a hidden unit and r its target.

References:
    Hinton (2002). Training products of experts by minimizing contrastive divergence.
    Tieleman (2008). Training restricted Boltzmann machines using approximations to the likelihood gradient.
    Salakhutdinov, Murray (2008). On the quantitative analysis of deep belief networks (steps that grow in number).
    Hinton (2010). A practical guide to training restricted Boltzmann machines (section 11: sparsity).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.shapes import Scalar

State = TypeVar("State")
"""State of a chain: a tensor, or several of one machine."""
MEMORY = 0.9
"""Decay of the running mean of activations for the sparsity target (section 11 of the guide)."""


def contrast(slopes: Iterable[tuple[Tensor, Tensor]]) -> Scalar:
    """A number that is linear in the parameters and whose gradient is the rule (1): all states are held fixed.

    Its value is E(data) - E(chains), which is not a likelihood and need not decrease.

    Args:
        slopes: Each parameter with the derivative of what is minimised, without gradient.

    Example:
        >>> weight = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> contrast([(weight, torch.tensor([3.0, 4.0]))]).backward()
        >>> weight.grad
        tensor([3., 4.])
    """
    pairs = list(slopes)
    # In full precision, because the two means in a derivative nearly cancel.
    with torch.enable_grad(), torch.autocast(pairs[0][0].device.type, enabled=False):
        return torch.stack([torch.dot(value.flatten(), slope.flatten()) for value, slope in pairs]).sum()


def after(step: Callable[[State], State], state: State, steps: int) -> State:
    """State of a chain after some steps."""
    for _ in range(steps):
        state = step(state)
    return state


def after_growing(step: Callable[[Tensor], Tensor], state: Tensor, steps: int, progress: Scalar, done: int) -> Tensor:
    """State of a chain after a number of steps that grows from 1 to `steps`; `done` of them are done already."""
    wanted = 1 + (progress * steps).floor()
    if progress.device.type == "cpu" and not torch.compiler.is_compiling():
        steps = min(steps, int(wanted))  # here the value is at hand
    for number in range(done, steps):
        state = torch.where(number < wanted, step(state), state)
    return state


def sparsity_pull(
    active: Float[Tensor, " unit"], target: float, cost: float, memory: Float[Tensor, " unit"] | None = None
) -> Float[Tensor, " unit"]:
    """The derivative (2) with respect to each unit's bias.

    Args:
        active: Mean activation over the batch.
        target: r.
        cost: k.
        memory: Running mean over batches, which is updated in place and used as q; without it q is `active`.
    """
    if memory is None:
        return cost * (active - target)
    return cost * (memory.copy_(torch.lerp(active, memory, MEMORY)) - target)
