"""A game that learns classes from few labels: what is made is one class more, and the generator matches features.

    h = H(x),   l = W h + w,   Z(x) = sum_k exp l_k(x)                       (1)
    p(y|x) = exp l_y / Z                                                     (2)
    D(x) = Z / (Z + 1)                                                       (3)
    L_D = share (-<log p(y|x)>) - (<log D(x)> + <log(1 - D(x'))>) / 2        (4)
    x' = G(z)                                                                (5)
    L_G = mean_j (<h_j(x)> - <h_j(x')>)^2                                    (6)

x is an example, y one of K classes, z a vector of noise. A softmax over K + 1 classes, the last of which is "made" and
has the logit 0, gives (2) to classes of examples and 1 - D to made ones. The first mean of (4) is over labelled
examples; the others are over unlabelled ones and need no label: they must be told from made ones, and so belong to one
of the K classes. A step draws labelled examples beside all of them. The generator does not fool D, it gives the means
over a batch of features h of examples (feature matching), which makes a better classifier and worse samples.

References:
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs. NIPS.

Departures:
    ReLU units in the generator where the paper's code has softplus units. Values are stretched to -1 to 1, and the
    noise at the input with them. The running average of weights forgets sooner, and the learning rate falls from the
    start.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from untaught.capability import Classifies, Encodes, Filters
from untaught.config import Count, Flat, NonNegative, configuration
from untaught.errors import ConfigError
from untaught.layerwise.from_noise import FromNoise
from untaught.layerwise.wide_range import LINEAR, linear_outside
from untaught.model import Batch, Example, Loss, Optimiser, Player, Recipe, Smoke, Stage, Stream, Usual
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.discriminator_network import Discriminator
from untaught.nn.adversarial.generator_network import Generator
from untaught.nn.adversarial.verdicts import told_right
from untaught.nn.targets import check_labels, class_losses, label_nats
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape


class FeatureMatchingGAN(FromNoise, Classifies, Encodes, Filters):
    """A classifier that also tells made examples, and a generator that matches its features.

    Example:
        >>> model = FeatureMatchingGAN(FeatureMatchingGAN.Config(classes=3), (1, 8, 8))
        >>> model.class_probabilities(torch.rand(5, 1, 8, 8)).shape, model.sample(2).shape
        (torch.Size([5, 3]), torch.Size([2, 1, 8, 8]))
    """

    def encode(self, x: Examples) -> Features:
        """The last hidden layer h, equation (1)."""
        return self.discriminator.features(x)

    def class_probabilities(self, x: Examples) -> Features:
        """Probabilities of classes, given that it is an example, equation (2)."""
        return torch.softmax(self.discriminator(x), 1)

    def being_an_example(self, x: Examples) -> PerExample:
        """The logit of D, which is log Z, equation (3)."""
        return torch.logsumexp(self.discriminator(x), 1)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (4) or (6); without a stream of labelled examples, those of the batch that have a label are used."""
        if player == "generator":
            return self._matched(batch.x)
        known = batch.beside.get("labelled", batch)
        with torch.no_grad():
            made = self.made(len(batch.x))
        logits, *others = self.discriminator.of_each((known.x,), (batch.x,), (made,))
        real, false = (torch.logsumexp(other, 1) for other in others)
        nats = label_nats(logits, known.label)
        apart = 0.5 * (F.softplus(-real).mean() + F.softplus(false).mean())
        told = {"label_nats": nats.detach(), "discriminator_accuracy": told_right(real, false).detach()}
        return Loss(self.config.share * nats + apart, told | class_losses(logits, known.label))

    def made(self, count: int) -> Examples:
        """As many samples, equation (5)."""
        return self.generator(self.generator.prior(count))

    def _matched(self, x: Examples) -> Loss:
        """How far features of samples are from those of examples on average, equation (6)."""
        with torch.no_grad():
            wanted = self.encode(x).mean(0)
        apart = (self.encode(self.made(len(x))).mean(0) - wanted).square().mean()
        return Loss(apart, {"squared_feature_distance": apart.detach()})

    @configuration
    class Config:
        """The networks, and the weight of labels."""

        networks: Flat[Adversaries] = Adversaries(
            latent=100,
            prior="uniform",
            network="dense",
            generator=(500, 500),
            discriminator=(1000, 500, 250, 250, 250),
            generator_norm="batch",
            discriminator_norm="weight",
            discriminator_units="relu",
            noise=(0.6, 0.5, 0.5, 0.5, 0.5, 0.5),
        )
        """Both networks."""
        classes: Count = 10
        """Classes of examples: the K of equation (1)."""
        share: NonNegative = 1.0
        """Weight of labelled examples, equation (4)."""

    known_shortfalls = {"features": "its features are to name classes together with weights of its own"}
    adapts = LINEAR
    monitor = None  # few labels are held out, and which weights they prefer is chance: the last are kept
    recipe = Recipe(optimiser=Optimiser(learning_rate=3e-3, betas=(0.5, 0.999)), batch_size=100, average=0.999)
    smoke = Smoke(
        config=Config(networks=Adversaries(latent=3, generator=(6,), discriminator=(6, 5), reference=3), classes=3),
        shape=(1, 4, 4),
        classes=3,
    )
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build both networks.

        Raises:
            ConfigError: Convolutions are asked for where examples are vectors, lists differ in length, or examples of a
                batch are to be compared.
            SizeError: Pictures are too small for the convolutions.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        if config.networks.minibatch:
            raise ConfigError("the class of an example may not depend on the others of its batch: minibatch=0")
        self.generator = Generator(config.networks, self.shape)
        self.discriminator = Discriminator(config.networks, self.shape, outputs=config.classes)
        self.players = {
            "discriminator": Player(("discriminator.",)),
            "generator": Player(("generator.",)),
        }

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear outputs and standardised values where some lie outside [0, 1]."""
        return linear_outside(example, sample)

    def stages(self) -> Sequence[Stage]:
        """One, with labelled examples beside all of them in each step."""
        stream, labelled = Stream(self.view), {"labelled": Stream(self.view, labelled=True)}
        return (Stage("train", self, self.recipe, stream, beside=labelled),)

    def prepare(self, sample: Batch) -> None:
        """Check the labels, look at the range of values, and take the first examples for what normalises.

        Raises:
            DataError: There are no labels, or one is beyond `classes`.
        """
        check_labels(sample.label, self.config.classes, needed=True)
        self.generator.look(sample.x.flatten(1))
        self.discriminator.take(sample.x)
        self.generator.take()

    def prior_codes(self, count: int, label: int | None = None) -> Features:
        """Draws of z.

        Raises:
            ConfigError: A label is given.
        """
        if label is not None:
            raise ConfigError("it learns to name classes, not to draw them on demand; conditional-gan does")
        return self.generator.prior(count)

    def filters(self) -> Images:
        """Weights of the discriminator's first layer."""
        return self.discriminator.first_weights(self.shape)
