"""Completions of models whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from tests.evaluate.fakes import Linear, subject_of
from untaught.config import configuration
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.measures.completion import MEASURE, applies
from untaught.evaluate.subject import Subject
from untaught.model import Completes, Encodes, Example, Model, Stage
from untaught.randomness import seeded

PATTERNS = torch.eye(4).repeat(1, 2)


class Filler(Model, Completes, Encodes):
    """Fills in by a rule that is right in known cases."""

    @configuration
    class Config:
        """The rule."""

        rule: Literal["copy", "mostly", "shifted", "backwards"] = "copy"
        """What the unknown half is."""
        codes: int = 4
        """Different features."""

    config: Config

    def __init__(self, config: Config, example: Example | tuple[int, ...]) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.weight = nn.Parameter(torch.zeros(1))

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def encode(self, x: Tensor) -> Tensor:
        """The pattern's number, until codes run out."""
        return nn.functional.one_hot(x[:, :4].argmax(1).clamp(max=self.config.codes - 1), 4).float()

    def complete(self, x: Tensor, known: Tensor) -> Tensor:
        """The other half is that which is given; or so in three of four answers; or another; or only backwards."""
        copied = x.roll(4, 1)
        wrong = copied.roll(1, 1)
        failing = {
            "copy": torch.zeros(len(x), dtype=torch.bool),
            "mostly": torch.rand(len(x)) < 0.25,
            "shifted": torch.ones(len(x), dtype=torch.bool),
            "backwards": torch.full((len(x),), bool(known[0])),
        }[self.config.rule]
        return torch.where(known, x, torch.where(failing[:, None], wrong, copied))


def subject(rule: str = "copy", codes: int = 4) -> Subject:
    model = Filler(Filler.Config(rule=rule, codes=codes), (8,)).eval()  # type: ignore[arg-type]
    return subject_of(model, Part.of(PATTERNS), Part.of(PATTERNS))


def taken(rule: str = "copy", codes: int = 4) -> dict[str, float]:
    with seeded(0):
        return MEASURE.take(subject(rule, codes))


def test_a_model_that_copies_has_solved_it() -> None:
    found = taken()
    assert (found["accuracy"], found["unit_accuracy"], found["voted_accuracy"]) == (1, 1, 1)
    assert (found["codes"], found["patterns"], found["solved"]) == (4, 4, 1)
    assert (found["examples"], found["answers"]) == (4, 20)


def test_each_half_is_asked_for() -> None:
    found = taken("backwards")
    assert (found["accuracy"], found["own_codes"], found["solved"]) == (0.5, 1, 0)
    assert found["unit_accuracy"] == pytest.approx((1 + 0.5) / 2)  # a shifted pattern has two of four units wrong


def test_votes_are_right_where_most_answers_are() -> None:
    found = taken("mostly")
    assert found["accuracy"] == pytest.approx(0.75, abs=0.1)
    assert found["voted_accuracy"] == 1 and found["solved"] == 1


def test_a_code_for_two_patterns_is_no_solution() -> None:
    found = taken(codes=3)
    assert (found["codes"], found["accuracy"], found["own_codes"], found["solved"]) == (3, 1, 0, 0)


def test_baselines_know_the_training_part_alone() -> None:
    baselines = MEASURE.take(subject("shifted"))["baselines"]
    assert baselines == {"mean_image": 0, "nearest_example": 1}
    two = replace(subject(), parts=replace(subject().parts, train=Part.of(PATTERNS[:2])))
    assert MEASURE.take(two)["baselines"]["nearest_example"] == 0.5


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(subject()) is None
    assert applies(replace(subject(), view=View(frames=3))) == "the model sees video"
    other = replace(subject(), model=Linear(Linear.Config(), (8,)))
    assert applies(other) == "the model does not fill in what is missing"


def test_the_nearest_example_is_found_by_the_half_that_is_known() -> None:
    """Two training examples: one has the known half, the other is nearer as a whole."""
    x = torch.tensor([[1.0, 0, 0, 0, 1, 0, 0, 0]])
    alike, nearer = torch.tensor([1.0, 0, 0, 0, 0, 1, 1, 1]), torch.tensor([0.0, 0, 0, 0, 1, 0, 0, 0])
    held = subject_of(subject().model, Part.of(torch.stack([nearer, alike])), Part.of(x))
    found = MEASURE.take(held)["baselines"]
    # The first half leads to `alike`, whose second half is wrong; the second to `nearer`, whose first half is wrong.
    assert found["nearest_example"] == 0
    swapped = torch.stack([torch.cat([x[0, :4], nearer[4:]]), torch.zeros(8)])
    assert MEASURE.take(replace(held, parts=replace(held.parts, train=Part.of(swapped))))["baselines"] == {
        "nearest_example": 1, "mean_image": 0,
    }  # fmt: skip


def test_features_count_as_on_above_a_half() -> None:
    held = subject()
    held.model.encode = lambda x: 0.3 * torch.eye(4)[x[:, :4].argmax(1)]  # type: ignore[method-assign]
    assert MEASURE.take(held)["codes"] == 1
    held.model.encode = lambda x: 0.7 * torch.eye(4)[x[:, :4].argmax(1)]  # type: ignore[method-assign]
    assert MEASURE.take(held)["codes"] == 4
