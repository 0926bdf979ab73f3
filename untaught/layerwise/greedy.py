"""Autoencoders that are trained layer by layer: what is common to all of them.

    h = f(W x + b)                                                    (1)
    y = g(V h + c),   tied: V = Wᵀ                                    (2)
    loss = L(x, y of h of x~) + what a system adds                    (3)
    W, V ~ uniform in +-r sqrt(6 / (units below + units above))       (4)

x is an example as a vector, h the hidden units, y the reconstruction, L half the squared error or a cross-entropy
(`untaught.nn.output_units`). A system defines the corrupted input x~ and the terms that it adds to the loss. In the
initial weights (4), r is 4 for logistic units, whose slope is at most 1 / 4, and 1 for others.

A stack is trained greedily from below: layer k is an autoencoder of its own, whose x are the activations of the layer
below, not the picture. Its output units are of the kind that f has, since they reconstruct activations. Then, if asked
for, all layers are trained as one deep autoencoder: up through each (1), down through each (2), with L at the bottom
and the added terms of every layer.

References:
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks.
    Bengio, Lamblin, Popovici, Larochelle (2007). Greedy layer-wise training of deep networks.
    Glorot, Bengio (2010). Understanding the difficulty of training deep feedforward neural networks (initial weights).
"""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Decodes, Encodes, Filters, Reconstructs
from untaught.errors import ConfigError
from untaught.layerwise.greedy_stages import greedy_stages
from untaught.layerwise.suited import SHARES, are_documents, in_patches, patches_told
from untaught.layerwise.wide_range import LINEAR, STANDARDISED, linear_outside
from untaught.model import Batch, Example, Learner, Loss, Stage, Stream, Usual, View
from untaught.nn.convolution import ACTIVATIONS, Activation
from untaught.nn.named import chosen, weight_pictures
from untaught.nn.noise import wide
from untaught.nn.output_units import Output, OutputUnits
from untaught.shapes import Examples, Features, Images, Scalar, Shape, Vectors

Units = Float[Tensor, "batch unit"]


@dataclass(frozen=True)
class Added:
    """What a system adds to the loss of one layer."""

    total: Scalar
    parts: dict[str, Scalar] = field(default_factory=lambda: {})
    """For the training record, without gradient; for a deep autoencoder the mean over its layers."""


