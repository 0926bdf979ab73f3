"""`untaught train`."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from untaught.cli.asked import BY_STAGE, Said, Train, asked
from untaught.cli.flags import Group, parse
from untaught.cli.terminal.streams import tell
from untaught.data.view import View
from untaught.errors import ConfigError, RunError
from untaught.model import Classifies, TakesEncoder, model_class, model_names
from untaught.runs.settings import Training

if TYPE_CHECKING:
    from untaught.data.source import Source
    from untaught.runs.encoders import Given
    from untaught.runs.run import Run
    from untaught.runs.settings import Settings
    from untaught.training.plan import Plan


WORDS = {"train": "training", "validation": "validation", "test": "test"}
"""What the parts of a source are called."""
FRESH = (
    "no --encoder was given: it trains a fresh network, from random weights; --encoder RUN builds on what a run learnt"
)


def train(words: Sequence[str]) -> None:
    """Train, show progress, write the report, and print the run's path on the last line."""
    if not words or words[0] in ("-h", "--help"):
        _general_help()
        return
    said = asked(words)
    # Training and drawing take seconds to import; help and errors in flags come before.
    from untaught.cli import COMMANDS
    from untaught.cli.opening import device_named
    from untaught.cli.place import is_first_process
    from untaught.cli.terminal.progress import follow
    from untaught.report import write_report
    from untaught.report.judging import judged
    from untaught.training.fit import fit

    with _place(said) as place:
        decided = _decided(said)
        with _run_in(place, said, decided.settings) as run:
            try:
                follow(fit(decided, run=run))
            except KeyboardInterrupt:
                if run.checkpoints.is_dir():
                    tell(f"to go on: untaught train --resume --out {run.path}", file=sys.stderr)
                raise
        if is_first_process():
            # The model in memory has the weights of the best checkpoint: nothing is read again.
            subject = decided.subject(device_named(decided.training.device))
            print("\n".join(judged(run, subject)), file=sys.stderr)
            tell(f"report: {write_report(run.path, subject, COMMANDS)}", file=sys.stderr)
            tell(run.path)


def _decided(said: Said) -> Plan:
    """Open the data, and make the plan of the training."""
    from untaught.cli.listing import tell_skipped
    from untaught.cli.opening import device_named
    from untaught.data.source import open_data
    from untaught.data.spec import size_of
    from untaught.training.plan import Asked, plan

    command, size = said.command, size_of(said.command.size)
    encoder, video = _encoder(said), model_class(said.model).smoke.frames is not None
    seen = _seen_before(said, encoder)
    scale = None if seen is None else seen.scale
    source = open_data(command.data, size=size, on_bad=command.on_bad, scale=scale, video=video)
    source = _as_seen(source, seen, said.resumed)
    tell_skipped(source)
    asked_for = Asked(said.model, said.config, said.training, encoder, size, command.on_bad, said.resumed)
    decided = plan(asked_for, source, device_named(said.training.device), command.other)
    if decided.other is not None:
        tell_skipped(decided.other)
    _refuse_other_data(said, decided.settings)
    for line in _uncovered(decided):
        print(line, file=sys.stderr)
    if decided.settings.chosen:
        print(_chosen(decided.settings), file=sys.stderr)
    model = decided.model
    if isinstance(model, TakesEncoder) and isinstance(model, Classifies) and not model.given:
        print(FRESH, file=sys.stderr)
    return decided


def _seen_before(said: Said, encoder: Given | None) -> Settings | None:
    """Settings of the run that decides how the data are read: the continued one, or the encoder's."""
    from untaught.runs.settings import Settings

    if said.resumed is not None:
        return said.resumed
    return encoder.origin if encoder is not None and isinstance(encoder.origin, Settings) else None


def _as_seen(source: Source, seen: Settings | None, resumed: Settings | None) -> Source:
    """The data with the channels of that run, and with its classes where it is continued."""
    from untaught.data.channels import with_channels
    from untaught.runs.matching import as_trained

    if resumed is not None:
        return as_trained(source, resumed)
    return with_channels(source, seen.shape[0]) if seen is not None and len(seen.shape) == 3 else source


