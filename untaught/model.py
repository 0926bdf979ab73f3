"""The contract: what every system is, what it may be able to do, and how it is found.

    Model            a torch module built from a Config and an example's shape
    └── Learner      a model with a loss of its own, trained in one stage
    Player           a subset of a learner's parameters, with a loss of their own
    Stage            one training of one learner; a model lists its stages
    Stream           what a stage draws from the data in each step
    capabilities     abstract classes that state what a model can do; tested by `isinstance`

A system is one file in `models/`; the file's name is its name everywhere. `model_names` lists the folder,
`model_class` finds the one final class in a file.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from types import ModuleType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from untaught.capability import CAPABILITIES as CAPABILITIES
from untaught.capability import Activations as Activations
from untaught.capability import Classifies as Classifies
from untaught.capability import Completes as Completes
from untaught.capability import Decodes as Decodes
from untaught.capability import Encodes as Encodes
from untaught.capability import Energy as Energy
from untaught.capability import Filters as Filters
from untaught.capability import Generates as Generates
from untaught.capability import LatentVariable as LatentVariable
from untaught.capability import Layered as Layered
from untaught.capability import LogLikelihood as LogLikelihood
from untaught.capability import LowerBound as LowerBound
from untaught.capability import Poses as Poses
from untaught.capability import Predicts as Predicts
from untaught.capability import PredictsMotion as PredictsMotion
from untaught.capability import Reconstructs as Reconstructs
from untaught.capability import Samples as Samples
from untaught.capability import Scores as Scores
from untaught.capability import Side as Side
from untaught.capability import TakesEncoder as TakesEncoder
from untaught.capability import Translates as Translates
from untaught.config import values
from untaught.data.view import Batch as Batch
from untaught.data.view import View as View
from untaught.errors import ConfigError
from untaught.recipe import Optimiser as Optimiser
from untaught.recipe import Recipe as Recipe
from untaught.shapes import Example as Example
from untaught.shapes import Examples, Features, Scalar, Shape


@dataclass(frozen=True)
class Loss:
    """The loss that a player minimises, and its parts to report."""

    total: Scalar
    """The number that is minimised."""
    parts: dict[str, Scalar]
    """Named numbers to report, detached; a name ends in its unit, `reconstruction_nats`."""


@dataclass(frozen=True)
class Usual:
    """Settings that suit given examples, used where the user sets none, and the reason."""

    config: Mapping[str, Any] = field(default_factory=lambda: {})
    """Fields of the model's `Config`."""
    view: View | None = None
    """How batches are cut; None uses `Model.view_of`."""
    recipe: Recipe | None = None
    """How the last stage is trained; None uses the model's recipe."""
    because: str = ""
    """What in the examples led to these choices, in words for the user."""
    instead: Usual | None = None
    """Settings that suit where the user set one of these fields otherwise; None: none of them."""


class Model(nn.Module, ABC):
    """A system: built from its `Config` and an example's shape, trained in stages.

    The subclass defines a nested `Config` (made by `configuration`, a docstring under each field), `recipe`,
    `smoke`, and the methods of its capabilities. Every class is abstract or final.
    """

    Config: ClassVar[type[Any]]
    recipe: Recipe = Recipe()
    """How parameters are updated; replaced by a plan that chose another recipe from the data."""
    view: View = View()
    """How batches are cut by default; `view_of` gives it for one configuration, and a plan stores its choice here."""
    smoke: ClassVar[Smoke]
    """A configuration small enough for exact checks."""
    known_failures: ClassVar[dict[str, str]] = {}
    """Checks of the battery that this model cannot pass, with the reason."""
    known_shortfalls: ClassVar[dict[str, str]] = {}
    """Measures in which its defaults may be worse than the trivial answer, with the reason: `reconstruction`,
    `prediction`, or `features` for what a linear classifier finds in them."""
    adapts: ClassVar[dict[str, str]] = {}
    """Fields of `Config` that `usual` may choose, each with the rule, for help and documentation."""

    config: Any
    example: Example
    """What the model was built for."""

    @property
    def shape(self) -> Shape:
        """One example's shape; for video, one frame's."""
        return self.example.shape

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Settings that suit such examples, used where the user sets none.

        Args:
            example: A whole example, before any view; for video, with the length of the longest clip.
            sample: Some examples of the training part in the source's own range; single frames for video.
        """
        del example, sample
        return Usual()

    @classmethod
    def view_of(cls, config: Any) -> View:
        """How batches are cut for one configuration, unless the caller says otherwise."""
        del config
        return cls.view

    @classmethod
    def takes_probabilities(cls, config: Any) -> bool:
        """Whether values are probabilities of ones for one configuration, so that none may lie outside [0, 1].

        By default: where the view binarises.
        """
        return cls.view_of(config).binarise

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """The stages of training, in order."""


@dataclass(frozen=True)
class Player:
    """A subset of a learner's parameters, with a loss of their own."""

    prefixes: tuple[str, ...] = ("",)
    """Prefixes of its parameters' names."""
    optimiser: Optimiser | None = None
    """How they are updated; None uses the recipe's optimiser."""
    updates: int = 1
    """Updates in one step, each on a batch of its own."""


