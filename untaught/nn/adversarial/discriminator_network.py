"""The discriminator of a game: from examples, and what stands beside them, to features and logits.

    h = H(2 x - 1, c),   d = W [h, o(h)] + w     (1)

c is what stands beside an example, such as a class or a code: dense layers see it with the values, convolutions meet
it in one more dense layer. o compares the examples of a batch (`untaught.nn.adversarial.minibatch`), where asked for.
Values are shifted to lie around 0 where they are from 0 to 1. Inputs of layers may be dropped and have noise added
while the network learns.

What a stack of convolutions knows of an example is in all its layers, not in the last alone (`described`).

References:
    Radford, Metz, Chintala (2016). Unsupervised representation learning with deep convolutional generative adversarial
    networks. ICLR (section 5.1: layers pooled to 4 x 4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import ConfigError, SizeError
from untaught.nn import convolution, dense
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.minibatch import MinibatchFeatures
from untaught.nn.adversarial.virtual_norm import ReferenceBatch, VirtualBatchNorm
from untaught.nn.adversarial.weight_norm import normalise, settle
from untaught.nn.latent.densities import normal
from untaught.nn.noise import bernoulli, wide
from untaught.nn.sizes import frame_size
from untaught.shapes import Examples, Features, Images, Shape, Vectors

Beside = Float[Tensor, "batch beside"]
Logits = Float[Tensor, "batch logit"]
PIECES = 5
"""Linear units of which a maxout unit takes the largest."""
SLOPE = 0.2
"""Of a leaky unit below 0."""
SETTLING = 500
"""Examples that settle lengths of normalised weights."""
SIDE = 4
"""Height and width to which layers are pooled."""
MEETING = 256
"""Units of the dense layer where convolutions meet what stands beside the example."""


class Discriminator(nn.Module):
    """Judges examples, equation (1).

    Example:
        >>> network = Discriminator(Adversaries(), (3, 30, 41))
        >>> network(torch.rand(2, 3, 30, 41)).shape
        torch.Size([2, 1])
    """

    def __init__(self, networks: Adversaries, shape: Shape, beside: int = 0, outputs: int = 1) -> None:
        """Build the network.

        Args:
            networks: Its layers.
            shape: One example's.
            beside: Numbers that stand beside an example.
            outputs: Logits.

        Raises:
            ConfigError: Lists differ in length, or there are maxout units in convolutions.
            SizeError: Pictures are too small for the convolutions; the message names the nearest size that works.
        """
        super().__init__()
        self.networks, self.planes = networks, networks.convolutional(shape)
        self.size = tuple(map(int, shape[-2:]))
        _, self.norm = networks.norms(shape)
        layers, features = self._convolutional(shape) if self.planes else self._dense(shape, beside)
        self.layers = nn.ModuleList(layers)
        self.meeting = None
        if self.planes and beside:
            self.meeting = self._layer(features + beside, MEETING, normalised=False)
            features = MEETING
        self.corrupted = nn.ModuleList(_corruptions(networks, len(layers) + 1))
        self.minibatch = MinibatchFeatures(features, networks.minibatch) if networks.minibatch else None
        self.head = dense.Layer(features + networks.minibatch, outputs, "linear")
        if self.norm == "weight":
            normalise(self.head, learns=True)
        shapes = (shape, (beside,)) if beside else (shape,)
        self.reference = ReferenceBatch(networks.reference, *shapes) if self.norm == "virtual" else None

    def _dense(self, shape: Shape, beside: int) -> tuple[list[nn.Module], int]:
        values, *hidden = self.networks.widths(shape, self.networks.discriminator)
        pairs = enumerate(pairwise((values + beside, *hidden)))
        return [self._layer(below, above, number > 0) for number, (below, above) in pairs], hidden[-1]

    def _convolutional(self, shape: Shape) -> tuple[list[nn.Module], int]:
        networks = self.networks
        if networks.discriminator_units == "maxout":
            raise ConfigError("maxout units are for dense layers; take discriminator-units leaky, or network dense")
        stack = networks.stack(shape, networks.discriminator)
        layers: list[nn.Module] = []
        for number, (channels, layer) in enumerate(
            zip((shape[0], *(own.filters for own in stack)), stack, strict=False)
        ):
            down = convolution.Down(channels, layer, "relu", self.norm == "batch" and number > 0)
            down.activate = _activate(networks)
            if self.norm == "virtual" and number > 0:
                down.norm = VirtualBatchNorm(layer.filters, networks.reference)
            if self.norm == "weight":
                normalise(down.convolution)
            layers.append(down)
        size = convolution.sizes(stack, (shape[1], shape[2]))[-1]
        return layers, stack[-1].filters * torch.Size(size).numel()

    def _layer(self, inputs: int, outputs: int, normalised: bool) -> nn.Module:
        """A dense layer, normalised before its activation where asked for."""
        if self.networks.discriminator_units == "maxout":
            layer = Maxout(inputs, outputs)
        else:
            layer = dense.Layer(inputs, outputs, "relu")
            layer.activate = _activate(self.networks)
        # Biases of 0 would put the bends of all units at 0, which of few inputs few steps do not move apart.
        nn.init.uniform_(_linear(layer).bias, -(inputs**-0.5), inputs**-0.5)
        if normalised and self.norm == "batch":
            layer.norm = dense.BatchNorm(outputs)
        if normalised and self.norm == "virtual":
            layer.norm = VirtualBatchNorm(outputs, self.networks.reference)
        if self.norm == "weight":
            normalise(_linear(layer))
        return layer

    def features(self, x: Examples, beside: Beside | None = None) -> Features:
        """The last hidden layer h of equation (1)."""
        given = self._given(x, beside)
        shown = self._hidden(given)[-1].flatten(1)
        if self.meeting is not None:
            shown = self.meeting(torch.cat([shown, *given[1:]], 1))
        return shown if self.reference is None else self.reference.after(shown)

    def described(self, x: Examples) -> Features:
        """All convolutional layers, pooled to 4 x 4 and joined; of dense ones the last, h.

        Raises:
            SizeError: Pictures have another size than those it learns from: their largest values would be others.
        """
        if not self.planes:
            return self.features(x)
        if frame_size(x) != self.size:
            taken, given = (" x ".join(map(str, size)) for size in (self.size, frame_size(x)))
            raise SizeError(f"features are of pictures of {taken}, not {given}")
        joined = torch.cat([_pooled(maps).flatten(1) for maps in self._hidden(self._given(x, None))], 1)
        return joined if self.reference is None else self.reference.after(joined)

    def _given(self, x: Examples, beside: Beside | None) -> tuple[Tensor, ...]:
        """Examples and what stands beside them, after those of the fixed batch."""
        given = (x,) if beside is None else (x, beside)
        return given if self.reference is None else self.reference.before(*given)

    def _hidden(self, given: tuple[Tensor, ...]) -> list[Tensor]:
        """What every layer gives, the lowest first."""
        shown = 2 * given[0] - 1 if self.networks.output == "sigmoid" else given[0]
        if not self.planes:
            shown = torch.cat([shown.flatten(1), *given[1:]], 1)
        found: list[Tensor] = []
        for corrupted, layer in zip(self.corrupted, self.layers, strict=False):
            shown = layer(corrupted(shown))
            found.append(shown)
        return found

    def judged(self, features: Features) -> Logits:
        """Logits from features, equation (1), in full precision."""
        if self.minibatch is not None:
            features = torch.cat([features, self.minibatch(features)], 1)
        return wide(self.head(self.corrupted[-1](features)))

    def forward(self, x: Examples, beside: Beside | None = None) -> Logits:
        """Logits `(batch, output)`, equation (1)."""
        return self.judged(self.features(x, beside))

    def of_each(self, *batches: tuple[Tensor, ...]) -> Sequence[Tensor]:
        """Logits of batches, of examples or of these and what stands beside them.

        They are those of each batch by itself, but for what noise is drawn: where no example sees another, all go in
        one pass, which is faster, and share the noise of a fixed batch.
        """
        if self.norm == "batch" or self.minibatch is not None:
            return [self(*given) for given in batches]
        together = [torch.cat(rows) for rows in zip(*batches, strict=True)]
        return self(*together).split([len(given[0]) for given in batches])

    def first_weights(self, shape: Shape) -> Images:
        """Weights of the first layer for an example of that shape, as pictures; for vectors, of one row."""
        layer = self.layers[0]
        weight: Tensor = layer.convolution.weight if isinstance(layer, convolution.Down) else _linear(layer).weight
        weight = weight.detach()
        if self.planes:
            return weight
        values = torch.Size(shape).numel()
        return weight[:, :values].unflatten(1, shape if len(shape) == 3 else (1, 1, values))

    def take(self, *reference: Tensor) -> None:
        """Take first examples, and what stands beside them.

        They are the fixed batch of virtual normalisation, and settle lengths of normalised weights.
        """
        if self.reference is not None:
            self.reference.take(*reference)
        if self.norm == "weight":
            settle(self, *(rows[:SETTLING] for rows in reference))


class Maxout(nn.Module):
    """Units that take the largest of several linear ones."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = dense.Layer(inputs, outputs * PIECES, "linear")
        self.norm: nn.Module = nn.Identity()

    def forward(self, x: Vectors) -> Logits:
        """Values of the units."""
        return self.norm(self.linear(x).unflatten(1, (-1, PIECES)).amax(2))


