"""The autoencoder: short codes from which examples can be made again.

    z = E(x)                                                                    (1)
    y = g(D(z) + a)                                                             (2)
    squared error = sum_i (y_i - x_i)^2                                         (3)
    cross-entropy = -sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))               (4)

x is an example, z its code, y the reconstruction. E is a stack of fully connected layers or convolutions that ends in a
linear layer, D its mirror. The output units g are linear, or logistic and span the range of the data, or softmax for
probabilities of words; a is what makes y the mean of the data where D(z) is 0, and is set once, before training. The
loss is the mean over examples of (3), or in nats of (4), with softmax units of -sum_i x_i log y_i.

All layers can learn at once. Or each fully connected layer first learns alone what the one below makes of the data: as
a restricted Boltzmann machine, or as an autoencoder with one hidden layer. The stack is then unrolled,

    E: z_k = f(W_k z_{k-1} + c_k),     D: z'_{k-1} = f(V_k z'_k + b_k)          (5)

with the weights W_k and biases c_k of each such machine, its V_k (of a Boltzmann machine the transpose of W_k) and its
visible biases b_k, and all layers are tuned together; weights of both ways are untied from there on, unless asked for.

References:
    Rumelhart, Hinton, Williams (1986). Learning internal representations by error propagation.
    Baldi, Hornik (1989). Neural networks and principal component analysis (what linear layers learn).
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks.
    Bengio, Lamblin, Popovici, Larochelle (2007). Greedy layer-wise training of deep networks.
    Masci, Meier, Ciresan, Schmidhuber (2011). Stacked convolutional auto-encoders.

Departures:
    As a rule all layers learn together from random weights that keep the variance, with ReLU units and Adam. Of 2006
    are `pretraining=rbm`, `activation=sigmoid`, `output=bernoulli` and `--optimiser cg`.
    With softmax outputs the encoder sees log(1 + n x) for n words in the dictionary, and nothing is pretrained.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import nn

from untaught.config import Count, Fraction, configuration
from untaught.errors import ConfigError
from untaught.layerwise.coded import Coded
from untaught.layerwise.unroll import Unrolled, unroll
from untaught.model import Batch, Example, Loss, Optimiser, Player, Recipe, Smoke, Stage, Stream
from untaught.models.rbm import RBM
from untaught.nn.coders import DENSE, Coders, layers_of
from untaught.nn.noise import bernoulli
from untaught.shapes import Examples, Features, Scalar, Shape


class Autoencoder(Coded):
    """An encoder, a code, a decoder.

    Example:
        >>> model = Autoencoder(Autoencoder.Config(hidden=(20,), latent=5), (1, 8, 8))
        >>> x = torch.zeros(3, 1, 8, 8)
        >>> model.encode(x).shape, model.reconstruct(x).shape
        (torch.Size([3, 5]), torch.Size([3, 1, 8, 8]))
    """

    @configuration
    class Config:
        """The networks and the error."""

        latent: Count = 30
        """Numbers in a code."""
        network: Literal["auto", "dense", "convolution"] = "auto"
        """Kind of the layers; auto takes convolutions for pictures of more than 4,096 numbers."""
        hidden: tuple[Count, ...] | None = None
        """Units (dense) or maps (convolution) of each layer below the code; none takes 1000, 500, 250 units, or 32, 64
        and so on up to 256 maps in as many layers as leave a picture of at least 4 x 4."""
        kernel: Count = 4
        """Side of a convolution's filters in pixels."""
        stride: Count = 2
        """Step of a convolution's filters in pixels."""
        pool: Count = 1
        """Side of the windows of which a convolution keeps the highest value; 1 keeps all."""
        activation: Literal["relu", "sigmoid", "tanh", "linear"] = "relu"
        """Hidden units."""
        code: Literal["linear", "relu", "sigmoid", "tanh"] = "linear"
        """Units of the code."""
        normalise: bool = False
        """Batch normalisation before each hidden layer's activation."""
        tied: bool = False
        """The decoder uses the encoder's weights, transposed."""
        output: Literal["linear", "sigmoid", "bernoulli", "tanh", "softmax"] = "sigmoid"
        """Output units: linear or logistic under squared error (3), logistic under cross-entropy (4), or softmax for
        documents; tanh for values from -1 to 1. Logistic ones reach as far as the training data under squared error."""
        masking: Fraction = 0.0
        """Part of an example's values that are 0 to the encoder while the loss is taken, others being scaled up."""
        pretraining: Literal["none", "rbm", "autoencoder"] = "none"
        """Let each dense layer learn alone first: as a restricted Boltzmann machine, for which hidden units must be
        sigmoid, or as an autoencoder with one hidden layer."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    monitor = "total"
    greedy = False
    """Whether it is one layer of another one's pretraining."""
    smoke = Smoke(config=Config(hidden=(5, 4), latent=2), shape=(1, 4, 4))
    config: Config

    def __init__(
        self,
        config: Config,
        example: Example | Shape,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ) -> None:
        """Build the networks, or take the caller's own.

        Args:
            config: What is built.
            example: What one example is.
            encoder: From a batch of examples to `latent` numbers each, instead of the one that `config` describes.
            decoder: From `latent` numbers each to a batch of examples, before output units.

        Raises:
            ConfigError: A network of the caller's own does not fit, or weights cannot be tied to it.
            SizeError: The examples are too small for the convolutions.
        """
        super().__init__(config, example, encoder, decoder)
        self.machines = nn.ModuleList()
        if config.pretraining != "none":
            self.machines.extend(_machines(config, self.shape, encoder is not None or decoder is not None))
            self.players = {"model": Player(("encoder.", "decoder."))}

    def coders(self) -> Coders:
        """The networks that the configuration describes."""
        return replace(super().coders(), code=self.config.code)

    def encode(self, x: Examples) -> Features:
        """Give the code, equation (1)."""
        return self.encoder(self.seen(x)).flatten(1)

    # -------- learning

    def stages(self) -> Sequence[Stage]:
        """All layers at once; or one by one on what those below make of the data, and then all, unrolled."""
        if not len(self.machines):
            return super().stages()
        greedy = [
            Stage(f"layer-{k + 1}", machine, _greedy(machine), Stream(self.view), sees=partial(self._below, layers=k))
            for k, machine in enumerate(self._learners())
        ]
        return [*greedy, Stage("fine-tuning", self, self.recipe, Stream(self.view), begin=self._unroll)]

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared error (3) or cross-entropy (4), mean over examples."""
        x, hidden = batch.x, self.config.masking
        seen = x * bernoulli(torch.full_like(x, 1 - hidden)) / (1 - hidden) if hidden else x
        return Loss(*self.outputs.error(self.output_inputs(self.encode(seen)), x.flatten(1)))

    def prepare(self, sample: Batch) -> None:
        """Find the range of the output units, and what they need to give the mean of the data.

        Raises:
            DataError: Values are no probabilities, under cross-entropy.
        """
        values = math.prod(self.shape)
        if self._narrowest() >= values and not self.config.masking and not self.greedy:
            warnings.warn(
                f"a code of {self.config.latent} numbers can copy examples of {values}: nothing keeps it from that;\n"
                "take a smaller latent, or denoising-autoencoder, sparse-autoencoder or contractive-autoencoder",
                stacklevel=2,
            )
        super().prepare(sample)
        if len(self.machines):  # which have biases of their own
            self.offset.zero_()

    def _narrowest(self) -> int:
        """Numbers through which everything must pass; of convolutions those of the code."""
        hidden = DENSE if self.config.hidden is None else self.config.hidden
        return self.config.latent if self.coders().convolutional else min((self.config.latent, *hidden))

    def _learners(self) -> list[RBM | Autoencoder]:
        return [machine for machine in self.machines if isinstance(machine, (RBM, Autoencoder))]

    def _below(self, x: Examples, layers: int) -> Features:
        """What the machines of the first layers make of the data."""
        x = x.flatten(1)
        for machine in self._learners()[:layers]:
            x = machine.encode(x)
        return x

    def _unroll(self) -> None:
        """Take the machines' weights and biases, equation (5)."""
        unroll(map(_unrolled, self._learners()), self.encoder, self.decoder, self.config.tied)


