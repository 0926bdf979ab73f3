"""One sentence about a model: its held-out figure beside that of the trivial answer.

    held out, 359 examples: the squared error of what comes back is 0.305, 61 % above PCA with 30 components (0.19):
    worse than the trivial answer

The measure that speaks is the first of `ORDER` that applies to the model and says (`Headline.speaks`) that it is what
the model was trained for. The model is held against the best trivial answer that was measured. With d the mean
difference over the same examples and s its standard error, the model is better only where

    d > 2 s    and    d > 1 % of the trivial answer's value                                 (1)

A baseline without any error to speak of, such as PCA with as many components as there are pixels, is no answer to beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from untaught.evaluate.baselines.names import counted
from untaught.evaluate.evaluate import measures
from untaught.evaluate.judgement.paired import COPIED
from untaught.evaluate.measure import Groups, Headline, Measure
from untaught.evaluate.quantity import Measured, Quantity
from untaught.evaluate.subject import Subject, measuring
from untaught.evaluate.wording import worded
from untaught.randomness import seeded

ORDER = ("prediction", "classification", "pretext", "likelihood", "reconstruction", "probe")
"""Measures that may speak for a model, by what it says about what was learnt."""
ERRORS, LEAST = 2.0, 0.01
"""Standard errors, and part of the trivial answer's value, that a difference must exceed, equation (1)."""
CLEAR = 0.1
"""Part of the trivial answer's value by which a model that is ahead within the error is said to be so."""
MOSTLY = 0.5
"""Part of the examples on which a model that is better on average should be better too."""


@dataclass(frozen=True)
class Verdict:
    """How a model stands beside the trivial answer."""

    measure: str
    """The measure that speaks."""
    words: str
    """The sentence."""
    standing: Literal["better", "level", "worse"]

    @property
    def trivial(self) -> bool:
        """Whether the trivial answer is as good."""
        return self.standing != "better"


def verdict(subject: Subject) -> Verdict | None:
    """Measure a model in seconds on held-out data; None where no trivial answer stands beside what it does."""
    with measuring(subject.model), seeded(subject.seed, subject.device):
        name, measure = speaker(subject)
        if measure is None or measure.headline is None:
            return None
        return said(name, measure.headline, measure.headline.quick(subject), subject)


def speaker(subject: Subject) -> tuple[str, Measure | None]:
    """The measure that speaks for a model, by name."""
    known = measures()
    for name in ORDER:
        measure = known[name]
        if measure.headline and measure.applies(subject) is None and measure.headline.speaks(subject):
            return name, measure
    return "", None


def said(name: str, headline: Headline, groups: Groups, subject: Subject) -> Verdict | None:
    """The verdict on what was measured; None where no trivial answer was."""
    found = {one.name: one for group in groups for one in group}
    quantity = next((found[own] for own in headline.quantities if own in found), None)
    rivals = {} if quantity is None else _rivals(quantity, headline.trivial)
    if quantity is None or not rivals:
        return None
    best = _best(quantity, rivals)
    standing = _standing(quantity, rivals[best])
    features = found["features"].value if "features" in found else None
    told = [_compared(quantity, standing, counted(best, features), rivals[best])]
    told += _share(rivals[best], standing, headline.examples) + _better_still(quantity, headline.trivial)
    sentence = f"held out{_examples(rivals[best], _called(headline, subject))}: {'; '.join(told)}"
    return Verdict(name, worded(sentence, len(subject.parts.test.shape) == 1), standing)


def _rivals(quantity: Quantity, trivial: Sequence[str]) -> dict[str, Measured]:
    """The trivial answers that were measured, but for those that copy their input."""
    measured = {name: quantity.baselines[name] for name in trivial if name in quantity.baselines}
    if quantity.better == "higher":
        return measured
    most = max((one.value for one in measured.values()), default=0.0)
    return {name: one for name, one in measured.items() if one.value > COPIED * most or len(measured) == 1}


