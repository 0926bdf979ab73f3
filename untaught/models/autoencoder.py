"""The autoencoder: short codes from which examples can be reconstructed.

    z = E(x)                                                                    (1)
    y = g(D(z) + a)                                                             (2)
    squared error = sum_i (y_i - x_i)^2                                         (3)
    cross-entropy = -sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))               (4)

x is an example, z its code, y the reconstruction. E is a stack of fully connected layers or convolutions that ends in a
linear layer, D its mirror. The output units g are linear, or clipped to the range of the data, or logistic and span
that range, or softmax for probabilities of words; the offset a makes y the mean of the data where D(z) is 0, and is set
once, before training. The loss is the mean over examples of (3) or, in nats, of (4). With softmax units it is the mean
of -sum_i x_i log y_i.

All layers can learn at once. Or each fully connected layer first learns alone, on the outputs of the layer below: as a
restricted Boltzmann machine, or as an autoencoder with one hidden layer. The stack is then unrolled,

    E: z_k = f(W_k z_{k-1} + c_k),     D: z'_{k-1} = f(V_k z'_k + b_k)          (5)

with the weights W_k and hidden biases c_k of each such machine, its V_k (for a Boltzmann machine the transpose of W_k)
and its visible biases b_k. Then all layers are fine-tuned together. From there on encoder and decoder have separate
weights, unless tied ones are asked for.

References:
    Rumelhart, Hinton, Williams (1986). Learning internal representations by error propagation.
    Baldi, Hornik (1989). Neural networks and principal component analysis (what linear layers learn).
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks.
    Bengio, Lamblin, Popovici, Larochelle (2007). Greedy layer-wise training of deep networks.
    Masci, Meier, Ciresan, Schmidhuber (2011). Stacked convolutional auto-encoders.

Departures:
    Where nothing is said, learning begins at principal components (`start=pca`): linear maps, with networks beside them
    that correct nothing at first. Else all layers learn together from random weights, with ReLU units and Adam. The
    choices of 2006 are `pretraining=rbm`, `activation=sigmoid`, `output=bernoulli` and `--optimiser cg`.
    With softmax outputs the encoder sees log(1 + n x) for n words in the dictionary, and nothing is pretrained.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from untaught.config import Flat, Fraction, configuration
from untaught.errors import ConfigError
from untaught.layerwise.coded import Coded
from untaught.layerwise.from_components import COMPONENTS, from_components
from untaught.layerwise.greedy_stages import greedy_stages
from untaught.layerwise.unroll import Unrolled, unroll
from untaught.model import Batch, Example, Loss, Optimiser, Player, Recipe, Smoke, Stage, Stream, Usual
from untaught.models.rbm import RBM
from untaught.nn.coders import Coders, layers_of
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

        coders: Flat[Coders] = Coders()
        """The networks."""
        code: Literal["linear", "relu", "sigmoid", "tanh"] = "linear"
        """Units of the code."""
        output: Literal["linear", "clipped", "sigmoid", "bernoulli", "tanh", "softmax"] = "sigmoid"
        """Output units: linear, clipped or logistic under squared error (3), logistic under cross-entropy (4), or
        softmax for documents; tanh for values from -1 to 1. Clipped units are linear within the range of the training
        data; logistic ones span it under squared error."""
        masking: Fraction = 0.0
        """Fraction of an example's values that the encoder sees as 0 during training; the others are scaled up."""
        pretraining: Literal["none", "rbm", "autoencoder"] = "none"
        """Let each dense layer learn alone first: as a restricted Boltzmann machine, for which hidden units must be
        sigmoid, or as an autoencoder with one hidden layer."""

    adapts = COMPONENTS
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    greedy = False
    """Whether this autoencoder pretrains one layer of another."""
    smoke = Smoke(config=Config(coders=Coders(hidden=(5, 4), latent=2)), shape=(1, 4, 4))
    config: Config

    def encode(self, x: Examples) -> Features:
        """Give the code, equation (1)."""
        return self.encoder(self.seen(x)).flatten(1)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared error (3) or cross-entropy (4) of the reconstruction (2), mean over examples."""
        x, hidden = batch.x, self.config.masking
        seen = x * bernoulli(torch.full_like(x, 1 - hidden)) / (1 - hidden) if hidden else x
        return Loss(*self.outputs.error(self.output_inputs(self.encode(seen)), x.flatten(1)))

    def unrolled(self) -> None:
        """Take the weights and biases of the machines, equation (5)."""
        unroll(map(_unrolled, self._learners()), self.encoder, self.decoder, self.config.coders.tied)

    # -------- how it is built

    def __init__(
        self,
        config: Config,
        example: Example | Shape,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ) -> None:
        """Build the networks, or take the caller's own.

        Args:
            config: The networks and the error.
            example: The shape of one example, or its full description.
            encoder: Maps a batch of examples to `latent` numbers each; replaces the one that `config` describes.
            decoder: Maps `latent` numbers each to a batch of examples, before the output units.

        Raises:
            ConfigError: A network of the caller's own does not fit, or weights cannot be tied to it.
            SizeError: The examples are too small for the convolutions.
        """
        given = encoder is not None or decoder is not None
        # Built before the networks, so that the machines' weights are drawn first.
        machines = [] if config.pretraining == "none" else [*_machines(config, Example.of(example).shape, given)]
        super().__init__(config, example, encoder, decoder, config.code)
        self.machines = nn.ModuleList(machines)
        if machines:
            self.players = {"model": Player(("encoder.", "decoder."))}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """A start at principal components, patches of few large pictures, a code shorter than an example."""
        plain = {"code": "linear", "pretraining": "none", "masking": 0.0}
        return from_components(example, sample, cls.Config().coders, cls.recipe, plain)

    @classmethod
    def takes_probabilities(cls, config: Config) -> bool:
        """Cross-entropy does, and the binary visible units of a Boltzmann machine that pretrains the lowest layer."""
        return config.output == "bernoulli" or (config.pretraining == "rbm" and config.output != "linear")

    def codes(self, x: Examples) -> dict[str, Tensor]:
        """The code."""
        return {"code": self.encode(x)}

    def stages(self) -> Sequence[Stage]:
        """All layers at once; or each layer on the outputs of those below, and then all of them, unrolled."""
        if not len(self.machines):
            return super().stages()
        greedy = greedy_stages(self._learners(), self._below, self.view)
        return [*greedy, Stage("fine-tuning", self, self.recipe, Stream(self.view), begin=self.unrolled)]

    def prepare(self, sample: Batch) -> None:
        """Find the range of the output units, and the offset with which they give the mean of the data.

        Raises:
            DataError: Values are not probabilities, under cross-entropy.
        """
        code, values = self.config.coders.latent, math.prod(self.shape)
        if self._narrowest() >= values and not self.config.masking and not self.greedy:
            warnings.warn(
                f"a code of {code} numbers can copy examples of {values}: nothing keeps it from that;\n"
                "take a smaller latent, or denoising-autoencoder, sparse-autoencoder or contractive-autoencoder",
                stacklevel=2,
            )
        super().prepare(sample)
        if len(self.machines):  # the machines' visible biases take the place of the offset
            self.offset.zero_()

    def _narrowest(self) -> int:
        """Width of the narrowest layer; for convolutions, of the code."""
        own = self.config.coders
        return own.latent if own.convolutional(self.shape) else min((own.latent, *own.units))

    def _learners(self) -> list[RBM | Autoencoder]:
        return [machine for machine in self.machines if isinstance(machine, (RBM, Autoencoder))]

    def _below(self, x: Examples, layers: int) -> Features:
        """Outputs of the machines of the first layers."""
        x = x.flatten(1)
        for machine in self._learners()[:layers]:
            x = machine.encode(x)
        return x


def _machines(config: Autoencoder.Config, shape: Shape, given: bool) -> Iterator[RBM | Autoencoder]:
    """One machine for each layer, the lowest first, from which the autoencoder is unrolled.

    Raises:
        ConfigError: The layers are not all plain dense ones, or no machine has their kind of units.
    """
    own = config.coders
    if given or own.normalise or own.convolutional(shape) or config.output == "softmax":
        raise ConfigError("pretraining is for dense layers built here, of pictures, without batch normalisation")
    if config.pretraining == "rbm" and (own.activation != "sigmoid" or config.code in ("tanh", "relu")):
        raise ConfigError("restricted Boltzmann machines pretrain sigmoid layers and a linear or sigmoid code")
    make = _boltzmann if config.pretraining == "rbm" else _shallow
    widths = (math.prod(shape), *own.units, own.latent)
    for number, (below, above) in enumerate(pairwise(widths)):
        yield make(config, below, above, lowest=number == 0, highest=number == len(own.units))


def _boltzmann(config: Autoencoder.Config, below: int, above: int, lowest: bool, highest: bool) -> RBM:
    """A Boltzmann machine with the learning rates of 2006, lower where a layer is Gaussian."""
    seen = "gaussian" if lowest and config.output == "linear" else "bernoulli"
    units = "gaussian" if highest and config.code == "linear" else "bernoulli"
    scale = 0.01 if lowest else 0.1
    machine = RBM(
        RBM.Config(
            hidden=above, visible=seen, hidden_units=units, persistent_chains=0, weight_cost=2e-4, initial_scale=scale
        ),
        (below,),
    )
    rate = 0.001 if "gaussian" in (seen, units) else 0.1
    rule = Optimiser(name="sgd", learning_rate=rate, momentum=0.9)
    machine.recipe = Recipe(optimiser=rule, batch_size=100, schedule="linear", keeps=True)
    return machine


def _shallow(config: Autoencoder.Config, below: int, above: int, lowest: bool, highest: bool) -> Autoencoder:
    """An autoencoder with one hidden layer, whose output units are of the kind that it reconstructs."""
    hidden = config.coders.activation
    inner = hidden if hidden in ("sigmoid", "tanh") else "linear"
    own = Autoencoder.Config(
        coders=Coders(latent=above, hidden=(), network="dense", tied=config.coders.tied),
        code=config.code if highest else hidden,
        output=config.output if lowest else inner,
        masking=config.masking,
    )
    machine = Autoencoder(own, (below,))
    machine.greedy = True
    return machine


def _unrolled(machine: RBM | Autoencoder) -> Unrolled:
    """Weights and biases of a machine, equation (5)."""
    if isinstance(machine, RBM):
        return Unrolled(machine.weight.T, machine.hidden_bias, machine.weight, machine.visible_bias)
    (below,), (above,) = layers_of(machine.encoder), layers_of(machine.decoder)
    up, visible = below.get_parameter("weight"), above.get_parameter("bias") + machine.offset
    return Unrolled(
        up, below.get_parameter("bias"), up.T if machine.config.coders.tied else above.get_parameter("weight"), visible
    )
