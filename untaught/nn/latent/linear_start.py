r"""Probabilistic principal component analysis, as linear maps at which an encoder and a decoder begin.

With the mean m of d values, the variances v_1 >= v_2 >= ... along the data's principal directions u_j, and q latents,

    p(x|z) = N(m + W z, s^2),   W_j = u_j (v_j - s^2)^(1/2),   s^2 = sum_{j > q} v_j / (d - q)     (1)
    p(z|x) = N(M, S),   M_j = (v_j - s^2)^(1/2) u_j . (x - m) / v_j,   S_j = s^2 / v_j             (2)

maximise the likelihood among all linear models with one deviation s: no training has to find them. Where s is given,
it is taken; a direction along which the data vary by s^2 or less stays at the prior. Beyond (1), each value has a
variance of its own: what the q directions leave of it. An output unit that squashes its input a gets W z divided by the
slope dx/da at the mean, so that both models agree near it.

References:
    Tipping, Bishop (1999). Probabilistic principal component analysis.
"""

from __future__ import annotations

import torch
from torch import nn

from untaught.nn.coders import layers_of
from untaught.nn.corrected import silence
from untaught.nn.latent.densities import LEAST_DEVIATION, OutputDensity
from untaught.nn.principal import principal
from untaught.shapes import Vectors


def linear_beside(network: nn.Module, inputs: int, numbers: int) -> nn.Linear:
    """A linear map whose outputs are to be added to a network's, which gives 0 at first."""
    silence(layers_of(network)[-1])
    return nn.Linear(inputs, numbers)


@torch.no_grad()
def begin_linear(below: nn.Linear | None, above: nn.Linear | None, outputs: OutputDensity, x: Vectors) -> None:
    """Set linear maps, equations (1) and (2), and the offset of the variances, from examples.

    Args:
        below: From examples to M and log S.
        above: From latents to W z.
        outputs: A Gaussian density that has looked at the data.
        x: Examples of the training part, `(example, value)`.
    """
    assert below is not None and above is not None
    latents, values = above.in_features, x.shape[1]
    plane = principal(x, latents)
    along = plane.encode(x).double().var(0, correction=0)
    spread = x.var(0, correction=0)
    rest = (float(spread.sum(dtype=torch.float64)) - float(along.sum())) / max(1, values - len(along))
    noise = max(rest, LEAST_DEVIATION**2) if outputs.deviation is None else outputs.deviation**2
    root = (along - noise).clamp_min(0).sqrt()
    known = along.clamp_min(noise)

    weight = (root / known)[:, None] * plane.directions.T.double()
    _zero(below)
    below.weight[: len(weight)].copy_(weight)
    below.bias[: len(weight)].copy_(-weight @ plane.mean.double())
    below.bias[latents : latents + len(weight)].copy_((noise / known).log())

    loadings = plane.directions.double() * root
    _zero(above)
    above.weight[:values, : len(root)].copy_(loadings / outputs.slope(plane.mean).double()[:, None])
    outputs.begin_spread(spread - loadings.square().sum(1).to(spread))


def _zero(linear: nn.Linear) -> None:
    for value in linear.parameters():
        value.zero_()
