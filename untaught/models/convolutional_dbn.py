"""Convolutional deep belief network: convolutional restricted Boltzmann machines, one above the other.

    p_0 = v,   p_k = P_k(p_k-1)                                                            (1)
    L_k = the loss of machine k on p_k-1                                                   (2)
    q_k-1 = V_k(spread(q_k)),   q_n = p_n                                                  (3)
    D_1 = W_1,   D_k = sum_j spread(W_k^j) *' D_k-1^j   over the filters j of machine k - 1   (4)

P_k(x) are the probabilities that the pooled units of machine k are on given its visible units x, and V_k(h) the means
of its visible units given its maps h (`untaught.models.convolutional_rbm`). Machine 1 sees pictures; the binary pixels
of machine k > 1 are the pooled units of the one below, one channel for each filter. Machines are trained one by one,
from below: (1), (2). The top-down pass (3) spreads each pooled unit over its window in equal shares, since pooling
discards where in the window the unit was. A filter of an upper machine is drawn as a picture, (4): the sum of the
filters below, weighted by it. Here *' is the adjoint of a convolution, and spread that of (3).

References:
    Lee, Grosse, Ranganath, Ng (2009). Convolutional deep belief networks for scalable unsupervised learning of
    hierarchical representations.

Departures:
    Inference goes bottom-up only; in the paper a layer can also get top-down input from the one above it.
    There is no sampling.
    The departures of `untaught.models.convolutional_rbm` apply here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from untaught.capability import Activations, Decodes, Encodes, Filters, Reconstructs
from untaught.config import Count, Fraction, NonNegative, Positive, configuration
from untaught.errors import ConfigError, SizeError
from untaught.layerwise.from_components import few_and_large
from untaught.layerwise.greedy_stages import greedy_stages
from untaught.layerwise.suited import CONVOLVED, in_patches, patches_told
from untaught.layerwise.wide_range import GAUSSIAN, gaussian_outside
from untaught.model import Batch, Example, Model, Smoke, Stage, Usual, View
from untaught.models.convolutional_rbm import ConvolutionalRBM, Pooled
from untaught.nn.named import chosen
from untaught.shapes import Features, Images, Shape


class ConvolutionalDBN(Model, Encodes, Decodes, Reconstructs, Activations, Filters):
    """A stack of convolutional machines with probabilistic max-pooling.

    Example:
        >>> import torch
        >>> net = ConvolutionalDBN(ConvolutionalDBN.Config(filters=(8, 16), kernels=(5,)), (1, 27, 32))
        >>> [tuple(maps.shape) for maps in net.activations(torch.rand(2, 1, 27, 32)).values()]
        [(2, 8, 14, 16), (2, 16, 7, 8)]
    """

    def _up(self, x: Images, layers: int) -> Pooled:
        """Equation (1) through the lowest machines."""
        for machine in self.machines[:layers]:
            x = machine.pooled(x)
        return x

    def stages(self) -> Sequence[Stage]:
        """Each machine in turn, on the pooled units of the one below, (1) and (2)."""
        return greedy_stages(self.machines, self._up, self.view)

    def decode(self, features: Features) -> Images:
        """Means of the pixels, equation (3)."""
        below = self.machines[-1].decode(features)
        for machine in self.machines[-2::-1]:
            below = machine.decode(below.flatten(1))
        return below

    def filters(self, layer: int = 1) -> Images:
        """Filters of machine `layer`, counted from the picture, projected down to pictures, equation (4)."""
        if not 1 <= layer <= len(self.machines):
            raise ConfigError(f"there is no layer {layer}; there are 1 to {len(self.machines)}")
        drawn = self.machines[layer - 1].filters()
        for machine in self.machines[layer - 2 :: -1] if layer > 1 else ():
            drawn = F.conv_transpose2d(machine.unpooled(drawn), machine.filters())
        return drawn

    @configuration
    class Config:
        """The machines. Lists have one entry for each machine, from the picture upwards, or one for all."""

        filters: tuple[Count, ...] = (24, 100)
        """Filters of each machine."""
        kernels: tuple[Count, ...] = (10,)
        """Side of the filters, in pixels or in pooled units of the machine below."""
        pools: tuple[Count, ...] = (2,)
        """Side of the windows that are pooled."""
        sparsity: tuple[Fraction, ...] = (0.03,)
        """Target for the mean activation of hidden units."""
        sparsity_cost: NonNegative = 1.0
        """Weight of the sparsity target; 0 has none."""
        visible: Literal["bernoulli", "gaussian"] = "bernoulli"
        """Pixels: binary, or Gaussian for standardised data."""
        deviation: Positive = 1.0
        """Standard deviation of a Gaussian pixel around its mean, relative to that of the data."""
        gibbs_steps: Count = 1
        """Gibbs steps from the data to a fantasy: the k of CD-k."""
        initial_scale: Positive = 1.0
        """Initial standard deviation of the hidden units' inputs, for pixels of variance 1."""

    known_shortfalls = {
        "reconstruction": "machines are trained one by one, and only a few units of each may be on in a place",
        "features": "pooling forgets places, twice where there are two machines, and in small pictures the place tells "
        "most",
    }
    adapts = {**GAUSSIAN, **patches_told(CONVOLVED)}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Gaussian visible units where values lie outside [0, 1]; large patches of few large pictures."""
        gaussian = gaussian_outside(sample)
        either = [Usual({"visible": "bernoulli"}), Usual({"visible": "gaussian"})]
        choices = [gaussian] if gaussian.config else either if few_and_large(example, sample) else [Usual()]
        return in_patches(cls, choices, example, sample, CONVOLVED)

    smoke = Smoke(
        config=Config(filters=(2, 3), kernels=(2,), sparsity=(0.1,)),
        shape=(1, 5, 4),
        binary=True,
    )
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the machines.

        Raises:
            ConfigError: There is no machine, or lists differ in length.
            SizeError: Examples are not pictures.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        shape = self.shape
        if len(shape) != 3:
            raise SizeError(f"convolutional-dbn looks at pictures (channel, height, width), not at shape {shape}")
        if not config.filters:
            raise ConfigError("convolutional-dbn needs at least one machine; filters is empty")
        self.view = self.view_of(config)
        lists = (config.filters, config.kernels, config.pools, config.sparsity)
        names = ("filters", "kernels", "pools", "sparsity")
        filled = [_for_each(values, len(config.filters), name) for values, name in zip(lists, names, strict=True)]
        self.machines: list[ConvolutionalRBM] = []
        for number, (filters, kernel, pool, sparsity) in enumerate(zip(*filled, strict=True)):
            own = ConvolutionalRBM.Config(
                filters=int(filters),
                kernel=int(kernel),
                pool=int(pool),
                sparsity=sparsity,
                sparsity_cost=config.sparsity_cost,
                visible="bernoulli" if number else config.visible,
                deviation=config.deviation,
                gibbs_steps=config.gibbs_steps,
                initial_scale=config.initial_scale,
            )
            self.machines.append(ConvolutionalRBM(own, shape))
            shape = (own.filters, -(-shape[1] // own.pool), -(-shape[2] // own.pool))
        self.layers = nn.ModuleList(self.machines)

    @classmethod
    def view_of(cls, config: Config) -> View:
        """Data are binarised by draws for binary pixels, standardised for Gaussian ones."""
        return ConvolutionalRBM.view_of(ConvolutionalRBM.Config(visible=config.visible))

    @classmethod
    def takes_probabilities(cls, config: Config) -> bool:
        """Binary visible units do."""
        return config.visible == "bernoulli"

    def encode(self, x: Images) -> Features:
        """Pooled units of the highest machine, as a vector."""
        return self._up(x, len(self.machines)).flatten(1)

    def reconstruct(self, x: Images) -> Images:
        """Means of the pixels after a pass up (1) and down (3) through all machines."""
        return self.decode(self.encode(x))

    def activations(self, x: Images, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Pooled units `pooled.1`, `pooled.2`, ... of every machine: (batch, filter, rows, columns).

        Raises:
            ConfigError: There is no layer of one of the names.
        """
        found = {f"pooled.{k}": self._up(x, k) for k in range(1, len(self.machines) + 1)}
        return chosen(found, names)

    def filter_pictures(self) -> dict[str, Images]:
        """Filters of every machine: `filters`, `filters-2`, ..."""
        upper = {f"filters-{layer}": self.filters(layer) for layer in range(2, len(self.machines) + 1)}
        return {"filters": self.filters(), **upper}


def _for_each(values: tuple[float, ...], count: int, name: str) -> tuple[float, ...]:
    """One entry for each machine."""
    if len(values) not in (1, count):
        raise ConfigError(f"{name} has {len(values)} entries for {count} machines; give {count}, or one for all")
    return values if len(values) == count else values * count