def _machines(config: Autoencoder.Config, shape: Shape, given: bool) -> Iterator[RBM | Autoencoder]:
    """A machine for each layer, from below, that can be unrolled.

    Raises:
        ConfigError: The layers are no stack of plain dense ones, or their units no machine's.
    """
    dense = not (given or config.normalise or Coders(shape, config.latent, config.network).convolutional)
    if not dense or config.output == "softmax":
        raise ConfigError("pretraining is for dense layers built here, of pictures, without batch normalisation")
    if config.pretraining == "rbm" and (config.activation != "sigmoid" or config.code in ("tanh", "relu")):
        raise ConfigError("restricted Boltzmann machines pretrain sigmoid layers and a linear or sigmoid code")
    hidden = DENSE if config.hidden is None else config.hidden
    widths = (math.prod(shape), *hidden, config.latent)
    output, inner = config.output, config.activation if config.activation in ("sigmoid", "tanh") else "linear"
    for number, (below, above) in enumerate(pairwise(widths)):
        last = number == len(hidden)
        if config.pretraining == "rbm":
            units: Any = ("gaussian" if config.code == "linear" else "bernoulli") if last else "bernoulli"
            seen: Any = "gaussian" if output == "linear" and number == 0 else "bernoulli"
            yield RBM(
                RBM.Config(hidden=above, visible=seen, hidden_units=units, persistent_chains=0, weight_cost=2e-4,
                           initial_scale=0.1 if number else 0.01), (below,),
            )  # fmt: skip
        else:
            own: Any = config.code if last else config.activation
            kind: Any = output if number == 0 else inner
            layer = Autoencoder(
                Autoencoder.Config(
                    latent=above, hidden=(), network="dense", code=own, output=kind, tied=config.tied,
                    masking=config.masking,
                ), (below,),
            )  # fmt: skip
            layer.greedy = True
            yield layer


def _greedy(machine: RBM | Autoencoder) -> Recipe:
    """How a machine learns: Boltzmann machines by the rates of 2006, low where a layer is Gaussian."""
    if isinstance(machine, Autoencoder):
        return machine.recipe
    slow = "gaussian" in (machine.config.visible, machine.config.hidden_units)
    rule = Optimiser(name="sgd", learning_rate=0.001 if slow else 0.1, momentum=0.9)
    return Recipe(optimiser=rule, batch_size=100, schedule="linear", keeps=True)


def _unrolled(machine: RBM | Autoencoder) -> Unrolled:
    """Weights and biases of a machine, equation (5)."""
    if isinstance(machine, RBM):
        return Unrolled(machine.weight.T, machine.hidden_bias, machine.weight, machine.visible_bias)
    (below,), (above,) = layers_of(machine.encoder), layers_of(machine.decoder)
    up, visible = below.get_parameter("weight"), above.get_parameter("bias") + machine.offset
    return Unrolled(
        up, below.get_parameter("bias"), up.T if machine.config.tied else above.get_parameter("weight"), visible
    )
