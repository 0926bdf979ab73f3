"""Fine-tuned classifier: an encoder that learnt without labels, and a softmax layer on its features.

    f = E(x)                                                                 (1)
    p(y | x) = exp(w_y.f + b_y) / sum_c exp(w_c.f + b_c)                     (2)
    loss = -log p(y | x)                                                     (3)

x is an example, f its features, y its class; (3) is the mean over labelled examples, in nats. The softmax layer learns
first, on frozen features; then E is fine-tuned with it. E comes from another run, or is any module that gives features.
Where none is given, it is a stack of layers with random initial weights, and both learn together from the start.

References:
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks.
    Bengio, Lamblin, Popovici, Larochelle (2007). Greedy layer-wise training of deep networks.
    Raina, Battle, Lee, Packer, Ng (2007). Self-taught learning.

Departures:
    Adam by default, where the papers use conjugate gradients or plain gradient descent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from untaught.capability import Activations, Classifies, Encodes, Layered, TakesEncoder
from untaught.config import Count, configuration
from untaught.errors import ConfigError, UntaughtError
from untaught.layerwise.wide_range import STANDARDISED, standardised_outside
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe, Smoke, Stage, Stream, Usual, view_on
from untaught.models.softmax import Softmax
from untaught.nn.coders import Coders, outputs
from untaught.nn.mirrors.layer_chain import resting
from untaught.nn.named import chosen
from untaught.nn.targets import check_labels, class_losses, label_nats
from untaught.shapes import Examples, Features, Scalar, Shape


class FinetunedClassifier(Learner, Classifies, Encodes, Activations, Layered, TakesEncoder):
    """A softmax layer on an encoder.

    Example:
        >>> net = FinetunedClassifier(FinetunedClassifier.Config(hidden=(20,)), (1, 8, 8))
        >>> net.class_probabilities(torch.zeros(5, 1, 8, 8)).shape, [stage.name for stage in net.stages()]
        (torch.Size([5, 10]), ['joint'])
        >>> net = FinetunedClassifier(FinetunedClassifier.Config(), (1, 8, 8), encoder=nn.Flatten())
        >>> [stage.name for stage in net.stages()]
        ['frozen', 'joint']
    """

    @configuration
    class Config:
        """The classes, and the encoder where none is given."""

        classes: Count = 10
        """Classes."""
        fine_tuning: bool = True
        """Let an encoder that was given learn too, after the softmax layer has."""
        hidden: tuple[Count, ...] = (500, 500, 2000)
        """Where no encoder is given: units (dense) or maps (convolution) of each layer; the last has the features."""
        network: Literal["auto", "dense", "convolution"] = "auto"
        """Where no encoder is given: kind of its layers; auto takes convolutions for more than 4,096 numbers."""
        activation: Literal["relu", "sigmoid", "tanh"] = "relu"
        """Where no encoder is given: its units."""
        normalise: bool = False
        """Where no encoder is given: batch normalisation before each activation but that of the features."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    adapts = STANDARDISED
    monitor = "wrong_class_probability"
    smoke = Smoke(config=Config(classes=3, hidden=(6, 5)), shape=(1, 4, 4), classes=3)
    config: Config

    def encode(self, x: Examples) -> Features:
        """Features, equation (1)."""
        return self.encoder(x).flatten(1)

    def class_probabilities(self, x: Examples) -> Features:
        """Equation (2)."""
        return self.output.class_probabilities(self.encode(x))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (3)."""
        logits = self.output.logits(self.encode(batch.x))
        nats = label_nats(logits, batch.label)
        return Loss(nats, {"label_nats": nats.detach(), **class_losses(logits, batch.label)})

    # -------- how it is built

    def __init__(self, config: Config, example: Example | Shape, encoder: nn.Module | None = None) -> None:
        """Put a softmax layer on the caller's encoder, or on one that is built here.

        Args:
            config: The classes, and the encoder where none is given.
            example: The shape of one example, or its full description.
            encoder: Maps a batch of examples to features `(batch, feature)`, with gradient. It is trained in place.
                Parameters that no feature depends on, such as a decoder's, are frozen. Pass a copy to keep yours.

        Raises:
            ConfigError: There is no layer, or the encoder does not fit the examples.
            SizeError: The examples are too small for the convolutions.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self._passed, self.view = encoder is not None, view_on(encoder, self.view)
        self.encoder = self._built() if encoder is None else encoder
        self.output = Softmax(Softmax.Config(classes=config.classes), (self._features(),))

    @classmethod
    def on(cls, config: Config, example: Example | Shape, encoder: nn.Module) -> Self:
        """A softmax layer on an encoder that exists."""
        return cls(config, example, encoder)

    @property
    def given(self) -> Mapping[str, nn.Module]:
        """The encoder, unless it was built here."""
        return {"encoder": self.encoder} if self._passed else {}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Standardised values where some lie outside [0, 1]; a given encoder keeps its own view."""
        return standardised_outside(example, sample)

    def layers(self) -> nn.Module:
        """The encoder, and the logits above it."""
        return nn.Sequential(self.encoder, nn.Flatten(), self.output.layer())

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layers of the encoder, `encoder.1`, ..., and `logits`; of another model's encoder `features` alone."""
        layers = [self.encoder(x)] if self.given else outputs(self.encoder, x)
        features = layers[-1].flatten(1)
        found = {"logits": self.output.logits(features)}
        if self.given:
            found["features"] = features
        else:
            found |= {f"encoder.{number}": value for number, value in enumerate(layers, 1)}
        return chosen(found, names)

    def stages(self) -> Sequence[Stage]:
        """The softmax layer on features as they are, then all; without a given encoder all at once."""
        stream = Stream(self.view, labelled=True)
        alone = replace(self.output.recipe, keeps=self.config.fine_tuning)
        frozen = Stage("frozen", self.output, alone, stream, sees=self._frozen)
        joint = Stage("joint", self, self.recipe, stream)
        if not self.given:
            return (joint,)
        return (frozen, joint) if self.config.fine_tuning else (frozen,)

    def prepare(self, sample: Batch) -> None:
        """Check the labels.

        Raises:
            DataError: There is none, or one is beyond `classes`.
        """
        check_labels(sample.label, self.config.classes, needed=True)

    def _frozen(self, x: Examples) -> Features:
        """Features of the frozen encoder: neither its weights nor its running averages change."""
        with resting(self.encoder):
            return self.encode(x)

    def _built(self) -> nn.Module:
        """A stack of the configuration's layers, the last one with an activation like the others."""
        c = self.config
        if not c.hidden:
            raise ConfigError("a classifier without hidden layers is softmax: untaught train softmax")
        *below, top = c.hidden
        coders = Coders(
            latent=top, network=c.network, hidden=tuple(below), activation=c.activation, normalise=c.normalise
        )
        return coders.build(self.shape, code=c.activation)[0]

    def _features(self) -> int:
        """How many features there are; freezes parameters that none depends on, such as an autoencoder's decoder."""
        with resting(self.encoder):
            features = self._tried()
        weights = [weight for weight in self.encoder.parameters() if weight.requires_grad]
        if weights and self.config.fine_tuning and torch.is_grad_enabled() and not features.requires_grad:
            raise ConfigError("no gradient reaches this encoder, so it cannot learn from labels: --no-fine-tuning")
        if weights and features.requires_grad:
            slopes: Any = torch.autograd.grad(features.sum(), weights, allow_unused=True)
            for weight, slope in zip(weights, slopes, strict=True):
                weight.requires_grad_(slope is not None)
        return features.shape[1]

    def _tried(self) -> Features:
        """Features of an empty example."""
        frames = (self.example.frames,) if self.example.frames else ()
        try:
            return self.encode(torch.zeros(1, *frames, *self.shape))
        except (UntaughtError, RuntimeError, TypeError, ValueError) as error:
            kind = f"clips of {self.example.frames} frames of" if frames else "examples of"
            raise ConfigError(f"the encoder cannot look at {kind} {self.shape}: {error}") from error
