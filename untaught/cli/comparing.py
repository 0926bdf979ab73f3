"""`untaught compare`: models trained on the same data for the same updates, and measured alike."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from rich.table import Table as Grid

from untaught.cli.flags import Group, flags_of, read
from untaught.cli.flags.flag import Flag, checked
from untaught.cli.listing import tell_skipped
from untaught.cli.opening import device_named
from untaught.cli.output import console
from untaught.cli.terminal.progress import follow
from untaught.cli.terminal.streams import tell
from untaught.config import Count, configuration
from untaught.data.coverage import uncovered
from untaught.data.source import open_data
from untaught.data.spec import size_of
from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.experiments.summary import ENCODERS, encoders, markdown, summary, tables, title
from untaught.experiments.variant import Budget, Variant, refuse_unable
from untaught.legible import legible
from untaught.model import model_class
from untaught.runs.checkpoint import replacing, write_json
from untaught.runs.run import environment
from untaught.runs.settings import Training


@configuration
class Compare:
    """Train several models on the same data for the same number of updates, and compare what their features contain.

    Features are measured by `probe` where there are labels, and by `decode` where generated data have true variables.
    A second call with the same arguments goes on where the first one stopped. It may add seeds, and models whose
    windows are no longer.
    """

    models: str
    """Models to compare, separated by commas: pgn,autoencoder. A model may appear in several configurations:
    pgn,pgn@residual=false@units=32; the values of a list are separated by +: pgn@filters=32+32."""
    data: str
    """What to train on: a source with labels or true variables."""
    out: str
    """Folder for compare.json, compare.md, compare.png and the finished trials."""
    seeds: Count = 3
    """Trainings of each model, with seeds 0, 1, ..."""
    updates: Count = 1000
    """Updates of each training."""
    batch_size: Count = 32
    """Examples per update."""
    sparse_coding: bool = False
    """Put sparse codes of a dictionary beside each model's features, where there are labels: scikit-learn's
    MiniBatchDictionaryLearning with as many atoms. It takes longer than many a training."""
    set: tuple[str, ...] = ()
    """Fields of configurations: units=64 applies to every model that has the field, pgn.units=64 only to pgn."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What to do with a broken file: stop, or leave it out and count it."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Arithmetic; auto takes bf16 where the hardware multiplies matrices in it."""
    threads: Count | None = None
    """Processor threads; by default chosen by trying before each stage."""
    json: bool = False
    """Print one JSON object, and everything else on standard error."""


def compare(words: Sequence[str]) -> None:
    """Train what is missing, then print and write the comparison."""
    asked = read(Compare, words, "untaught compare")
    variants = variants_of(asked.models, asked.set)
    # Fabric takes a second to import; an error in a flag is reported before.
    from untaught.experiments.points import draw
    from untaught.experiments.trial import Trials

    video = any(model_class(variant.model).smoke.frames is not None for variant in variants)
    source = open_data(asked.data, size=size_of(asked.size), on_bad=asked.on_bad, video=video)
    tell_skipped(source)
    budget = Budget(
        source.spec, size_of(asked.size), asked.updates, asked.batch_size, sparse_coding=asked.sparse_coding
    )
    out, training = Path(asked.out), Training(device=asked.device, threads=asked.threads, precision=asked.precision)
    trials = Trials(source, budget, device_named(asked.device), out / "trials", training)
    looks = {variant.label: trials.look(variant) for variant in variants}
    longest = max((look["frames"] or 0 for look in looks.values()), default=0) or None
    for line in uncovered(source.parts().train, View(frames=longest)):
        tell(line, file=sys.stderr)
    trials = replace(trials, budget=replace(budget, frames=longest))
    wanted = [(variant, seed) for seed in range(asked.seeds) for variant in variants]
    missing = [one for one in wanted if trials.finished(*one) is None]
    for number, (variant, seed) in enumerate(missing, 1):
        tell(f"{variant.label}, seed {seed}: {number} of {len(missing)}", file=sys.stderr)
        trials.run(variant, seed, looks[variant.label]["measures"], follow)
    own = {variant.label: trials.all(variant, asked.seeds) for variant in variants}
    found = {**summary(variants, budget, looks, own), "environment": environment()}
    write_json(out / "compare.json", found)
    draw(found, out / "compare.png")
    with replacing(out / "compare.md") as part:
        part.write_text(legible(markdown(found, "compare.png")), encoding="utf-8")
    if asked.json:
        print(json.dumps(found))
    else:
        _print(found)
    tell(f"{out / 'compare.md'}, {out / 'compare.png'}", file=sys.stderr)


def variants_of(models: str, assignments: Sequence[str]) -> list[Variant]:
    """Read what is to be compared: `pgn,pgn@residual=false`, and fields that are set for all or for one model.

    A variant's own fields take precedence over those set for its model, and these over those set for all.

    Raises:
        ConfigError: A model, field or value is not known, or a variant is given twice.
    """
    asked = [(label, *label.split("@")) for label in models.split(",")]
    names = [name for _, name, *_ in asked]
    for name in names:
        refuse_unable(Variant(name, name))
    for_all, for_one = _assigned(assignments, names)
    variants: list[Variant] = []
    for label, name, *own in asked:
        fields = {**_of_model(for_all, name), **for_one.get(name, {}), **dict(_pair(word, label) for word in own)}
        variants.append(Variant(label, name, {key: _value(name, key, text) for key, text in fields.items()}))
        if label in [other.label for other in variants[:-1]]:
            raise ConfigError(f"--models: {label} is there twice")
    return variants


def _assigned(assignments: Sequence[str], names: Sequence[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Fields that are set for all models, and those for one; a note is printed for a model that lacks a field."""
    for_all: dict[str, str] = {}
    for_one: dict[str, dict[str, str]] = {}
    for word in assignments:
        key, value = _pair(word, "--set")
        name, dot, own = key.rpartition(".")
        if dot and name not in names:
            raise ConfigError(f"--set {word}: {name} is not among the models that are compared: {', '.join(names)}")
        if dot:
            for_one.setdefault(name, {})[own] = value
            continue
        lacking = [other for other in dict.fromkeys(names) if key not in _flags(other)]
        if len(lacking) == len(set(names)):
            raise ConfigError(f"--set {word}: no model has a field {key!r}{_close(key, names)}")
        for other in lacking:
            tell(f"{other} has no field {key!r}: --set {word} is not for it", file=sys.stderr)
        for_all[key] = value
    return for_all, for_one


