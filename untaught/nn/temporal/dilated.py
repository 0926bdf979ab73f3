"""A core without memory: convolutions that look further and further around each position.

x are maps, and layer l = 1, ..., n looks at every 2^(l-1)-th position:

    h_0 = x,     h_l = h_l-1 + relu(W_l * h_l-1 + b_l)        (1)

Its state is h_n of the last input alone, so that it costs a fraction of a recurrent core where the encoder sees
several frames at once. Four layers of 3x3 reach 15 positions to each side.

References:
    Yu, Koltun (2016). Multi-scale context aggregation by dilated convolutions. arXiv:1511.07122.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn.convolution import spread_
from untaught.nn.temporal.recurrent import Recurrent, State

LAYERS = 4


class Dilated(Recurrent):
    """Residual dilated convolutions, equation (1). Any frame size.

    Example:
        >>> states = Dilated(8, 8, 3)(torch.zeros(4, 2, 8, 10, 12))
        >>> len(states), states[-1][0].shape
        (4, torch.Size([2, 8, 10, 12]))
    """

    remembers = False

    def __init__(self, inputs: int, maps: int, kernel: int) -> None:
        """Build the layers.

        Raises:
            ConfigError: Maps that come in and go out differ in number, or the kernel is even.
        """
        super().__init__()
        if inputs != maps or kernel % 2 == 0:
            raise ConfigError(
                f"core dilated adds to its input: {maps} maps with kernel {kernel} cannot be added to {inputs};\n"
                f"take --units {inputs} and an odd --core-kernel"
            )
        self.layers = nn.ModuleList(
            nn.Conv2d(maps, maps, kernel, padding=(kernel // 2) * 2**layer, dilation=2**layer)
            for layer in range(LAYERS)
        )
        for layer in self.layers:
            spread_(layer.get_parameter("weight"), maps * kernel**2, "linear")
            nn.init.zeros_(layer.get_parameter("bias"))

    def drive(self, x: Tensor) -> Tensor:
        """Equation (1)."""
        for layer in self.layers:
            x = x + torch.relu(layer(x))
        return x

    def start(self, drive: Tensor) -> State:
        """Nothing is remembered: what comes in."""
        return (drive,)

    def step(self, drive: Tensor, state: State) -> State:
        """What came in last."""
        del state
        return (drive,)
