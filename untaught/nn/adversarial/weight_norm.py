"""Weights that learn a direction alone: how long they are is settled by the first examples.

    w_j = s_j v_j / |v_j|                        (1)
    s_j <- s_j / d_j,   b_j <- (b_j - m_j) / d_j (2)

v_j are a unit's weights as they are learnt, s_j their length, b_j its bias. m_j and d_j are mean and deviation of what
the unit gives for the first examples before its activation, so that by (2) they become 0 and 1. In hidden layers s_j
then stays as it is: noise of the same deviation that is added to the values is as strong at the end as in the
beginning, which weights that grow would undo. In an output layer s_j learns.

References:
    Salimans, Kingma (2016). Weight normalization: a simple reparameterization to accelerate training of deep neural
    networks. NIPS.
    Salimans and others (2016). Improved techniques for training GANs. NIPS (their code has lengths that stay).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

from untaught.nn import dense

CONSTANT = 1e-6
"""Deviation below which a unit counts as constant, and keeps its length."""


class Direction(nn.Module):
    """Equation (1), as a parametrisation of a weight `(unit, ...)`."""

    def __init__(self, weight: Tensor, learns: bool) -> None:
        super().__init__()
        length = _lengths(weight.detach())
        self.length = nn.Parameter(length) if learns else nn.Buffer(length)

    def forward(self, direction: Tensor) -> Tensor:
        """The weight, from a direction of any length."""
        return direction * (self.length / _lengths(direction)).view(-1, *(1 for _ in direction.shape[1:]))

    def right_inverse(self, weight: Tensor) -> Tensor:
        """A direction that gives the weight, whose length is taken on."""
        with torch.no_grad():
            self.length.copy_(_lengths(weight))
        return weight


def normalise(layer: nn.Module, learns: bool = False) -> None:
    """Let the weights of a layer be directions of a length that `learns` or stays.

    Example:
        >>> layer = dense.Layer(3, 2, "linear")
        >>> before = layer.weight.detach().clone()
        >>> normalise(layer)
        >>> torch.allclose(layer.weight, before), [name for name, _ in layer.named_parameters()]
        (True, ['bias', 'parametrizations.weight.original'])
    """
    register_parametrization(layer, "weight", Direction(layer.get_parameter("weight"), learns))


def settle(network: nn.Module, *given: Tensor) -> None:
    """Settle lengths and biases of all such layers of a network by its first examples, equation (2).

    Args:
        network: It is called once; noise that it adds while it learns is added.
        given: What it is called with.
    """
    layers = [layer for layer in network.modules() if is_parametrized(layer, "weight")]
    hooks = [layer.register_forward_pre_hook(_standardised) for layer in layers]
    learning = network.training
    try:
        with torch.no_grad():
            network.train()(*given)
    finally:
        network.train(learning)
        for hook in hooks:
            hook.remove()


def _standardised(layer: nn.Module, given: tuple[Any, ...]) -> None:
    """Before a layer is called with these: equation (2)."""
    weight, bias = layer.weight, layer.get_parameter("bias")
    assert isinstance(weight, Tensor)
    values = F.linear(given[0], weight, bias) if isinstance(layer, dense.Layer) else layer.forward(*given)
    over = [0, *range(2, values.ndim)]
    mean, deviation = values.mean(over), values.std(over, correction=0)
    deviation = torch.where(deviation > CONSTANT, deviation, 1)
    length = layer.get_submodule("parametrizations.weight.0").length
    assert isinstance(length, Tensor)
    length.div_(deviation)
    bias.sub_(mean).div_(deviation)


def _lengths(weight: Tensor) -> Tensor:
    return weight.flatten(1).norm(dim=1)
