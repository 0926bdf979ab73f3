"""THE contract: what every system is, what it may be able to do, and how it is found.

    Model            a torch module built from a Config and what one example is
    └── Learner      a model with a loss, trained as it is
    Player           some of a learner's parameters, moved by a loss of their own
    Stage            one training of one learner; a model lists its stages
    Stream           what a stage draws from the data in each step
    capabilities     abstract classes that say what a model can do; everything asks `isinstance`

A system is one file in `models/`; the file's name is its name everywhere. `model_names` lists the folder,
`model_class` finds the one final class in a file.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
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
from untaught.capability import LatentVariable as LatentVariable
from untaught.capability import LogLikelihood as LogLikelihood
from untaught.capability import LowerBound as LowerBound
from untaught.capability import Predicts as Predicts
from untaught.capability import Reconstructs as Reconstructs
from untaught.capability import Samples as Samples
from untaught.capability import Scores as Scores
from untaught.capability import Side as Side
from untaught.capability import TakesEncoder as TakesEncoder
from untaught.capability import Translates as Translates
from untaught.data.view import Batch as Batch
from untaught.data.view import View as View
from untaught.errors import ConfigError
from untaught.recipe import Optimiser as Optimiser
from untaught.recipe import Recipe as Recipe
from untaught.shapes import Example as Example
from untaught.shapes import Examples, Features, Scalar, Shape


@dataclass(frozen=True)
class Loss:
    """What a player minimises, and what is reported."""

    total: Scalar
    """The number whose gradient is followed."""
    parts: dict[str, Scalar]
    """Named numbers for the record, without gradient; a name ends in its unit, `reconstruction_nats`."""


@dataclass(frozen=True)
class Usual:
    """What suits some examples where nothing is said, and why."""

    config: Mapping[str, Any] = field(default_factory=lambda: {})
    """Fields of the model's `Config`."""
    view: View | None = None
    """How batches are cut; none leaves it to `Model.view_of`."""
    recipe: Recipe | None = None
    """How the last stage is trained; none leaves it to the model."""
    because: str = ""
    """What in the examples decided so, in words for the person who trains."""


class Model(nn.Module, ABC):
    """A system: built from its `Config` and what one example is, trained in stages.

    The subclass defines a nested `Config` (made by `configuration`, a docstring under each field), `recipe`,
    `smoke`, and what its capabilities ask for. Every class is abstract or final.
    """

    Config: ClassVar[type[Any]]
    recipe: Recipe = Recipe()
    """How parameters are moved; a plan that chose another by the data puts it here."""
    view: View = View()
    """How batches are cut as a rule; `view_of` says it for one configuration, and a plan puts here what it decided."""
    smoke: ClassVar[Smoke]
    """A configuration small enough for exact checks."""
    known_failures: ClassVar[dict[str, str]] = {}
    """Checks of the battery that this model cannot pass, with the reason."""
    adapts: ClassVar[dict[str, str]] = {}
    """Fields of `Config` that `usual` may choose, each with how it is chosen, for help and documentation."""

    config: Any
    example: Example
    """What the model was built for."""

    @property
    def shape(self) -> Shape:
        """One example's shape; of video, one frame's."""
        return self.example.shape

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """What suits such examples where nothing is said.

        Args:
            example: A whole example, before any view: of video, the longest clip's length.
            sample: Some examples of the training part in the source's own range, single frames of video.
        """
        del example, sample
        return Usual()

    @classmethod
    def view_of(cls, config: Any) -> View:
        """How batches are cut for one configuration, unless the caller says otherwise."""
        del config
        return cls.view

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """What is trained after what."""


@dataclass(frozen=True)
class Player:
    """Some of a learner's parameters, moved by a loss of their own."""

    prefixes: tuple[str, ...] = ("",)
    """What the names of its parameters begin with."""
    optimiser: Optimiser | None = None
    """How they are moved; none takes the recipe's."""
    updates: int = 1
    """Updates in one step, each on a batch of its own."""


