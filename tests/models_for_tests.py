"""Models of the two kinds that the loop must also train: two players, and two stages. Too small to be of other use."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.config import Count, configuration
from untaught.model import (
    Batch,
    Encodes,
    Example,
    Learner,
    Loss,
    Model,
    Player,
    Recipe,
    Samples,
    Smoke,
    Stage,
    Stream,
    View,
)
from untaught.models.rbm import RBM
from untaught.nn.noise import wide
from untaught.recipe import Optimiser
from untaught.shapes import Examples, Features, Scalar, Shape


class TinyGAN(Learner, Samples):
    """Goodfellow et al. 2014: a generator G against a discriminator D, with the loss that does not saturate.

    The discriminator's is softplus(-D(x)) + softplus(D(G(z))), the generator's softplus(-D(G(z))).
    """

    @configuration
    class Config:
        """Sizes, and where noise comes from."""

        latent: Count = 3
        """Noise values that the generator sees."""
        hidden: Count = 8
        """Hidden units of each network."""
        noise_from_data: bool = False
        """Make each example's noise from that example, so that it is the same however a batch is shared out."""

    config: Config
    players = {"discriminator": Player(("discriminator.",)), "generator": Player(("generator.",))}
    recipe = Recipe(optimiser=Optimiser(learning_rate=0.01, betas=(0.5, 0.99)), batch_size=16)
    monitor = "squared_distance_of_means"
    smoke = Smoke(config=Config(latent=2, hidden=4), shape=(1, 4, 4))

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        pixels = math.prod(self.shape)
        self.discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, config.hidden), nn.Tanh(), nn.Linear(config.hidden, 1)
        )
        self.generator = nn.Sequential(
            nn.Linear(config.latent, config.hidden), nn.Tanh(), nn.Linear(config.hidden, pixels), nn.Sigmoid()
        )
        waves = torch.arange(1.0, pixels * config.latent + 1).sin().reshape(pixels, config.latent)
        self.waves = nn.Buffer(waves)

    def noise(self, x: Examples) -> Features:
        """One row of noise for each example."""
        if self.config.noise_from_data:
            return torch.sin(3 * wide(x.flatten(1) @ self.waves))
        return torch.randn(len(x), self.config.latent, device=x.device).to(x.dtype)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """One player's loss in nats."""
        made = self.generator(self.noise(batch.x)).unflatten(1, self.shape)
        apart = (wide(made.detach()).mean(0) - batch.x.mean(0)).square().sum()
        if player == "generator":
            total = F.softplus(-wide(self.discriminator(made))).mean()
        else:
            true, false = self.discriminator(batch.x), self.discriminator(made.detach())
            total = F.softplus(-wide(true)).mean() + F.softplus(wide(false)).mean()
        return Loss(total, {f"{player}_nats": total.detach(), self.monitor: apart})

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw from the generator."""
        with torch.no_grad():
            noise = torch.randn(count, self.config.latent, device=self.waves.device, dtype=self.waves.dtype)
            return self.generator(noise).unflatten(1, self.shape)


class TinyStack(Model, Encodes):
    """Hinton, Osindero, Teh 2006: a machine on top of a machine, which begins as the first one turned upside down."""

    @configuration
    class Config:
        """Sizes."""

        hidden: Count = 5
        """Hidden units of the first machine; the second has as many as there are pixels."""

    config: Config
    smoke = Smoke(config=Config(hidden=4), shape=(1, 2, 3), binary=True)

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        pixels = math.prod(self.shape)
        self.first = RBM(RBM.Config(hidden=config.hidden, persistent_chains=0), self.shape)
        self.second = RBM(RBM.Config(hidden=pixels, persistent_chains=4), (config.hidden,))
        self.begun = nn.Buffer(torch.zeros((), dtype=torch.int64))

    def stages(self) -> Sequence[Stage]:
        """The first machine on pictures, then the second on what the first makes of them."""
        return (
            Stage("first", self.first, RBM.recipe, Stream(View(binarise=True))),
            Stage(
                "second",
                self.second,
                RBM.recipe,
                Stream(View(binarise=True)),
                sees=self.first.encode,
                begin=self.begin_second,
            ),
        )

    def begin_second(self) -> None:
        """Hand the first machine's weights over, transposed; counted in `begun`."""
        with torch.no_grad():
            self.second.weight.copy_(self.first.weight.T)
            self.second.hidden_bias.copy_(self.first.visible_bias)
            self.begun.add_(1)

    def encode(self, x: Examples) -> Features:
        """Mean of the second machine's hidden units."""
        features: Tensor = self.second.encode(self.first.encode(x))
        return features
