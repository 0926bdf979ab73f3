"""An encoder in blocks that end with pooling, and a mirrored block for each: the way down again, with costs between.

    (h_l, s_l) = F_l(h_l-1),   h_0 = x                                           (1)
    h'_l-1 = G_l(h'_l, s_l),   h'_L = h_L         one chain from the top          (2)
    h'_l-1 = G_l(h_l, s_l)                        each from the encoder's own      (3)
    C_l = mean over values of (h'_l - h_l)^2,     l = 0, ..., L-1                (4)

F_l is the l-th block of the encoder, s_l the switches of its pooling, G_l its mirror.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from untaught.config import Count, Fraction, Whole, configuration
from untaught.errors import ConfigError, SizeError
from untaught.nn.mirrors.layer_chain import LayerChain
from untaught.nn.mirrors.mirror import Mirror
from untaught.nn.vision_nets import convolution_blocks
from untaught.nn.what_where import Unpooling
from untaught.shapes import Examples, Scalar, Shape


@dataclass(frozen=True)
class Looked:
    """What the encoder's blocks give of a batch."""

    values: Sequence[Tensor]
    """h_0, the examples, to h_L."""
    switches: Mapping[int, Tensor]
    """Of every pooling, by its number in the chain."""


@dataclass(frozen=True)
class Blocks:
    """The blocks of an encoder, up to its last pooling."""

    chain: LayerChain
    ends: tuple[int, ...]
    """Where each block ends in the chain."""

    @staticmethod
    def of(encoder: nn.Module, shape: Shape) -> Blocks:
        """Cut an encoder after every pooling; where nothing is pooled, after every layer with weights.

        Raises:
            ConfigError: The encoder is no chain of layers that have mirrors, or has no layer with weights.
        """
        chain = LayerChain.of(encoder, shape)
        if not chain.levels():
            raise ConfigError("the encoder has no layer with weights, so there is nothing to mirror")
        return Blocks(chain, chain.levels())

    def look(self, x: Examples) -> Looked:
        """Equation (1)."""
        trace = self.chain.run(x, self.ends[-1])
        return Looked([trace.values[end] for end in (0, *self.ends)], trace.switches)

    def packed(self, x: Examples) -> Tensor:
        """The same in one tensor `(batch, value)`, for a stage that sees what a frozen encoder gives.

        Switches are whole numbers below 2^24, which float32 holds exactly.
        """
        looked = self.look(x)
        every = [*looked.values, *looked.switches.values()]
        return torch.cat([value.flatten(1).to(x.dtype) for value in every], 1)

    def unpacked(self, packed: Tensor) -> Looked:
        """Undo `packed`."""
        pools = [number for number in self.chain.pools if number < self.ends[-1]]
        shapes = [self.shape(end) for end in (0, *self.ends)] + [self.chain.steps[n].after for n in pools]
        pieces = packed.split([math.prod(shape) for shape in shapes], 1)
        found = [piece.unflatten(1, shape) for piece, shape in zip(pieces, shapes, strict=True)]
        levels = len(self.ends) + 1
        return Looked(found[:levels], {n: where.long() for n, where in zip(pools, found[levels:], strict=True)})

    def shape(self, end: int) -> Shape:
        """Shape of what one place of the chain gives of an example."""
        return self.chain.steps[end - 1].after if end else self.chain.steps[0].before


class Mirrors(nn.Module):
    """The mirrored block of every block of an encoder, from the lowest.

    Example:
        >>> blocks = Blocks.of(pathway_encoder((1, 8, 8), EncoderLayers(maps=(3, 4), units=(5,))), (1, 8, 8))
        >>> looked = blocks.look(torch.zeros(2, 1, 8, 8))
        >>> [tuple(h.shape) for h in Mirrors(blocks).chained(looked)]
        [(2, 1, 8, 8), (2, 3, 4, 4)]
    """

    def __init__(self, blocks: Blocks, way: Unpooling = "known") -> None:
        super().__init__()
        places = list(pairwise((0, *blocks.ends)))
        self.mirrors = nn.ModuleList(Mirror(blocks.chain, top, bottom, way) for bottom, top in places)

    def chained(self, looked: Looked) -> list[Tensor]:
        """h'_0 to h'_L-1 as one chain from the top, equation (2)."""
        down = [looked.values[-1]]
        for mirror in reversed(self.mirrors):
            down.append(mirror(down[-1], looked.switches))
        return down[:0:-1]

    def layerwise(self, looked: Looked) -> list[Tensor]:
        """h'_0 to h'_L-1, each from the encoder's own h above it, equation (3)."""
        return [mirror(above, looked.switches) for mirror, above in zip(self.mirrors, looked.values[1:], strict=True)]


def squared_errors(down: Sequence[Tensor], looked: Looked) -> list[Scalar]:
    """Costs C_0 to C_L-1, equation (4)."""
    return [(given - h).square().mean() for given, h in zip(down, looked.values[:-1], strict=True)]


@configuration
class EncoderLayers:
    """An encoder in the manner of VGG: blocks of 3x3 convolutions with pooling, then fully connected layers."""

    convolutions: tuple[Count, ...] = (1, 1)
    """Convolutions of 3x3 in each block, one block for each pooling."""
    maps: tuple[Count, ...] = (32, 64)
    """Maps of each block."""
    grid: Whole = 0
    """Windows of the last pooling along the shorter side of its maps, as large as that takes and at least 2x2; 0 takes
    2x2. Large windows say what there is and leave it to the switches to say where."""
    units: tuple[Count, ...] = (256,)
    """Units of the fully connected layers; the last has the features."""
    dropout: Fraction = 0.0
    """Probability with which such a unit is left out while training."""


def pathway_encoder(shape: Shape, wanted: EncoderLayers) -> nn.Sequential:
    """Build such an encoder; for vectors the fully connected layers alone.

    Raises:
        ConfigError: Blocks and maps differ in number, or there is no layer.
        SizeError: Pictures are too small for so many blocks; the message names the smallest that are not.
    """
    layers, values = list[nn.Module](), math.prod(shape)
    convolutions, maps = wanted.convolutions, wanted.maps
    if len(shape) == 3 and convolutions:
        if len(convolutions) != len(maps):
            raise ConfigError(
                f"maps needs one number for each block of convolutions, {len(convolutions)}; it has {len(maps)}"
            )
        least = 2 ** len(convolutions)
        if min(shape[1:]) < least:
            raise SizeError(
                f"{len(convolutions)} poolings leave nothing of pictures of {shape[1]}x{shape[2]}; the nearest size "
                f"that works is {max(shape[1], least)}x{max(shape[2], least)}"
            )
        height, width = (2 * length // least for length in shape[1:])
        side = max(2, min(height, width) // wanted.grid) if wanted.grid else 2
        layers += convolution_blocks(convolutions, maps, shape[0], side)
        values = maps[-1] * (height // side) * (width // side)
    layers.append(nn.Flatten())
    for count in wanted.units:
        layers += [nn.Linear(values, count), nn.ReLU(), *([nn.Dropout(wanted.dropout)] if wanted.dropout else [])]
        values = count
    if len(layers) == 1:
        raise ConfigError("an encoder needs a layer: give it blocks of convolutions, or units")
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)
