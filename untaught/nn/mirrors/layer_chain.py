"""A network as a chain of layers: each sees only what the one below gives.

    h_0 = x,   h_k = F_k(h_k-1)                                                  (1)

Layers have the names that VGG gave them: `conv2_1` is the first convolution after the first pooling, `pool2` the second
pooling, and fully connected layers go on counting after the last pooling, `fc6` in a network of five. A layer's name
stands for what comes after its activation. A network is taken apart as far as its sequences go, and is tried on an
example: the chain must give what the network gives.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn import convolution, dense
from untaught.nn.coders import ConvolutionEncoder
from untaught.nn.mirrors.plain_layers import Evened, plain
from untaught.nn.vision_nets import Standardising, VisionNet
from untaught.nn.what_where import Window
from untaught.shapes import Examples, Shape

WEIGHTED = (nn.Conv2d, nn.Linear)
ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.Tanh, nn.Sigmoid, nn.Softplus)
PASSED = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.LocalResponseNorm)
"""Layers that a mirror leaves out."""
SHAPING = (nn.Flatten, nn.AdaptiveAvgPool2d, Standardising, Evened)
OURS = (dense.Encoder, dense.Layer, ConvolutionEncoder, convolution.Down)
"""Layers of our own that can be written as torch's."""
KNOWN = (*WEIGHTED, *ACTIVATIONS, *PASSED, *SHAPING, nn.MaxPool2d)


@dataclass(frozen=True)
class Step:
    """One layer."""

    module: nn.Module
    before: Shape
    """What it is given of one example."""
    after: Shape
    """What it gives."""

    @property
    def window(self) -> Window:
        """The window of a pooling."""
        assert isinstance(self.module, nn.MaxPool2d)
        side, stride, padding = self.module.kernel_size, self.module.stride, self.module.padding
        return Window(*(value if isinstance(value, int) else value[0] for value in (side, stride, padding)))


@dataclass(frozen=True)
class Trace:
    """What went through a chain: the example and what every layer gave, and the switches of every pooling."""

    values: list[Tensor]
    switches: Mapping[int, Tensor] = field(default_factory=lambda: {})
    """By the number of the layer in the chain, from 0."""


@dataclass(frozen=True)
class LayerChain:
    """A network's layers in order; they remain the network's own."""

    steps: tuple[Step, ...]

    @staticmethod
    def of(network: nn.Module, shape: Shape) -> LayerChain:
        """Take a network apart.

        Args:
            network: A sequence of layers, of such sequences, or a network whose children are called one after another.
            shape: One example's shape.

        Raises:
            ConfigError: A layer is of a kind that has no way back, or the network is no chain.
            SizeError: The network refuses pictures of this size.

        Example:
            >>> chain = LayerChain.of(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2)), (1, 8, 8))
            >>> list(chain.names), chain.steps[-1].after
            (['conv1_1', 'pool1'], (4, 3, 3))
        """
        leaves, steps = list(_leaves(network)), list[Step]()
        for leaf in leaves:
            _refuse_unknown(leaf)
        with resting(network), torch.no_grad():
            example = x = _tried(shape, network)
            given = _given(network, example)
            for leaf in leaves:
                y = _applied(leaf, x)
                steps.append(Step(leaf, tuple(x.shape[1:]), tuple(y.shape[1:])))
                x = y
        if given is None or x[0].numel() != given[0].numel() or not _same(x, given):
            raise ConfigError(f"{_kind(network)} is no chain: its layers, one after another, give something else")
        return LayerChain(tuple(steps))

    def run(self, x: Examples, end: int | None = None) -> Trace:
        """Equation (1), with the switches of every pooling; as many steps as `end` says."""
        values, switches = [x], dict[int, Tensor]()
        for number, step in enumerate(self.steps[:end]):
            if isinstance(step.module, nn.MaxPool2d):
                what, switches[number] = step.window.pool(values[-1])
                values.append(what)
            else:
                values.append(_untouched(step.module, values[-1]))
        return Trace(values, switches)

    @property
    def pools(self) -> list[int]:
        """Numbers of the layers that pool."""
        return [number for number, step in enumerate(self.steps) if isinstance(step.module, nn.MaxPool2d)]

    @property
    def names(self) -> dict[str, int]:
        """Names of convolutions, poolings and fully connected layers: how many steps lie up to its end."""
        found: dict[str, int] = {}
        pools = dense = convolutions = 0
        for number, step in enumerate(self.steps):
            match step.module:
                case nn.Conv2d():
                    convolutions += 1
                    found[f"conv{pools + 1}_{convolutions}"] = self.end_of(number)
                case nn.MaxPool2d():
                    pools, convolutions = pools + 1, 0
                    found[f"pool{pools}"] = number + 1
                case nn.Linear():
                    dense += 1
                    found[f"fc{pools + (convolutions > 0) + dense}"] = self.end_of(number)
                case _:
                    pass
        return found

    def end_of(self, number: int) -> int:
        """How many steps lie up to the end of a layer with weights: its activation, and what passes on beside it."""
        end = number + 1
        while end < len(self.steps) and isinstance(self.steps[end].module, (*ACTIVATIONS, *PASSED)):
            end += 1
        return end

    def levels(self) -> tuple[int, ...]:
        """Ends of the blocks that a mirrored pathway decodes: every pooling; without any, every layer with weights."""
        if self.pools:
            return tuple(number + 1 for number in self.pools)
        return tuple(self.names.values())

    def named(self, asked: Sequence[str]) -> dict[str, int]:
        """The layers of the given names; all for `all`.

        Raises:
            ConfigError: There is no layer of one of the names; the message lists those that there are.
        """
        names = self.names
        if list(asked) == ["all"]:
            return names
        for name in asked:
            if name not in names:
                raise ConfigError(f"no layer is called {name!r}; there are: {', '.join(names)}")
        return {name: end for name, end in names.items() if name in asked}

    def activation_below(self, number: int) -> nn.Module | None:
        """The activation between a layer with weights and the next one below it; none at the bottom."""
        for step in reversed(self.steps[:number]):
            if isinstance(step.module, ACTIVATIONS):
                return step.module
            if isinstance(step.module, WEIGHTED):
                break
        return None


