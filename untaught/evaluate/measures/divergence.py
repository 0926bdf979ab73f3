r"""How far a model is from the data's true distribution, where that is known: the Kullback-Leibler divergence in bits.

    divergence = sum_x p(x) log2(p(x) / q(x))                                              (1)

p is what the data are drawn from, over finitely many examples (`Distribution`), q the model's exact probability of
each: its own, or exp(-F(x)) / Z with Z summed over all states of a small machine. (1) is 0 only where q = p. It is the
number of extra bits that a code optimal for q takes on data from p. Baselines are the best distribution of independent
pixels, with the means of p, and the uniform one over all binary pictures.
"""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from untaught.data.part import Distribution
from untaught.evaluate.likelihood.partition import LARGEST, exact_partition, smallest_side
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Quantity, facts
from untaught.evaluate.subject import Subject
from untaught.model import Energy, Scores, Side
from untaught.shapes import PerExample

Probabilities = Float[Tensor, " state"]

DIVERGENCE = Quantity(
    "divergence_bits",
    title="divergence from the data",
    unit="bits",
    better="lower",
    meaning="Bits that a code made for the model takes more for each picture than one made for the data: the exact "
    "Kullback-Leibler divergence, a sum over all pictures. 0 only where the two distributions are the same.",
)
ENTROPY = Quantity("entropy_bits", title="entropy of the data", unit="bits")


def applies(subject: Subject) -> str | None:
    """None for exact likelihoods on data whose distribution is known."""
    known = subject.parts.test.distribution
    if known is None:
        return "the distribution of the data is not known"
    if subject.view.standardise != "none":
        return "the model sees standardised pixels, and its likelihood is one of those"
    if isinstance(subject.model, Scores):
        kind = subject.model.log_likelihood(known.examples[:1].to(subject.device)).kind
        return None if kind == "exact" else f"the model's likelihood is no exact one, but a {kind}"
    if not isinstance(subject.model, Energy):
        return "the model gives no likelihood"
    side, pixels = smallest_side(subject.model), known.examples[0].numel()
    if side is None or side.units > LARGEST:
        return "the model's partition function cannot be summed"
    # Other machines have an energy of pictures jointly with other units, or a density over grey pictures.
    own = Side(pixels, subject.model.free_energy)
    return None if own in subject.model.sides() else "the model's energy is not one of binary pictures"


def measure(subject: Subject) -> Groups:
    """Divergence of the model and of its baselines, and the entropy of the data."""
    known = subject.parts.test.distribution
    assert known is not None
    p = known.probability
    pixels = known.examples[0].numel()
    trivial = {
        "independent_pixels": divergence_bits(p, independent_pixels(known)),
        "uniform": divergence_bits(p, p.new_full(p.shape, -pixels * math.log(2))),
    }
    divergence = DIVERGENCE.of(divergence_bits(p, _log_likelihood(subject, known)), baselines=trivial)
    return [[divergence, ENTROPY.of(float(-(p * p.log2()).sum())), *facts(pictures=len(p))]]


def divergence_bits(p: Probabilities, log_q: Probabilities) -> float:
    """Equation (1), of probabilities and of log-probabilities in nats.

    Example:
        >>> import torch
        >>> round(divergence_bits(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.25]).log()), 6)
        0.5
    """
    return float((p * (p.log() - log_q.to(p))).sum()) / math.log(2)


def independent_pixels(known: Distribution) -> Probabilities:
    """Log-probability in nats of each example where every pixel is on by itself, as often as in the data."""
    x = known.examples.flatten(1).to(known.probability)
    mean = known.probability @ x
    return (x * mean.log() + (1 - x) * (1 - mean).log()).sum(1)


def _log_likelihood(subject: Subject, known: Distribution) -> PerExample:
    model = subject.model
    if isinstance(model, Scores):
        return subject.apply(lambda x: model.log_likelihood(x).nats, known.examples)
    assert isinstance(model, Energy)
    return -subject.apply(model.free_energy, known.examples) - exact_partition(model).float().cpu()


MEASURE = Measure(
    title="How far from the true distribution",
    meaning="How far the model is from the distribution that the data are drawn from, where that is known.",
    applies=applies,
    measure=measure,
    quantities=(DIVERGENCE, ENTROPY),
)
