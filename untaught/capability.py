"""What a model may be able to do: abstract classes that a model lists as bases, tested by `isinstance`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from jaxtyping import Bool, Float
from torch import Tensor, nn

from untaught.shapes import Example, Examples, Features, Images, PerExample, Scalar, Shape, Video


class Encodes(ABC):
    """Gives features."""

    differentiable: ClassVar[bool] = True
    """Whether features have a gradient with respect to examples and weights; False where codes are rounded or drawn."""

    @abstractmethod
    def encode(self, x: Examples) -> Features:
        """Give the features of each example: deterministic, a mean where the units are stochastic."""


class Decodes(ABC):
    """Makes examples from features."""

    @abstractmethod
    def decode(self, features: Features) -> Examples:
        """Make the examples that the features describe."""


class Reconstructs(ABC):
    """Reconstructs examples from their features."""

    @abstractmethod
    def reconstruct(self, x: Examples) -> Examples:
        """Reconstruct each example; a video model gives the frames that it can predict, from the second on."""


class Completes(ABC):
    """Fills in what is missing."""

    @abstractmethod
    def complete(self, x: Examples, known: Bool[Tensor, "*example"]) -> Examples:
        """Fill in the values that are not known, whatever `x` holds there; known values stay as they are."""


class Samples(ABC):
    """Draws new examples."""

    of_classes: ClassVar[bool] = False
    """Whether a class may be asked for; where a configuration has no classes, `sample` refuses a label."""

    @abstractmethod
    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw `count` examples; of one class if a label is given, where the model has learnt classes."""


class Generates(ABC):
    """Makes examples of codes that are drawn from a known distribution; the same code makes the same example."""

    @abstractmethod
    def prior_codes(self, count: int, label: int | None = None) -> Features:
        """Draw codes; of one class if a label is given, where the model has learnt classes."""

    @abstractmethod
    def generate(self, codes: Features) -> Examples:
        """Make the examples of codes."""


class Predicts(ABC):
    """Continues video."""

    @abstractmethod
    def predict(self, context: Video, frames: int) -> Video:
        """Predict the next `frames` frames after the context; from the second on, from the model's own predictions."""


class PredictsMotion(ABC):
    """Predicts where each pixel of the next frame comes from."""

    @abstractmethod
    def motion(self, context: Video) -> Float[Tensor, "batch 2 height width"] | None:
        """Displacement in pixels, to the right and down, from each pixel of the next frame to its place in the last.

        None where the network was configured to predict without it.
        """


class Classifies(ABC):
    """Gives class probabilities."""

    @abstractmethod
    def class_probabilities(self, x: Examples) -> Features:
        """Probability of each class, `(batch, class)`."""


class Poses(ABC):
    """Poses questions about an example whose answers it knows without a label, and learnt to answer them."""

    @property
    @abstractmethod
    def answers(self) -> tuple[str, ...]:
        """The possible answers; none where it was built to learn something else."""

    @abstractmethod
    def asked(self, x: Examples, answer: int) -> Examples:
        """Examples changed so that this answer is right."""

    @abstractmethod
    def answer_probabilities(self, x: Examples) -> Features:
        """Probability of each answer for what `asked` gave, `(batch, answer)`."""


@dataclass(frozen=True)
class LogLikelihood:
    """Log-likelihood of each example in nats, and whether it is exact, a bound or an estimate."""

    nats: PerExample
    kind: Literal["exact", "lower bound", "estimate"]


class Scores(ABC):
    """Gives log-likelihoods."""

    @abstractmethod
    def log_likelihood(self, x: Examples) -> LogLikelihood:
        """Log-likelihood of each example in nats."""


@dataclass(frozen=True)
class Side:
    """Binary units whose states can be enumerated; the partition function is the sum of exp(-free energy) over them."""

    units: int
    free_energy: Callable[[Tensor], PerExample]
    """Free energy in nats of states `(state, unit)`: all other units are summed out."""