class Layerwise(Learner, Encodes, Decodes, Reconstructs, Activations, Filters):
    """One hidden layer, or a stack whose layers are models of the same class with one hidden layer each.

    The `Config` of a system has the fields `hidden` (units of each layer, from below), `activation`, `output`, `tied`
    and `fine_tuning`.
    """

    adapts = {
        **LINEAR,
        "output": "linear where values lie outside [0, 1], and for documents",
        "standardise": f"{STANDARDISED['standardise']}; words of documents one by one",
        **patches_told(),
    }
    known_shortfalls = {
        "reconstruction": "the constraint on its features costs error; as many principal components, often as many as "
        "there are values, are under none and may copy",
        "features": "it learns from every value alike, words of documents that hardly vary too; principal components "
        "follow those that vary most, and these often tell classes apart",
    }

    def __init__(self, config: Any, example: Example | Shape) -> None:
        """Build the layers.

        Raises:
            ConfigError: There is no hidden layer.
        """
        super().__init__()
        if not config.hidden:
            raise ConfigError("at least one hidden layer is needed; hidden is empty")
        self.config, self.example = config, Example.of(example)
        self.layers = nn.ModuleList()
        if len(config.hidden) > 1:
            self._build_stack()
        else:
            self._build_layer(math.prod(self.shape), config.hidden[0])

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear units and standardised values outside [0, 1] and for documents; patches of few large pictures."""
        found = linear_outside(example, sample)
        if are_documents(example, sample):
            found = Usual({"output": "linear"}, View(standardise="pixel"), because=SHARES)
        return in_patches(cls, [found, Usual()] if found.config else [found], example, sample)

    @classmethod
    def takes_probabilities(cls, config: Any) -> bool:
        """Cross-entropy of logistic units does."""
        return config.output == "bernoulli"

    # -------- what a system defines

    @abstractmethod
    def added(self, inputs: Units, hidden: Units) -> Added:
        """Terms added to the loss of this layer, from the inputs W x~ + b of its hidden units and their values."""

    @abstractmethod
    def corrupted(self, x: Vectors) -> Vectors:
        """x~, the layer's input while its loss is computed."""

    @property
    @abstractmethod
    def constrained(self) -> bool:
        """Whether anything but its width keeps a layer from copying its input."""

    # -------- what a model can do

    @property
    def chain(self) -> tuple[Layerwise, ...]:
        """The models with one hidden layer, from below; for such a model, itself."""
        return tuple(layer for layer in self.layers if isinstance(layer, Layerwise)) or (self,)

    def encode(self, x: Examples) -> Features:
        """Units of the highest layer, equation (1)."""
        return self._up(x)

    def decode(self, features: Features) -> Examples:
        """Examples decoded from the highest layer, equation (2) through every layer."""
        for layer in reversed(self.chain):
            features = layer.outputs(layer.visible_input(features))
        return features.unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Reconstruct each example from its uncorrupted version."""
        return self.decode(self.encode(x))

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Layers `hidden.1`, ..., from below."""
        return chosen({f"hidden.{number}": self._up(x, number) for number in range(1, len(self.chain) + 1)}, names)

    def filters(self) -> Images:
        """Weights of the first layer; for vectors, pictures of one row."""
        return weight_pictures(self.chain[0].weight.T, self.shape)

    def filter_pictures(self) -> dict[str, Images]:
        """`filters`, and for upper layers `filters-2`, ...: sums of the filters below, times the layer's weights."""
        below, drawn = self.chain[0].weight.detach(), {"filters": self.filters()}
        for number, layer in enumerate(self.chain[1:], 2):
            below = layer.weight.detach() @ below
            drawn[f"filters-{number}"] = weight_pictures(below.T, self.shape)
        return drawn

    def hidden_input(self, x: Vectors) -> Units:
        """W x + b of one layer, in full precision."""
        return wide(F.linear(x, self.weight, self.hidden_bias))

    def visible_input(self, hidden: Units) -> Vectors:
        """V h + c of one layer, in full precision."""
        return wide(F.linear(hidden, self.decoder_weight, self.visible_bias))

    @property
    def decoder_weight(self) -> Tensor:
        """V of one layer, `(visible, hidden)`."""
        return self.weight.T if self.untied is None else self.untied

    # -------- learning

    def stages(self) -> Sequence[Stage]:
        """Each layer on the activations of the layer below, then all together if asked for."""
        if not len(self.layers):
            return super().stages()
        greedy, all_layers = greedy_stages(self.chain, self._up, self.view, self.recipe), Stream(self.view)
        return [*greedy, Stage("fine-tuning", self, self.recipe, all_layers)] if self.config.fine_tuning else greedy

    def prepare(self, sample: Batch) -> None:
        """Set output biases to give the mean of what a layer reconstructs; the layers of a stack do so one by one.

        Raises:
            DataError: Values outside [0, 1] under cross-entropy.
        """
        if len(self.layers):
            return
        x, hidden = sample.x.flatten(1), self.config.hidden[0]
        if hidden >= x.shape[1] and not self.constrained:
            warnings.warn(
                f"{hidden} hidden units can copy {x.shape[1]} values: nothing keeps this autoencoder from it",
                stacklevel=2,
            )
        self.outputs.look(x)
        with torch.no_grad():
            self.visible_bias.copy_(self.outputs.inputs_for(x.mean(0)))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (3): of one layer, or of a stack as a deep autoencoder."""
        x, first = batch.x.flatten(1), self.chain[0]
        state, added = first.corrupted(x), list[Added]()
        for layer in self.chain:
            inputs = layer.hidden_input(state)
            state = layer.activate(inputs)
            added.append(layer.added(inputs, state))
        for layer in reversed(self.chain[1:]):
            state = layer.outputs(layer.visible_input(state))
        error, parts = first.outputs.error(first.visible_input(state), x)
        distance = error if "reconstruction_nats" in parts else error / 2
        total = torch.stack([distance, *(own.total for own in added)]).sum()
        means = {name: torch.stack([own.parts[name] for own in added]).mean() for name in added[0].parts}
        return Loss(total, {**parts, **means})

    def _up(self, x: Examples, layers: int | None = None) -> Units:
        """Units of a layer: equation (1) through those below."""
        state = x.flatten(1)
        for layer in self.chain[:layers]:
            state = layer.activate(layer.hidden_input(state))
        return state

    def _build_layer(self, visible: int, hidden: int) -> None:
        self.activate = ACTIVATIONS[self.config.activation]
        self.weight = nn.Parameter(self._drawn(hidden, visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.untied = None if self.config.tied else nn.Parameter(self._drawn(visible, hidden))
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.outputs = OutputUnits(self.config.output)

    def _build_stack(self) -> None:
        own, shape = replace(self.config, hidden=self.config.hidden[:1]), self.shape
        upper = upper_output(self.config.activation, self.config.output)
        for units in self.config.hidden:
            self.layers.append(type(self)(replace(own, hidden=(units,)), shape))
            own, shape = replace(own, output=upper), (units,)

    def _drawn(self, *size: int) -> Tensor:
        """Initial weights, equation (4)."""
        scale = 4 if self.config.activation == "sigmoid" else 1
        return (2 * torch.rand(*size) - 1) * scale * math.sqrt(6 / sum(size))


def upper_output(activation: Activation, output: Output) -> Output:
    """Output units of upper layers: of the same kind as the activations that they reconstruct."""
    return output if activation == "sigmoid" and output == "bernoulli" else activation
