"""A stack of machines, each trained on the features of the one below, is unrolled into a deep autoencoder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from untaught.nn.coders import layers_of


@dataclass(frozen=True)
class Unrolled:
    """Weights and biases of one machine, as dense layers have them: `(output, input)` and `(output,)`."""

    up: Tensor
    hidden: Tensor
    down: Tensor
    visible: Tensor


@torch.no_grad()
def unroll(machines: Iterable[Unrolled], encoder: nn.Module, decoder: nn.Module, tied: bool) -> None:
    """Copy machines, from below, into the dense layers of an encoder and its mirror; if tied, only upward weights."""
    for machine, below, above in zip(machines, layers_of(encoder), layers_of(decoder)[::-1], strict=True):
        below.get_parameter("weight").copy_(machine.up)
        below.get_parameter("bias").copy_(machine.hidden)
        above.get_parameter("bias").copy_(machine.visible)
        if not tied:
            above.get_parameter("weight").copy_(machine.down)
