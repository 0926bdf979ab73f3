"""A run as a folder for the hub of models: weights, settings, what was measured, a card.

The folder opens as a run does (`untaught/runs/published.py`), here or after it was uploaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from untaught.config import to_json
from untaught.export.model_card import model_card
from untaught.export.what_it_saw import data_named, without_folders
from untaught.legible import legible
from untaught.runs.checkpoint import replacing, write_json, write_tensors
from untaught.runs.published import WEIGHTS
from untaught.runs.run import Run


def write_hub_folder(run: Run, folder: Path, step: int | None = None) -> None:
    """Write the files of a published run.

    Arguments:
        run: What is published.
        folder: Where; made if missing.
        step: A step of the last stage; by default the best.

    Raises:
        RunError: The run has no whole checkpoint, or none of that step.
    """
    # A model that is built and filled shows that the weights fit, before anything is written.
    weights, known = run.load(step).state_dict(), run.statistics()
    measured = _measured(run, step)
    card = model_card(run, weights, measured)
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, weights)
    if known is not None:
        write_tensors(folder / "statistics.safetensors", {"mean": known.mean, "deviation": known.deviation})
    if measured:
        write_json(folder / "evaluation.json", measured)
    with replacing(folder / "README.md") as part:
        part.write_text(legible(card), encoding="utf-8")
    write_json(folder / "config.json", to_json(without_folders(run.settings)))


def _measured(run: Run, step: int | None) -> dict[str, Any]:
    """What was measured of the weights of that step, without the names of folders; nothing if nothing was."""
    try:
        held = json.loads((run.path / "evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(held, dict):
        return {}
    found = cast(dict[str, Any], held)
    if found.get("step") != step or not isinstance(found.get("measures"), dict):
        return {}
    return {"data": data_named(str(found.get("data", ""))), "step": step, "measures": found["measures"]}
