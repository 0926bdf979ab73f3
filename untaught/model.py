"""THE contract: what every system is, what it may be able to do, and how it is found.

    Model            a torch module built from a Config and the shape of one example
    └── Learner      a model with a loss, trained as it is
    Stage            one training of one learner; a model lists its stages
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, cast

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
from untaught.capability import Translates as Translates
from untaught.data.view import Batch as Batch
from untaught.data.view import View as View
from untaught.errors import ConfigError
from untaught.recipe import Optimiser as Optimiser
from untaught.recipe import Recipe as Recipe
from untaught.shapes import Examples, Features, Scalar, Shape


@dataclass(frozen=True)
class Loss:
    """What a player minimises, and what is reported."""

    total: Scalar
    """The number whose gradient is followed."""
    parts: dict[str, Scalar]
    """Named numbers for the record, without gradient; a name ends in its unit, `reconstruction_nats`."""


class Model(nn.Module, ABC):
    """A system: built from its `Config` and the shape of one example, trained in stages.

    The subclass defines a nested `Config` (made by `configuration`, a docstring under each field), `recipe`,
    `smoke`, and what its capabilities ask for. Every class is abstract or final.
    """

    Config: ClassVar[type[Any]]
    recipe: ClassVar[Recipe] = Recipe()
    view: ClassVar[View] = View()
    """How batches are cut as a rule; `view_of` says it for one configuration."""
    smoke: ClassVar[Smoke]
    """A configuration small enough for exact checks."""
    known_failures: ClassVar[dict[str, str]] = {}
    """Checks of the battery that this model cannot pass, with the reason."""

    config: Any
    shape: Shape

    @classmethod
    def view_of(cls, config: Any) -> View:
        """How batches are cut for one configuration, unless the caller says otherwise."""
        del config
        return cls.view

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """What is trained after what."""


class Learner(Model):
    """A model with a loss of its own.

    Attributes:
        players: Name of each player and the prefixes of its parameters; players are optimised in turn.
        monitor: The part of the loss that must fall where `total` is a surrogate, or `total`; None where no number
            must, as in a game of two players: then the last weights are kept and not the best.
    """

    players: dict[str, tuple[str, ...]] = {"model": ("",)}
    monitor: str | None = "total"

    @abstractmethod
    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """One player's loss on a batch; `progress` runs from 0 to 1 through the stage, on the device."""

    def prepare(self, sample: Batch) -> None:
        """Look at a sample of the training data, once per stage before its first step."""
        del sample

    def stages(self) -> Sequence[Stage]:
        """One stage: this learner."""
        return (Stage(name="train", learner=self, view=self.view_of(self.config), recipe=self.recipe),)


@dataclass(frozen=True)
class Stage:
    """One training in a row of trainings."""

    name: str
    learner: Learner
    view: View
    recipe: Recipe
    sees: Callable[[Tensor], Tensor] | None = None
    """Turns a batch's examples into the features that this stage is trained on; without gradient."""
    begin: Callable[[], None] | None = None
    """Hands weights over from the stage before; runs once, and never on resume."""
    labelled: bool = False
    """Whether it is shown labelled examples alone."""


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


class Encoding(nn.Module):
    """A model that encodes as a network from examples to features, to stand inside another model."""

    def __init__(self, model: Model) -> None:
        """Take a model's encoder.

        Raises:
            ConfigError: The model does not encode.
        """
        super().__init__()
        if not isinstance(model, Encodes):
            raise ConfigError(f"{model_name(model)} does not encode, so it cannot be another model's encoder")
        self.model = model

    def forward(self, x: Examples) -> Features:
        """Features of examples, with gradient."""
        return cast(Encodes, self.model).encode(x)


def untrained(model: Model) -> Model:
    """The same network with new weights from torch's ambient generator, networks that were given to it too."""
    given: dict[str, nn.Module] = {}
    for name in {"encoder", "decoder"} & inspect.signature(type(model)).parameters.keys():
        child = getattr(model, name)
        if isinstance(child, Encoding):
            given[name] = Encoding(untrained(child.model))
        elif isinstance(child, nn.Module) and type(child).__module__.partition(".")[0] != "untaught":
            given[name] = _reset(copy.deepcopy(child))
    return type(model)(model.config, model.shape, **given)


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
