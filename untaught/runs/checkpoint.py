"""One checkpoint: tensors in a safetensors file, counters in a JSON file that is renamed into place last.

A checkpoint is valid if its JSON file exists and holds the digest of the tensors. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a temporary name to write to; on success flush it to disk and rename it to `path`, else remove it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(Path(folder) / "a.txt") as part:
        ...         _ = part.write_text("whole")
        ...     (Path(folder) / "a.txt").read_text()
        'whole'
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON under a temporary name, flush, rename."""
    with replacing(path) as part:
        part.write_text(json.dumps(value, indent=1, allow_nan=True) + "\n", encoding="utf-8")


def pack(value: Any, tensors: dict[str, Tensor], place: str = "state") -> Any:
    """Replace every tensor in nested dictionaries and lists by its key in `tensors`; what remains is JSON."""
    if isinstance(value, Tensor):
        tensors[place] = value
        return {"tensor": place}
    if isinstance(value, Mapping):
        items = cast(Mapping[Any, Any], value).items()
        return {"items": [[key, pack(item, tensors, f"{place}/{key}")] for key, item in items]}
    if isinstance(value, (list, tuple)):
        return {"list": [pack(item, tensors, f"{place}/{i}") for i, item in enumerate(cast(list[Any], value))]}
    return {"value": value}


def unpack(packed: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    """Undo `pack`.

    Example:
        >>> import torch
        >>> kept = {}
        >>> packed = pack({0: {"step": torch.ones(2), "betas": [0.9, 0.5]}}, kept)
        >>> unpack(packed, kept)[0]["betas"]
        [0.9, 0.5]
    """
    if "tensor" in packed:
        return tensors[packed["tensor"]]
    if "items" in packed:
        return {key: unpack(item, tensors) for key, item in packed["items"]}
    if "list" in packed:
        return [unpack(item, tensors) for item in packed["list"]]
    return packed["value"]


def write_checkpoint(folder: Path, name: str, state: Mapping[str, Any], counters: Mapping[str, Any]) -> None:
    """Write `NAME.safetensors`, then `NAME.json` with the counters and the digest of the other."""
    tensors: dict[str, Tensor] = {}
    skeleton = pack(state, tensors)
    # A tensor shared by two names, or a view, is written completely under each name.
    content = save_tensors({key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()})
    with replacing(folder / f"{name}.safetensors") as part:
        part.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    write_json(folder / f"{name}.json", {**counters, "state": skeleton, "sha256": digest})


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors in one file that holds its own digest."""
    held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with replacing(path) as part:
        part.write_bytes(save_tensors(held, metadata={"sha256": _digest(held)}))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read what `write_tensors` wrote.

    Raises:
        Torn: It cannot be read, or its content does not match its digest.
    """
    try:
        with safe_open(path, "pt") as file:
            held, told = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise Torn(f"{path.name}: {error}") from error
    if (told or {}).get("sha256") != _digest(held):
        raise Torn(f"{path.name} does not have the digest that it records")
    return held


def _digest(tensors: Mapping[str, Tensor]) -> str:
    return hashlib.sha256(save_tensors(dict(sorted(tensors.items())))).hexdigest()


REQUIRED = frozenset({"stage", "stage_number", "step", "state", "sha256"})
"""Keys that a checkpoint's JSON must have."""


class Torn(Exception):
    """A checkpoint whose tensors do not match its digest, or that cannot be read."""


def read_counters(path: Path) -> dict[str, Any]:
    """Read a checkpoint's JSON.

    Raises:
        Torn: It is not JSON or lacks its digest.
    """
    try:
        counters = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Torn(f"{path.name}: {error}") from error
    if not isinstance(counters, dict) or not counters.keys() >= REQUIRED:
        raise Torn(f"{path.name} lacks {', '.join(sorted(REQUIRED))}")
    for key in ("stage_number", "step"):
        if not isinstance(counters[key], int):
            raise Torn(f"{path.name} has {key} {counters[key]!r}, which is no number")
    return counters


def read_checkpoint(path: Path) -> tuple[Any, dict[str, Any]]:
    """Read state and counters of the checkpoint whose JSON is `path`.

    Raises:
        Torn: The tensors are missing or do not match the digest.
    """
    counters = read_counters(path)
    try:
        content = path.with_suffix(".safetensors").read_bytes()
    except OSError as error:
        raise Torn(f"{path.stem}.safetensors: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != counters["sha256"]:
        raise Torn(f"{path.stem}.safetensors does not have the digest that {path.name} records")
    return unpack(counters.pop("state"), load_tensors(content)), counters
