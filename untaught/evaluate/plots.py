"""Drawings with points and lines, as pictures on the same dark paper as all others."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from untaught.evaluate.pictures import INK, PAPER, Picture

DOTS = 110
"""Pixels in an inch."""
COLOURS = ("#8ab4f8", "#fdb462", "#81c995", "#f28b82", "#d7aefb", "#fdd663", "#78d9ec", "#9aa0a6")
"""Colours of lines, told apart on dark paper; the first is the model's, the last chance's."""
STRONG, QUIET = tuple(value / 255 for value in INK), "#9aa0a6"


@contextmanager
def drawn_on_paper() -> Generator[None]:
    """Light lines and letters on dark paper, for figures made and rendered inside the `with`."""
    paper = tuple(value / 255 for value in PAPER)
    style: dict[Any, Any] = {
        "figure.facecolor": paper, "axes.facecolor": paper, "savefig.facecolor": paper, "font.size": 10,
        "text.color": STRONG, "axes.labelcolor": STRONG, "axes.titlecolor": STRONG, "axes.titlesize": 10,
        "xtick.color": QUIET, "ytick.color": QUIET, "axes.edgecolor": QUIET, "axes.spines.top": False,
        "axes.spines.right": False,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        yield


def rendered(figure: Figure) -> Picture:
    """A figure as bytes `(height, width, 3)`."""
    figure.set_dpi(DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
