r"""The likelihood of a model with few continuous latents, by annealed importance sampling with Hamiltonian dynamics.

Between the standard normal at t = 0 and p(x, z) at t = 1 lie, for each example x, the densities

    f_t(z) = N(z; 0, 1)^(1 - t) p(x, z)^t                                                  (1)

A chain draws z from N(0, 1) and takes a Hamiltonian step that leaves f_t unchanged at each t. Its weight

    log w = sum_k log f_{t_k}(z_{k-1}) - log f_{t_{k-1}}(z_{k-1}),   E[w] = p(x)           (2)

is unbiased, whatever the encoder says, so the logarithm of the mean over chains errs downwards in expectation. It
judges an encoder: where importance sampling from q(z|x) is lower, q misses parts of p(z|x). The size of a step follows
the acceptance rate of all chains, 65 % of which is best.

References:
    Neal (2001). Annealed importance sampling. Statistics and Computing 11.
    Wu, Burda, Salakhutdinov, Grosse (2017). On the quantitative analysis of decoder-based generative models.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from untaught.nn.latent.densities import normal, standard_log_density
from untaught.shapes import Examples, PerExample

LogJoint = Callable[[Tensor, Tensor], Tensor]
"""Log p(x, z) of rows of examples and of latents."""

CHAINS, TEMPERATURES, LEAPS = 16, 500, 5
STEP, ACCEPTED = 0.1, 0.65
ADAPTED = 1.02
"""By how much a step grows or shrinks at each temperature."""


def annealed_log_likelihood(
    log_joint: LogJoint, x: Examples, latent: int, chains: int = CHAINS, temperatures: int = TEMPERATURES
) -> PerExample:
    """Log p(x) of each example in nats, equation (2), mean over chains; all chains of all examples run at once."""
    rows = x.repeat_interleave(chains, 0)
    z = normal(x.new_zeros(len(rows), latent))
    # Slow at both ends, where the density changes most: a logistic curve through the temperatures.
    line = torch.sigmoid(torch.linspace(-4, 4, temperatures + 1)).tolist()
    tempers = [(t - line[0]) / (line[-1] - line[0]) for t in line]
    weights, step = x.new_zeros(len(rows)), STEP
    for before, after in pairwise(tempers):
        weights = weights + (after - before) * (log_joint(rows, z) - standard_log_density(z)).detach()
        z, accepted = _moved(_path(log_joint, rows, after), z, step)
        step = min(1.0, step * (ADAPTED if accepted > ACCEPTED else 1 / ADAPTED))
    return weights.unflatten(0, (len(x), chains)).double().logsumexp(1) - math.log(chains)


def _path(log_joint: LogJoint, rows: Examples, temper: float) -> Callable[[Tensor], Tensor]:
    """Log f_t of latents, equation (1)."""
    return lambda z: (1 - temper) * standard_log_density(z) + temper * log_joint(rows, z)


def _moved(log_density: Callable[[Tensor], Tensor], z: Tensor, step: float) -> tuple[Tensor, float]:
    """One Hamiltonian step of each row, accepted or not, and the part that was accepted."""
    begin, momentum = z, normal(z)
    old, slope = _with_slope(log_density, z)
    energy = old - 0.5 * momentum.square().sum(1)
    new = old
    for _ in range(LEAPS):
        momentum = momentum + 0.5 * step * slope
        z = z + step * momentum
        new, slope = _with_slope(log_density, z)
        momentum = momentum + 0.5 * step * slope
    change = new - 0.5 * momentum.square().sum(1) - energy
    accept = torch.rand(len(z), device=z.device, dtype=torch.float32).log() < change
    return torch.where(accept[:, None], z, begin), float(accept.float().mean())


def _with_slope(log_density: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    """A log-density and its gradient, also where gradients are off."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = log_density(z)
        (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope
