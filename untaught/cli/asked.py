"""What the user asks of `untaught train`: arguments are parsed and checked, nothing else is decided.

What is not given comes from a stored configuration (`--config`, or the run that `--resume` continues). The rest stays
open until the data and the model are known.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from untaught.cli.flags import Group, parse
from untaught.config import configuration, from_json, to_json, values
from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.model import Model, Recipe, learns_classes, model_class, model_names
from untaught.runs.run import open_run, read_settings, told_who_wrote
from untaught.runs.settings import Settings, Training

FREE_ON_RESUME = frozenset(
    ("epochs", "stage_epochs", "minutes", "device", "devices", "nodes", "strategy", "compile", "capture", "threads")
)
"""Settings that may change when a training is continued; all others must stay as they were."""


BY_STAGE = {"stage_epochs": "epochs.NAME", "stage_learning_rates": "learning-rate.NAME"}


@configuration
class Train:
    """Where data come from and where the run goes."""

    data: str
    """What to train on: a path, or a named set; `untaught data` lists them."""
    other: str | None = None
    """A second source, for models that learn from two, such as those that translate between them."""
    out: str | None = None
    """Folder of the run; by default runs/MODEL-SOURCE-NUMBER."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What to do with a broken file: stop, or leave it out and count it."""
    resume: bool = False
    """Continue the run in --out from its last checkpoint."""
    replace: bool = False
    """Remove the run that is in --out, and train anew."""
    encoder: str | None = None
    """What the model is built on, where it takes an encoder: a run, or a network and its file of weights,
    vgg16:weights.safetensors."""
    config: str | None = None
    """A run's config.json, to train it again; flags that are given as well take precedence."""


@dataclass(frozen=True)
class Said:
    """A training as the user asked for it."""

    command: Train
    model: str
    config: Mapping[str, Any]
    """The fields of the model's configuration that the user set."""
    training: Training
    stored: Settings | None
    """The stored configuration, where there is one."""

    @property
    def resumed(self) -> Settings | None:
        """Settings of the run that is to be continued, if any."""
        return self.stored if self.command.resume else None


def asked(words: Sequence[str]) -> Said:
    """Read the words after `untaught train`.

    Raises:
        ConfigError: A model or flag is unknown, or a value is missing, not allowed, or in conflict with the run's.
        RunError: The stored configuration is missing or broken.
    """
    stored, told_who_wrote_it = _stored(words)
    name, flags = _model(words, stored)
    with told_who_wrote_it:
        model = model_class(name)
        offered = groups(model, stored)
    given = parse(offered, flags, f"untaught train {name}", first_line(model))
    if "--resume" in flags and stored is not None:
        _refuse_changes(stored, given, model)
    command = Train(**{**_command_defaults(stored), **given["command"]})
    _refuse_encoders(command, stored)
    config = {**_said_of(stored), **given["model"]}
    from_json(model.Config, config, name)  # reports errors before any data are opened
    return Said(command, name, config, _training(stored, given), stored)


def groups(model: type[Model], stored: Settings | None) -> list[Group]:
    """Every flag of `untaught train MODEL`, with the defaults that apply when it is not given."""
    training = Training() if stored is None else stored.training
    said = {**recipe_defaults(model.recipe), **_said(training)}
    view = model.view if stored is None else stored.view
    chosen = {**model.adapts, **({"classes": "as many as there are"} if learns_classes(model) else {})}
    notes = {name: f"By default it is chosen from the data: {how}." for name, how in chosen.items()}
    return [
        Group("command", Train, _command_defaults(stored)),
        Group("model", model.Config, _stored_config(stored, model), notes=notes),
        Group("view", View, values(view), notes=notes),
        Group("training", Training, said, frozenset(("view",)), names=BY_STAGE),
    ]


def recipe_defaults(recipe: Recipe) -> dict[str, Any]:
    """What a training takes from the model's recipe by default."""
    return {
        "batch_size": recipe.batch_size,
        "optimiser": recipe.optimiser.name,
        "learning_rate": recipe.optimiser.learning_rate,
        "schedule": recipe.schedule,
        "clip": recipe.clip,
        "average": recipe.average,
    }


def first_line(model: type[Model]) -> str:
    """What a system is: the first line of its file's docstring."""
    return (sys.modules[model.__module__].__doc__ or "").partition("\n")[0]