class Learner(Model):
    """A model with a loss of its own.

    Attributes:
        players: The players by name, updated in turn.
        monitor: The part of the held-out loss, or `total`, by which the best weights are chosen. None where no number
            is expected to fall, as in many games of two players: then the last weights are kept.
        begins_solved: Whether the weights that `prepare` leaves are a solution already; then they are measured before
            the first step, and kept if none that follow are better.
        tolerance: Fraction by which the monitored number may exceed the lowest so far while later weights are still
            preferred; above 0 where what is held out is small, so that differences of some per cent are chance.
        negligible: The same as a difference of the monitored number, where that may be near 0.
    """

    players: Mapping[str, Player] = {"model": Player()}
    monitor: str | None = "total"
    begins_solved: bool = False
    tolerance: float = 0.0
    negligible: float = 0.0

    @abstractmethod
    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """One player's loss on a batch; `progress` runs from 0 to 1 through the stage, on the device."""

    def held_out(self, batch: Batch, player: str) -> Loss:
        """What is measured on held-out data: the loss at the end of every schedule, the same measure at every step.

        Gradients may be taken in it. Buffers are restored afterwards.
        """
        return self.loss(batch, player, torch.ones((), device=batch.x.device))

    def prepare(self, sample: Batch) -> None:
        """Look at a sample of the training data, and of the other streams, once per stage before its first step."""
        del sample

    def stages(self) -> Sequence[Stage]:
        """One stage: this learner."""
        return (Stage("train", self, self.recipe, Stream(self.view)),)


@dataclass(frozen=True)
class Stream:
    """What a stage draws from the data in each step."""

    view: View = View()
    """How it is cut."""
    labelled: bool = False
    """Whether it has only labelled examples."""
    other: bool = False
    """Whether it is drawn from the second source (`--other`)."""
    batch_size: int | None = None
    """Examples in one step; None uses the recipe's batch size."""


@dataclass(frozen=True)
class Stage:
    """One of several trainings that follow one another."""

    name: str
    learner: Learner
    recipe: Recipe
    stream: Stream
    """What a step draws; epochs count passes over it."""
    beside: Mapping[str, Stream] = field(default_factory=lambda: {})
    """Further streams that a step draws, by their names in `batch.beside`; each starts again when it is exhausted."""
    sees: Callable[[Tensor], Tensor] | None = None
    """Turns examples into the learner's input, such as features of a frozen part; without gradient."""
    target: Callable[[Tensor], Tensor] | None = None
    """Turns examples, before `sees`, into the target of reconstruction; None: the target is the input."""
    begin: Callable[[], None] | None = None
    """Takes weights over from the stage before; runs once, and not when a training is resumed."""
    time: float = 1.0
    """Its part of the time of a training that is given in minutes, beside those of the other stages."""


@dataclass(frozen=True)
class Smoke:
    """A model small enough for exact checks, and examples that fit it."""

    config: Any
    shape: Shape
    frames: int | None = None
    """Frames per clip, for models of video."""
    binary: bool = False
    """Whether examples must be 0 or 1."""
    classes: int = 0
    """Number of classes of the examples' labels; 0 for models that use no labels."""

    @property
    def example(self) -> Example:
        """What the model is built for."""
        return Example(self.shape, self.frames)


