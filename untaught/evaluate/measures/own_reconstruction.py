r"""Whether what comes back is nearer to its own example than to another.

    own = <|x_i - y_i|>,   other = <|x_i - y_j|>,  j != i           (1)

y_i is the reconstruction of x_i, |.| the Euclidean norm with values in [0, 1], i and j are test examples. A model that
is not trained to give examples back, pixel by pixel, may still give back what is alike: then own is far below other.

References:
    Donahue, Krahenbuhl, Darrell (2017). Adversarial feature learning. ICLR.
"""

from __future__ import annotations

from untaught.evaluate.in_squares import given_back
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Quantity, facts
from untaught.evaluate.subject import Subject
from untaught.model import Reconstructs

OWN = Quantity(
    "own_distance",
    better="lower",
    meaning="Distance of an example from its own reconstruction; beside it that from the reconstruction of another.",
)


def applies(subject: Subject) -> str | None:
    """None for models that give single examples back."""
    if not isinstance(subject.model, Reconstructs):
        return "the model gives nothing back"
    return "examples are video" if subject.view.frames is not None else None


def measure(subject: Subject) -> Groups:
    """Equation (1); the other example is the next one of the test part."""
    x = subject.tested().x
    back = given_back(subject, x)
    own, other = ((x - y).flatten(1).double().norm(dim=1).mean() for y in (back, back.roll(1, 0)))
    return [[OWN.of(float(own), baselines={"another_example": float(other)})], facts(examples=len(x))]


MEASURE = Measure(
    title="Own reconstruction and another's",
    meaning="Whether what comes back is nearer to its own example than to another.",
    applies=applies,
    measure=measure,
    quantities=(OWN,),
    by_name=True,
)
