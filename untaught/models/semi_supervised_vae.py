"""A variational autoencoder that learns classes from few labels: M2 on the features of M1, or M2 alone.

    M1:  p(v|x),   q(x|v) = N(m(v), s(v)^2)                                     (1)
    M2:  p(x, y, z) = p(x|y, z) p(y) p(z),   q(y|x),  q(z|x, y)                 (2)
    x ~ q(x|v)  while M2 learns                                                 (3)
    p(y|v) = q(y|x = m(v))                                                      (4)

v is an example, x its features, y its class, z what else there is. M1 is a variational autoencoder of all examples and
uses no label. M2 is a density of the features with a class and latents of its own, and learns from labelled and
unlabelled examples in one step: see `untaught.layerwise.class_latents` for its bounds and its loss. Without M1 it is a
density of the examples themselves.

References:
    Kingma, Rezende, Mohamed, Welling (2014). Semi-supervised learning with deep generative models.

Departures:
    ReLU units where the paper has softplus units.
    Classes are named from the mean of q(x|v). M1 is trained before M2 and then held fixed, as in the paper.
    The divergence of M1's features from their prior counts gradually while M1 learns, so that more of them are used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch

from untaught.capability import Classifies, Encodes, Generates, Reconstructs, Samples
from untaught.config import Count, NonNegative, configuration
from untaught.layerwise.class_latents import ClassLatents
from untaught.layerwise.latent_outputs import BEGUN, DENSITIES, DensityModel, Start, begun_at_components, density_for
from untaught.model import Batch, Example, Optimiser, Recipe, Smoke, Stage, Stream, Usual
from untaught.models.vae import VAE
from untaught.nn.latent.densities import OutputKind, normal
from untaught.nn.latent.stochastic import Networks, with_classes
from untaught.shapes import Examples, Features, Shape

WARMING = 0.3
"""Fraction of M1's training over which the weight of the divergence rises: from 0 at once, most features stay unused,
and M2 names fewer classes right."""
SHORT = 4
"""How many times longer than M1's features examples must be for these to be of use."""


