"""Steps of `pgn` on balls by the number of threads, alone and beside one busy process, both in one run.

    python benchmarks/threads.py [--seconds 24] [--rounds 3] [--spin 1000 10000] [--keep]

Each round trains for some seconds, alone and beside the busy process by turns: with the number of threads that the
training chooses and tries again, with one thread, and with all; with `--spin N`, all threads again, waiting for each
other for at most N turns (GOMP_SPINCOUNT) before they sleep. Each training is a process of its own and counts the
steps that it takes between its first and its last record. The last column is the pace beside the busy process over the
pace alone, of the same round. `--keep` writes results/threads.json after each round.

Whatever else runs on the machine counts as a busy process too: the load at the beginning of each training is shown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch

from untaught.data.source import open_data
from untaught.runs.checkpoint import write_json
from untaught.runs.run import environment
from untaught.runs.settings import Training
from untaught.training.fit import fit
from untaught.training.plan import Asked, plan

RESULTS = Path(__file__).resolve().parents[1] / "results"
REQUIRED = 0.6
"""Least pace beside a busy process, as a fraction of the pace alone, with the number that the training chooses."""


@dataclass(frozen=True)
class Way:
    """A way to train: its name, `--threads`, and GOMP_SPINCOUNT; None leaves either to the training."""

    name: str
    threads: int | None = None
    spin: int | None = None


@dataclass(frozen=True)
class Taken:
    """What one training took."""

    way: str
    busy: bool
    round: int
    steps_per_second: float
    threads: tuple[int, ...]
    """Each number of threads in turn."""
    load: float
    """The machine's load at its beginning."""


def train(seconds: float, threads: int | None) -> None:
    """Train in this process, and print steps a second and the numbers of threads."""
    training = Training(minutes=seconds / 60, threads=threads, device="cpu")
    used: list[int] = []
    began, last, steps = time.perf_counter(), 0.0, 0
    for record in fit(plan(Asked("pgn", {}, training), open_data("balls"))):
        if record.needs is not None:
            began = time.perf_counter()
        used += [record.threads] if used[-1:] != [record.threads] else []
        last, steps = time.perf_counter(), record.step
    print(steps / (last - began), *used)


def measured(way: Way, busy: bool, number: int, seconds: float) -> Taken:
    """Train in a process of its own, perhaps beside a busy one."""
    spin = {} if way.spin is None else {"GOMP_SPINCOUNT": str(way.spin)}
    words = [sys.executable, __file__, "--train", str(seconds), "--threads", str(way.threads or 0)]
    load = os.getloadavg()[0]
    with busy_process() if busy else nullcontext():
        done = subprocess.run(words, env={**os.environ, **spin}, capture_output=True, text=True, check=True)
    pace, *used = done.stdout.split()
    return Taken(way.name, busy, number, float(pace), tuple(map(int, used)), load)


@contextmanager
def busy_process() -> Generator[None]:
    """A process that does nothing but take a core."""
    program = f"import os\nwhile os.getppid() == {os.getpid()}: pass"  # it ends with this one
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def line(way: Way, taken: Sequence[Taken]) -> str:
    """One way's median pace alone and beside, and the median of each round's ratio."""
    own = [one for one in taken if one.way == way.name]
    alone, beside = ([one.steps_per_second for one in own if one.busy == busy] for busy in (False, True))
    return f"{way.name:26} {median(alone):6.2f} {median(beside):6.2f} {ratio(way, taken):6.2f}"


def ratio(way: Way, taken: Sequence[Taken]) -> float:
    """Median over rounds of the pace beside a busy process over the pace alone."""
    pace = {(one.round, one.busy): one.steps_per_second for one in taken if one.way == way.name}
    return median(pace[number, True] / pace[number, False] for number, busy in pace if busy)


def keep(ways: Sequence[Way], taken: Sequence[Taken], seconds: float) -> None:
    """Write what was taken so far."""
    about = {key: value for key, value in environment().items() if key != "command"}
    rows = {way.name: ratio(way, taken) for way in ways}
    found = {"environment": about, "seconds": seconds, "ratios": rows, "taken": [asdict(one) for one in taken]}
    write_json(RESULTS / "threads.json", found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spin", type=int, nargs="*", default=[])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--train", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train:
        train(asked.train, asked.threads or None)
        return
    most = torch.get_num_threads()
    spins = [Way(f"{most} threads, spin {spin}", most, spin) for spin in asked.spin]
    ways = [Way("chosen by trying"), Way("1 thread", 1), Way(f"{most} threads", most), *spins]
    taken: list[Taken] = []
    for number in range(asked.rounds):
        for way in ways:
            for busy in (False, True):
                taken.append(measured(way, busy, number, asked.seconds))
                print(taken[-1], file=sys.stderr, flush=True)
        if asked.keep:
            keep(ways, taken, asked.seconds)
    print(f"{'steps a second':26} {'alone':>6} {'beside':>6} {'ratio':>6}")
    print("\n".join(line(way, taken) for way in ways))
    print(f"required of the first: {REQUIRED}")


if __name__ == "__main__":
    main()
