"""Lines in two dimensions, as SVG that takes the page's colours, light or dark."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from untaught.report.style import COLOURS

STAND_INS = {name: f"#0102{number:02x}" for number, name in enumerate(COLOURS)}
"""Placeholder colours, replaced in the finished drawing by the page's CSS variables."""
OTHERS = ("c1", "c2", "c3", "c4", "c5", "muted")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "untaught",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": STAND_INS["line"],
    "axes.labelcolor": STAND_INS["muted"],
    "axes.grid": True,
    "grid.color": STAND_INS["line"],
    "grid.linewidth": 0.6,
    "xtick.color": STAND_INS["muted"],
    "ytick.color": STAND_INS["muted"],
    "text.color": STAND_INS["ink"],
    "legend.frameon": False,
    "axes.unicode_minus": False,
}
WIDE = 30
"""A ratio of largest to smallest value from which an axis is logarithmic."""
NAME = 32
"""Length of a name from which the legend has one column."""


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    x: Sequence[float]
    y: Sequence[float]
    spread: Sequence[float] | None = None
    """Standard deviation around y, drawn as a band."""
    dashed: bool = False
    marked: bool = False
    """Whether each point is shown."""


def lines(series: Mapping[str, Line], across: str, up: str, *, log_across: bool = False) -> str:
    """Draw lines, the first in the page's accent; names stand in a legend above.

    Arguments:
        series: Lines by name.
        across: What the horizontal axis counts.
        up: What the vertical axis measures.
        log_across: Whether the horizontal axis is logarithmic.
    """
    drawn = {name: _finite(line) for name, line in series.items()}
    drawn = {name: line for name, line in drawn.items() if line.x}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.8, 2.9 + 0.2 * math.ceil(len(drawn) / 2)), layout="constrained")
        axes = figure.add_subplot()
        for number, (name, line) in enumerate(drawn.items()):
            _draw(axes, name, line, "accent" if number == 0 else OTHERS[(number - 1) % len(OTHERS)], number == 0)
        _scale(axes, [value for line in drawn.values() for value in line.y], log_across)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        if len(drawn) > 1:
            columns = 2 if max(map(len, drawn)) < NAME else 1
            figure.legend(loc="outside upper left", ncols=columns, fontsize=9, handlelength=1.6, borderaxespad=0)
        return _svg(figure)


def _draw(axes: Axes, name: str, line: Line, colour: str, strong: bool) -> None:
    shade = STAND_INS[colour]
    axes.plot(
        line.x,
        line.y,
        label=name,
        color=shade,
        linewidth=2.4 if strong else 1.4,
        linestyle="--" if line.dashed else "-",
        marker="o" if line.marked else "",
        markersize=4,
        zorder=3 if strong else 2,
    )
    if line.spread is not None:
        low = [y - s for y, s in zip(line.y, line.spread, strict=True)]
        high = [y + s for y, s in zip(line.y, line.spread, strict=True)]
        axes.fill_between(line.x, low, high, color=shade, alpha=0.15, linewidth=0)


def _scale(axes: Axes, values: Sequence[float], log_across: bool) -> None:
    if log_across:
        axes.set_xscale("log")
    elif all(float(x).is_integer() for line in axes.get_lines() for x in np.asarray(line.get_xdata())):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if values and min(values) > 0 and max(values) / min(values) > WIDE:
        axes.set_yscale("log")
    elif values and min(values) >= 0:
        axes.set_ylim(bottom=0)
    for axis, logarithmic in ((axes.xaxis, log_across), (axes.yaxis, axes.get_yscale() == "log")):
        if logarithmic:
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")


def _finite(line: Line) -> Line:
    """The line without points that are not finite."""
    kept = [n for n, y in enumerate(line.y) if math.isfinite(y) and math.isfinite(line.x[n])]
    spread = None if line.spread is None else [line.spread[n] for n in kept]
    return Line([line.x[n] for n in kept], [line.y[n] for n in kept], spread, line.dashed, line.marked)


def _svg(figure: Figure) -> str:
    """The drawing without a file's head, without a background, in the page's colours."""
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for name, stand_in in STAND_INS.items():
        text = text.replace(stand_in, f"var(--{name})")
    return text
