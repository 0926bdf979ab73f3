"""`untaught train`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from untaught.cli.asked import BY_STAGE, Asked, Train, asked
from untaught.cli.flags import Group, parse
from untaught.cli.listing import by, tell_skipped
from untaught.cli.opening import device_named, subject_of
from untaught.cli.place import continued_run, default_place, is_first_process, new_run, refuse_taken
from untaught.cli.progress import follow
from untaught.data.source import Source, open_data
from untaught.data.view import View
from untaught.errors import ConfigError, RunError
from untaught.model import model_names
from untaught.report import write_report
from untaught.runs.run import Run, load
from untaught.runs.settings import Settings, Training
from untaught.training.plan import built, completed


def train(words: Sequence[str]) -> None:
    """Train, show how it goes, write the report, and print the run's path on the last line."""
    if not words or words[0] in ("-h", "--help"):
        _general_help()
        return
    wanted = asked(words)
    place = _place(wanted)
    # Fabric takes a second to import; help and a mistyped flag do not wait for it.
    from untaught.training.fit import fit

    settings, source = _opened(wanted)
    encoder = wanted.command.encoder
    model = built(settings, device_named(settings.training.device), None if encoder is None else load(encoder))
    with _run_in(place, wanted, settings) as run:
        try:
            follow(fit(model, source, settings.training, run))
        except KeyboardInterrupt:
            if run.checkpoints.is_dir():
                print(f"to go on: untaught train --resume --out {run.path}", file=sys.stderr)
            raise
    if is_first_process():
        subject = subject_of(run, source, None, device_named(settings.training.device))
        print(f"report: {write_report(run.path, subject)}", file=sys.stderr)
        print(run.path)


def _opened(wanted: Asked) -> tuple[Settings, Source]:
    """Open the data, and complete the settings by their shape."""
    settings = wanted.settings
    source = open_data(settings.data, size=settings.size, on_bad=settings.on_bad)
    tell_skipped(source)
    settings = completed(settings, source)
    held = wanted.resumed
    if held is not None and (settings.data, settings.shape) != (held.data, held.shape):
        raise RunError(
            f"{wanted.command.out} was trained on {held.data}, examples of {by(held.shape)}\n"
            f"it cannot be continued on {settings.data}, examples of {by(settings.shape)}"
        )
    return settings, source


def _place(wanted: Asked) -> Path:
    """The folder to train in, refused where it is taken."""
    command, training = wanted.command, wanted.settings.training
    if command.out is None and training.devices * training.nodes > 1:
        raise ConfigError("several processes need one place: give --out DIR")
    place = Path(command.out or default_place(wanted.settings.model, command.data))
    if wanted.resumed is None:
        refuse_taken(place, command.replace)
    return place


def _run_in(place: Path, wanted: Asked, settings: Settings) -> AbstractContextManager[Run]:
    if wanted.resumed is not None:
        return continued_run(place, settings)
    return new_run(place, settings, wanted.command.replace)


def _general_help() -> None:
    """Help that holds for every model."""
    about = f"Train MODEL, one of: {', '.join(model_names())}.\n\n`untaught train MODEL --help` adds its own settings."
    groups = [
        Group("command", Train),
        Group("view", View),
        Group("training", Training, hidden=frozenset(("view",)), names=BY_STAGE),
    ]
    parse(groups, ["--help"], "untaught train MODEL", about)
