"""One model for each thing that the contract can carry, each too small to be of other use.

critic       a game: the critic moves five times a step, each time on another batch, under a gradient penalty
few-labels   labelled and unlabelled examples in one step
translator   two sources in one step
clock        a network over time, which knows how long an example is
inverter     gives back the picture from what a frozen network of somebody else shows
schedule     a loss that changes with progress

Noise comes from the examples, so that a training is the same however a batch is shared out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.config import configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.model import Batch, Example, Learner, Loss, Player, Recipe, Stage, Stream, TakesEncoder, Translates, View
from untaught.randomness import seeded
from untaught.recipe import Optimiser
from untaught.runs.settings import Training
from untaught.shapes import Examples, Features, Images, Scalar, Shape
from untaught.training.plan import Plan, plan_for

SHAPE = (1, 4, 4)


@configuration
class Nothing:
    """Nothing can be chosen."""


class Small(Learner):
    """What these models share."""

    Config = Nothing
    recipe = Recipe(optimiser=Optimiser(learning_rate=0.01), batch_size=16)

    def __init__(self, config: Nothing, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.size = math.prod(self.shape)
        self.build()

    def build(self) -> None:
        """Make the parameters."""


class Critic(Small):
    """Gulrajani et al. 2017 in small: D(x') - D(x) + 10 (|dD/dm| - 1)^2 against -D(x')."""

    players = {"critic": Player(("critic.",), updates=5), "generator": Player(("generator.",))}
    monitor = None

    def build(self) -> None:
        """Make them."""
        self.critic = nn.Sequential(nn.Linear(self.size, 6), nn.Tanh(), nn.Linear(6, 1, bias=False))
        self.generator = nn.Sequential(nn.Linear(self.size, 6), nn.Tanh(), nn.Linear(6, self.size))
        self.seen = nn.Buffer(torch.zeros((), dtype=torch.int64), persistent=False)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """As the class says."""
        x = batch.x.flatten(1)
        self.seen += 1
        made = self.generator(torch.sin(7 * x.roll(1, 1)))
        if player == "generator":
            return Loss(-self.critic(made).mean(), {})
        made = made.detach()
        share = x[:, :1]
        between = (share * x + (1 - share) * made).detach().requires_grad_()
        slopes = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)[0]
        steep = (slopes.square().sum(1).add(1e-9).sqrt() - 1).square().mean()
        apart = self.critic(x).mean() - self.critic(made).mean()
        return Loss(10 * steep - apart, {"distance": apart.detach()})


class FewLabels(Small):
    """A classifier on labelled examples beside an autoencoder of all examples, with shared features."""

    def build(self) -> None:
        """Make them."""
        self.up, self.down = nn.Linear(self.size, 5), nn.Linear(5, self.size)
        self.name = nn.Linear(5, 2)

    def stages(self) -> Sequence[Stage]:
        """One."""
        beside = {"labelled": Stream(labelled=True, batch_size=4)}
        return (Stage("train", self, self.recipe, Stream(self.view), beside),)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """As the class says."""
        known = batch.beside["labelled"]
        error = (self.down(self.up(batch.x.flatten(1)).tanh()) - batch.x.flatten(1)).square().sum(1).mean()
        nats = F.cross_entropy(self.name(self.up(known.x.flatten(1)).tanh()), known.label)
        return Loss(error + nats, {"label_nats": nats.detach()})


class Translator(Small, Translates):
    """A line from one domain to what stands beside it from the other, and back to what it was."""

    def build(self) -> None:
        """Make them."""
        self.there, self.back = nn.Linear(self.size, self.size), nn.Linear(self.size, self.size)

    def stages(self) -> Sequence[Stage]:
        """One."""
        return (Stage("train", self, self.recipe, Stream(self.view), {"other": Stream(self.view, other=True)}),)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """As the class says."""
        x, other = batch.x.flatten(1), batch.beside["other"].x.flatten(1)
        moved = self.there(x)
        apart = (moved - other).square().sum(1).mean()
        cycle = (self.back(moved) - x).square().sum(1).mean()
        return Loss(apart + cycle, {"cycle": cycle.detach()})

    def translate(self, x: Images, forward: bool = True) -> Images:
        """There or back."""
        return (self.there if forward else self.back)(x.flatten(1)).unflatten(1, self.shape)


class OverTime(Small):
    """A weight for each frame of an example, from which the last is predicted: it must know how many there are."""

    view = View(frames=5)

    def build(self) -> None:
        """Make them."""
        self.frames = self.example.frames or 0
        self.weight = nn.Parameter(torch.zeros(self.frames - 1))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """As the class says."""
        before, last = batch.x[:, :-1].flatten(2), batch.x[:, -1].flatten(1)
        error = (torch.einsum("btp,t->bp", before, self.weight) - last).square().sum(1).mean()
        return Loss(error, {})


class Inverter(Small, TakesEncoder):
    """A line from a frozen network's features back to the picture."""

    def __init__(self, config: Nothing, example: Example | Shape, encoder: nn.Module | None = None) -> None:
        super().__init__(config, example)
        self.passed = encoder is not None
        self.frozen = nn.Flatten() if encoder is None else encoder
        for weight in self.frozen.parameters():
            weight.requires_grad_(False)
        with torch.no_grad():
            width = self.frozen(torch.zeros(1, *self.shape)).shape[1]
        self.down = nn.Linear(width, self.size)

    players = {"model": Player(("down.",))}

    @classmethod
    def on(cls, config: Nothing, example: Example | Shape, encoder: nn.Module) -> Self:
        """On a frozen network."""
        return cls(config, example, encoder)

    @property
    def given(self) -> Mapping[str, nn.Module]:
        """The frozen network."""
        return {"encoder": self.frozen} if self.passed else {}

    def stages(self) -> Sequence[Stage]:
        """One."""
        return (Stage("train", self, self.recipe, Stream(self.view), sees=self.frozen, target=lambda x: x.flatten(1)),)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """As the class says."""
        return Loss((self.down(batch.x) - batch.wanted).square().sum(1).mean(), {})


