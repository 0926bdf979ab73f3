"""Outputs of a classifier on fixed test examples: a point in function space, for trajectories as it learns.

Evenly spaced labelled test examples, the same for every model on the same data; the numbers are the probabilities of
all classes, row after row, rounded to four places. Two models whose outputs agree compute the same function as far as
these examples tell, whatever their weights.

References:
    Erhan, Bengio, Courville, Manzagol, Vincent, Bengio (2010). Why does unsupervised pre-training help deep learning?
    Section 6.3.
"""

from __future__ import annotations

from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.measures import classification
from untaught.evaluate.quantity import Axis, Quantity, facts
from untaught.evaluate.subject import Subject
from untaught.model import Classifies

EXAMPLES = 100
PROBABILITIES = Quantity("probabilities", axis=Axis(label="probability {}"))


def applies(subject: Subject) -> str | None:
    """None for models that classify, on data with labels in both parts."""
    return classification.applies(subject)


def measure(subject: Subject) -> Groups:
    """Probabilities of every class of each example, and of how many examples and classes there are."""
    assert isinstance(subject.model, Classifies)
    batch = subject.tested(EXAMPLES)
    given = subject.apply(subject.model.class_probabilities, batch.x)
    flat = [round(value, 4) for value in given.flatten().tolist()]
    return [[PROBABILITIES.of(flat)], facts(examples=len(given), classes=given.shape[1])]


MEASURE = Measure(
    title="What it says of a few examples",
    meaning="What a classifier says of fixed test examples: one point in the space of functions.",
    applies=applies,
    measure=measure,
    whole=True,
    quantities=(PROBABILITIES,),
    by_name=True,  # numbers for drawings and not for readers
)