def _refuse_encoders(command: Train, stored: Settings | None) -> None:
    held = None if stored is None else stored.encoder
    if command.resume and command.encoder is not None:
        raise ConfigError("--encoder: a run that is continued has its encoder; leave it out")
    if held is not None and not command.resume and command.encoder is None:
        raise ConfigError(
            "the stored configuration is of a model that was given an encoder:\n"
            "give --encoder RUN or --encoder NETWORK:FILE, or, in Python, Asked(..., encoder=network)"
        )


def _model(words: Sequence[str], stored: Settings | None) -> tuple[str, list[str]]:
    """Take the model's name off the words, or from the stored configuration."""
    named = words[0] if words and not words[0].startswith("-") else None
    if stored is not None and named not in (None, stored.model):
        raise ConfigError(f"the stored configuration is of {stored.model}, not {named}; leave the name out")
    if named is None and stored is None:
        raise ConfigError(
            f"name the model first: untaught train MODEL --data ...; there are: {', '.join(model_names())}"
        )
    return (stored.model if stored is not None else str(named)), list(words if named is None else words[1:])


def _stored(words: Sequence[str]) -> tuple[Settings | None, AbstractContextManager[None]]:
    """The configuration that `--config` or `--resume` names, and a context for errors about it.

    If it is a run's, such an error names the version that wrote the run. A run's file is called config.json.
    """
    file = _typed(words, "--config")
    if "--resume" in words:
        place = _typed(words, "--out")
        if place is None:
            raise ConfigError("--resume needs --out: the run to continue")
        run = open_run(place)
    elif file is None:
        return None, nullcontext()
    elif Path(file).name == "config.json":
        run = open_run(Path(file).parent)
    else:
        return read_settings(Path(file)), nullcontext()
    return run.settings, told_who_wrote(run.path)


def _said_of(stored: Settings | None) -> dict[str, Any]:
    """Fields of a stored configuration that a person set; those chosen from the data may be chosen anew."""
    if stored is None:
        return {}
    return {name: value for name, value in stored.config.items() if name not in stored.chosen}


def _typed(words: Sequence[str], flag: str) -> str | None:
    """The value that follows a flag."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == flag and following and not following.startswith("--"):
            return following
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _command_defaults(stored: Settings | None) -> dict[str, Any]:
    if stored is None:
        return {}
    size = None if stored.size is None else f"{stored.size[0]}x{stored.size[1]}"
    return {"data": stored.data, "other": stored.other, "size": size, "on_bad": stored.on_bad}


def _stored_config(stored: Settings | None, model: type[Model]) -> dict[str, Any]:
    return {} if stored is None else values(from_json(model.Config, stored.config, f"config of {stored.model}"))


def _training(stored: Settings | None, given: Mapping[str, Mapping[str, Any]]) -> Training:
    """The stored training, if any, changed by the flags that were given."""
    typed = given["training"]
    if "epochs" in typed and "minutes" in typed:
        raise ConfigError("--epochs and --minutes both say how long to train; give one of them")
    before = Training() if stored is None else stored.training
    ends = {"epochs": None, "minutes": None} if {"epochs", "minutes"} & typed.keys() else {}
    # Older runs do not say what was chosen: theirs stays as it was.
    held = to_json(stored.view) if stored is not None and stored.seen is None else before.view
    view = {**(held or {}), **given["view"]} if given["view"] else held
    return dataclasses.replace(before, **{**ends, **typed, "view": view})


def _refuse_changes(resumed: Settings, given: Mapping[str, Mapping[str, Any]], model: type[Model]) -> None:
    """Refuse to continue a training with other settings.

    Raises:
        ConfigError: A flag differs from what the run was trained with.
    """
    held = {
        "model": _stored_config(resumed, model),
        "view": values(resumed.view),
        "training": {**recipe_defaults(model.recipe), **_said(resumed.training)},
    }
    for group, before in held.items():
        for name, value in given[group].items():
            if name not in FREE_ON_RESUME and value != before.get(name):
                flag = "--" + name.replace("_", "-")
                raise ConfigError(
                    f"{flag} {value}: the run was trained with {before.get(name)}\n"
                    f"leave {flag} out to continue it, or train another run in another --out"
                )


def _said(training: Training) -> dict[str, Any]:
    return {name: value for name, value in values(training).items() if value is not None}
