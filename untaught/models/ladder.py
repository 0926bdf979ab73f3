"""Ladder network: a classifier whose every layer also learns to take noise away, from examples without labels too.

    z_0 = x,      z_l = norm(W_l h_l-1),               h_l = phi(z_l + b_l)                  (1)
    z~_0 = x + n, z~_l = norm(W_l h~_l-1) + n,         h~_l = phi(z~_l + b_l)                (2)
    u_L = norm(softmax h~_L),   u_l = norm(V_l+1 z^_l+1),   z^_l = c_l(z~_l, u_l)            (3)
    C_l = mean over units of ((z^_l - m_l) / s_l - z_l)^2                                    (4)
    loss = -log p~(y|x) + sum_l w_l C_l                                                      (5)

x is an example, l = 1, ..., L the layers, n noise of deviation `noise`, drawn anew for every layer; norm subtracts the
mean of the batch and divides by its deviation, m_l and s_l are those of the path without noise (1). The path with noise
(2) gives p~ for labelled examples; the way back (3) combines what comes from above with what noise left of the layer.
C_0 has m = 0 and s = 1. phi is max(0, .), at the top g (z + b), the logits of p. See `untaught.nn.mirrors.rungs` for c.

`full` has a cost at every layer, `bottom` only C_0; `gamma`, the Gamma-model, only C_L, and needs no way back. Without
costs it is the network alone, with noise at every layer.

References:
    Rasmus, Valpola, Honkala, Berglund, Raiko (2015). Semi-supervised learning with ladder networks. NIPS.

Departures:
    Networks are smaller, and the learning rate is 0.005 where the paper has 0.002: both are chosen for minutes, not for
    150 passes. The rate falls along a cosine, where the paper holds it for two thirds of the training and then lowers
    it along a line. The convolutional ladder halves height and width by strides, where the paper has pooling; it has a
    way back through all layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from untaught.capability import Activations, Encodes, Filters
from untaught.config import Count, NonNegative, configuration
from untaught.errors import ConfigError
from untaught.layerwise.semi_supervised import SemiSupervised, labelled_of
from untaught.layerwise.wide_range import STANDARDISED, standardised_outside
from untaught.model import Batch, Example, Loss, Optimiser, Recipe, Smoke, Usual
from untaught.nn.mirrors.rungs import Combinator, Combining, Moments, Rung, convolution_rungs, dense_rungs, normed
from untaught.nn.named import chosen
from untaught.nn.targets import class_losses, label_nats
from untaught.shapes import Examples, Features, Images, Scalar, Shape

LARGEST_DENSE = 4096
"""Largest example, in numbers, for which `auto` takes fully connected layers."""
UNITS = (500, 250, 100)
"""Units of such layers. In equal time fewer digits are wrong than with the published ones, while that is minutes."""


@dataclass
class Climb:
    """One batch on its way up."""

    z: list[Tensor]
    """Layers 0 to L, with noise if there is any."""
    before: list[Tensor]
    """W_l h_l-1 of layers 1 to L, which the batch normalises."""
    top: Tensor
    """h of the highest layer reached; in the end the logits."""


class Ladder(SemiSupervised, Encodes, Activations, Filters):
    """A classifier whose layers learn to take noise away.

    Example:
        >>> net = Ladder(Ladder.Config(hidden=(20, 10)), (1, 8, 8))
        >>> net.class_probabilities(torch.zeros(5, 1, 8, 8)).shape, net.encode(torch.zeros(5, 1, 8, 8)).shape
        (torch.Size([5, 10]), torch.Size([5, 10]))
    """

    def climbed(self, *batches: tuple[Tensor, bool]) -> list[Climb]:
        """Batches of any sizes at every layer, each with noise or without, equations (1) and (2).

        They are multiplied by the weights together, which takes less time, and are normalised apart.
        """
        entries = [self._noisy(self._entry(x)) if noise else self._entry(x) for x, noise in batches]
        found = [Climb([entry], [], entry) for entry in entries]
        for rung in self.rungs:
            before = rung.up(torch.cat([climb.top for climb in found])).split([len(entry) for entry in entries])
            for climb, a, (_, noise) in zip(found, before, batches, strict=True):
                z = self._noisy(normed(a)) if noise else normed(a)
                climb.z.append(z)
                climb.before.append(a)
                climb.top = rung.activate(z)
        return found

    def denoised(self, z: Sequence[Tensor], logits: Features) -> dict[int, Tensor]:
        """What is put in the place of the layers that have a cost, and of all above them, equation (3)."""
        found: dict[int, Tensor] = {}
        above = torch.softmax(logits, 1)
        for layer in range(len(self.rungs), self.lowest - 1, -1):
            found[layer] = above = self.combinators[str(layer)](z[layer], normed(above))
            if layer > self.lowest:
                above = self.rungs[layer - 1].down(above)
        return found

    def costs(self, clean: Climb, corrupted: Climb | None) -> dict[int, Scalar]:
        """Costs C_l of the layers that have one, equation (4); running moments follow the batch without noise."""
        moments = [self._unmoved(clean.z[0]), *map(Moments.of, clean.before)]
        for rung, own in zip(self.rungs, moments[1:], strict=True):
            rung.follow(own)
        found = {} if corrupted is None else self.denoised(corrupted.z, corrupted.top)
        return {layer: (moments[layer].norm(found[layer]) - clean.z[layer]).square().mean() for layer in self.weights}

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (5); without a stream of labelled examples, those of the batch that have a label are used."""
        known = labelled_of(batch)
        corrupted = [(batch.x, True)] if self.weights else []
        labelled, clean, *noisy = self.climbed((known.x, True), (batch.x, False), *corrupted)
        nats, costs = label_nats(labelled.top, known.label), self.costs(clean, noisy[0] if noisy else None)
        total = nats + sum(weight * costs[layer] for layer, weight in self.weights.items())
        told = {f"denoising_{layer}": cost.detach() for layer, cost in costs.items()}
        return Loss(total, {"label_nats": nats.detach(), **told, **class_losses(labelled.top, known.label)})

    def held_out(self, batch: Batch, player: str) -> Loss:
        """Classification of held-out examples without noise."""
        known = labelled_of(batch)
        logits = self._layers(known.x)[-1]
        nats = label_nats(logits, known.label)
        return Loss(nats, {"label_nats": nats.detach(), **class_losses(logits, known.label)})

    @configuration
    class Config:
        """The layers, the noise, and the costs of taking it away."""

        classes: Count = 10
        """Classes."""
        network: Literal["auto", "dense", "convolution"] = "auto"
        """Kind of the layers; auto takes convolutions for pictures of more than 4,096 numbers."""
        hidden: tuple[Count, ...] | None = None
        """Units (dense) or maps (convolution) of each layer below the classes; none takes 500, 250, 100 units, or 32,
        64 and so on up to 256 maps in as many layers as leave a picture of at least 4 x 4. Published 1000, 500, 250,
        250, 250 units."""
        noise: NonNegative = 0.3
        """Standard deviation of the noise in every layer and in the example."""
        variant: Literal["full", "bottom", "gamma"] = "full"
        """Which layers have a cost: all, the example alone, or the classes alone."""
        costs: tuple[NonNegative, ...] = (1000.0, 10.0, 0.1)
        """Weights of the costs from the example up, the last one also for all layers above; `bottom` takes the first,
        `gamma` the last. Published for 100 labels; 2000, 20, 0.1 for 1000 and 1000, 1, 0.01 for all of MNIST; gamma
        0.5, 10 and 2."""
        combinator: Combining = "gaussian"
        """How what comes from above and what noise left of a layer are combined."""

    adapts = STANDARDISED
    monitor = None  # few labels are held out, and which weights they prefer is chance: the last are kept
    recipe = Recipe(optimiser=Optimiser(learning_rate=5e-3), batch_size=100)
    smoke = Smoke(config=Config(classes=3, hidden=(6, 5)), shape=(1, 4, 4), classes=3)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build all layers, and the way back as far as costs need it.

        Raises:
            ConfigError: There is no hidden layer, or convolutions are asked for where examples are vectors.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.convolves = self._convolves()
        self.rungs: Sequence[Rung] = nn.ModuleList(self._rungs())  # type: ignore[assignment]
        self.weights = self._weights(len(self.rungs))
        self.lowest = min(self.weights, default=len(self.rungs) + 1)
        layers = range(self.lowest, len(self.rungs) + 1)
        shapes = [
            self.shape if self.convolves else (math.prod(self.shape),),
            *(rung.shift.shape for rung in self.rungs),
        ]
        self.combinators = nn.ModuleDict({str(n): Combinator(tuple(shapes[n]), config.combinator) for n in layers})
        for layer in range(1, self.lowest + 1):
            if layer <= len(self.rungs):
                self.rungs[layer - 1].down = nn.Identity()  # nothing comes back so far

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Standardised values where some lie outside [0, 1]."""
        return standardised_outside(example, sample)

    def encode(self, x: Examples) -> Features:
        """The last hidden layer without noise."""
        return self._layers(x)[-2].flatten(1)

    def class_probabilities(self, x: Examples) -> Features:
        """Probabilities of the classes without noise."""
        return torch.softmax(self._layers(x)[-1], 1)

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layers `hidden.1`, ... without noise, and `logits`."""
        *hidden, logits = self._layers(x)
        return chosen({**{f"hidden.{n}": h for n, h in enumerate(hidden, 1)}, "logits": logits}, names)

    def filters(self) -> Images:
        """Weights of the first layer."""
        weight: Tensor = self.rungs[0].up.weight.detach()  # type: ignore[assignment]
        picture = self.shape if len(self.shape) == 3 else (1, 1, *self.shape)
        return weight if weight.ndim == 4 else weight.unflatten(1, picture)

    def _layers(self, x: Examples) -> list[Tensor]:
        """Hidden layers and logits without noise, under the running moments."""
        h, found = self._entry(x), []
        for rung in self.rungs:
            h = rung.activate(rung.running.norm(rung.up(h)))
            found.append(h)
        return found

    def _entry(self, x: Examples) -> Tensor:
        return x if self.convolves else x.flatten(1)

    def _unmoved(self, x: Examples) -> Moments:
        """Moments that leave examples as they are."""
        one = torch.ones((), device=x.device, dtype=x.dtype)
        return Moments(0 * one, one)

    def _noisy(self, z: Tensor) -> Tensor:
        """Noise is drawn in float32."""
        return z + self.config.noise * torch.randn(z.shape, device=z.device, dtype=torch.float32).to(z.dtype)

    def _convolves(self) -> bool:
        c = self.config
        if c.network == "convolution" and len(self.shape) != 3:
            raise ConfigError(f"convolutions need pictures; examples are vectors of {self.shape[0]}: network=dense")
        large = len(self.shape) == 3 and math.prod(self.shape) > LARGEST_DENSE
        return c.network == "convolution" or (c.network == "auto" and large)

    def _rungs(self) -> list[Rung]:
        c = self.config
        if c.hidden == ():
            raise ConfigError("a ladder without hidden layers has nothing to climb; give hidden at least one width")
        if self.convolves:
            return convolution_rungs(self.shape, c.hidden or _doubling(self.shape), c.classes)
        units = c.hidden or UNITS
        return dense_rungs(math.prod(self.shape), (*units, c.classes))

    def _weights(self, top: int) -> dict[int, float]:
        """Weight of the cost of each layer that has one."""
        c = self.config
        if not c.costs:
            return {}
        every = {layer: c.costs[min(layer, len(c.costs) - 1)] for layer in range(top + 1)}
        own = {"full": every, "bottom": {0: c.costs[0]}, "gamma": {top: c.costs[-1]}}[c.variant]
        return {layer: weight for layer, weight in own.items() if weight > 0}


def _doubling(shape: Shape) -> tuple[int, ...]:
    """Maps of as many halvings as leave a picture at least four pixels high and wide; at least one."""
    maps, side = [32], -(-min(shape[1:]) // 2)
    while side >= 8:
        maps.append(min(2 * maps[-1], 256))
        side = -(-side // 2)
    return tuple(maps)