class SemiSupervisedVAE(DensityModel, Classifies, Encodes, Reconstructs, Samples, Generates):
    """Two variational autoencoders, the upper one with a class.

    Example:
        >>> model = SemiSupervisedVAE(SemiSupervisedVAE.Config(latent=5, hidden=(20,)), (1, 8, 8))
        >>> model.class_probabilities(torch.zeros(3, 1, 8, 8)).shape, [stage.name for stage in model.stages()]
        (torch.Size([3, 10]), ['features', 'classes'])
    """

    def encode(self, x: Examples) -> Features:
        """Features: the mean of q(x|v), equation (1); without M1 the mean of q(z|x, y) where no class is known."""
        return self.features.encode(x) if self.features is not None else self.classes.encoder(x.flatten(1))[0]

    def below(self, x: Examples) -> Features:
        """What M2 learns from, equation (3); without M1 the example itself."""
        return x.flatten(1) if self.features is None else self.features.drawn(self.features.posterior(x))

    def class_probabilities(self, x: Examples) -> Features:
        """Equation (4)."""
        return self.classes.class_probabilities(x.flatten(1) if self.features is None else self.features.encode(x))

    @configuration
    class Config:
        """The networks, and the weight of labels."""

        latent: Count = 50
        """Latent variables of M1 and of M2."""
        hidden: tuple[Count, ...] = (600, 600)
        """Units of each hidden layer of M1."""
        class_hidden: tuple[Count, ...] = (500,)
        """Units of each hidden layer of M2."""
        classes: Count = 10
        """Classes."""
        alpha: NonNegative = 10.0
        """Weight of the classification of labelled examples in the loss of M2."""
        model: Literal["m1-m2", "m2"] = "m1-m2"
        """Whether M2 learns from the features of M1 or from the examples themselves."""
        output: OutputKind = "bernoulli"
        """Density of a value of an example: Bernoulli, for which pixels are drawn as 0 or 1; Gaussian around any mean;
        or squashed, Gaussian around a mean within the range of the data."""
        start: Start = "random"
        """Where M1 begins: at random weights, or at probabilistic principal components under Gaussian and squashed
        outputs."""

    known_shortfalls = {
        **DensityModel.known_shortfalls,
        "features": "its features are to name classes together with weights of its own",
    }
    adapts = {
        **DENSITIES,
        **BEGUN,
        "model": f"m2 where an example has at most {SHORT} times as many values as M1 has latents",
    }
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=100)
    of_classes = True
    smoke = Smoke(
        config=Config(latent=3, hidden=(8,), class_hidden=(8,), classes=3, alpha=100.0),
        shape=(1, 4, 4),
        binary=True,
        classes=3,
    )
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        below = Networks(latent=config.latent, hidden=config.hidden, network="dense")
        above = Networks(latent=config.latent, hidden=config.class_hidden, network="dense")
        shape, output = (self.shape, config.output) if config.model == "m2" else ((config.latent,), "gaussian")
        self.features = None
        if config.model == "m1-m2":
            warming = WARMING if config.start == "random" else 0.0
            own = VAE.Config(networks=below, output=config.output, start=config.start, kl_warm_up=warming)
            self.features = VAE(own, self.example)
        upper = ClassLatents.Config(networks=above, classes=config.classes, alpha=config.alpha, output=output)
        self.classes = ClassLatents(upper, (math.prod(shape),))

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Gaussian outputs where values are amounts, not probabilities of ones; M2 alone where examples are short."""
        found = density_for(cls, example, sample)
        values, latent = math.prod(example.shape), cls.Config().latent
        if values > SHORT * latent:
            return begun_at_components(cls, found, sample)
        why = f"an example of {values} values is hardly longer than {latent} features"
        config = {**found.config, "model": "m2"}
        return replace(found, config=config, because="; ".join(filter(None, (found.because, why))), instead=found)

    def stages(self) -> Sequence[Stage]:
        """M1 on all examples; then M2, with labelled examples beside all of them in each step."""
        labelled = {"labelled": Stream(self.view, labelled=True)}
        stream = Stream(self.view)
        classes = Stage("classes", self.classes, self.recipe, stream, beside=labelled, sees=self.below)
        if self.features is None:
            return (classes,)
        return (Stage("features", self.features, self.recipe, stream), classes)

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of p(v|x) at the mean of q(x|v); of M2 alone at the mean of its latents under the likeliest class."""
        if self.features is not None:
            return self.features.reconstruct(x)
        flat = x.flatten(1)
        label = self.classes.class_logits(flat).argmax(1)
        latent = self.classes.encoder(flat, label)[0]
        return self.classes.outputs.mean(self.classes.decoder(latent, label)).unflatten(1, self.shape)

    def prior_codes(self, count: int, label: int | None = None) -> Features:
        """Draws of z, of a class, one-hot, evenly or as given, and with M1 of the noise of p(x|y, z), side by side.

        Raises:
            ConfigError: There is no such class.
        """
        like = self.classes.outputs.offset.new_zeros(count, self.config.latent)
        above = with_classes(normal(like), self.config.classes, label)
        return above if self.features is None else torch.cat([above, normal(like)], 1)

    def generate(self, codes: Features) -> Examples:
        """Mean of p(v|x), with x of p(x|y, z) as these codes have it; of M2 alone the mean of p(x|y, z)."""
        own = self.config.latent + self.config.classes
        numbers = self.classes.decoder.of_codes(codes[:, :own])
        made = self.classes.outputs.mean(numbers)
        if self.features is None:
            return made.unflatten(1, self.shape)
        return self.features.decode(made + (0.5 * self.classes.outputs.log_variance(numbers)).exp() * codes[:, own:])

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw a class and latents from the prior, features given these, and decode.

        Raises:
            ConfigError: There is no such class.
        """
        with torch.no_grad():
            return self.generate(self.prior_codes(count, label))
