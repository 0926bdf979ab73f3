"""Cycle-consistent adversarial networks: pictures of one kind become pictures of another, learnt without pairs.

    y' = G(x),   x' = F(y)                                                   (1)
    L_fool = <(B(y') - 1)^2> + <(A(x') - 1)^2>                               (2)
    L_cycle = <|F(y') - x|> + <|G(x') - y|>                                  (3)
    L_same = <|F(x) - x|> + <|G(y) - y|>                                     (4)
    L_GF = L_fool + c (L_cycle + i L_same)                                   (5)
    L_AB = (<(B(y) - 1)^2> + <B(y'')^2> + <(A(x) - 1)^2> + <A(x'')^2>) / 2   (6)

x is a picture of the first source, y one of the second; nothing says which belong together. The translators G and F
are one player, the discriminators A and B, which judge every part of a picture by itself, the other. |.| is the mean
absolute difference of two pictures, x'' and y'' are translations, some of which were made in earlier steps. Each
discriminator sees to it that translations look like its source; that they keep anything of what they were made from is
due to the way back, (3), alone. It also holds where a 3 always becomes the same 5, so that labels may be lost:
`untaught evaluate RUN --measure translation` says how many are kept, where both sources have them.

The weights that are kept are the last ones whose translations are about as near to held-out pictures of their kind as
those of the best, by the energy distance between the two sets, mean over both ways.

References:
    Zhu, Park, Isola, Efros (2017). Unpaired image-to-image translation using cycle-consistent adversarial networks.
    ICCV.
    Mao, Li, Xie, Lau, Wang, Smolley (2017). Least squares generative adversarial networks. ICCV.

Departures:
    Networks are a quarter as wide by default, with 3 blocks in place of 6 or 9, and batches have 16 pictures. (4) has
    no weight by default, as in the paper outside of paintings (the authors' code has i = 0.5): of digits and inverted
    digits it made translators that change the background alone, so that the hole of a 0 became a 1. The learning rate
    is 5e-4 where the paper has 2e-4, and falls from the beginning. The weights that are kept are running averages.
    Each player makes its translations anew. Translators add to what they are given, or to its negative, by a shortcut
    that the paper's have not: from random weights few minutes gave blurred faces of nobody, and beginning at what is
    given turned the background alone of inverted digits. Zeros around maps, and enlarging by repeated values, as in
    `untaught.nn.adversarial.translator_network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Translates
from untaught.config import Count, NonNegative, Whole, configuration
from untaught.data.view import beyond_unit
from untaught.errors import ConfigError
from untaught.layerwise.suited import CONVOLVED, in_patches, patches_told
from untaught.layerwise.wide_range import OUTSIDE
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Player, Recipe, Smoke, Stage, Stream, Usual
from untaught.nn.adversarial.energy_distance import LATER, energy_distance
from untaught.nn.adversarial.patch_discriminator import PatchDiscriminator, Verdicts
from untaught.nn.adversarial.picture_pool import PicturePool
from untaught.nn.adversarial.translator_network import TranslatorNetwork
from untaught.shapes import Images, Scalar, Shape

LOOKED_AT = 256
"""Pictures of each kind by which it is decided how translators begin."""
Others = Float[Tensor, "other channel height width"]
"""Pictures of the second source, as many as there are."""


class CycleGAN(Learner, Translates):
    """Two translators, each against a discriminator.

    Example:
        >>> model = CycleGAN(CycleGAN.Config(maps=4, blocks=1), (3, 20, 31))
        >>> x = torch.rand(2, 3, 20, 31)
        >>> model.translate(x).shape, model.translate(x, forward=False).shape
        (torch.Size([2, 3, 20, 31]), torch.Size([2, 3, 20, 31]))
    """

    def translate(self, x: Images, forward: bool = True) -> Images:
        """Pictures of the other kind, equation (1)."""
        return self.translators["there" if forward else "back"](x)

    def fooling(self, there: Images, back: Others) -> Scalar:
        """How far discriminators are from taking translations for real, equation (2)."""
        return _verdict(self.discriminators["second"](there), 1) + _verdict(self.discriminators["first"](back), 1)

    def cycle_error(self, x: Images, y: Others, there: Images, back: Others) -> Scalar:
        """How far pictures are from what comes back of their translations, equation (3)."""
        return _apart(self.translate(there, forward=False), x) + _apart(self.translate(back), y)

    def identity_error(self, x: Images, y: Others) -> Scalar:
        """How far a translator changes what is already of its kind, equation (4)."""
        return _apart(self.translate(x, forward=False), x) + _apart(self.translate(y), y)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (5) of the translators, (6) of the discriminators."""
        x, y = batch.x, batch.beside["other"].x
        if player == "discriminators":
            return self._judging(x, y)
        there, back = self.translate(x), self.translate(y, forward=False)
        fooling, cycle = self.fooling(there, back), self.cycle_error(x, y, there, back)
        total = fooling + self.config.cycle * cycle
        if self.config.identity:
            total = total + self.config.cycle * self.config.identity * self.identity_error(x, y)
        told = {"fooling_squared_error": fooling.detach(), "cycle_absolute_error": cycle.detach() / 2}
        return Loss(total, told)

    def _judging(self, x: Images, y: Others) -> Loss:
        """Equation (6)."""
        with torch.no_grad():
            made = {"first": self.translate(y, forward=False), "second": self.translate(x)}
            made = {name: self.pools[name](pictures) for name, pictures in made.items()}
        total = x.new_zeros(())
        for name, real in (("first", x), ("second", y)):
            judge = self.discriminators[name]
            total = total + 0.5 * (_verdict(judge(real), 1) + _verdict(judge(made[name]), 0))
        return Loss(total, {"judging_squared_error": total.detach()})

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The losses on held-out pictures, and the energy distance of translations from those of their kind."""
        loss = self.loss(batch, player, torch.ones((), device=batch.x.device))
        if player == "discriminators":
            return loss
        x, y = batch.x, batch.beside["other"].x
        with torch.no_grad():
            ways = energy_distance(y, self.translate(x)), energy_distance(x, self.translate(y, forward=False))
        return Loss(loss.total, {**loss.parts, "energy_distance": (ways[0] + ways[1]) / 2})

    @configuration
    class Config:
        """The networks, and what holds the two ways together."""

        maps: Count = 16
        """Maps of the first layer of each network; halving a picture doubles them."""
        blocks: Count = 3
        """Blocks of a translator."""
        halvings: Whole | None = None
        """How often a translator halves pictures; none takes 2, or as many as leave 8 pixels."""
        cycle: NonNegative = 10.0
        """Weight c of the way back, equation (5)."""
        identity: NonNegative = 0.0
        """Weight i, beside it, of leaving alone what is already of the kind, equation (5); 0.5 for paintings."""
        pool: Whole = 50
        """Translations of each kind that are kept for the discriminators."""
        shortcut: bool = True
        """Whether a translator adds to what it is given, or to its negative where that is nearer to the other kind."""
        output: Literal["sigmoid", "linear"] = "sigmoid"
        """Values of translations: between 0 and 1, or any numbers."""

    adapts = {"output": f"linear {OUTSIDE}", **patches_told(CONVOLVED)}
    monitor = "energy_distance"
    tolerance = LATER
    recipe = Recipe(optimiser=Optimiser(learning_rate=5e-4, betas=(0.5, 0.999)), batch_size=16, average=0.99)
    # From what is given, twenty steps lead nowhere yet: the discriminators must first see a difference.
    smoke = Smoke(config=Config(maps=4, blocks=1, pool=0, shortcut=False), shape=(1, 4, 4))
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the four networks.

        Raises:
            ConfigError: Examples are vectors.
            SizeError: Pictures are too small.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        if len(self.shape) != 3:
            raise ConfigError(f"this translates pictures, and examples are vectors of {self.shape[0]} numbers")
        networks = {name: self._translator() for name in ("there", "back")}
        self.translators = nn.ModuleDict(networks)
        self.discriminators = nn.ModuleDict({name: self._discriminator() for name in ("first", "second")})
        self.pools = nn.ModuleDict({name: PicturePool(config.pool, self.shape) for name in ("first", "second")})
        self.players = {"discriminators": Player(("discriminators.",)), "translators": Player(("translators.",))}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear outputs where some values lie outside [0, 1]; patches of few large pictures."""
        beyond = beyond_unit(sample.x)
        linear = Usual({"output": "linear"}, because=f"{beyond}, not from 0 to 1") if beyond else Usual()
        return in_patches(cls, [linear, Usual()] if beyond else [linear], example, sample, CONVOLVED)

    def prepare(self, sample: Batch) -> None:
        """Let translators begin at the negative of what they are given where that is nearer to the other kind."""
        if "other" not in sample.beside:
            return
        x, y = sample.x[:LOOKED_AT], sample.beside["other"].x[:LOOKED_AT]
        negative = 1 - x if self.config.output == "sigmoid" else -x
        sign = 1.0 if energy_distance(y, x) <= energy_distance(y, negative) else -1.0
        for network in self.translators.children():
            network.get_buffer("sign").fill_(sign)

    def stages(self) -> Sequence[Stage]:
        """One, on pictures of both sources.

        Raises:
            ConfigError: Values are to be standardised.
        """
        if self.view.standardise != "none":
            raise ConfigError("--standardise: values of both kinds are translated as they are; leave it out")
        other = Stream(self.view, other=True)
        return (Stage("train", self, self.recipe, Stream(self.view), {"other": other}),)

    def _translator(self) -> TranslatorNetwork:
        own = self.config
        return TranslatorNetwork(self.shape, own.maps, own.blocks, own.halvings, own.output, own.shortcut)

    def _discriminator(self) -> PatchDiscriminator:
        return PatchDiscriminator(self.shape, self.config.maps, self.config.output == "sigmoid")


def _verdict(judged: Verdicts, wanted: float) -> Scalar:
    """Mean squared distance of verdicts from what is wanted."""
    return (judged - wanted).square().mean()


def _apart(one: Images, other: Images) -> Scalar:
    """Mean absolute difference."""
    return (one - other).abs().mean()
