"""A classifier that can also go back: the encoder learns to keep what it needs to reconstruct, without labels too.

    (h_l, s_l) = F_l(h_l-1),   h_0 = x                                           (1)
    p(y | x) = softmax(W f(h_L) + b)                                             (2)
    h'_l-1 = G_l(h'_l, s_l),   h'_L = h_L                                        (3)
    loss = -log p(y | x) + weight sum_l w_l mean (h'_l - h_l)^2                  (4)

F_l are the blocks of the encoder, each ends with max pooling, s_l its switches; f are the layers above the last
pooling. G_l is the mirror of F_l. `switches` says whether G_l is given the encoder's switches (a stacked what-where
autoencoder, SWWAE) or puts everything to the middle of its window (a stacked autoencoder, SAE). `losses` says where (4)
has costs: on the example alone (`first`), on all h_l (`all`), or on all with every G_l fed from the encoder's own h_l
instead of from above (`layerwise`). These two settings make the six networks of the paper.

Each w_l is half the paper's weight times the number of values of its layer at 224 x 224: the paper's sums over pixels
of 0 to 255 become means over values, and mean the same at any size. The encoder learns first from labels, or is given;
then each G_l learns to undo its own block, then all as one chain, the encoder held fixed; then everything together.

References:
    Zhang, Lee, Lee (2016). Augmenting supervised neural networks with unsupervised objectives for large-scale image
    classification. ICML.
    Zhao, Mathieu, Goroshin, LeCun (2015). Stacked what-where auto-encoders.

Departures:
    Costs of reconstruction are over all examples, where the paper has labels for all. Adam instead of gradient descent
    with momentum. In networks with fewer poolings than VGG's five the highest cost has the weight of pool4, the others
    those of pool1, pool2, ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Self

from torch import Tensor, nn

from untaught.capability import Activations, Classifies, Encodes, Layered, Reconstructs, TakesEncoder
from untaught.config import Count, Flat, NonNegative, configuration
from untaught.errors import ConfigError
from untaught.layerwise.decoding_pathway import DecodingPathway, named, weighted
from untaught.layerwise.semi_supervised import labelled_of
from untaught.layerwise.wide_range import STANDARDISED, standardised_outside
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe, Smoke, Stage, Stream, Usual
from untaught.models.finetuned_classifier import FinetunedClassifier
from untaught.nn.mirrors.layer_chain import resting
from untaught.nn.mirrors.pathways import Blocks, EncoderLayers, Looked, Mirrors, pathway_encoder, squared_errors
from untaught.nn.named import chosen
from untaught.nn.targets import class_losses, label_nats
from untaught.shapes import Examples, Features, Scalar, Shape

PAPER_IMAGE = (1e-4, 3 * 224**2)
"""The paper's weight of half the sum of squared errors of pixels in [0, 1], and how many values there are."""
PAPER_POOLS = ((1e-12, 64 * 112**2), (1e-12, 128 * 56**2), (1e-12, 256 * 28**2), (1e-10, 512 * 14**2))
"""The same of pool1 to pool4 for activations on pixels from 0 to 255."""
PIXEL_RANGE = 255
"""How many times larger such activations are than those on pixels in [0, 1]."""


def image_weight() -> float:
    """The paper's weight of the image's reconstruction, for a mean over pixels in [0, 1]."""
    weight, values = PAPER_IMAGE
    return weight * values / 2


def layer_weights(layers: int) -> tuple[float, ...]:
    """The paper's weights of layers below the last pooling, for means over activations on pixels in [0, 1].

    Example:
        >>> [round(weight, 4) for weight in layer_weights(4)]
        [0.0261, 0.0131, 0.0065, 0.3263]
    """
    every = [weight * values / 2 * PIXEL_RANGE**2 for weight, values in PAPER_POOLS]
    below = [every[min(number, 2)] for number in range(layers - 1)]
    return (*below, every[3])[-layers:] if layers else ()


