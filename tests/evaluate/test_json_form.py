"""The JSON of every measure: keys in their order and kinds of values, as records and other programs read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.evaluate import machines
from tests.evaluate.fakes import Linear, Watcher, blobs, drifting, stills, subject_of, turning
from tests.evaluate.measures import test_classification as classifying
from tests.evaluate.measures import test_completion as completing
from tests.evaluate.measures import test_divergence as diverging
from tests.evaluate.measures import test_likelihood as likely
from tests.evaluate.measures import test_pretext as asking
from tests.evaluate.measures.test_retrieval import documents
from untaught.data.part import Part
from untaught.data.view import Statistics, View
from untaught.evaluate.evaluate import evaluate, measures
from untaught.evaluate.subject import Subject
from untaught.randomness import seeded

FORMS = Path(__file__).with_suffix(".json")
HELD: dict[str, dict[str, str]] = json.loads(FORMS.read_text(encoding="utf-8"))
"""By subject and measure."""
BINARY = (torch.rand(40, 22, generator=torch.Generator().manual_seed(0)) < 0.5).float()


def linear(train: Part, test: Part, latent: int = 3, **more: Any) -> Subject:
    with seeded(0):
        return subject_of(Linear(Linear.Config(latent=latent, keep=1.0), train.shape).eval(), train, test, **more)


def standardised() -> Subject:
    statistics = Statistics(torch.full((1, 4, 4), 0.4), torch.full((1, 4, 4), 0.3))
    return linear(blobs(60), blobs(30, seed=1), view=View(standardise="pixel"), stats=statistics)


def watched(train: Part, test: Part) -> Subject:
    with seeded(0):
        return subject_of(Watcher(Watcher.Config(), train.shape).eval(), train, test, View(frames=6))


def still() -> Part:
    """Video with a true variable that never varies."""
    return Part.of(drifting(30, 6), latents={"angle": torch.ones(30, 1)})


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "pictures": lambda: linear(blobs(60), blobs(30, seed=1)),
    "pictures, a label each": lambda: linear(blobs(3), blobs(30, seed=1)),
    "pictures on a plane": lambda: linear(blobs(60), blobs(30, seed=1), latent=2),
    "pictures in deviations": standardised,
    "documents": lambda: linear(documents(60, 0), documents(30, 1)),
    "documents on a plane": lambda: linear(documents(60, 0), documents(30, 1), latent=2),
    "clips": lambda: watched(turning(40), turning(12, seed=1)),
    "clips whose variable is still": lambda: watched(still(), still()),
    "objects from all sides": lambda: watched(stills(), stills(seed=1)),
    "a classifier": classifying.subject,
    "a filler": completing.subject,
    "questions about clips": lambda: asking.subject(asking.Watch(asking.Watch.Config())),
    "a coin": lambda: diverging.subject(diverging.Coin(diverging.Coin.Config(on=0.3), diverging.SHAPE)),
    "a small machine": lambda: likely.subject(likely.single()),
    "a small machine, one example": lambda: replace(likely.subject(likely.single()), limit=1),
    "a large machine": lambda: likely.subject(machines.machine(visible=22, hidden=21).float(), BINARY),
    "a bound": lambda: likely.subject(likely.TwoLayers(), likely.GREY.round(), View()),
    "densities": lambda: likely.subject(likely.Flat(), likely.GREY, View(standardise="pixel")),
}


def form(value: Any) -> str:
    """Names in their order, those in a row whose values are of one form together; of a list its length.

    Example:
        >>> form({"a": 1.0, "b": 2.5, "c": [1, 2], "d": {"e": None}})
        '{a, b: float; c: 2 int; d: {e: null}}'
    """
    if isinstance(value, dict):
        rows = groupby(value, key=lambda name: form(value[name]))
        return "{" + "; ".join(f"{', '.join(names)}: {of_all}" for of_all, names in rows) + "}"
    if isinstance(value, list):
        return f"{len(value)} {' or '.join(dict.fromkeys(form(inner) for inner in value))}"
    return "null" if value is None else type(value).__name__


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "objects from all sides")) for name in SUBJECTS]
)
def test_the_json_keeps_its_form_and_what_is_read_of_it_says_the_same(name: str) -> None:
    """Every value, spread and baseline finds its place by what is declared; a table without an entry has no place."""
    found, known = evaluate(SUBJECTS[name](), list(HELD[name])), measures()
    assert {measure: form(value) for measure, value in found.items()} == HELD[name]
    if name != "clips whose variable is still":
        for measure, stored in found.items():
            assert known[measure].as_json([list(known[measure].read(stored).values())]) == stored
