"""How well a model fills in one half of an example from the other.

The first half of an example's units is given and the second asked for, then the other way round, each example several
times, since an answer may be a draw. Units are taken as on above 1/2.

    accuracy          how often every unit that was asked for is right
    voted_accuracy    the same of the mean of the answers to one example
    unit_accuracy     how often a single unit is right
    codes             number of different codes of the test examples, features taken as on above 1/2
    own_codes         1 where different examples have different codes, else 0
    solved            1 where different examples have different codes and every vote is right, else 0

The baselines of `accuracy` are the mean training example, and the training example whose given half is nearest. In the
encoder problem the given half determines the other, so the nearest is always right: there the point is that a model
does it with fewer hidden units.

References:
    Ackley, Hinton and Sejnowski (1985). A learning algorithm for Boltzmann machines.
"""

from __future__ import annotations

import torch
from torch import Tensor

from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Quantity, facts
from untaught.evaluate.subject import Subject
from untaught.model import Completes, Encodes
from untaught.shapes import Examples

ANSWERS, MOST = 2_000, 20
"""Answers for each half in all, and for one example."""
TRAINING = 10_000
"""Most training examples of the baselines."""
ACCURACY = Quantity(
    "accuracy",
    unit="%",
    better="higher",
    meaning="How often every unit of the half that was asked for is right.",
)
UNITS = Quantity("unit_accuracy", title="accuracy of single units", unit="%", better="higher")
VOTED = Quantity("voted_accuracy", title="accuracy of the mean of several answers", unit="%", better="higher")
CODES = Quantity("codes", title="different codes")
PATTERNS = Quantity("patterns", title="different examples")
OWN_CODES = Quantity("own_codes", title="every example has a code of its own (1 yes, 0 no)")
SOLVED = Quantity("solved", title="solved: codes of their own and every vote right (1 yes, 0 no)")


def applies(subject: Subject) -> str | None:
    """None for models that fill in what is missing of pictures or vectors."""
    if not isinstance(subject.model, Completes):
        return "the model does not fill in what is missing"
    if subject.view.frames is not None:
        return "the model sees video"
    return None


def measure(subject: Subject) -> Groups:
    """Accuracies on the test part, both halves together, and codes where the model encodes."""
    x = subject.tested(ANSWERS).x
    train = subject.pixels(subject.parts.train, TRAINING).x
    times = max(1, min(MOST, ANSWERS // len(x)))
    first = (torch.arange(x[0].numel()) < x[0].numel() // 2).reshape(x.shape[1:])
    right = [_right(subject, x, known, times) for known in (first, ~first)]
    accuracy, units = (sum(float(part[name].float().mean()) for part in right) / 2 for name in ("accuracy", "units"))
    voted = torch.stack([part["voted"] for part in right])
    baselines = [_baselines(x, train, known) for known in (first, ~first)]
    trivial = {name: sum(found[name] for found in baselines) / 2 for name in baselines[0]}
    given = [ACCURACY.of(accuracy, baselines=trivial), UNITS.of(units), VOTED.of(float(voted.float().mean()))]
    given += facts(examples=len(x), answers=times)
    if isinstance(subject.model, Encodes):
        codes, patterns = _different(subject.features(x)), _different(x.flatten(1))
        own = int(codes == patterns)
        given += [CODES.of(codes), PATTERNS.of(patterns), OWN_CODES.of(own), SOLVED.of(own * int(voted.all()))]
    return [given]


def _right(subject: Subject, x: Examples, known: Tensor, times: int) -> dict[str, Tensor]:
    """Which answers, votes and single units are right about the unknown half."""
    model = subject.model
    assert isinstance(model, Completes)
    asked = x.repeat_interleave(times, 0)
    answers = subject.shown(subject.apply(lambda seen: model.complete(seen, known.to(seen.device)), asked))
    units = ((answers > 0.5) == (asked > 0.5))[:, ~known]
    votes = answers.unflatten(0, (len(x), times)).mean(1)
    voted = ((votes > 0.5) == (x > 0.5))[:, ~known].all(1)
    return {"accuracy": units.all(1), "units": units, "voted": voted}


def _different(values: Tensor) -> int:
    """Different rows, each number taken as on above 1/2."""
    return len(torch.unique(values > 0.5, dim=0))


def _baselines(x: Tensor, train: Tensor, known: Tensor) -> dict[str, float]:
    """How often the mean training example is right about the unknown half, and the nearest by the known one."""
    nearest = train[torch.cdist(x[:, known], train[:, known]).argmin(1)]
    answers = {"mean_image": train.mean(0).expand_as(x), "nearest_example": nearest}
    return {
        name: float(((answer > 0.5) == (x > 0.5))[:, ~known].all(1).float().mean()) for name, answer in answers.items()
    }


MEASURE = Measure(
    title="One half from the other",
    meaning="How well a model fills in one half of an example from the other.",
    applies=applies,
    measure=measure,
    quantities=(ACCURACY, UNITS, VOTED, CODES, PATTERNS, OWN_CODES, SOLVED),
)
