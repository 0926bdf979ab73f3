"""Rows as processes: all are run, those that wait begin later, what fails is told, an interrupt reaches all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from untaught.experiments.rows import at_once
from untaught.experiments.rows.at_once import run_at_once
from untaught.experiments.rows.job_order import Job

WRITES = "import pathlib, sys, time; {}; pathlib.Path(sys.argv[1]).write_text(str(time.time()))"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once, "LOOK_SECONDS", 0.02)


def job(name: str, *after: str) -> Job:
    return Job(("p", name, 0), 1.0, frozenset(("p", other, 0) for other in after))


def ran(folder: Path, jobs: Sequence[Job], code: dict[str, str], count: int = 2) -> tuple[dict[str, str], list[str]]:
    told: list[str] = []

    def words(one: Job) -> list[str]:
        name = one.key[1]
        return [sys.executable, "-c", WRITES.format(code.get(name, "pass")), str(folder / name)]

    return run_at_once(jobs, count, words, lambda one: folder / f"{one.key[1]}.log", told.append), told


def test_all_are_run_and_a_row_begins_when_its_base_has_ended(tmp_path: Path) -> None:
    jobs = [job("tuned", "base"), job("base"), job("other")]
    failed, told = ran(tmp_path, jobs, {})
    assert failed == {} and {path.name for path in tmp_path.iterdir() if not path.suffix} == {"tuned", "base", "other"}
    assert float((tmp_path / "tuned").read_text()) > float((tmp_path / "base").read_text())
    assert told[0] == "p, base, seed 0: begun" and told[-1].endswith("recorded")
    assert any("left, about" in line for line in told)


def test_so_many_run_at_the_same_time(tmp_path: Path) -> None:
    waits = {name: "time.sleep(0.3)" for name in "abcd"}
    began = time.monotonic()
    ran(tmp_path, [job(name) for name in "abcd"], waits, count=4)
    together = time.monotonic() - began
    assert together < 4 * 0.3 + 0.5


@pytest.mark.skipif(os.name != "posix", reason="priorities are those of POSIX")
def test_rows_stand_back_and_the_caller_does_not(tmp_path: Path) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    says = "import os; time.sleep(0.3); sys.exit(f'at {os.getpriority(os.PRIO_PROCESS, 0)}')"
    failed, _ = ran(tmp_path, [job("a")], {"a": says})
    assert list(failed.values()) == [f"at {at_once.NICENESS}"]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_a_row_that_fails_takes_along_only_those_that_begin_from_it(tmp_path: Path) -> None:
    jobs = [job("base"), job("tuned", "base"), job("again", "tuned"), job("other")]
    failed, _ = ran(tmp_path, jobs, {"base": "sys.exit('no such data')"}, count=1)
    assert failed == {
        "p, base, seed 0": "no such data",
        "p, tuned, seed 0": "it begins from p, base, seed 0",
        "p, again, seed 0": "it begins from p, base, seed 0",
    }
    assert (tmp_path / "other").exists() and not (tmp_path / "tuned").exists()


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
@pytest.mark.slow
def test_an_interrupt_reaches_every_row_once(number: signal.Signals, tmp_path: Path) -> None:
    """Each writes what it was doing, as a training writes its checkpoint, and the whole ends after them."""
    row = (
        "import pathlib, sys, time\n"
        "place = pathlib.Path(sys.argv[1])\n"
        "place.with_suffix('.begun').touch()\n"
        "try: time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    time.sleep(0.3); place.write_text('checkpoint')\n"
    )
    whole = (
        "import pathlib, sys\n"
        "from untaught.experiments.rows.at_once import run_at_once\n"
        "from untaught.experiments.rows.job_order import Job\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "jobs = [Job(('p', name, 0), 1.0) for name in 'ab']\n"
        f"words = lambda one: [sys.executable, '-c', {row!r}, str(folder / one.key[1])]\n"
        "run_at_once(jobs, 2, words, lambda one: folder / 'log', print)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", whole], start_new_session=True, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("*.begun"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, number)
    assert process.wait(30) != 0
    assert [(tmp_path / name).read_text() for name in "ab"] == ["checkpoint"] * 2
