"""The fuzzer: a few of its cases here, thousands in `make slow`; and that it would see a fault."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.campaign import campaign
from fuzz.commands import EVERYTHING, READING, Case, case
from fuzz.judge import contents, faults_of

from untaught import cli
from untaught.cli import listing

QUICK, LONG = 16, 2000


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing is downloaded, and the user's cache stays as it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    yield


@pytest.mark.usefixtures("offline")
def test_what_is_read_is_described_or_refused() -> None:
    judged = list(campaign(0, lambda done: done < QUICK, READING))
    assert len(judged) == QUICK
    assert not [(one.number, one.told, one.wrong) for one in judged if one.wrong]


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_every_command_and_estimator() -> None:
    wrong = [judged for judged in campaign(0, lambda done: done < LONG, EVERYTHING) if judged.wrong]
    assert not [(one.number, one.told, one.wrong) for one in wrong]


def test_number_draws_the_same_case(tmp_path: Path) -> None:
    made: list[tuple[tuple[str, ...], dict[str, str]]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        drawn = case(11, tmp_path / name, READING)
        made.append((drawn.words, contents(tmp_path / name)))
    assert made[0] == made[1]


# ---------------------------------------------------------------- it sees faults


def raises() -> None:
    raise KeyError("weights")


def writes() -> None:
    Path("in.txt").write_text("other")


def writes_and_refuses() -> None:
    Path("new").mkdir()
    cli.main(["no-such-command"])
    raise SystemExit(2)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (raises, "KeyError"),
        (writes, "changed: ['in.txt']"),
        (writes_and_refuses, "wrote: ['new']"),
        (lambda: os.kill(os.getpid(), 14), "TooLongError"),
        (lambda: bytearray(9 * 2**30), "exit 1"),
    ],
    ids=["traceback", "changed", "left behind", "too long", "memory"],
)
def test_fault_is_seen(act: object, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.txt").write_text("mine")
    monkeypatch.setattr(listing, "models", lambda words: act())  # type: ignore[operator]
    wrong = faults_of(Case(tmp_path, ("models",)))
    assert len(wrong) == 1 and told in wrong[0]


def test_good_command_has_no_fault(tmp_path: Path) -> None:
    assert not faults_of(Case(tmp_path, ("data", "bars")))
    assert not faults_of(Case(tmp_path, ("data", "no-such-file")))
