"""What stands between a recurrent core and a decoder: nothing, or noise and a fully connected layer.

h is a hidden state, units of an LSTM or maps of a convolutional core, z noise
from U[0, 1/2], the same at all positions:

    maps    a = h                      without noise
    maps    a = relu(W [h, z] + w)     at each position
    units   a = h as maps              as many units as the decoder takes values
    units   a = relu(W [h, z] + w)     as maps

W [h, z] is stored in two parts, U h + V z, so that weights learnt without noise can be used with it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.shapes import Shape


class Between(nn.Module):
    """From a hidden state to the maps that a decoder takes.

    Example:
        >>> Between(5, top=(3, 4, 4), flat=True, dense=True, noise=2)(torch.zeros(7, 5)).shape
        torch.Size([7, 3, 4, 4])
        >>> Between(5, top=(3, 4, 4), flat=False)(torch.zeros(7, 5, 4, 4)).shape
        torch.Size([7, 5, 4, 4])
    """

    def __init__(self, units: int, top: Shape, flat: bool, dense: bool = False, noise: int = 0) -> None:
        """Build it.

        Args:
            units: Units or maps of the hidden state.
            top: Shape of the maps that a decoder takes from a flat state.
            flat: Whether the state is a vector, an LSTM's, and not maps.
            dense: Whether a fully connected layer follows a flat state.
            noise: Numbers in z.

        Raises:
            ConfigError: Units and decoder do not fit, or the layer that was asked for is not possible.
        """
        super().__init__()
        self.noise, values = noise, torch.Size(top).numel()
        _refuse(units, values, flat, dense, noise)
        self.top = top if flat else None
        self.layer: nn.Module = nn.Identity()
        if flat and dense:
            self.layer = nn.Linear(units, values)
        elif noise:
            self.layer = nn.Conv2d(units, units, 1)
        self.from_noise = nn.Linear(noise, values if flat else units, bias=False) if noise else None
        self.rectified = dense or noise > 0

    def forward(self, hidden: Tensor) -> Tensor:
        """Maps `(batch, map, height, width)`; noise is drawn anew for every example."""
        maps = self.layer(hidden)
        if self.from_noise is not None:
            drawn = self.from_noise(torch.rand(len(hidden), self.noise, device=hidden.device).to(hidden.dtype) / 2)
            maps = maps + drawn.view(*drawn.shape, *(1,) * (maps.ndim - 2))
        maps = torch.relu(maps) if self.rectified else maps
        return maps if self.top is None else maps.unflatten(1, self.top)


def _refuse(units: int, values: int, flat: bool, dense: bool, noise: int) -> None:
    if not flat and dense:
        raise ConfigError("a convolutional core keeps maps: it has no use for dense; leave it out, or use core lstm")
    if flat and noise and not dense:
        raise ConfigError("noise is joined to an lstm's state before a fully connected layer; add --dense")
    if flat and not dense and units != values:
        raise ConfigError(
            f"units = {units}: the decoder of frames of this size takes {values} values;\n"
            f"give --units {values}, or --dense for a fully connected layer between"
        )