class Encoding(nn.Module):
    """A model that encodes, or any network, as an encoder inside another model.

    Args:
        encoder: A model that encodes, or a network from a batch of examples to features.
        view: The view under which the encoder was trained; None if unknown or irrelevant.
    """

    def __init__(self, encoder: nn.Module, view: View | None = None) -> None:
        """Take an encoder.

        Raises:
            ConfigError: It is a model that does not encode.
        """
        super().__init__()
        if isinstance(encoder, Model) and not isinstance(encoder, Encodes):
            raise ConfigError(f"{model_name(encoder)} does not encode, so it cannot be another model's encoder")
        self.model = encoder
        self.view = encoder.view if view is None and isinstance(encoder, Model) else view

    def forward(self, x: Examples) -> Features:
        """Features of examples; differentiable where the encoder is."""
        return self.model.encode(x) if isinstance(self.model, Encodes) else self.model(x)


def view_on(encoder: nn.Module | None, usual: View) -> View:
    """The view of a model on an encoder: that under which the encoder was trained, without draws, if it is known."""
    own = encoder.view if isinstance(encoder, Encoding) else None
    return usual if own is None else own.undrawn


def untrained(model: Model) -> Model:
    """The same network with new weights from torch's ambient generator, including networks that were given to it."""
    given = model.given if isinstance(model, TakesEncoder) else {}
    fresh = {name: _drawn_anew(network) for name, network in given.items()}
    return type(model)(model.config, model.example, **fresh)


def _drawn_anew(network: nn.Module) -> nn.Module:
    """A copy of a network with new weights."""
    match network:
        case Model():
            return untrained(network)
        case Encoding():
            return Encoding(_drawn_anew(network.model), network.view)
        case _:
            return _reset(copy.deepcopy(network))


def _reset(network: nn.Module) -> nn.Module:
    """Draw new weights in place, in every layer that has `reset_parameters`."""
    for module in network.modules():
        reset = getattr(module, "reset_parameters", None)
        if reset is not None:
            reset()
    return network


def capabilities(model: type[Model]) -> tuple[str, ...]:
    """Names of what a model can do, from its bases."""
    return tuple(kind.__name__ for kind in CAPABILITIES if issubclass(model, kind))


def in_words(capability: str) -> str:
    """The name of a capability as a person reads it.

    Example:
        >>> in_words("LowerBound"), in_words("Encodes")
        ('lower bound', 'encodes')
    """
    return re.sub(r"(?<!^)(?=[A-Z])", " ", capability).lower()


def learns_classes(model: type[Model]) -> bool:
    """Whether a model always learns classes; their number, `Config.classes`, is that of the data by default.

    Example:
        >>> [name for name in ("softmax", "vae") if learns_classes(model_class(name))]
        ['softmax']
    """
    return bool(values(model.Config()).get("classes"))


def makes_of_draws(model: Model) -> bool:
    """Whether pictures are made of drawn codes alone: nothing says what the code of an example is.

    Example:
        >>> [makes_of_draws(cls(cls.Config(), (1, 4, 4))) for cls in map(model_class, ("gan", "vae"))]
        [True, False]
    """
    return isinstance(model, Generates) and not (isinstance(model, Encodes) and isinstance(model, Decodes))


def model_names() -> tuple[str, ...]:
    """Every system, by the name that commands use."""
    folder = importlib.import_module("untaught.models")
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(folder.__path__)))


def model_class(name: str) -> type[Model]:
    """The one final model class in the file of that name.

    Raises:
        ConfigError: There is no such file.
    """
    if name not in model_names():
        close = get_close_matches(name, model_names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(model_names())}"
        raise ConfigError(f"no model is called {name!r}; {hint}")
    return _only_model(importlib.import_module("untaught.models." + name.replace("-", "_")))


@cache
def _only_model(module: ModuleType) -> type[Model]:
    own = [cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    final = [cls for cls in own if issubclass(cls, Model) and not inspect.isabstract(cls)]
    if len(final) != 1:
        raise TypeError(f"{module.__name__} must define exactly one final model, not {len(final)}")
    return final[0]


def model_name(model: Model | type[Model]) -> str:
    """The name of a model in commands."""
    cls = model if isinstance(model, type) else type(model)
    return cls.__module__.rsplit(".", 1)[-1].replace("_", "-")
