"""Where a run goes: a new folder, the folder of a run that it replaces, or that of the run it continues.

Of several processes of one training only the first creates and writes files; the others wait for them. A place is
claimed before anything is looked for there, so that trainings that begin together do not meet.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from untaught.config import to_json
from untaught.errors import InputError, RunError
from untaught.runs.checkpoint import write_json
from untaught.runs.run import Run, create_run, open_run
from untaught.runs.settings import Settings

PATIENCE_SECONDS = 60.0
"""How long another process waits for the first to create the folder."""


def is_first_process() -> bool:
    """Whether this is the only process, or the first of several."""
    numbers = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
    return all(os.environ.get(name, "0") == "0" for name in numbers)


def default_place(model: str, spec: str) -> Path:
    """`runs/MODEL-SOURCE-NUMBER`, with a number that is free.

    Example:
        >>> str(default_place("pgn", "clips/a walk.mp4?size=64"))
        'runs/pgn-a-walk-1'
    """
    subject = spec.partition("?")[0]
    name = re.sub(r"\W+", "-", Path(subject).stem if os.path.exists(subject) else Path(subject.partition(":")[0]).stem)
    taken = [place.name.rpartition("-")[2] for place in Path("runs").glob(f"{model}-{name}-*")]
    number = 1 + max((int(text) for text in taken if text.isdecimal()), default=0)
    return Path("runs", f"{model}-{name}-{number}")


@contextmanager
def free_place(model: str, spec: str) -> Generator[Path]:
    """The first default place that is free, claimed: trainings that begin together get one each."""
    first = default_place(model, spec)
    stem, _, number = first.name.rpartition("-")
    for place in (first.with_name(f"{stem}-{later}") for later in count(int(number))):
        with ExitStack() as claim:
            try:
                claim.enter_context(claimed(place))
            except RunError:
                continue
            if not place.exists():
                yield place
                return


@contextmanager
def claimed(place: Path) -> Generator[Path]:
    """Keep other trainings away from a place, whether they would make, replace or continue a run there.

    The claim is a lock on a file beside the folder, which ends with the process, however that ends.

    Raises:
        RunError: Another training has it.
    """
    if not is_first_process():
        yield place
        return
    missing = [folder for folder in place.parents if not folder.exists()]
    try:
        with _locked(place.parent / f".{place.name}.lock", place):
            yield place
    finally:
        for folder in missing:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


@contextmanager
def _locked(file: Path, place: Path) -> Generator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise RunError(
            f"another training is writing to {place}; choose another --out, or wait until it ends"
        ) from error
    except PermissionError:  # beside the folder nothing may be written, only in it
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()
        lock.release()


def refuse_taken(place: Path, replace: bool) -> None:
    """Refuse a folder that is not empty, before data are opened for a run that could not be written.

    Raises:
        RunError: The folder is not empty, and it is not to be replaced or is not a run.
    """
    if not is_first_process() or not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return
    if not (place / "config.json").is_file():
        raise RunError(f"{place} holds other files and is no run; nothing there is touched, choose another --out")
    if not replace:
        raise RunError(f"{place} holds another run; choose another --out, or --resume to go on with it, or --replace")


@contextmanager
def new_run(place: Path, settings: Settings, replace: bool) -> Generator[Run]:
    """Create a run's folder; if training ends before the first checkpoint, everything is restored as it was.

    Raises:
        RunError: The folder is taken, see `refuse_taken`.
    """
    refuse_taken(place, replace)
    if not is_first_process():
        yield _made_by_another(place)
        return
    with _aside(place) if replace else nullcontext():
        missing = [folder for folder in (place, *place.parents) if not folder.exists()]
        run = create_run(place, settings)
        try:
            yield run
        finally:
            if not run.checkpoints.is_dir():
                _undo(place, missing)


@contextmanager
def continued_run(place: Path, settings: Settings) -> Generator[Run]:
    """Open a run to continue it, and record changed settings, such as more epochs, unless the training refuses them."""
    before = open_run(place).settings
    _note(place, before, settings)
    try:
        yield Run(place, settings)
    except InputError:
        _note(place, settings, before)
        raise


def _note(place: Path, before: Settings, now: Settings) -> None:
    if is_first_process() and now != before:
        write_json(place / "config.json", to_json(now))


@contextmanager
def _aside(place: Path) -> Generator[None]:
    """Rename the run that is to be replaced; it comes back if the new one does not get as far as a checkpoint."""
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        yield
        return
    before = place.with_name(f".{place.name}.replaced")
    shutil.rmtree(before, ignore_errors=True)
    place.rename(before)
    try:
        yield
    finally:
        if (place / "checkpoints").is_dir():
            shutil.rmtree(before)
        else:
            shutil.rmtree(place, ignore_errors=True)
            before.replace(place)


def _undo(place: Path, missing: list[Path]) -> None:
    """Remove a folder that we created, with the parents created for it; one that existed before stays, empty."""
    shutil.rmtree(place)
    if place not in missing:
        place.mkdir()
    for parent in missing[1:]:
        if not any(parent.iterdir()):
            parent.rmdir()


def _made_by_another(place: Path) -> Run:
    """Wait until the first process has created the folder."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (place / "config.json").is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    return open_run(place)