class Learner(Model):
    """A model with a loss of its own.

    Attributes:
        players: The players by name, moved in turn.
        monitor: The held-out part that must fall, or `total`; None where no number must, as in many games of two
            players: then the last weights are kept and not the best.
    """

    players: Mapping[str, Player] = {"model": Player()}
    monitor: str | None = "total"

    @abstractmethod
    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """One player's loss on a batch; `progress` runs from 0 to 1 through the stage, on the device."""

    def held_out(self, batch: Batch, player: str) -> Loss:
        """What is measured on held-out data: the loss at the end of every schedule, one number from first to last.

        Gradients may be taken in it. Buffers are put back afterwards.
        """
        return self.loss(batch, player, torch.ones((), device=batch.x.device))

    def prepare(self, sample: Batch) -> None:
        """Look at a sample of the training data, once per stage before its first step."""
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
    """Whether it has labelled examples alone."""
    other: bool = False
    """Whether it is drawn from the second source (`--other`)."""
    batch_size: int | None = None
    """Examples in one step; none takes the recipe's."""


@dataclass(frozen=True)
class Stage:
    """One training in a row of trainings."""

    name: str
    learner: Learner
    recipe: Recipe
    stream: Stream
    """What a step draws, and what epochs count."""
    beside: Mapping[str, Stream] = field(default_factory=lambda: {})
    """What it draws beside that, by the names under which the batch has it; each begins anew when it is through."""
    sees: Callable[[Tensor], Tensor] | None = None
    """Turns examples into what the learner is shown, such as the features of a part that is frozen; no gradient."""
    target: Callable[[Tensor], Tensor] | None = None
    """Turns examples, before `sees`, into what is to be given back; none asks for what is shown."""
    begin: Callable[[], None] | None = None
    """Hands weights over from the stage before; runs once, and never on resume."""


@dataclass(frozen=True)
class Smoke:
    """A model small enough for exact checks, and examples that fit it."""

    config: Any
    shape: Shape
    frames: int | None = None
    """Length of the clips, for models of video."""
    binary: bool = False
    """Whether examples must be 0 or 1."""
    classes: int = 0
    """Classes of the examples' labels; 0 for models that look at none."""

    @property
    def example(self) -> Example:
        """What the model is built for."""
        return Example(self.shape, self.frames)


class Encoding(nn.Module):
    """A model that encodes, or any network, as an encoder that stands inside another model.

    Args:
        encoder: A model that encodes, or a network from a batch of examples to features.
        view: How the encoder saw the data that it learnt from; none where it does not matter.
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
        """Features of examples, with gradient where the encoder passes one."""
        return self.model.encode(x) if isinstance(self.model, Encodes) else self.model(x)


def untrained(model: Model) -> Model:
    """The same network with new weights from torch's ambient generator, networks that were given to it too."""
    given: dict[str, nn.Module] = {}
    for name in {"encoder", "decoder"} & inspect.signature(type(model)).parameters.keys():
        child = getattr(model, name)
        if isinstance(child, Encoding):
            fresh = untrained(child.model) if isinstance(child.model, Model) else _reset(copy.deepcopy(child.model))
            given[name] = Encoding(fresh, child.view)
        elif isinstance(child, nn.Module) and type(child).__module__.partition(".")[0] != "untaught":
            given[name] = _reset(copy.deepcopy(child))
    return type(model)(model.config, model.example, **given)


def _reset(network: nn.Module) -> nn.Module:
    """New weights for a network of the caller's own, in those of its layers that can draw them, as torch's can."""
    for module in network.modules():
        reset = getattr(module, "reset_parameters", None)
        if reset is not None:
            reset()
    return network


def capabilities(model: type[Model]) -> tuple[str, ...]:
    """Names of what a model can do, from its bases."""
    return tuple(kind.__name__ for kind in CAPABILITIES if issubclass(model, kind))


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
    module = importlib.import_module("untaught.models." + name.replace("-", "_"))
    own = [cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    final = [cls for cls in own if issubclass(cls, Model) and not inspect.isabstract(cls)]
    if len(final) != 1:
        raise TypeError(f"{module.__name__} must define exactly one final model, not {len(final)}")
    return final[0]


def model_name(model: Model | type[Model]) -> str:
    """The name by which commands know a model."""
    cls = model if isinstance(model, type) else type(model)
    return cls.__module__.rsplit(".", 1)[-1].replace("_", "-")
