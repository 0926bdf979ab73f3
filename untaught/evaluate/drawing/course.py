"""One picture of a run over the course of its training, as a film: the same noise, drawn by weights that learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from untaught.errors import RunError
from untaught.evaluate.drawing.pictures import Film, Picture, mosaic, text_width


def course(pictures: Path, name: str) -> Film:
    """The pictures of that name that were drawn while a run's last stage learnt, each under its number of steps.

    Args:
        pictures: The run's folder of pictures, with a folder STAGE-STEP for each moment.
        name: Of the file.

    Raises:
        RunError: There are no two moments.
    """
    moments = _moments(pictures, name)
    if len(moments) < 2:
        raise RunError(
            f"{pictures.parent} has {name} of {len(moments)} moments of its training, and a film needs two;\n"
            "--pictures each draws them after every held-out measurement"
        )
    sheets = [(step, _read(path)) for step, path in moments]
    shape = sheets[-1][1].shape
    told = [f"after {step:,} steps" for step, sheet in sheets if sheet.shape == shape]
    same = [sheet for _, sheet in sheets if sheet.shape == shape]
    widest = max(map(text_width, told))
    return np.stack([mosaic([[sheet]], (), (), line, widest) for sheet, line in zip(same, told, strict=True)])


def _moments(pictures: Path, name: str) -> list[tuple[int, Path]]:
    """Step and file of each moment of the stage that was drawn last, in order."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in pictures.glob(f"*/{name}"):
        stage, _, step = path.parent.name.rpartition("-")
        if stage and step.isdigit():
            found.setdefault(stage, []).append((int(step), path))
    last = max(found.values(), key=lambda moments: max(path.stat().st_mtime for _, path in moments), default=[])
    return sorted(last)


def _read(path: Path) -> Picture:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))
