"""Small machines with weights that matter, in float64, and what can be said of them exactly."""

from __future__ import annotations

from dataclasses import replace

import oracles
import torch
from torch import Tensor

from untaught.models.rbm import RBM
from untaught.randomness import seeded


def machine(visible: int = 6, hidden: int = 4, scale: float = 1.0, seed: int = 0) -> RBM:
    """A machine with random weights, biases and base rate."""
    with seeded(seed):
        rbm = RBM(replace(RBM.smoke.config, hidden=hidden, initial_scale=scale), (visible,)).double().eval()
        with torch.no_grad():
            for vector in (rbm.visible_bias, rbm.hidden_bias, rbm.base):
                vector.copy_(torch.randn(len(vector)))
    return rbm.requires_grad_(False)


def log_z(rbm: RBM) -> float:
    """Log partition function by the sum over all states of both layers."""
    states = oracles.states(len(rbm.visible_bias)), oracles.states(len(rbm.hidden_bias))
    energy = oracles.rbm_energy(*states, rbm.weight, rbm.visible_bias, rbm.hidden_bias)
    return float(torch.logsumexp(-energy.flatten(), 0))


def draws(rbm: RBM, count: int) -> Tensor:
    """Independent draws of the visible units."""
    p = oracles.rbm_joint(rbm.weight, rbm.visible_bias, rbm.hidden_bias).sum(1)
    return oracles.states(len(rbm.visible_bias))[torch.multinomial(p, count, replacement=True)]
