"""Centring: the gradient of a machine whose visible units are counted from their means.

    E(v, h) = -v.b - h.c' - (v - m).W.h                                               (1)
    c' = c + m.W                                                                      (2)
    dE / dW = -(v - m) h                                                              (3)

m is the mean of the visible units over the data. The machine is the same as without m, and a step along (3) is one in
other coordinates: by (2) it moves the biases c as well. What a weight learns is how its two units vary together, not
that both are often on. Where units are on in most examples, as in a layer that is the data of the next, the steps of a
hidden unit's weights otherwise add up, and the unit ends up off for every example.

References:
    Montavon, Muller (2012). Deep Boltzmann machines and the centering trick.
    Melchior, Fischer, Wiskott (2016). How to center deep Boltzmann machines.

Departures:
    The papers count hidden units from their means as well. Then they are on in half of all examples, and their features
    name digits less well than those of few units (`docs/log.md` has the numbers).
    The mean is that of the batch, where the papers keep a running one: with n examples the part of (3) that comes from
    the data is smaller by the factor 1 - 1/n. One example has no mean to count from, and is left as it is.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Weights = Float[Tensor, "visible hidden"]
Biases = Float[Tensor, " hidden"]


def centred(by_weight: Weights, by_hidden: Biases, v: Float[Tensor, "row visible"]) -> tuple[Weights, Biases]:
    """Steps of W and c along the gradient in the coordinates (2); that of b is as it was.

    Args:
        by_weight: Derivative by W of what is minimised.
        by_hidden: Derivative by c.
        v: Visible units of the data.

    Example:
        >>> centred(torch.ones(1, 1), torch.ones(1), torch.tensor([[0.0], [1.0]]))
        (tensor([[0.5000]]), tensor([0.7500]))
    """
    if len(v) < 2:
        return by_weight, by_hidden
    # In full precision, because what is taken away is nearly all there is.
    with torch.autocast(v.device.type, enabled=False):
        mean = v.mean(0)
        own = by_weight - torch.outer(mean, by_hidden)
        return own, by_hidden - mean @ own
