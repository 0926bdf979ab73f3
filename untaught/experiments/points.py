"""A comparison as points: one row for each quantity, in it one point for each variant, with spread over seeds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from untaught.experiments.summary import title
from untaught.runs.checkpoint import replacing

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, which people who confuse colours can tell apart."""
LEAST = -0.1
"""Where the axis begins at the earliest: an R2 far below 0 says no more than one below 0."""
HIGH = 0.16
"""Inches for one variant in a row."""


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Write the picture of a summary."""
    labels = [own["label"] for own in found["variants"]]
    quantities = found["quantities"]
    row = HIGH * (len(labels) + 1)
    figure = Figure(figsize=(8, 1.3 + row * len(quantities) + 0.2 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    numbers = [own["mean"] for beside in quantities.values() for one in beside.values() for own in one.values()]
    least = max(LEAST, math.floor(10 * min(numbers)) / 10)
    for place, of_variant in enumerate(quantities.values()):
        _row(axes, place, labels, of_variant, least)
    axes.set_yticks(range(len(quantities)), list(quantities))
    axes.set_ylim(len(quantities) - 0.5, -0.5)
    axes.set_xlim(least - 0.02, max(1.0, *numbers) + 0.02)
    axes.set_xlabel("accuracy or R², further right is better; bars: standard deviation over seeds")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for place in range(1, len(quantities)):
        axes.axhline(place - 0.5, color="#eeeeee", linewidth=0.8)
    _legend(figure, axes, labels, title(found))
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=150)


def _row(axes: Axes, place: int, labels: list[str], of_variant: Mapping[str, Any], least: float) -> None:
    """The points of one quantity; what lies below the axis stands at its edge as an arrow."""
    step = 1 / (len(labels) + 1)
    for number, label in enumerate(labels):
        height, colour = place - 0.5 + (number + 1) * step, COLOURS[number % len(COLOURS)]
        for name, face, size in (("random_weights", "white", 8), ("model", colour, 4.5)):
            own = of_variant[label][name]
            below = own["mean"] < least
            axes.errorbar(
                max(own["mean"], least),
                height,
                xerr=None if below else own["std"],
                fmt="<" if below else "o",
                color=colour,
                markerfacecolor=face,
                markersize=size,
                linewidth=1,
                capsize=2,
            )
        pixels = max(of_variant[label]["raw_pixels"]["mean"], least)
        axes.plot([pixels] * 2, [height - step / 2, height + step / 2], color="#888888", linewidth=1.5)


def _legend(figure: Figure, axes: Axes, labels: list[str], heading: str) -> None:
    for number, label in enumerate(labels):
        axes.plot([], [], "o", color=COLOURS[number % len(COLOURS)], label=label)
    axes.plot([], [], "o", color="#666666", markerfacecolor="white", label="hollow: the same network, random weights")
    axes.plot([], [], "|", color="#888888", markersize=10, markeredgewidth=1.5, label="raw pixels")
    told = textwrap.fill(heading, 110)
    own = figure.legend(loc="outside upper left", fontsize=9, frameon=False, ncols=2, title=told, alignment="left")
    own.get_title().set_multialignment("left")
