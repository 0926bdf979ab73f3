"""Rows that are run several at a time: each in a process of its own, on one thread, at low priority.

Whatever else the machine does goes first. A row that fails does not stop the others; those that begin from it are left.
An interrupt reaches every row, and each writes a checkpoint from which it goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from untaught.experiments.rows.job_order import Job, minutes_left, next_job

NICENESS = 10
"""By how much the priority is lowered."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if name in dir(signal))
"""Signals that end the whole; one that is ignored, as under nohup, stays so."""
LOOK_SECONDS = 0.5
"""Time between looks at the processes."""


@dataclass
class Running:
    """A row that is being run."""

    job: Job
    process: subprocess.Popen[bytes]
    since: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Minutes that its training still takes, if it takes as long as expected."""
        return self.job.minutes - (time.monotonic() - self.since) / 60


def run_at_once(
    jobs: Sequence[Job],
    count: int,
    words: Callable[[Job], Sequence[str]],
    log: Callable[[Job], Path],
    tell: Callable[[str], None],
) -> dict[str, str]:
    """Run rows, so many at a time, the longest first.

    Args:
        jobs: All of them.
        count: How many at a time.
        words: The command that runs one.
        log: Where it may write what it says.
        tell: Is told of each that begins and ends, and how long is left.

    Returns:
        Why those that failed did, by name.
    """
    waiting, running, failed = list(jobs), list[Running](), dict[str, str]()
    with _interrupted_together(running):
        while waiting or running:
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                if one.process.returncode:
                    failed[one.job.name] = _last_line(log(one.job))
                    waiting = _without_those_after(one.job, waiting, failed)
                tell(_ended(one, failed, waiting, running, count))
            while len(running) < count and (job := next_job(waiting, _not_ended(waiting, running))) is not None:
                waiting.remove(job)
                running.append(Running(job, _begun(words(job), log(job))))
                tell(f"{job.name}: begun")
            time.sleep(LOOK_SECONDS if running else 0)
    return failed


def _begun(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    alone = {**os.environ, **dict.fromkeys(THREADS, "1")}
    with log.open("ab") as lines:
        # In a session of its own: an interrupt from the keyboard reaches it through us, and only once.
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=lines, stderr=lines, env=alone, start_new_session=True
        )
    _lower_priority(process.pid)
    return process


def _lower_priority(pid: int) -> None:
    """Let everything else on the machine go before a process and what it begins.

    Linux may share time among sessions first, whatever nice says; so the priority of its session is lowered too.
    """
    with suppress(OSError):
        if os.name == "posix":
            os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))


def _not_ended(waiting: Sequence[Job], running: Sequence[Running]) -> list[Any]:
    return [*(job.key for job in waiting), *(one.job.key for one in running)]


def _without_those_after(job: Job, waiting: Sequence[Job], failed: dict[str, str]) -> list[Job]:
    """Leave rows that begin from one that failed, and those that begin from them."""
    lost, left = {job.key}, list(waiting)
    while found := [other for other in left if other.after & lost]:
        lost |= {other.key for other in found}
        left = [other for other in left if other.key not in lost]
        failed |= {other.name: f"it begins from {job.name}" for other in found}
    return left


def _ended(
    one: Running, failed: Mapping[str, str], waiting: Sequence[Job], running: Sequence[Running], count: int
) -> str:
    how = f"failed: {failed[one.job.name]}" if one.job.name in failed else "recorded"
    rows = len(waiting) + len(running)
    if not rows:
        return f"{one.job.name}: {how}"
    left = minutes_left(waiting, [other.left for other in running], count)
    return f"{one.job.name}: {how}; {rows} left, about {in_words(left)}"


def in_words(minutes: float) -> str:
    """A duration to be read.

    Example:
        >>> in_words(0.2), in_words(12.4), in_words(150)
        ('1 min', '12 min', '2 h 30 min')
    """
    whole = max(1, round(minutes))
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60} min"


def _last_line(log: Path) -> str:
    said = log.read_text("utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")


@contextmanager
def _interrupted_together(running: Sequence[Running]) -> Generator[None]:
    """Pass an interrupt, or the wish to end, on to every process, and wait until each has written its checkpoint."""

    def end(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in ENDS if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    except BaseException:
        for one in running:
            one.process.send_signal(signal.SIGINT)
        for one in running:
            one.process.wait()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
