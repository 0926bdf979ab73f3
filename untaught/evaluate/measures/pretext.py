r"""How often a model answers rightly what it asks itself, of a task that needs no labels.

Each of N test examples x_n is changed in every way a = 1, ..., A that the task knows. With p(a' | x) the model's
probability of an answer,

    error rate = 1/N sum_n 1/A sum_a [argmax_a' p(a' | x_n changed in way a) != a]            (1)

Since each answer is right as often as any other, whoever always gives the same one has an error rate of 1 - 1/A, and so
has a guess on average. Features that serve other tasks may come with a rate not far below it.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.evaluate.judgement.paired import beside_model
from untaught.evaluate.measure import Groups, Headline, Measure
from untaught.evaluate.quantity import Axis, Quantity, facts, quoted
from untaught.evaluate.subject import Subject
from untaught.model import Poses
from untaught.randomness import seeded

CLIPS = 500
"""Test examples at most: each is asked about in every way."""
ERROR = Quantity(
    "error_rate",
    unit="%",
    better="lower",
    spread_is="std_error",
    spoken="the rate of wrong answers to its own questions",
    meaning="The part of the questions that are answered wrongly ± its standard error over examples.",
)
OF_ANSWERS = Quantity(
    "answer_error_rates",
    title="error rate by the right answer",
    unit="%",
    better="lower",
    axis=Axis(entry=quoted, label="error rate where {} is right"),
)


def applies(subject: Subject) -> str | None:
    """None for models that learnt a task without labels."""
    if not isinstance(subject.model, Poses) or not subject.model.answers:
        return "the model asks itself nothing"
    return None


def measure(subject: Subject) -> Groups:
    """Equation (1), beside an answer that is always the same."""
    assert isinstance(subject.model, Poses)
    answers = subject.model.answers
    wrong = wrong_answers(subject)
    of_examples, chance = wrong.mean(1), 1 - 1 / len(answers)
    error = float(of_examples.std()) / math.sqrt(len(wrong)) if len(wrong) > 1 else None
    same = beside_model(of_examples, torch.full_like(of_examples, chance), "lower")
    return [
        [ERROR.of(float(of_examples.mean()), error, {"one_answer": same})],
        [OF_ANSWERS.of(dict(zip(answers, wrong.mean(0).tolist(), strict=True))), *facts(examples=len(wrong))],
    ]


def wrong_answers(subject: Subject) -> Float[Tensor, "example answer"]:
    """1 where the question that has this answer is answered wrongly, else 0."""
    model, x = subject.model, subject.tested(CLIPS).x
    assert isinstance(model, Poses)
    columns: list[Tensor] = []
    with seeded(subject.seed, subject.device):
        for answer in range(len(model.answers)):
            given = subject.apply(lambda seen, right=answer: model.answer_probabilities(model.asked(seen, right)), x)
            columns.append((given.argmax(1) != answer).double())
    return torch.stack(columns, 1)


MEASURE = Measure(
    title="How well it answers its own questions",
    meaning="How often a model that learns from a task without labels answers rightly, on test examples.",
    applies=applies,
    measure=measure,
    quantities=(ERROR, OF_ANSWERS),
    headline=Headline((ERROR.name,), ("one_answer",), "clips", lambda subject: True, measure),
)
