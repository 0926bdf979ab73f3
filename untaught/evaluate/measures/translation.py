r"""What translations between two kinds of pictures keep, and how near they come to the other kind.

    cycle = <|F(G(x)) - x|^2>                                                (1)
    kept = P(class of G(x) = class of x)                                     (2)
    apart = 2 <|G(x) - y|> - <|G(x) - G(x')|> - <|y - y'|>                   (3)

x and y are test examples of the two sources, G and F translate there and back; each is measured both ways. The class
of a translation in (2) is said by a classifier (`untaught.evaluate.samples.judge`) that was trained on real examples of
the kind that it should be, never on translations. Beside (2) stand that classifier's accuracy on real test examples,
its answers to examples that were not translated, and the part of the most frequent class. (1) is small for a translator
that changes nothing, and so says nothing without (3), the energy distance, beside which stands that of what was not
translated, and of real training examples.

References:
    Zhu, Park, Isola, Efros (2017). Unpaired image-to-image translation using cycle-consistent adversarial networks.
    Hoffman and others (2018). CyCADA: cycle-consistent adversarial domain adaptation. ICML (labels that are kept).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from untaught.data.source import Parts
from untaught.data.view import Batch
from untaught.evaluate.in_squares import translated
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Axis, Measured, Quantity, facts
from untaught.evaluate.samples.judge import MOST, SMALLEST, Judge, judge_for, opinion
from untaught.evaluate.subject import Subject
from untaught.model import Translates
from untaught.nn.adversarial.energy_distance import energy_distance
from untaught.shapes import Images, Labels

Known = Int[Tensor, " train"]

PICTURES = 2_000
"""Test examples of each source at most."""
LEAST = 2
WAYS = {"there": "first to second", "back": "second to first"}


def _each_way(title: str) -> Axis:
    """One value for each way."""
    return Axis(entry=WAYS.__getitem__, label=f"{title}, {{}}")


CYCLE = Quantity(
    "squared_error_of_cycle",
    title="squared error of what comes back",
    better="lower",
    axis=_each_way("squared error of what comes back"),
    meaning="How far an example is from what comes back of its translation, summed over pixels. It is 0 where nothing "
    "is changed, and means nothing without the distance from the other kind.",
)
KEPT = Quantity(
    "labels_kept",
    title="labels kept",
    unit="%",
    better="higher",
    axis=_each_way("labels kept"),
    spread_is="std_error",
    meaning="How many translations have the class of what they were made from, as a classifier says that was trained "
    "on real examples of the other kind. Beside it how many real ones it names rightly, what it says of examples that "
    "were not translated, and the most frequent class.",
)
APART = Quantity(
    "energy_distance",
    title="distance from the other kind",
    better="lower",
    axis=_each_way("distance from the other kind"),
    meaning="Energy distance of translations from real examples of the other kind; beside it that of examples that "
    "were not translated, and of real training examples.",
)


@dataclass(frozen=True)
class Way:
    """One way, measured."""

    x: Batch
    """What is translated."""
    there: Images
    cycle: float
    target: Parts
    """The kind that translations should be."""


def applies(subject: Subject) -> str | None:
    """None for models that translate, where there are both sources."""
    if not isinstance(subject.model, Translates):
        return "the model does not translate"
    if subject.other is None:
        return "there is no second source"
    few = min(len(part) for parts in (subject.parts, subject.other) for part in (parts.train, parts.test)) < LEAST
    return f"this takes at least {LEAST} training and test examples of each source" if few else None


def measure(subject: Subject) -> Groups:
    """Equations (1) to (3), both ways."""
    assert subject.other is not None
    sides = {"there": (subject.parts, subject.other), "back": (subject.other, subject.parts)}
    ways = {name: _translated(subject, own, target, name == "there") for name, (own, target) in sides.items()}
    cycle = CYCLE.of({name: way.cycle for name, way in ways.items()})
    counts = facts(examples={name: len(way.there) for name, way in ways.items()})
    kept = _labels_kept(subject, ways)
    return [[cycle], *([[kept]] if kept else []), [_distances(subject, ways)], counts]


def _translated(subject: Subject, own: Parts, target: Parts, forward: bool) -> Way:
    """Translations of test examples, and equation (1)."""
    x = subject.pixels(own.test, subject.limit or PICTURES)
    there = translated(subject, x.x, forward)
    back = translated(subject, there, not forward)
    error = (back - x.x).flatten(1).square().sum(1).double().mean()
    return Way(x, there.clamp(0, 1), float(error), target)


def _labels_kept(subject: Subject, ways: dict[str, Way]) -> Quantity | None:
    """Equation (2); None where a source has no classes that the other has."""
    told: dict[str, dict[str, Measured]] = {}
    for name, way in ways.items():
        label, judge = way.x.label, _judge_of(subject, way.target)
        if judge is None or not _shared(label, judge[1]):
            return None
        told[name] = _kept(subject, way, *judge)
    own, *others = ({way: one[what] for way, one in told.items()} for what in next(iter(told.values())))
    beside = {
        what: _both(one) for what, one in zip(("real_examples", "untranslated", "frequent_class"), others, strict=True)
    }
    found = _both(own)
    return KEPT.of(found.value, found.spread, beside)


def _kept(subject: Subject, way: Way, judge: Judge, known: Known) -> dict[str, Measured]:
    """Fractions that have their class: of translations, real examples, what was not translated, and by guessing."""
    label, real = way.x.label, subject.pixels(way.target.test, PICTURES).labelled
    guess = torch.full_like(label, int(known.mode().values))
    answers: dict[str, tuple[Labels, Labels]] = {
        "translations": (_named(judge, way.there), label),
        "real": (_named(judge, real.x), real.label),
        "untranslated": (_named(judge, way.x.x), label),
        "guess": (guess, label),
    }
    return {what: _fraction(said, true) for what, (said, true) in answers.items()}


def _named(judge: Judge, x: Images) -> Labels:
    return opinion(judge, x).probabilities.argmax(1)


def _fraction(said: Labels, true: Labels) -> Measured:
    """How many of the labelled have their class, with the standard error."""
    right = (said == true)[true >= 0].double()
    share = float(right.mean())
    return Measured(share, (share * (1 - share) / len(right)) ** 0.5)


def _both(ways: dict[str, Measured]) -> Measured:
    return Measured({way: one.value for way, one in ways.items()}, {way: one.spread for way, one in ways.items()})


def _judge_of(subject: Subject, parts: Parts) -> tuple[Judge, Known] | None:
    """A classifier of real training examples, and their classes; None where there are no two."""
    train = subject.pixels(parts.train, MOST).labelled
    if min(train.x.shape[2:]) < SMALLEST or len(train.label.unique()) < 2:
        return None
    return judge_for(train.x, train.label), train.label


def _shared(label: Labels, known: Known) -> bool:
    """Whether all classes of what is translated are known to the judge."""
    there = label[label >= 0].unique()
    return len(there) > 1 and bool(torch.isin(there, known).all())


def _distances(subject: Subject, ways: dict[str, Way]) -> Quantity:
    """Equation (3), of translations, of what was not translated, and of real training examples."""
    found: dict[str, dict[str, float]] = {"own": {}, "untranslated": {}, "training_examples": {}}
    for name, way in ways.items():
        real = subject.pixels(way.target.test, PICTURES).x
        train = subject.pixels(way.target.train, len(real)).x
        sets = {"own": way.there, "untranslated": way.x.x, "training_examples": train}
        for what, x in sets.items():
            found[what][name] = float(energy_distance(real, x))
    own = found.pop("own")
    return APART.of(own, baselines=found)


MEASURE = Measure(
    title="Translations",
    meaning="What translations keep of what they were made from, and how near they come to the other kind.",
    applies=applies,
    measure=measure,
    quantities=(CYCLE, KEPT, APART),
)
