"""The picture shows every variant in its own colour, and grows with what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from untaught.experiments.points import COLOURS, draw


def found(labels: list[str], quantities: int, random: float) -> dict[str, Any]:
    def spread(mean: float) -> dict[str, Any]:
        return {"mean": mean, "std": 0.05, "values": [mean]}

    beside = {"model": spread(0.75), "random_weights": spread(random), "raw_pixels": spread(0.5)}
    return {
        "data": "balls",
        "updates": 10,
        "batch_size": 4,
        "seeds": [0, 1],
        "variants": [{"label": label} for label in labels],
        "quantities": {f"decode: R² of {n}": dict.fromkeys(labels, beside) for n in range(quantities)},
    }


def picture(path: Path, *what: Any) -> np.ndarray[Any, Any]:
    draw(found(*what), path)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def area(pixels: np.ndarray[Any, Any], colour: str) -> int:
    """Pixels of just that colour."""
    return int((np.abs(pixels - np.array([round(255 * part) for part in to_rgb(colour)])).max(-1) < 3).sum())


def test_each_variant_has_its_colour(tmp_path: Path) -> None:
    drawn = picture(tmp_path / "a.png", ["one", "two"], 2, 0.25)
    first, second, third = (area(drawn, colour) for colour in COLOURS[:3])
    assert first > 100 and second > 100 and third == 0


def test_more_quantities_make_it_higher_and_what_is_far_below_stays_in_it(tmp_path: Path) -> None:
    low, high = (picture(tmp_path / "b.png", ["one"], count, -40.0) for count in (1, 9))
    assert high.shape[0] > low.shape[0] and high.shape[1] == low.shape[1]
    without = picture(tmp_path / "c.png", ["one"], 1, 0.25)
    # An arrow at the edge in place of a ring and its bar.
    assert 0 < area(low, COLOURS[0]) != area(without, COLOURS[0])
