"""What a model may be able to do: abstract classes that a model says by its bases. Everything asks `isinstance`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from jaxtyping import Bool
from torch import Tensor, nn

from untaught.shapes import Example, Examples, Features, Images, PerExample, Scalar, Shape, Video


class Encodes(ABC):
    """Gives features."""

    differentiable: ClassVar[bool] = True
    """Whether a gradient comes back from features to examples and weights; False where codes are rounded or drawn."""

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


class Completes(ABC):
    """Fills in what is missing."""

    @abstractmethod
    def complete(self, x: Examples, known: Bool[Tensor, "*example"]) -> Examples:
        """Give each example with its unknown values filled in, whatever stands there, and the known as they are."""


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


@dataclass(frozen=True)
class Side:
    """Binary units whose states can be summed over: sum over states of exp(-free energy) is the partition function."""

    units: int
    free_energy: Callable[[Tensor], PerExample]
    """-log of the sum over all other units, in nats, of states `(state, unit)`."""


class Energy(ABC):
    """Has an energy with the hidden units summed out, and a Markov chain that leaves exp(-energy) unchanged.

    At inverse temperature t from 0 to 1 visible units follow exp(-F_t(v)) / Z_t: at 1 they are the model's, at 0
    independent. What is made in between is for annealing; the ends are what counts.
    """

    @abstractmethod
    def free_energy(self, visible: Tensor, temper: Scalar | float = 1.0) -> PerExample:
        """F_t(v) = -log sum_h exp(-E_t(v, h)), in nats."""

    @abstractmethod
    def gibbs_step(self, visible: Tensor, temper: Scalar | float = 1.0) -> Tensor:
        """One step of a chain that leaves exp(-F_t) unchanged; at 0 a fresh draw, whatever it came from."""

    @abstractmethod
    def base_rate(self) -> Tensor:
        """What decides each visible unit at t = 0: its logit, of a Gaussian unit its mean."""

    @abstractmethod
    def base_partition(self) -> Scalar:
        """Log Z_0, in nats: the sum over visible units, one by one."""

    @abstractmethod
    def sides(self) -> Sequence[Side]:
        """Sides of the machine over which Z could be summed, were they small enough; none where no side is binary."""

    def anneal(self, visible: Tensor, before: Scalar | float, after: Scalar | float) -> tuple[Tensor, PerExample]:
        """One rung of annealed importance sampling: where a step at `after` leads, and F_before(v) - F_after(v).

        A model whose free energy and step share a product can do both at once.
        """
        weight = self.free_energy(visible, before) - self.free_energy(visible, after)
        return self.gibbs_step(visible, after), weight


class LowerBound(ABC):
    """Has a lower bound on the log-likelihood that lacks only the partition function of an energy inside it.

    log p(x) >= unnormalised_bound(x) - log Z(machine()).
    """

    @abstractmethod
    def machine(self) -> Energy:
        """The energy whose partition function is lacking."""

    @abstractmethod
    def states_of(self, x: Examples) -> Tensor:
        """States of the machine that examples lead to, drawn: from there its chains soon reach its distribution."""

    @abstractmethod
    def unnormalised_bound(self, x: Examples) -> PerExample:
        """The bound before log Z, in nats; where it is an expectation, one draw of it."""


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


class TakesEncoder(ABC):
    """Can be built on an encoder that exists: another model's, or any network from examples to features."""

    @classmethod
    @abstractmethod
    def on(cls, config: Any, example: Example | Shape, encoder: nn.Module) -> Self:
        """Build the model on an encoder.

        Args:
            config: The model's configuration.
            example: What one example is.
            encoder: From a batch of examples to features `(batch, feature)`.

        Raises:
            ConfigError: The encoder does not fit the examples or the configuration.
        """


class Filters(ABC):
    """Has weights that a person can look at."""

    @abstractmethod
    def filters(self) -> Images:
        """Weights of the first layer as pictures `(unit, channel, height, width)`, any range."""

    def filter_pictures(self) -> dict[str, Images]:
        """Pictures of weights by name: `filters`, and where a stack can draw its upper layers `filters-2`, ..."""
        return {"filters": self.filters()}


CAPABILITIES: tuple[type[ABC], ...] = (
    Encodes, Decodes, Reconstructs, Completes, Samples, Predicts, Classifies, Scores, Energy, LowerBound,
    LatentVariable, Activations, Translates, Filters, TakesEncoder,
)  # fmt: skip