class Corrupted(nn.Module):
    """Drops some inputs and adds noise while the network learns; leaves them as they are otherwise."""

    def __init__(self, dropped: float, deviation: float) -> None:
        super().__init__()
        self.dropped, self.deviation = dropped, deviation

    def forward(self, x: Tensor) -> Tensor:
        """Inputs of a layer."""
        if not self.training:
            return x
        if self.dropped:
            x = x * bernoulli(torch.full_like(x, 1 - self.dropped)) / (1 - self.dropped)
        return x + self.deviation * normal(x) if self.deviation else x


def _linear(layer: nn.Module) -> dense.Layer:
    """The linear part of a dense layer."""
    linear = layer.linear if isinstance(layer, Maxout) else layer
    assert isinstance(linear, dense.Layer)
    return linear


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)


def _pooled(maps: Images) -> Float[Tensor, "batch channel up across"]:
    """The largest value in each window of a 4 x 4 grid that covers the maps; of smaller maps the grid is smaller too.

    Windows overlap where a side is no multiple of 4.
    """
    size = frame_size(maps)
    sides = [min(side, SIDE) for side in size]
    strides = [whole // side for whole, side in zip(size, sides, strict=True)]
    windows = [whole - stride * (side - 1) for whole, stride, side in zip(size, strides, sides, strict=True)]
    return F.max_pool2d(maps, windows, strides)


def _activate(networks: Adversaries) -> Callable[[Tensor], Tensor]:
    return _leaky if networks.discriminator_units == "leaky" else torch.relu


def _corruptions(networks: Adversaries, layers: int) -> list[nn.Module]:
    """What is done to the inputs of each layer, the output included."""
    dropped, deviations = (_each(values, layers) for values in (networks.dropout, networks.noise))
    return [Corrupted(share, deviation) for share, deviation in zip(dropped, deviations, strict=True)]


def _each(values: Sequence[float], layers: int) -> Sequence[float]:
    if len(values) not in (1, layers):
        raise ConfigError(f"dropout or noise has {len(values)} entries for {layers} layers; give one for each, or one")
    return values if len(values) > 1 else [*values] * layers
