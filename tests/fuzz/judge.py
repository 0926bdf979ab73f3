"""Runs something under limits of time and memory, and says what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from fuzz.commands import Case
from untaught import cli

SECONDS = 60
AGAIN, LEAST = 30, 1
"""Seconds after which time is looked at again, and processor seconds that something that works has used by then."""
MEMORY = 4 * 2**30
MOST_LINES = 3
NOT_FINITE = "not finite"


class TooLongError(BaseException):
    """The limit of time is reached; no `except Exception` takes it."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int | None
    """The exit status; None where an exception came out."""
    said: str
    """What was printed on standard error; the traceback of the exception, where there is one."""
    seconds: float
    peak: int
    """Bytes that the process held at most beyond those that it had held before."""


def faults_of(case: Case) -> list[str]:
    """Run a case's command in its folder, and list what is wrong."""
    before = contents(case.folder)
    ended = run(case.words, case.folder)
    return [*_wrong_end(ended), *_changed(case, before, ended.status)]


def run(words: tuple[str, ...], folder: Path) -> Ended:
    """Run a command in a folder, in this process."""
    status, error = None, ""
    began, held = time.process_time(), _reset_peak()
    with tempfile.TemporaryFile("w+", errors="backslashreplace") as said:
        with _in_folder(folder), _printed_to(said.fileno()), limits():
            try:
                status = cli.main(words)
            except BaseException as raised:
                if isinstance(raised, KeyboardInterrupt):
                    raise
                error = traceback.format_exc()
        said.seek(0)
        text = said.read()
    return Ended(status, text + error, time.process_time() - began, _peak() - held)


def _wrong_end(ended: Ended) -> list[str]:
    wrong: list[str] = []
    if ended.status is None:
        wrong.append(f"raised:\n{ended.said}")
    elif "Traceback" in ended.said:
        wrong.append(f"printed a traceback:\n{ended.said}")
    elif ended.status == 1 and NOT_FINITE in ended.said:
        pass
    elif ended.status not in (0, 2):
        wrong.append(f"exit {ended.status}:\n{ended.said}")
    elif ended.status == 2 and not 1 <= len(_message(ended.said)) <= MOST_LINES:
        wrong.append(f"{len(_message(ended.said))} lines:\n{ended.said}")
    if ended.seconds > SECONDS:
        wrong.append(f"took {ended.seconds:.0f} seconds")
    if ended.peak > MEMORY:
        wrong.append(f"held {ended.peak / 2**30:.1f} GiB")
    return wrong


def _message(said: str) -> list[str]:
    """The lines from the last one that our own name begins."""
    lines = said.strip().splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("untaught: ")]
    return lines[starts[-1] :] if starts else []


# ---------------------------------------------------------------- what stood there


def contents(folder: Path) -> dict[str, str]:
    """A digest of every file, folder, link and pipe."""
    return {os.fsdecode(os.fsencode(path.relative_to(folder))): _digest(path) for path in folder.rglob("*")}


def _digest(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder or pipe"


def _changed(case: Case, before: dict[str, str], status: int | None) -> list[str]:
    """What is other than before; a refused command may not have written anything, another only beside what was."""
    after = contents(case.folder)
    writes = () if status == 2 else (*case.writes, *_named_out(case))
    lost = [name for name in before if after.get(name) != before[name] and not _below(name, writes)]
    new = [name for name in after if name not in before] if status == 2 else []
    return [f"changed: {lost[:5]}"] * bool(lost) + [f"refused, but wrote: {new[:5]}"] * bool(new)


def _named_out(case: Case) -> list[str]:
    """The file that the command was told to write; a folder that stood there is not to be touched."""
    words = case.words
    named = [words[n + 1] for n, word in enumerate(words[:-1]) if word == "--out"]
    return [name for name in named if Path(name).suffix]


def _below(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


# ---------------------------------------------------------------- limits


@contextmanager
def limits(seconds: int = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Raise `TooLongError` after some seconds; refuse more memory than is held now and twice `memory` beside it.

    Seconds are those of the processor, since it may have other work; who waits so long without using it hangs too.
    """
    began = last = time.process_time()

    def check(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now, before = time.process_time(), last
        last = now
        signal.alarm(AGAIN)
        if now - began > seconds or now - before < LEAST:
            signal.alarm(5)  # once more, in case the first is taken on its way
            raise TooLongError

    before = signal.signal(signal.SIGALRM, check)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    signal.alarm(seconds + 1)
    resource.setrlimit(resource.RLIMIT_DATA, (_status_bytes("VmData") + 2 * memory, hard))
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        signal.signal(signal.SIGALRM, before)


def _status_bytes(key: str) -> int:
    """A number of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def _reset_peak() -> int:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    return _status_bytes("VmHWM")


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    with contextlib.chdir(folder):
        yield


@contextmanager
def _printed_to(errors: int) -> Iterator[None]:
    """Send the process's standard error to a file and its standard output to nowhere, below Python and in it."""
    kept, streams = [os.dup(1), os.dup(2)], (sys.stdout, sys.stderr)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(errors, 2)
    sys.stdout, sys.stderr = (open(n, "w", closefd=False, errors="backslashreplace") for n in (1, 2))  # noqa: SIM115
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = streams
        for number, own in zip((1, 2), kept, strict=True):
            os.dup2(own, number)
        for own in (*kept, nowhere):
            os.close(own)


def called(act: Callable[[], object]) -> BaseException | None:
    """Call something under the limits; gives what it raised."""
    with limits():
        try:
            act()
        except BaseException as raised:
            if isinstance(raised, KeyboardInterrupt):
                raise
            return raised
    return None
