"""Slow and obvious versions of what the package computes fast, for machines small enough to be enumerated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor


def states(units: int) -> Tensor:
    """All states of binary units, float64 `(2 ** units, units)`."""
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=units)), dtype=torch.float64)


def rbm_energy(v: Tensor, h: Tensor, weight: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """E(v, h) of every pair of rows, by explicit sums over units, `(rows of v, rows of h)`."""
    energy = torch.zeros(len(v), len(h), dtype=v.dtype)
    for i, j in itertools.product(range(v.shape[1]), range(h.shape[1])):
        energy = energy - v[:, None, i] * weight[i, j] * h[None, :, j]
    for i in range(v.shape[1]):
        energy = energy - b[i] * v[:, None, i]
    for j in range(h.shape[1]):
        energy = energy - c[j] * h[None, :, j]
    return energy


def rbm_joint(weight: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """p(v, h) over all states, `(2 ** visible, 2 ** hidden)`; keeps the graph of autograd."""
    energy = rbm_energy(states(len(b)), states(len(c)), weight, b, c)
    return torch.exp(-energy - torch.logsumexp(-energy.flatten(), 0))


def gibbs_kernel(joint: Tensor) -> Tensor:
    """Probability of each visible state after one Gibbs step from each, from the joint distribution alone."""
    hidden_given_visible = joint / joint.sum(1, keepdim=True)
    visible_given_hidden = joint / joint.sum(0, keepdim=True)
    return hidden_given_visible @ visible_given_hidden.T


def state_numbers(x: Tensor) -> Tensor:
    """Row of `states` at which each example stands."""
    powers = 2 ** torch.arange(x.shape[1] - 1, -1, -1)
    return (x.long() * powers).sum(1)


def standard_error(probability: Tensor, draws: int) -> Tensor:
    """Standard deviation of a frequency over independent draws."""
    return (probability * (1 - probability) / draws).sqrt()


def pca_error(x: np.ndarray, components: int) -> float:
    """Squared error per example of the best linear code: the eigenvalues that are left out."""
    covariance = np.cov(x.T, bias=True)
    return float(np.sort(np.linalg.eigvalsh(covariance))[::-1][components:].sum())


def bernoulli_nats(x: Tensor, logits: Tensor) -> float:
    """Mean over examples of the negative log-probability of binary or grey pixels, summed one by one."""
    total = 0.0
    for value, logit in zip(x.flatten().tolist(), logits.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        total -= value * math.log(p) + (1 - value) * math.log(1 - p)
    return total / len(x)