def _leaves(network: nn.Module) -> Iterator[nn.Module]:
    """Layers in the order in which they act."""
    if isinstance(network, VisionNet):
        yield from network.chain
    elif isinstance(network, OURS):
        yield from plain(network)
    elif isinstance(network, KNOWN) or not list(network.children()):
        yield network
    else:
        for child in network.children():
            yield from _leaves(child)


def _refuse_unknown(leaf: nn.Module) -> None:
    if not isinstance(leaf, KNOWN):
        kinds = "convolutions, fully connected layers, max pooling, activations, normalisation and dropout"
        raise ConfigError(f"a layer of the kind {_kind(leaf)} has no mirror; chains may have {kinds}")
    if isinstance(leaf, nn.MaxPool2d) and (leaf.ceil_mode or leaf.dilation not in (1, (1, 1))):
        raise ConfigError("pooling with ceil_mode or dilation has no mirror")
    if isinstance(leaf, nn.Conv2d) and leaf.padding == "same" and not all(side % 2 for side in leaf.kernel_size):
        raise ConfigError("a convolution with an even kernel and padding='same' has no mirror")
    if isinstance(leaf, nn.Conv2d) and leaf.padding_mode != "zeros":
        raise ConfigError(f"a convolution with padding_mode={leaf.padding_mode!r} has no mirror")


def _tried(shape: Shape, network: nn.Module) -> Tensor:
    """Two examples that are not all alike, where the network is."""
    weight = next(network.parameters(), torch.zeros(()))
    count = 2 * torch.Size(shape).numel()
    return torch.linspace(0, 1, count, device=weight.device, dtype=weight.dtype).sin().abs().view(2, *shape)


def _applied(leaf: nn.Module, x: Tensor) -> Tensor:
    try:
        return _untouched(leaf, x)
    except (RuntimeError, ValueError, IndexError) as error:
        raise ConfigError(f"{_kind(leaf)} cannot follow what gives {tuple(x.shape[1:])}: {error}") from error


def _given(network: nn.Module, x: Tensor) -> Tensor | None:
    """What the whole network gives; None where shapes do not meet, which the layers one by one say more clearly."""
    try:
        return network(x)
    except (RuntimeError, ValueError, IndexError):
        return None


def _untouched(leaf: nn.Module, x: Tensor) -> Tensor:
    """What a layer gives; a layer that works in place is given a copy."""
    in_place: bool = getattr(leaf, "inplace", False)
    return leaf(x.clone() if in_place else x)


def _same(x: Tensor, given: Tensor) -> bool:
    """Whether values agree; on the meta device there are none."""
    return x.is_meta or bool(torch.allclose(x.flatten(1), given.flatten(1), rtol=1e-4, atol=1e-5))


def _kind(module: nn.Module) -> str:
    return type(module).__name__


@contextmanager
def resting(network: nn.Module) -> Generator[None]:
    """A network in eval mode for the length of a `with`."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
