"""The order of rows, and how long they take together, against schedules worked out by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from untaught.experiments import Experiment, Paper
from untaught.experiments.records import Records
from untaught.experiments.rows.job_order import LONGEST, Job, expected_minutes, jobs, minutes_left, next_job
from untaught.runs.settings import Training

ONE = Experiment("autoencoder", "digits", training=Training(minutes=3))
PAPER = Paper(
    "T", "R", "U",
    {
        "base": {"cpu": ONE},
        "tuned": {"cpu": replace(ONE, begin_from="base", seeds=2)},
        "open": {"cpu": replace(ONE, training=Training(epochs=2)), "hour": replace(ONE, training=Training(epochs=2))},
        "untrained": {"cpu": replace(ONE, training=None)},
    },
    (),
)  # fmt: skip


def named(name: str, minutes: float, *after: str) -> Job:
    return Job(("p", name, 0), minutes, frozenset(("p", other, 0) for other in after))


def written(tmp_path: Path, seed: int, seconds: float) -> Records:
    records = Records("p", PAPER, tmp_path)
    stages = [{"stage": name, "step": 1, "epoch": 1.0, "seconds": seconds / 2} for name in ("a", "b")]
    about = {"experiment": "open", "budget": "cpu", "seed": seed, "digest": PAPER.digest("open", "cpu")}
    records.write({**about, "trained": {"stages": stages}})
    return records


def test_rows_that_are_missing_wait_for_those_that_they_begin_from(tmp_path: Path) -> None:
    found = jobs(Records("p", PAPER, tmp_path), "cpu", PAPER.experiments)
    assert [(job.key[1:], job.after) for job in found] == [
        (("base", 0), frozenset()),
        (("open", 0), frozenset()),
        (("tuned", 0), frozenset({("p", "base", 0)})),
        (("tuned", 1), frozenset()),  # nobody asked for a second base: the row trains it itself
        (("untrained", 0), frozenset()),
    ]


def test_recorded_rows_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    records = written(tmp_path, 0, 60)
    assert jobs(records, "cpu", ["open"]) == []
    assert [job.key[2] for job in jobs(records, "cpu", ["open"], seeds=3)] == [1, 2]
    assert [job.key[2] for job in jobs(records, "cpu", ["open"], again=True)] == [0]


def test_a_row_is_expected_to_take_what_it_is_given_or_took_before(tmp_path: Path) -> None:
    records = Records("p", PAPER, tmp_path)
    assert expected_minutes(records, "base", "cpu") == 3
    assert expected_minutes(records, "untrained", "cpu") == 0
    assert expected_minutes(records, "open", "hour") == LONGEST["hour"]
    assert expected_minutes(written(tmp_path, 5, 120), "open", "cpu") == 2


def test_the_longest_chain_goes_first() -> None:
    waiting = [named("long", 5), named("base", 1), named("tuned", 6, "base")]
    assert next_job(waiting, [job.key for job in waiting]) == waiting[1]
    began = [job for job in waiting if job.key[1] != "base"]
    assert next_job(began, [("p", "base", 0)]) == waiting[0], "the row that waits is not begun"
    assert next_job(began, []) == waiting[2]
    assert next_job([waiting[2]], [("p", "base", 0)]) is None


@pytest.mark.parametrize("lengths", [[3, 3, 2, 2, 2], [5], [1, 2, 3, 4, 5, 6], []])
def test_the_time_left_is_near_the_best_schedule(lengths: list[float]) -> None:
    """Longest first is at most 4/3 of the best schedule on two machines, found here by trying all (Graham 1969)."""
    told = minutes_left([named(str(n), own) for n, own in enumerate(lengths)], [], 2)
    splits = itertools.product((0, 1), repeat=len(lengths))
    loads = [[sum(own for own, at in zip(lengths, split, strict=True) if at == k) for k in (0, 1)] for split in splits]
    best = min(max(load) for load in loads)
    assert best <= told <= 4 / 3 * best


def test_what_is_running_counts() -> None:
    assert minutes_left([named("a", 2)], [5.0, 1.0], 2) == 5
    assert minutes_left([named("a", 6)], [5.0, 1.0], 2) == 7
    assert minutes_left([named("a", 2)], [-1.0], 1) == 2, "what should have ended is about to"