def _of_model(fields: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in fields.items() if key in _flags(name)}


def _pair(word: str, where: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not (key and equals and value):
        raise ConfigError(f"{where}: {word!r} should read FIELD=VALUE")
    return key, value


def _value(name: str, key: str, text: str) -> Any:
    """A field's value from its text; values of a list are separated by + or commas."""
    if key not in _flags(name):
        raise ConfigError(f"{name} has no field {key!r}{_close(key, [name])}")
    flag = replace(_flags(name)[key], name=f"{name}.{key}")
    return checked(flag, tuple(text.replace(",", "+").split("+")) if _is_list(flag) else (text,))


def _is_list(flag: Flag) -> bool:
    return "tuple[" in str(flag.hint)


def _close(key: str, names: Sequence[str]) -> str:
    """The nearest field, as a hint."""
    close = get_close_matches(key, [field for name in names for field in _flags(name)], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _flags(name: str) -> dict[str, Flag]:
    return {flag.field: flag for flag in flags_of([Group(name, model_class(name).Config)])}


def _print(found: Mapping[str, Any]) -> None:
    """Print the models that were compared, and every quantity."""
    out = console()
    out.print(f"{title(found)}\n", highlight=False)
    out.print(_grid("encoders", ENCODERS, encoders(found)))
    for quantity, (head, lines) in tables(found).items():
        out.print()
        out.print(_grid(quantity, head, lines))


def _grid(name: str, head: Sequence[str], lines: Iterable[Sequence[str]]) -> Grid:
    grid = Grid(title=name, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False)
    for number, heading in enumerate(head):
        grid.add_column(heading, justify="right" if number else "left")
    for line in lines:
        grid.add_row(*line)
    return grid
