"""A run as it is published: settings and weights alone, in the layout of the hub of models.

    config.json              what is needed to train it again, without folders of the machine that trained it
    model.safetensors        the weights that every command reads, with their digest
    statistics.safetensors   mean and deviation, where data are standardised
    evaluation.json          what was measured
    README.md                the card

Such a folder opens as a run does, and so does `hub:USER/NAME`, which is fetched once into the hub's own cache.
`@REVISION` behind the name takes a branch, a tag or a commit. Nothing but these files is fetched.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from torch import Tensor

from untaught.errors import ConfigError, RunError
from untaught.runs.checkpoint import Torn, read_tensors

HUB = "hub:"
WEIGHTS = "model.safetensors"
FILES = ("config.json", WEIGHTS, "statistics.safetensors", "evaluation.json", "README.md")
"""Everything that a published run may consist of."""
SECONDS = 10.0
"""How long the hub may keep silent."""


def is_published(folder: Path) -> bool:
    """Whether a folder holds a published run, and no checkpoints."""
    return (folder / WEIGHTS).is_file() and not (folder / "checkpoints").exists()


def published_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a published run.

    Raises:
        RunError: The file is torn or was changed.
    """
    try:
        return read_tensors(folder / WEIGHTS)
    except Torn as torn:
        raise RunError(f"{folder} is torn: {torn}") from torn


def on_disk(place: Path | str) -> Path:
    """Where a run is on disk: the path itself, or the hub's cache for `hub:USER/NAME`, into which it is fetched.

    Raises:
        ConfigError: The package huggingface_hub is missing, or the name is none of the hub's.
        RunError: The hub has no such model, or cannot be reached.
    """
    text = str(place)
    if isinstance(place, Path) or not text.startswith(HUB):
        return Path(place)
    name, _, revision = text.removeprefix(HUB).partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ConfigError(f"{text}: a name on the hub is USER/NAME, hub:USER/NAME, or hub:USER/NAME@REVISION")
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ConfigError(f"{text} needs the package huggingface_hub: pip install 'untaught[hub]'") from error
    return _fetched(hub, text, name, revision or None)


def _fetched(hub: Any, text: str, name: str, revision: str | None) -> Path:
    """The folder of the hub's cache that holds a model's files."""
    errors: Any = importlib.import_module("huggingface_hub.errors")
    try:
        return Path(hub.snapshot_download(name, revision=revision, allow_patterns=list(FILES), etag_timeout=SECONDS))
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise RunError(f"{text}: the hub has no such model or revision, or it is not public") from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        raise RunError(f"{text} is not in the hub's cache on this machine, and the hub cannot be reached") from error
