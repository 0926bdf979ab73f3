"""What an export says of the run that it comes from: the data, their shape and scale; no folder of this machine."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from untaught.data.source import source_names
from untaught.data.spec import ELSEWHERE
from untaught.runs.run import Run
from untaught.runs.settings import NetworkFile, Settings


def data_named(spec: str) -> str:
    """A spec without folders: a named set by its name, a path by its last part.

    Example:
        >>> data_named("mnist:/data/mnist?size=14"), data_named("/data/clips/walk.mp4"), data_named("hf:ylecun/mnist")
        ('mnist?size=14', 'walk.mp4', 'hf:ylecun/mnist')
    """
    subject, mark, query = spec.partition("?")
    name, colon, place = subject.partition(":")
    if colon and name in source_names():
        elsewhere = name in ELSEWHERE and not Path(place).is_absolute()
        return (subject if elsewhere else name) + mark + query
    return Path(subject).name + mark + query


def without_folders(settings: Settings) -> Settings:
    """Settings of a run that name no folder of the machine that trained it."""
    held = settings.encoder
    if isinstance(held, Settings):
        held = without_folders(held)
    elif isinstance(held, NetworkFile):
        held = replace(held, file=Path(held.file).name)
    other = None if settings.other is None else data_named(settings.other)
    return replace(settings, data=data_named(settings.data), other=other, read=(), encoder=held)


def told_of(run: Run) -> dict[str, Any]:
    """What a file's metadata say: model, data, shape, scale, classes."""
    held = run.settings
    size = dict(zip(("channels", "height", "width"), held.shape, strict=True)) if len(held.shape) == 3 else {}
    return {
        "made_by": f"untaught {version('untaught')}",
        "model": held.model,
        "data": data_named(held.data),
        "shape": list(held.shape),
        **size,
        "frames": held.frames,
        "scale": held.scale,
        "standardise": run.view.standardise,
        "classes": list(held.classes),
        "pixels": "inputs and outputs are between 0 and 1; where the data were whole numbers, scale became 1",
    }