class Energy(ABC):
    """Has a free energy, with the hidden units summed out, and a Markov chain that leaves exp(-free energy) invariant.

    At inverse temperature t from 0 to 1 visible units follow exp(-F_t(v)) / Z_t. At 1 this is the model's
    distribution; at 0 the units are independent. The distributions in between serve annealing and may be chosen freely.
    """

    @abstractmethod
    def free_energy(self, visible: Tensor, temper: Scalar | float = 1.0) -> PerExample:
        """F_t(v) = -log sum_h exp(-E_t(v, h)), in nats."""

    @abstractmethod
    def gibbs_step(self, visible: Tensor, temper: Scalar | float = 1.0) -> Tensor:
        """One step of a chain that leaves exp(-F_t) invariant; at t = 0 a draw that does not depend on `visible`."""

    @abstractmethod
    def base_rate(self) -> Tensor:
        """Parameter of each visible unit at t = 0: the logit of a binary unit, the mean of a Gaussian one."""

    @abstractmethod
    def base_partition(self) -> Scalar:
        """Log Z_0 in nats, a sum over the visible units, which are independent."""

    @abstractmethod
    def sides(self) -> Sequence[Side]:
        """Sides of the machine over which Z could be summed if they are small enough; empty if no side is binary."""

    def anneal(self, visible: Tensor, before: Scalar | float, after: Scalar | float) -> tuple[Tensor, PerExample]:
        """One step of annealed importance sampling: the state after a step at `after`, and F_before(v) - F_after(v).

        A model whose free energy and Gibbs step share a matrix product can override this to compute both at once.
        """
        weight = self.free_energy(visible, before) - self.free_energy(visible, after)
        return self.gibbs_step(visible, after), weight


class LowerBound(ABC):
    """Has a lower bound on the log-likelihood that is computable except for the partition function of one of its parts.

    log p(x) >= unnormalised_bound(x) - log Z(machine()).
    """

    @abstractmethod
    def machine(self) -> Energy:
        """The part whose partition function the bound needs."""

    @abstractmethod
    def states_of(self, x: Examples) -> Tensor:
        """States of the machine drawn given examples; chains that begin there soon reach its distribution."""

    @abstractmethod
    def unnormalised_bound(self, x: Examples) -> PerExample:
        """The bound without log Z, in nats; where it is an expectation, an estimate from one draw."""


class LatentVariable(ABC):
    """Has latent variables with a prior and an approximate posterior."""

    continuous: ClassVar[bool] = False
    """Whether latents are real numbers, so that log p(x, z) has a gradient with respect to them."""

    @abstractmethod
    def log_joint(self, x: Examples, latent: Features) -> PerExample:
        """Give log p(x, z) in nats."""

    @abstractmethod
    def posterior_sample(self, x: Examples) -> tuple[Features, PerExample]:
        """Draw z from q(z|x), with log q(z|x)."""

    def log_weights(self, x: Examples, draws: int) -> Float[Tensor, "batch draw"]:
        """Give log p(x, z) - log q(z|x) of some draws of z from q(z|x), whose exponentials have the mean p(x).

        A model that need not repeat an example for each draw can override this.
        """
        repeated = x.repeat_interleave(draws, 0)
        latent, density = self.posterior_sample(repeated)
        return (self.log_joint(repeated, latent) - density).unflatten(0, (len(x), draws))


class Activations(ABC):
    """Gives the activations of its hidden layers."""

    @abstractmethod
    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Activations by layer name, of all layers or of those named; batch first."""


class Layered(ABC):
    """Is a chain of layers, each of which sees only what the one below gives."""

    @abstractmethod
    def layers(self) -> nn.Module:
        """The network from an example up, to the logits of classes where it has them; weights may be copies."""


class Translates(ABC):
    """Turns an example of one domain into one of another."""

    @abstractmethod
    def translate(self, x: Images, forward: bool = True) -> Images:
        """Translate from the first domain to the second, or back."""


class TakesEncoder(ABC):
    """Can be built on an existing encoder: another model's, or any network from examples to features."""

    @property
    @abstractmethod
    def given(self) -> Mapping[str, nn.Module]:
        """Networks that were passed to the model, by the argument's name; none that it built itself."""

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
    """Has weights that can be shown as pictures."""

    @abstractmethod
    def filters(self) -> Images:
        """Weights of the first layer as pictures `(unit, channel, height, width)`, any range."""

    def filter_pictures(self) -> dict[str, Images]:
        """Pictures of weights by name: `filters`, and `filters-2`, ... where upper layers can be shown too."""
        return {"filters": self.filters()}


CAPABILITIES: tuple[type[ABC], ...] = (
    Encodes, Decodes, Reconstructs, Completes, Samples, Generates, Predicts, PredictsMotion, Classifies, Poses, Scores,
    Energy, LowerBound, LatentVariable, Activations, Layered, Translates, Filters, TakesEncoder,
)  # fmt: skip
