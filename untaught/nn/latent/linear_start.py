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

import math

import torch
from torch import nn

from untaught.nn.coders import layers_of
from untaught.nn.corrected import Beside
from untaught.nn.latent.densities import LEAST_DEVIATION, OutputDensity
from untaught.nn.principal import principal
from untaught.shapes import Images, Shape, Vectors


def linear_beside(network: nn.Module, inputs: int, numbers: int) -> Beside:
    """The network with a linear map beside it, and nothing to add to it at first."""
    return Beside(network, layers_of(network)[-1], inputs, numbers)


@torch.no_grad()
def begin_linear(below: nn.Module, above: nn.Module, outputs: OutputDensity, x: Vectors, latents: int) -> None:
    """Set the linear maps beside two networks, equations (1) and (2), and the offset of the variances, from examples.

    What the networks see behind an example's values, or behind the latents, such as a class, the maps do not use.

    Args:
        below: From examples to M and log S.
        above: From latents to W z.
        outputs: A Gaussian density that has looked at the data.
        x: Examples of the training part, `(example, value)`.
        latents: Latent variables.
    """
    assert isinstance(below, Beside) and isinstance(above, Beside)
    inferring, giving = below.linear, above.linear
    values = x.shape[1]
    plane = principal(x, latents)
    along = plane.encode(x).double().var(0, correction=0)
    spread = x.var(0, correction=0)
    rest = (float(spread.sum(dtype=torch.float64)) - float(along.sum())) / max(1, values - len(along))
    noise = max(rest, LEAST_DEVIATION**2) if outputs.deviation is None else outputs.deviation**2
    root = (along - noise).clamp_min(0).sqrt()
    known = along.clamp_min(noise)

    weight = (root / known)[:, None] * plane.directions.T.double()
    _zero(inferring)
    inferring.weight[: len(weight), :values].copy_(weight)
    inferring.bias[: len(weight)].copy_(-weight @ plane.mean.double())
    inferring.bias[latents : latents + len(weight)].copy_((noise / known).log())

    loadings = plane.directions.double() * root
    _zero(giving)
    giving.weight[:values, : len(root)].copy_(loadings / outputs.slope(plane.mean).double()[:, None])
    outputs.begin_spread(spread - loadings.square().sum(1).to(spread))


def _zero(linear: nn.Linear) -> None:
    for value in linear.parameters():
        value.zero_()


def components(network: nn.Module, latents: int, shape: Shape) -> Images | None:
    """What each latent is inferred by, as pictures; none where no linear map stands beside the network."""
    if not isinstance(network, Beside):
        return None
    picture = shape if len(shape) == 3 else (1, 1, *shape)
    return network.linear.weight.detach()[:latents, : math.prod(shape)].unflatten(1, picture)
