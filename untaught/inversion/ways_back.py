"""Decoders from layers of a frozen network: mirrors with known and with fixed switches, and one that enlarges.

    loss = sum over layers k and ways w of mean (D_kw(F_k(x)) - x)^2                     (1)

F_k is the network up to layer k, D_kw a decoder; the decoders share nothing, and learn at once on what the network
gives. From a layer with no pooling below there are no switches, and both mirrors are one.
"""

from __future__ import annotations

import copy
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from untaught.config import configuration
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe, View
from untaught.nn.mirrors.input_search import search_input
from untaught.nn.mirrors.layer_chain import LayerChain, Trace, resting
from untaught.nn.mirrors.mirror import Mirror
from untaught.nn.mirrors.upconvolution import UpConvolution
from untaught.nn.what_where import Unpooling
from untaught.shapes import Images, Scalar

Way: TypeAlias = Literal["fixed", "known", "upconvolution", "searched"]
WAYS: dict[Way, str] = {
    "fixed": "SAE, fixed switches",
    "known": "SWWAE, known switches",
    "upconvolution": "up-convolution",
    "searched": "input searched for",
}
"""What each way back is called in pictures and tables."""
PICTURED = 8
"""Pictures that are searched for at most: each search takes as long as hundreds of steps."""


class WaysBack(Learner):
    """Decoders from some layers of a network.

    Args:
        network: A chain of layers; it is copied, and stays as it is.
        example: What one picture is.
        layers: Their names; `all` for all.
        view: How the network sees pictures.

    Raises:
        ConfigError: The network is no chain of layers that have mirrors, or a layer is not there.
    """

    @configuration
    class Config:
        """There is nothing to set."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=3e-3), batch_size=64)
    config: Config

    def __init__(self, network: nn.Module, example: Example, layers: tuple[str, ...], view: View) -> None:
        super().__init__()
        self.config, self.example, self.view = self.Config(), example, view
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.chain = LayerChain.of(self.network, self.shape)
        self.ends = self.chain.named(layers)
        self.mirrors = nn.ModuleDict()
        for name, end in self.ends.items():
            for way in ("known", "fixed") if self.pooled(name) else ("known",):
                self.mirrors[f"{name} {way}"] = Mirror(self.chain, end, way=_unpooling(way))
        given = {name: self.chain.steps[end - 1].after for name, end in self.ends.items()}
        self.enlarging = nn.ModuleDict({name: UpConvolution(own, self.shape) for name, own in given.items()})

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (1)."""
        errors: dict[Way, Scalar] = {}
        for way, made in self._decoded(batch.x):
            error = (made - batch.x).square().mean()
            errors[way] = errors[way] + error if way in errors else error
        total = sum(errors.values(), start=torch.zeros((), device=batch.x.device, dtype=batch.x.dtype))
        return Loss(total, {f"squared_error_{way}": error.detach() for way, error in errors.items()})

    def back(self, x: Images, name: str, way: Way) -> Images:
        """Pictures as they come back from one layer."""
        trace = self._looked(x)
        value = trace.values[self.ends[name]]
        if way == "upconvolution":
            return self.enlarging[name](value)
        return self.mirrors[f"{name} {way if self.pooled(name) else 'known'}"](value, trace.switches)

    def searched(self, x: Images, name: str, start: Tensor, low: float, high: float) -> Images:
        """Inputs of which the network gives at one layer what it gives of pictures, between two values."""
        with resting(self.network):
            end = self.ends[name]
            wanted = self.chain.run(x, end).values[-1]
            begin = start.to(x).expand_as(x)
            return search_input(lambda y: self.chain.run(y, end).values[-1], wanted, begin, low, high)

    def pooled(self, name: str) -> bool:
        """Whether pooling lies below the end of a layer."""
        return any(number < self.ends[name] for number in self.chain.pools)

    def _decoded(self, x: Images) -> list[tuple[Way, Images]]:
        """What every decoder makes."""
        trace = self._looked(x)
        found: list[tuple[Way, Images]] = []
        for name, end in self.ends.items():
            value = trace.values[end]
            found.append(("upconvolution", self.enlarging[name](value)))
            for way in ("known", "fixed"):
                if f"{name} {way}" in self.mirrors:
                    found.append((way, self.mirrors[f"{name} {way}"](value, trace.switches)))
        return found

    def _looked(self, x: Images) -> Trace:
        """What the frozen network gives of pictures, at every layer."""
        with resting(self.network), torch.no_grad():
            return self.chain.run(x)


def _unpooling(way: str) -> Unpooling:
    return "known" if way == "known" else "fixed"
