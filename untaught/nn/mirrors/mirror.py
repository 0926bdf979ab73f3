"""The way back through a chain of layers, in the network's own shape.

    h'_k-1 = B_k(h'_k, s_k)                                                      (1)

B_k is a transposed convolution for a convolution, a linear layer for a fully connected one, unpooling for pooling, each
of the shape of what it mirrors. The activation between two layers on the way up follows the layer on the way down, so
that the last one, which gives the example, has none. s_k are the switches of a pooling: the network's own, or the same
for every window.

References:
    Zhang, Lee, Lee (2016). Augmenting supervised neural networks with unsupervised objectives for large-scale image
    classification.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from untaught.nn.convolution import channels_last
from untaught.nn.mirrors.layer_chain import LayerChain, Step
from untaught.nn.mirrors.plain_layers import Evened
from untaught.nn.vision_nets import Standardising
from untaught.nn.what_where import Unpooling
from untaught.shapes import Shape


class Mirror(nn.Module):
    """The way back from one place of a chain to another.

    Args:
        chain: The network's layers.
        top: Number of steps up to where it begins.
        bottom: Number of steps up to where it ends; 0 is the example.
        way: How it goes back through pooling.

    Example:
        >>> import torch
        >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2))
        >>> chain = LayerChain.of(network, (1, 8, 8))
        >>> trace = chain.run(torch.zeros(5, 1, 8, 8))
        >>> Mirror(chain, 3)(trace.values[3], trace.switches).shape
        torch.Size([5, 1, 8, 8])
    """

    def __init__(self, chain: LayerChain, top: int, bottom: int = 0, way: Unpooling = "known") -> None:
        super().__init__()
        found = {str(n): _back(chain, n, way) for n in range(top - 1, bottom - 1, -1)}
        self.layers = nn.ModuleDict({name: layer for name, layer in found.items() if layer is not None})

    def forward(self, x: Tensor, switches: Mapping[int, Tensor]) -> Tensor:
        """What lies at the bottom, given what lies at the top; equation (1) for every layer."""
        for name, layer in self.layers.items():
            x = layer(x, switches.get(int(name)))
        return x


class _Back(nn.Module, ABC):
    """One layer on the way down."""

    @abstractmethod
    def forward(self, x: Tensor, where: Tensor | None) -> Tensor:
        """What lies below, given what lies above and the switches of a pooling."""


class _Unpooling(_Back):
    def __init__(self, step: Step, way: Unpooling) -> None:
        super().__init__()
        self.window, self.size = step.window, (step.before[1], step.before[2])
        self.way: Unpooling = way

    def forward(self, x: Tensor, where: Tensor | None) -> Tensor:
        return channels_last(self.window.unpool(x, self.size, self.way, where))


class _Deconvolution(_Back):
    def __init__(self, step: Step, activate: nn.Module | None) -> None:
        super().__init__()
        own = step.module
        assert isinstance(own, nn.Conv2d)
        self.size, self.activate = list(step.before[1:]), activate or nn.Identity()
        kernel, stride, dilation = _pair(own.kernel_size), _pair(own.stride), _pair(own.dilation)
        padding = _pair(own.padding) if isinstance(own.padding, tuple) else _same_size(own.padding, kernel, dilation)
        self.weights = nn.ConvTranspose2d(
            own.out_channels, own.in_channels, kernel, stride, padding, groups=own.groups, dilation=dilation
        )
        _spread(self.weights, own.out_channels * kernel[0] * kernel[1] // (stride[0] * stride[1]))

    def forward(self, x: Tensor, where: Tensor | None) -> Tensor:
        return self.activate(channels_last(self.weights(x, output_size=self.size)))


class _Dense(_Back):
    def __init__(self, step: Step, activate: nn.Module | None) -> None:
        super().__init__()
        own = step.module
        assert isinstance(own, nn.Linear)
        self.weights, self.activate = nn.Linear(own.out_features, own.in_features), activate or nn.Identity()
        _spread(self.weights, own.out_features)

    def forward(self, x: Tensor, where: Tensor | None) -> Tensor:
        return self.activate(self.weights(x))


class _Reshape(_Back):
    """Flattened maps become maps again; averaged ones are repeated."""

    def __init__(self, before: Shape) -> None:
        super().__init__()
        self.before = before

    def forward(self, x: Tensor, where: Tensor | None) -> Tensor:
        if x.ndim == 2:
            return x.unflatten(1, self.before)
        return x if x.shape[1:] == self.before else F.interpolate(x, self.before[1:])


class _Colours(_Back):
    """Standardised colours become pixels; of grey pictures, which were repeated in all three, their mean."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        own = step.module
        assert isinstance(own, Standardising)
        self.channels = step.before[0]
        self.mean, self.deviation = nn.Buffer(own.mean.clone()), nn.Buffer(own.deviation.clone())

    def forward(self, x: Tensor, where: Tensor | None) -> Tensor:
        pixels = x * self.deviation + self.mean
        return pixels if pixels.shape[1] == self.channels else pixels.mean(1, keepdim=True)


class _Cropped(_Back):
    """Rows and columns that were added at the lower right are left out."""

    def __init__(self, before: Shape) -> None:
        super().__init__()
        self.before = before

    def forward(self, x: Tensor, where: Tensor | None) -> Tensor:
        return x[..., : self.before[1], : self.before[2]]


def _back(chain: LayerChain, number: int, way: Unpooling) -> _Back | None:
    """The way back through one layer; none where it changes nothing that a mirror follows."""
    step = chain.steps[number]
    activate = copy.deepcopy(chain.activation_below(number))
    if isinstance(activate, nn.ReLU):
        activate = nn.ReLU()  # not in place
    match step.module:
        case nn.Conv2d():
            return _Deconvolution(step, activate)
        case nn.Linear():
            return _Dense(step, activate)
        case nn.MaxPool2d():
            return _Unpooling(step, way)
        case nn.Flatten() | nn.AdaptiveAvgPool2d() if step.before != step.after:
            return _Reshape(step.before)
        case Standardising():
            return _Colours(step)
        case Evened():
            return _Cropped(step.before)
        case _:
            return None


def _pair(values: Sequence[int]) -> tuple[int, int]:
    return values[0], values[-1]


def _same_size(padding: str, kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of padding by its name."""
    if padding == "valid":
        return 0, 0
    return dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2


def _spread(layer: nn.ConvTranspose2d | nn.Linear, inputs: int) -> None:
    """Initial weights of He and others for rectified units, biases 0."""
    nn.init.normal_(layer.weight, 0, (2 / max(1, inputs)) ** 0.5)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