def _best(quantity: Quantity, rivals: dict[str, Measured]) -> str:
    return (min if quantity.better == "lower" else max)(rivals, key=lambda name: rivals[name].value)


def _standing(quantity: Quantity, rival: Measured) -> Literal["better", "level", "worse"]:
    """Equation (1), and the same the other way round."""
    ahead = (rival.value - quantity.value) * (1 if quantity.better == "lower" else -1)
    error = rival.lead.error if rival.lead else 0.0
    if abs(ahead) <= max(ERRORS * error, LEAST * abs(rival.value)):
        return "level"
    return "better" if ahead > 0 else "worse"


def _seems_ahead(quantity: Quantity, rival: Measured) -> bool:
    """Whether the model's number is better by far more than a hundredth, be it by chance or not."""
    ahead = (rival.value - quantity.value) * (1 if quantity.better == "lower" else -1)
    return ahead > CLEAR * abs(rival.value)


def _compared(quantity: Quantity, standing: str, rival: str, one: Measured) -> str:
    """The two numbers, and how they stand to each other."""
    own, other = quantity.text(quantity.value), quantity.text(one.value)
    subject = f"{quantity.spoken or 'the ' + (quantity.title or quantity.name)} is {own}{_unit(quantity)}"
    if standing == "level":
        unclear = f", {_gap(quantity, one)} it, but too few examples to tell" if _seems_ahead(quantity, one) else ""
        return f"{subject}, no better than {rival} ({other}){unclear}"
    ending = "" if standing == "better" else ": worse than the trivial answer"
    return f"{subject}, {_gap(quantity, one)} {rival} ({other}){ending}"


def _unit(quantity: Quantity) -> str:
    """What the number counts, where it is not its own sign."""
    return "" if quantity.unit in ("", "%") else f" {quantity.unit.split()[0]}"


def _gap(quantity: Quantity, one: Measured) -> str:
    """By how much the model's number lies below or above, in the words that suit its unit."""
    difference = quantity.value - one.value
    side = "above" if difference > 0 else "below"
    if quantity.unit == "%":
        return f"{100 * abs(difference):.1f} points {side}"
    if quantity.better == "higher" or one.value <= 0:
        return f"{quantity.text(abs(difference))} {side}"
    times = quantity.value / one.value
    return f"{times:.1f} times that of" if times >= 2 else f"{100 * abs(times - 1):.0f} % {side}"


def _share(one: Measured, standing: str, examples: str) -> list[str]:
    """On most examples it may be otherwise than on average: a few large errors weigh more than many small ones."""
    share = None if one.lead is None else one.lead.share
    if share is None or standing != "better" or share >= MOSTLY:
        return []
    return [f"yet on {100 * (1 - share):.0f} % of the {examples} the trivial answer is nearer"]


def _better_still(quantity: Quantity, trivial: Sequence[str]) -> list[str]:
    """Whether a baseline that learns is better than the model."""
    others = {name: one for name, one in quantity.baselines.items() if name not in (*trivial, "random_weights")}
    ahead = {name: one for name, one in others.items() if _standing(quantity, one) == "worse"}
    if not ahead:
        return []
    best = _best(quantity, ahead)
    return [f"better still: {counted(best, None)} ({quantity.text(ahead[best].value)})"]


def _called(headline: Headline, subject: Subject) -> str:
    """What the examples are: squares of pictures, where the model was trained on these."""
    side, pictures = subject.view.patch, len(subject.parts.test)
    if side is None or subject.view.frames is not None or headline.examples != "examples":
        return headline.examples
    return f"patches of {side}x{side} pixels from {f'{pictures:,} pictures' if pictures > 1 else '1 picture'}"


def _examples(one: Measured, called: str) -> str:
    """How many examples it was measured on."""
    if one.lead is None:
        return ""
    return f", 1 {called.removesuffix('s')}" if one.lead.examples == 1 else f", {one.lead.examples:,} {called}"
