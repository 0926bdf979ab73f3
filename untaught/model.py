"""THE contract: what every system is, what it may be able to do, and how it is found.

    Model            a torch module built from a Config and the shape of one example
    └── Learner      a model with a loss, trained as it is
    Stage            one training of one learner; a model lists its stages
    capabilities     abstract classes that say what a model can do; everything asks `isinstance`

A system is one file in `models/`; the file's name is its name everywhere. `model_names` lists the folder,
`model_class` finds the one final class in a file.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from untaught.data.view import Batch as Batch
from untaught.data.view import View as View
from untaught.errors import ConfigError
from untaught.recipe import Optimiser as Optimiser
from untaught.recipe import Recipe as Recipe
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape, Video


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
    """How batches are cut unless the caller says otherwise."""
    smoke: ClassVar[Smoke]
    """A configuration small enough for exact checks."""
    known_failures: ClassVar[dict[str, str]] = {}
    """Checks of the battery that this model cannot pass, with the reason."""

    config: Any
    shape: Shape

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
        return (Stage(name="train", learner=self, view=self.view, recipe=self.recipe),)


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


@dataclass(frozen=True)
class Smoke:
    """A model small enough for exact checks, and examples that fit it."""

    config: Any
    shape: Shape
    frames: int | None = None
    """Length of the clips, for models of video."""
    binary: bool = False
    """Whether examples must be 0 or 1."""


class Encodes(ABC):
    """Gives features."""

    @abstractmethod
    def encode(self, x: Examples) -> Features:
        """Describe each example by a vector; deterministic, a mean and not a draw."""


class Decodes(ABC):
    """Makes examples from features."""

    @abstractmethod
    def decode(self, features: Features) -> Examples:
        """Make the examples that the features describe."""


class Reconstructs(ABC):
    """Gives back what it saw, through its bottleneck."""

    @abstractmethod
    def reconstruct(self, x: Examples) -> Examples:
        """Give back each example (a video model: the frames that it can predict, from the second on)."""


class Samples(ABC):
    """Draws new examples."""

    @abstractmethod
    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw `count` examples, of one class where the model knows classes."""


class Predicts(ABC):
    """Continues video."""

    @abstractmethod
    def predict(self, context: Video, frames: int) -> Video:
        """Predict the next `frames` frames after the context, from its own predictions from the second on."""


class Classifies(ABC):
    """Gives class probabilities."""

    @abstractmethod
    def class_probabilities(self, x: Examples) -> Features:
        """Probability of each class, `(batch, class)`."""


@dataclass(frozen=True)
class LogLikelihood:
    """Nats per example, and what kind of number they are."""

    nats: PerExample
    kind: Literal["exact", "lower bound", "estimate"]


class Scores(ABC):
    """Gives log-likelihoods."""

    @abstractmethod
    def log_likelihood(self, x: Examples) -> LogLikelihood:
        """Log-likelihood of each example in nats."""


class Energy(ABC):
    """Has an energy with the hidden units summed out, and a Markov chain that leaves exp(-energy) unchanged."""

    @abstractmethod
    def free_energy(self, visible: Tensor) -> PerExample:
        """F(v) = -log sum_h exp(-E(v, h)), in nats."""

    @abstractmethod
    def gibbs_step(self, visible: Tensor, temper: Scalar | float = 1.0) -> Tensor:
        """One step of the chain at inverse temperature `temper`, between the base rate (0) and the model (1)."""

    @abstractmethod
    def base_rate(self) -> Tensor:
        """Logit of each visible unit in the distribution where annealing begins."""


class LatentVariable(ABC):
    """Has latent variables with a prior and an approximate posterior."""

    @abstractmethod
    def log_joint(self, x: Examples, latent: Features) -> PerExample:
        """Give log p(x, z) in nats."""

    @abstractmethod
    def posterior_sample(self, x: Examples) -> tuple[Features, PerExample]:
        """Draw z from q(z|x), with log q(z|x)."""


class Activations(ABC):
    """Shows its insides."""

    @abstractmethod
    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Hidden layers by name, every one or those asked for; batch first."""


class Translates(ABC):
    """Turns an example of one domain into one of another."""

    @abstractmethod
    def translate(self, x: Images, forward: bool = True) -> Images:
        """Translate from the first domain to the second, or back."""


class Filters(ABC):
    """Has weights that a person can look at."""

    @abstractmethod
    def filters(self) -> Images:
        """Weights of the first layer as pictures `(unit, channel, height, width)`, any range."""


CAPABILITIES: tuple[type[ABC], ...] = (
    Encodes, Decodes, Reconstructs, Samples, Predicts, Classifies, Scores, Energy, LatentVariable,
    Activations, Translates, Filters,
)  # fmt: skip


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