class AugmentedClassifier(Learner, Classifies, Encodes, Reconstructs, Activations, Layered, TakesEncoder):
    """A classifier and its mirror.

    Example:
        >>> import torch
        >>> net = AugmentedClassifier(AugmentedClassifier.Config(), (3, 32, 32))
        >>> net.class_probabilities(torch.zeros(2, 3, 32, 32)).shape, net.reconstruct(torch.zeros(2, 3, 32, 32)).shape
        (torch.Size([2, 10]), torch.Size([2, 3, 32, 32]))
        >>> [stage.name for stage in net.stages()]
        ['classes', 'layers', 'chain', 'joint']
    """

    def look(self, x: Examples) -> Looked:
        """What the encoder's blocks give, equation (1)."""
        return self.blocks.look(x)

    def class_probabilities(self, x: Examples) -> Features:
        """Equation (2)."""
        return self.classifier.class_probabilities(x)

    def decoded(self, looked: Looked) -> list[Tensor]:
        """What comes back, from the example up, equation (3)."""
        return self.mirrors.layerwise(looked) if self.config.losses == "layerwise" else self.mirrors.chained(looked)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (4); without a stream of labelled examples, those of the batch that have a label are used."""
        known = labelled_of(batch)
        logits = self.classifier.output.logits(self.encode(known.x))
        total = nats = label_nats(logits, known.label)
        told = {"label_nats": nats.detach(), **class_losses(logits, known.label)}
        if self.config.weight:
            looked = self.look(batch.x)
            errors = squared_errors(self.decoded(looked), looked)
            total = nats + self.config.weight * weighted(errors, self.weights)
            told |= named(errors)
        return Loss(total, told)

    @configuration
    class Config:
        """The classes, the mirror, and the encoder where none is given."""

        classes: Count = 10
        """Classes."""
        losses: Literal["first", "all", "layerwise"] = "all"
        """What is to come back: the example; all layers, through one chain; or all, each from the layer above it."""
        switches: Literal["known", "fixed"] = "known"
        """Whether unpooling knows where each maximum was, or puts all to the middle of their windows."""
        weight: NonNegative = 1.0
        """Weight of reconstruction beside the paper's; 0 leaves the classifier alone."""
        image: NonNegative | None = None
        """Weight of the mean squared error of pixels; none takes the paper's, 7.53."""
        layers: tuple[NonNegative, ...] | None = None
        """Weights of those of the layers from the lowest pooling up, the last one apart; none takes the paper's."""
        network: Flat[EncoderLayers] = EncoderLayers(convolutions=(1, 1, 1), maps=(32, 64, 128), dropout=0.5)
        """The encoder where none is given."""

    known_shortfalls = {
        "features": "its features are to name classes together with weights of its own",
        "reconstruction": "its layers are to name classes first; the way back learns from what they keep",
    }
    adapts = STANDARDISED
    monitor = "wrong_class_probability"
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    smoke = Smoke(config=Config(classes=3, network=EncoderLayers(maps=(3, 4), units=(5,))), shape=(1, 4, 4), classes=3)
    config: Config

    def __init__(self, config: Config, example: Example | Shape, encoder: nn.Module | None = None) -> None:
        """Put a classifier and a mirror on the caller's encoder, or on one that is built here.

        Args:
            config: The classes, the mirror, and the encoder where none is given.
            example: The shape of one example, or its full description.
            encoder: A chain of layers from a batch of examples to features `(batch, feature)`. It is trained in place.

        Raises:
            ConfigError: The encoder is no chain of layers that have mirrors, or weights of layers are not as many.
            SizeError: Pictures are too small for so many blocks.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        own = pathway_encoder(self.shape, config.network) if encoder is None else encoder
        self._passed = encoder is not None
        self.classifier = FinetunedClassifier(FinetunedClassifier.Config(classes=config.classes), self.example, own)
        self.view = self.classifier.view
        self.blocks = Blocks.of(own, self.shape)
        self.mirrors = Mirrors(self.blocks, config.switches)
        self.weights = self._weights(len(self.blocks.ends) - 1)

    @classmethod
    def on(cls, config: Config, example: Example | Shape, encoder: nn.Module) -> Self:
        """A classifier and a mirror on an encoder that exists."""
        return cls(config, example, encoder)

    @property
    def given(self) -> Mapping[str, nn.Module]:
        """The encoder, unless it was built here."""
        return {"encoder": self.classifier.encoder} if self._passed else {}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Standardised values where some lie outside [0, 1]; a given encoder keeps its own view."""
        return standardised_outside(example, sample)

    def stages(self) -> Sequence[Stage]:
        """Classes; the mirrored blocks, each by itself and as one chain, on the encoder as it is; then everything."""
        labelled, stream = Stream(self.view, labelled=True), Stream(self.view)
        classes = replace(self.classifier.stages()[0], name="classes")
        if not self._passed:
            classes = Stage("classes", self.classifier, self.recipe, labelled)
        gentle = replace(self.recipe, optimiser=replace(self.recipe.optimiser, learning_rate=3e-4))
        joint = Stage("joint", self, gentle, stream, beside={"labelled": labelled})
        if not self.config.weight:
            return (classes, joint)
        each = DecodingPathway(DecodingPathway.Config(), self.example, self.blocks, self.mirrors)
        layers = Stage("layers", each, each.recipe, stream, sees=self._packed)
        if self.config.losses == "layerwise":
            return (classes, layers, joint)
        chained = DecodingPathway(DecodingPathway.Config(weights=self.weights), self.example, self.blocks, self.mirrors)
        return (classes, layers, Stage("chain", chained, chained.recipe, stream, sees=self._packed), joint)

    def prepare(self, sample: Batch) -> None:
        """Check the labels.

        Raises:
            DataError: There is none, or one is beyond `classes`.
        """
        self.classifier.prepare(sample)

    def encode(self, x: Examples) -> Features:
        """Features, what the last layer of the encoder gives."""
        return self.classifier.encode(x)

    def reconstruct(self, x: Examples) -> Examples:
        """What comes back from the last pooling through the whole chain."""
        return self.mirrors.chained(self.look(x))[0]

    def layers(self) -> nn.Module:
        """The encoder, and the logits above it."""
        return nn.Sequential(self.classifier.encoder, nn.Flatten(), self.classifier.output.layer())

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layers of the encoder by the names that VGG gave them, `conv1_1`, `pool1`, ..., and `logits`."""
        values = self.blocks.chain.run(x).values
        found = {name: values[end] for name, end in self.blocks.chain.names.items()}
        return chosen({**found, "logits": self.classifier.output.logits(values[-1].flatten(1))}, names)

    def _packed(self, x: Examples) -> Features:
        """What the frozen encoder gives."""
        with resting(self.classifier.encoder):
            return self.blocks.packed(x)

    def _weights(self, inner: int) -> tuple[float, ...]:
        """Weights of the costs from the example up."""
        c = self.config
        image = image_weight() if c.image is None else c.image
        if c.losses == "first":
            return (image, *(0.0 for _ in range(inner)))
        layers = layer_weights(inner) if c.layers is None else c.layers
        if len(layers) != inner:
            raise ConfigError(f"layers needs one weight for each layer between blocks, {inner}; it has {len(layers)}")
        return (image, *layers)
