"""Drawings with points and lines, as pictures on the same dark paper as all others."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from untaught.evaluate.drawing.pictures import INK, PAPER, Picture

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


@dataclass(frozen=True)
class Line:
    """Heights over 1, 2, 3, ... with an error each; where all errors are 0 it is no measurement, and dashed."""

    heights: Sequence[float]
    errors: Sequence[float]


def line_chart(named: Mapping[str, Line], across: str, up: str, top: float) -> Picture:
    """Lines with error bars from 0 to `top`, each with its name at its end; the first is drawn strong."""
    with drawn_on_paper():
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot()
        places = apart({name: line.heights[-1] for name, line in named.items()}, 0.045 * top, top)
        for number, (name, line) in enumerate(named.items()):
            dashed = number > 0 and not any(line.errors)
            colour = COLOURS[-1] if dashed else COLOURS[number % (len(COLOURS) - 1)]
            _draw(axes, line, colour, strong=number == 0, dashed=dashed)
            where = (len(line.heights) + 0.15, places[name])
            axes.annotate(name, where, color=colour, va="center", annotation_clip=False)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.set_xticks(range(1, max(len(line.heights) for line in named.values()) + 1))
        axes.set_ylim(0, 1.02 * top)
        axes.grid(alpha=0.2)
        return rendered(figure)


def _draw(axes: Axes, line: Line, colour: str, strong: bool, dashed: bool) -> None:
    axes.errorbar(
        range(1, len(line.heights) + 1),
        line.heights,
        None if dashed else line.errors,
        color=colour,
        linewidth=2.6 if strong else 1.5,
        linestyle="--" if dashed else "-",
        marker="" if dashed else "o",
        markersize=4,
        capsize=3,
        zorder=3 if strong else 2,
    )


def apart(heights: Mapping[str, float], gap: float, top: float) -> dict[str, float]:
    """Where names stand beside the ends of their lines: near them, and no two on one another.

    Example:
        >>> apart({"a": 50.0, "b": 99.0, "c": 100.0}, gap=4.5, top=100)
        {'a': 50.0, 'b': 95.5, 'c': 100.0}
    """
    order = sorted(heights, key=lambda name: heights[name])
    places: dict[str, float] = {}
    for name in order:
        places[name] = max(heights[name], max(places.values(), default=-gap) + gap)
    above = top + gap
    for name in reversed(order):
        above = places[name] = min(places[name], above - gap)
    return places
