"""All states of binary units, for sums over every one of them."""

from __future__ import annotations

import torch
from torch import Tensor


def all_states(units: int, like: Tensor) -> Tensor:
    """Every state of binary units, `(2 ** units, units)`, of the type and on the device of a tensor.

    The first unit counts most, so that states stand in the order of binary numbers.

    Example:
        >>> all_states(2, torch.zeros(())).tolist()
        [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    numbers = torch.arange(2**units, device=like.device)
    return (numbers[:, None] >> torch.arange(units - 1, -1, -1, device=like.device) & 1).to(like.dtype)
