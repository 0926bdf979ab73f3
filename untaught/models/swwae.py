"""Stacked what-where autoencoder: an encoder that hands what it found up and where it found it across to the decoder.

    (h_l, s_l) = F_l(h_l-1),   h_0 = x                                           (1)
    p(y | x) = softmax(W f(h_L) + b)                                             (2)
    h'_l-1 = G_l(h'_l, s_l),   h'_L = h_L                                        (3)
    loss = -log p(y | x) + a mean (h'_0 - x)^2 + c sum_l mean (h'_l - h_l)^2     (4)

F_l are blocks of convolutions that end with max pooling: h_l is what it took, s_l the switches, where it took it from.
G_l is the mirror of F_l; its unpooling puts everything back to where it came from. f are fully connected layers. The
first term of (4) is over labelled examples, the others over all; everything learns at once from the start, so that
labels and reconstruction shape the encoder together.

References:
    Zhao, Mathieu, Goroshin, LeCun (2015). Stacked what-where auto-encoders. arXiv:1506.02351.

Departures:
    Switches are those of the maximum; the paper also tries soft ones, between the places of a window. The weights a and
    c are our choice. Dropout is on the fully connected layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from untaught.capability import Activations, Encodes, Layered, Reconstructs
from untaught.config import Count, Flat, NonNegative, configuration
from untaught.layerwise.decoding_pathway import named, weighted
from untaught.layerwise.semi_supervised import SemiSupervised, labelled_of
from untaught.layerwise.wide_range import STANDARDISED, standardised_outside
from untaught.model import Batch, Example, Loss, Optimiser, Recipe, Smoke, Usual
from untaught.models.softmax import Softmax
from untaught.nn.mirrors.pathways import Blocks, EncoderLayers, Looked, Mirrors, pathway_encoder, squared_errors
from untaught.nn.named import chosen
from untaught.nn.targets import class_losses, label_nats
from untaught.shapes import Examples, Features, Scalar, Shape


class SWWAE(SemiSupervised, Encodes, Reconstructs, Activations, Layered):
    """A classifier and a decoder that learn together, joined by switches.

    Example:
        >>> import torch
        >>> net = SWWAE(SWWAE.Config(), (1, 28, 28))
        >>> net.class_probabilities(torch.zeros(2, 1, 28, 28)).shape, net.reconstruct(torch.zeros(2, 1, 28, 28)).shape
        (torch.Size([2, 10]), torch.Size([2, 1, 28, 28]))
    """

    def look(self, x: Examples) -> Looked:
        """What the encoder's blocks take, and from where, equation (1)."""
        return self.blocks.look(x)

    def class_probabilities(self, x: Examples) -> Features:
        """Equation (2)."""
        return self.output.class_probabilities(self.encode(x))

    def decoded(self, looked: Looked) -> list[Tensor]:
        """What comes back, from the example up, equation (3)."""
        return self.mirrors.chained(looked)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (4); without a stream of labelled examples, those of the batch that have a label are used."""
        known, looked = labelled_of(batch), self.look(batch.x)
        logits = self.output.logits(self.encode(known.x))
        nats, errors = label_nats(logits, known.label), squared_errors(self.decoded(looked), looked)
        weights = [self.config.image, *(self.config.layers for _ in errors[1:])]
        told = {"label_nats": nats.detach(), **named(errors), **class_losses(logits, known.label)}
        return Loss(nats + weighted(errors, weights), told)

    @configuration
    class Config:
        """The networks, and the weights of reconstruction."""

        classes: Count = 10
        """Classes."""
        image: NonNegative = 10.0
        """Weight a of the mean squared error of an example's values, equation (4)."""
        layers: NonNegative = 0.1
        """Weight c of the mean squared error of each layer between blocks, equation (4)."""
        switches: Literal["known", "fixed", "averaged", "upsampled"] = "known"
        """What unpooling knows: where each maximum was; nothing, and takes the middle of each window, or spreads evenly
        over it, or repeats."""
        network: Flat[EncoderLayers] = EncoderLayers(dropout=0.5)
        """The encoder."""

    known_shortfalls = {
        **SemiSupervised.known_shortfalls,
        "reconstruction": "its layers are to name classes first; the way back learns from what they keep",
    }
    adapts = STANDARDISED
    monitor = "wrong_class_probability"
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=100)
    smoke = Smoke(config=Config(classes=3, network=EncoderLayers(maps=(3, 4), units=(5,))), shape=(1, 4, 4), classes=3)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build both networks.

        Raises:
            ConfigError: Blocks and maps differ in number, or there is no layer.
            SizeError: Pictures are too small for so many blocks.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.encoder = pathway_encoder(self.shape, config.network)
        self.blocks = Blocks.of(self.encoder, self.shape)
        self.mirrors = Mirrors(self.blocks, config.switches)
        self.output = Softmax(Softmax.Config(classes=config.classes), self.blocks.chain.steps[-1].after)

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Standardised values where some lie outside [0, 1]."""
        return standardised_outside(example, sample)

    def encode(self, x: Examples) -> Features:
        """Features, what the last layer of the encoder gives."""
        return self.encoder(x)

    def reconstruct(self, x: Examples) -> Examples:
        """What comes back from the last pooling."""
        return self.decoded(self.look(x))[0]

    def layers(self) -> nn.Module:
        """The encoder, and the logits above it."""
        return nn.Sequential(self.encoder, nn.Flatten(), self.output.layer())

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layers of the encoder by the names that VGG gave them, `conv1_1`, `pool1`, ..., and `logits`."""
        values = self.blocks.chain.run(x).values
        found = {name: values[end] for name, end in self.blocks.chain.names.items()}
        return chosen({**found, "logits": self.output.logits(values[-1])}, names)
