"""Lines of a rollout as a picture: error against frames ahead, each line named where it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from untaught.evaluate.baselines.names import largest, short
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.plots import drawn_on_paper, rendered
from untaught.evaluate.quantity import Axis, Quantity

GREY = "#7d8590"
WIDE = 30
"""A ratio of largest to smallest error from which the axis is logarithmic."""
LETTER = 0.042
"""Height of a line of text as a fraction of the axes' height."""


def rollout_picture(error: Quantity) -> Picture:
    """Draw the error of frames ahead: the model from each context in colour, baselines grey and dashed.

    Of a baseline of several sizes only the last is drawn.
    """
    axis = error.axis or Axis()
    model = {f"model, {axis.entry(name)}": errors for name, errors in axis.drawn(error.value).items()}
    beside = {name: next(iter(one.value.values())) for name, one in error.baselines.items()}
    return rollouts(model, {short(name): beside[name] for name in largest(list(beside))})


def rollouts(own: Mapping[str, Sequence[float]], beside: Mapping[str, Sequence[float]]) -> Picture:
    """Errors against frames ahead, each line with its name: those compared in colour, baselines grey and dashed."""
    with drawn_on_paper():
        figure = Figure(figsize=(8, 4.6))
        axes = figure.add_axes((0.09, 0.12, 0.65, 0.79))
        ends: list[tuple[str, float, Any]] = []
        for name, errors in beside.items():
            ends.append((name, errors[-1], GREY))
            _draw(axes, errors, color=GREY, linestyle="--", linewidth=1.2)
        shades = matplotlib.colormaps["viridis"](np.linspace(0.4, 1, len(own)))
        for (name, errors), shade in zip(own.items(), shades, strict=True):
            ends.append((name, errors[-1], shade))
            _draw(axes, errors, color=shade, linestyle="-", linewidth=2.0)
        _frame(axes, [error for errors in (*own.values(), *beside.values()) for error in errors])
        _name(axes, ends)
        return rendered(figure)


def _draw(axes: Axes, errors: Sequence[float], **style: Any) -> None:
    axes.plot(range(1, len(errors) + 1), errors, marker="o" if len(errors) < 8 else "", markersize=3, **style)


def _frame(axes: Axes, values: Sequence[float]) -> None:
    """Axes, their names and their scales."""
    if min(values) > 0 and max(values) / min(values) > WIDE:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.01)
    axes.grid(alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("frames ahead of what was given")
    axes.set_title("squared error per frame, going on from own predictions", loc="left", fontsize=11)


def _name(axes: Axes, ends: Sequence[tuple[str, float, Any]]) -> None:
    """Write each line's name where it ends, names moved apart until none hides another."""
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [float(to_axes.transform((1, end))[1]) for _, end, _ in ends]
    for (name, _, shade), true, written in zip(ends, heights, apart(heights, LETTER), strict=True):
        axes.plot([1.0, 1.02], [true, written], transform=axes.transAxes, color=shade, linewidth=0.8, clip_on=False)
        axes.text(1.025, written, name, transform=axes.transAxes, color=shade, va="center", fontsize=9.5)


def apart(heights: Sequence[float], least: float) -> list[float]:
    """Move heights up and down, in their order, until neighbours are at least that far from each other.

    Example:
        >>> [round(height, 2) for height in apart([0.5, 0.9, 0.5], 0.1)]
        [0.45, 0.9, 0.55]
    """
    order = sorted(range(len(heights)), key=lambda number: heights[number])
    # Groups of names that touch, each a mean height and its members, joined as long as two overlap.
    groups: list[tuple[float, list[int]]] = []
    for number in order:
        groups.append((heights[number], [number]))
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < least * (len(groups[-1][1]) + len(groups[-2][1])) / 2:
            (upper, above), (lower, below) = groups.pop(), groups.pop()
            middle = (upper * len(above) + lower * len(below)) / (len(above) + len(below))
            groups.append((middle, below + above))
    placed = {
        number: middle + least * (place - (len(members) - 1) / 2)
        for middle, members in groups
        for place, number in enumerate(members)
    }
    return [placed[number] for number in range(len(heights))]