def _uncovered(decided: Plan) -> list[str]:
    """Which clips no stage's windows cover, of each part."""
    from untaught.data.coverage import uncovered
    from untaught.legible import one_line

    told: dict[str, dict[str, None]] = {}
    for stream in (own.main for own in decided.stages):
        for name in ("train", "validation", "test"):
            for line in uncovered(getattr(stream.parts, name), stream.view, remedy=True):
                told.setdefault(line, {})[WORDS[name]] = None
    return [one_line(f"{', '.join(parts)}: {line}") for line, parts in told.items()]


def _encoder(said: Said) -> Given | None:
    """The encoder that is named, or that of the continued run, whose weights are in its checkpoint."""
    from untaught.runs.encoders import Given
    from untaught.runs.run import open_encoder, rebuilt_encoder

    if said.command.encoder is not None:
        return open_encoder(said.command.encoder)
    held = None if said.resumed is None else said.resumed.encoder
    if held is None:
        return None
    return Given(rebuilt_encoder(held), held)


def _chosen(settings: Settings) -> str:
    """The settings chosen from the data, in one line."""
    own = [f"{name} {value}" for name, value in settings.chosen.items() if name not in ("view", "recipe")]
    view = [f"{name} {value}" for name, value in (settings.chosen.get("view") or {}).items() if value]
    return f"chosen: {', '.join([*own, *view, *_of_recipe(settings)])} ({settings.because})"


def _of_recipe(settings: Settings) -> list[str]:
    """What the chosen recipe has that the model's own has not, and that the user did not set."""
    from untaught.config import to_json
    from untaught.model import model_class

    chosen = settings.chosen.get("recipe")
    if chosen is None:
        return []
    own = to_json(model_class(settings.model).recipe)
    flat, plain = ({**recipe, **recipe["optimiser"]} for recipe in (chosen, own))
    changed = [name for name in flat if name != "optimiser" and flat[name] != plain[name]]
    asked = settings.training
    return [f"{name.replace('_', ' ')} {flat[name]}" for name in changed if getattr(asked, name, None) is None]


def _refuse_other_data(said: Said, settings: Settings) -> None:
    """Refuse to continue a run on data other than its own."""
    from untaught.cli.listing import by

    held = said.resumed
    if held is not None and settings.other != held.other:
        raise RunError(f"{said.command.out} was trained on --other {held.other}; it cannot be continued on another")
    if held is not None and (settings.data, settings.shape) != (held.data, tuple(held.shape)):
        raise RunError(
            f"{said.command.out} was trained on {held.data}, examples of {by(held.shape)}\n"
            f"it cannot be continued on {settings.data}, examples of {by(settings.shape)}"
        )


@contextmanager
def _place(said: Said) -> Generator[Path]:
    """The folder to train in, claimed; refused if it is taken."""
    from untaught.cli.place import claimed, free_place, refuse_taken

    command, training = said.command, said.training
    if command.out is None and training.devices * training.nodes > 1:
        raise ConfigError("several processes need one place: give --out DIR")
    with claimed(Path(command.out)) if command.out else free_place(said.model, command.data) as place:
        if said.resumed is None:
            refuse_taken(place, command.replace)
        yield place


def _run_in(place: Path, said: Said, settings: Settings) -> AbstractContextManager[Run]:
    from untaught.cli.place import continued_run, new_run

    if said.resumed is not None:
        return continued_run(place, settings)
    return new_run(place, settings, said.command.replace)


def _general_help() -> None:
    """The part of the help that is the same for every model."""
    about = f"Train MODEL, one of: {', '.join(model_names())}.\n\n`untaught train MODEL --help` adds its own settings."
    groups = [
        Group("command", Train),
        Group("view", View),
        Group("training", Training, hidden=frozenset(("view",)), names=BY_STAGE),
    ]
    parse(groups, ["--help"], "untaught train MODEL", about)
