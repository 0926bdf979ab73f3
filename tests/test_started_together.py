"""Trainings that begin at the same moment: each has a place of its own, or is refused; nothing is mixed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from untaught.cli.place import claimed, free_place
from untaught.errors import RunError

WORDS = ("--data", "digits", "--epochs", "1", "--threads", "1", "--device", "cpu")


def started(place: Path, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "untaught", "train", "softmax", *WORDS, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        words, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    found = [process.communicate(timeout=200) for process in processes]
    return [(process.returncode, *told) for process, told in zip(processes, found, strict=True)]


def seeds_of(place: Path) -> dict[str, int]:
    """The seed that each run's settings hold, and that every record of it was made with one training alone."""
    found: dict[str, int] = {}
    for run in sorted(place.iterdir()):
        steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
        assert steps == sorted(steps) and (run / "report.html").is_file()
        found[run.name] = json.loads((run / "config.json").read_text())["training"].get("seed", 0)
    return found


@pytest.mark.slow
def test_three_without_a_place(tmp_path: Path) -> None:
    done = ended([started(tmp_path, "--seed", str(seed)) for seed in (5, 6, 7)])
    assert [status for status, _, _ in done] == [0, 0, 0], done
    found = seeds_of(tmp_path / "runs")
    assert sorted(found) == [f"softmax-digits-{number}" for number in (1, 2, 3)]
    assert {Path(out.split()[-1]).name: seed for (_, out, _), seed in zip(done, (5, 6, 7), strict=True)} == found


@pytest.mark.slow
@pytest.mark.parametrize("how", [(), ("--replace",)])
def test_three_at_one_place(how: tuple[str, ...], tmp_path: Path) -> None:
    if how:
        assert ended([started(tmp_path, "--out", "run", "--seed", "4")])[0][0] == 0
    done = ended([started(tmp_path, "--out", "run", "--seed", str(seed), *how) for seed in (5, 6, 7)])
    assert sorted(status for status, _, _ in done) == [0, 2, 2], done
    assert all("another" in error and "Traceback" not in error for status, _, error in done if status)
    (name,) = [path.name for path in tmp_path.iterdir()]
    winner = [status for status, _, _ in done].index(0)
    assert name == "run" and seeds_of(tmp_path)["run"] == 5 + winner


def test_a_place_is_claimed_once(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "run"
    with claimed(place):
        with pytest.raises(RunError, match="another training is writing"), claimed(place):
            pass
        with claimed(tmp_path / "deep" / "other"):
            pass
    with claimed(place):
        place.mkdir()
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["run"]
    place.rmdir()
    (tmp_path / "deep").rmdir()
    with pytest.raises(ZeroDivisionError), claimed(place):
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


def test_default_places_of_threads_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ready, all_have_one = threading.Barrier(4), threading.Barrier(4)

    def one(_: int) -> str:
        ready.wait()
        with free_place("rbm", "digits") as place:
            all_have_one.wait(timeout=20)
            place.mkdir()
            return place.name

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(one, range(4))) == [f"rbm-digits-{number}" for number in (1, 2, 3, 4)]
    with free_place("rbm", "digits") as place:
        assert place == Path("runs/rbm-digits-5")


@pytest.mark.slow
def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import os, pathlib; from untaught.cli.place import claimed; import sys\n"
        "with claimed(pathlib.Path(sys.argv[1])): os._exit(9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "run")], env=environment, check=False)
    assert [path.name for path in tmp_path.iterdir()] == [".run.lock"]
    with claimed(tmp_path / "run"):
        pass
    assert not list(tmp_path.iterdir())