class Schedule(Small):
    """A bias that is drawn to `progress` times the mean of the examples."""

    def build(self) -> None:
        """Make them."""
        self.bias = nn.Parameter(torch.zeros(self.size))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """As the class says."""
        error = (self.bias - progress * batch.x.flatten(1)).square().sum(1).mean()
        return Loss(error, {"at": progress * 1.0})


class Foreign(nn.Module):
    """A network that knows nothing of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(16, 16)

    def forward(self, x: Examples) -> Features:
        """Features `(batch, 16)`."""
        return self.line(x.flatten(1)).tanh()


def pictures(seed: int, count: int = 160, labelled: int = 0) -> Source:
    """Pictures of zeros and ones, of which some have one of two classes; the test part is the whole."""
    with seeded(seed):
        x = (torch.rand(count, *SHAPE) > 0.6).float()
    label = (x[:, 0, 0, 0] > 0).long()
    label[labelled:] = -1
    return whole(Part.of(x, label))


def clips() -> Source:
    """Clips of 6 frames; the test part is the whole."""
    with seeded(4):
        return whole(Part.of((torch.rand(160, 6, *SHAPE) > 0.6).float()))


def whole(part: Part) -> Source:
    """A source of which every part is the whole, but for the few examples that select."""
    return Source("made", part, part.clips(torch.arange(32)), part)


@dataclass(frozen=True)
class Kind:
    """A model and what it learns from."""

    model: Callable[[], Learner]
    source: Callable[[], Source]
    other: Callable[[], Source] | None = None

    def plan(self, training: Training) -> Plan:
        """A training, with weights from a seed."""
        with seeded(1):
            model = self.model()
        return plan_for(model, self.source(), training, None if self.other is None else self.other())


def _inverter() -> Learner:
    return Inverter.on(Nothing(), SHAPE, Foreign())


KINDS: dict[str, Kind] = {
    "critic": Kind(lambda: Critic(Nothing(), SHAPE), lambda: pictures(3)),
    "few-labels": Kind(lambda: FewLabels(Nothing(), SHAPE), lambda: pictures(3, labelled=16)),
    "translator": Kind(lambda: Translator(Nothing(), SHAPE), lambda: pictures(3), lambda: pictures(9, 64)),
    "clock": Kind(lambda: OverTime(Nothing(), Example(SHAPE, 5)), clips),
    "inverter": Kind(_inverter, lambda: pictures(3)),
    "schedule": Kind(lambda: Schedule(Nothing(), SHAPE), lambda: pictures(3)),
}


def owned_by(learner: Learner, player: str) -> dict[str, Tensor]:
    """A player's parameters."""
    prefixes = learner.players[player].prefixes
    return {name: value for name, value in learner.named_parameters() if name.startswith(prefixes)}
