"""Rungs of a ladder: a layer that is normalised over its batch, its way back, and what combines both.

    m, v = mean and variance over the batch,   norm(a) = (a - m) / sqrt(v)                 (1)
    h = phi(z + b) within,   h = softmax(g (z + b)) at the top                               (2)
    gaussian:  c(z, u) = (z - mu(u)) r(u) + mu(u)                                            (3)
               mu(u) = a1 sigmoid(a2 u + a3) + a4 u + a5,   r(u) likewise with a6 to a10
    vanilla:   c(z, u) = a1 + a2 z + a3 u + a4 z u + a5 sigmoid(a6 + a7 z + a8 u + a9 z u)   (4)

Every coefficient is one number for each unit, or for each map of a convolution; moments are over places too.

References:
    Rasmus, Valpola, Honkala, Berglund, Raiko (2015). Semi-supervised learning with ladder networks.
    Pezeshki, Fan, Brakel, Courville, Bengio (2016). Deconstructing the ladder network architecture (the vanilla form).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from untaught.nn.noise import wide
from untaught.shapes import Shape

LEAST = 1e-6
"""Added to variances."""
SLOWEST = 0.01
"""Share of a batch in the running averages of moments, once there have been a hundred."""
Combining = Literal["gaussian", "vanilla"]


class Moments(NamedTuple):
    """Mean and variance of every unit, of a shape that fits a batch."""

    mean: Tensor
    variance: Tensor

    @staticmethod
    def of(x: Tensor) -> Moments:
        """Those of a batch; of maps, over places too."""
        axes, x = [axis for axis in range(x.ndim) if axis != 1], wide(x)
        mean = x.mean(axes, keepdim=True)
        # On processors `torch.var_mean` takes ten times as long over the batch.
        return Moments(mean, (x - mean).square().mean(axes, keepdim=True))

    def norm(self, x: Tensor) -> Tensor:
        """Equation (1)."""
        return (wide(x) - self.mean) * (self.variance + LEAST).rsqrt()


def normed(x: Tensor) -> Tensor:
    """A batch under its own moments, equation (1).

    The same as `Moments.of(x).norm(x)`, in an eighth of the time: what wants no moments should take this.
    """
    return torch.batch_norm(wide(x), None, None, None, None, True, 0.0, LEAST, False)


class Rung(nn.Module):
    """One layer of a ladder, and the way back to the layer below.

    Args:
        up: From the layer below, linear.
        down: Back to it, linear.
        shape: Shape of the layer for one example.
        top: Whether it gives the classes.
    """

    def __init__(self, up: nn.Module, down: nn.Module, shape: Shape, top: bool) -> None:
        super().__init__()
        self.up, self.down, self.top = up, down, top
        units = (shape[0], *(1 for _ in shape[1:]))
        self.shift = nn.Parameter(torch.zeros(units))
        if top:
            self.scale = nn.Parameter(torch.ones(units))
        self.mean, self.variance = nn.Buffer(torch.zeros(1, *units)), nn.Buffer(torch.ones(1, *units))
        self.batches = nn.Buffer(torch.zeros(()))

    def activate(self, z: Tensor) -> Tensor:
        """Hidden units of a normalised layer, equation (2); at the top the logits of its softmax."""
        return self.scale * (z + self.shift) if self.top else (z + self.shift).relu()

    @property
    def running(self) -> Moments:
        """Moments over many batches."""
        return Moments(self.mean, self.variance)

    @torch.no_grad()
    def follow(self, moments: Moments) -> None:
        """Move the running moments towards those of a batch; the first batches count alike."""
        share = (1 / (self.batches + 1)).clamp_min(SLOWEST)
        self.batches += 1
        for own, new in zip(self.running, moments, strict=True):
            own.lerp_(new.detach().to(own.dtype), share.to(own.dtype))


class Combinator(nn.Module):
    """What is put in the place of a layer z that noise has reached, given what comes from above, u.

    Example:
        >>> Combinator((3,), "vanilla")(torch.zeros(2, 3), torch.zeros(2, 3))[0].tolist()
        [0.5, 0.5, 0.5]
    """

    def __init__(self, shape: Shape, kind: Combining) -> None:
        super().__init__()
        self.kind = kind
        start = (0, 1, 0, 0, 0, 0, 1, 0, 0, 0) if kind == "gaussian" else (0, 1, 0, 0, 1, 0, 1, 0, 0)
        units = (shape[0], *(1 for _ in shape[1:]))
        self.weights = nn.ParameterList(nn.Parameter(torch.full(units, float(value))) for value in start)

    def forward(self, z: Tensor, u: Tensor) -> Tensor:
        """Equation (3) or (4)."""
        a = tuple(self.weights)
        if self.kind == "gaussian":
            mean, rest = _bent(u, a[:5]), _bent(u, a[5:])
            return (z - mean) * rest + mean
        plain = a[0] + a[1] * z + a[2] * u + a[3] * z * u
        return plain + a[4] * torch.sigmoid(a[5] + a[6] * z + a[7] * u + a[8] * z * u)


def _bent(u: Tensor, a: tuple[Tensor, ...]) -> Tensor:
    return a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]


def dense_rungs(values: int, units: tuple[int, ...]) -> list[Rung]:
    """Fully connected layers of so many units on examples of so many numbers; the last gives the classes."""
    rungs: list[Rung] = []
    for number, count in enumerate(units):
        down = nn.Linear(count, values, bias=False)
        rungs.append(Rung(nn.Linear(values, count, bias=False), down, (count,), number == len(units) - 1))
        values = count
    return [_spread(rung) for rung in rungs]


def convolution_rungs(shape: Shape, maps: tuple[int, ...], classes: int) -> list[Rung]:
    """Convolutions of 3x3 that halve height and width, and a fully connected layer that gives the classes."""
    rungs: list[Rung] = []
    for count in maps:
        size = (shape[1], shape[2])
        up = nn.Conv2d(shape[0], count, 3, stride=2, padding=1, bias=False)
        down = Enlarging(count, shape[0], size)
        shape = (count, -(-size[0] // 2), -(-size[1] // 2))
        rungs.append(Rung(up, down, shape, top=False))
    values = math.prod(shape)
    back = nn.Sequential(nn.Linear(classes, values, bias=False), nn.Unflatten(1, shape))
    rungs.append(Rung(nn.Sequential(nn.Flatten(), nn.Linear(values, classes, bias=False)), back, (classes,), top=True))
    return [_spread(rung) for rung in rungs]


class Enlarging(nn.Module):
    """The transpose of a convolution that halves, to maps of one size."""

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.maps = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps of that size."""
        return self.maps(x, output_size=list(self.size))


def _spread(rung: Rung) -> Rung:
    """Initial weights of variance 1 / inputs, as published; normalisation makes their size matter little."""
    for module in rung.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            inputs = module.weight.numel() // len(module.weight)
            nn.init.normal_(module.weight, 0, 1 / math.sqrt(inputs))
    return rung
