"""The picture of chains: its rows and columns are those of the chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from tests.evaluate.fakes import Linear, subject_of
from tests.evaluate.machines import machine
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.drawing import chains
from untaught.evaluate.drawing.illustrate import illustrate
from untaught.evaluate.subject import Subject
from untaught.models.rbm import RBM
from untaught.randomness import seeded

X = torch.rand(20, 1, 3, 3, generator=torch.Generator().manual_seed(0))


def subject() -> Subject:
    with seeded(0):
        rbm = RBM(replace(RBM.smoke.config, hidden=3), (1, 3, 3))
    return subject_of(rbm.eval(), Part.of(X), Part.of(X), View(binarise=True))


def test_states_are_those_after_so_many_steps() -> None:
    rbm, begin = machine(), torch.ones(2, 6, dtype=torch.float64)
    with seeded(1):
        looked = chains.over_time(rbm, begin)
    state, expected = begin, dict[int, torch.Tensor]()
    with seeded(1):
        for step in range(1001):
            expected[step] = state
            state = rbm.gibbs_step(state)
    assert all(torch.equal(found, expected[step]) for found, step in zip(looked, (0, 1, 10, 100, 1000), strict=True))


def test_rows_begin_at_noise_and_at_test_examples() -> None:
    held = subject()
    with torch.no_grad(), seeded(0):
        drawn = chains.picture(held)
    assert drawn is not None and drawn.shape[0] > 2 * chains.CHAINS * chains.SIDE


def test_it_is_drawn_with_the_other_pictures_where_there_is_a_chain(tmp_path: Path) -> None:
    assert "chains.png" in {path.name for path in illustrate(subject(), tmp_path)}
    other = subject_of(Linear(Linear.Config(), (1, 3, 3)), Part.of(X), Part.of(X))
    assert chains.picture(other) is None


def test_vectors_are_not_drawn() -> None:
    rows = Part.of(X.flatten(1))
    assert chains.picture(subject_of(machine(9, 3).float(), rows, rows, View(binarise=True))) is None
