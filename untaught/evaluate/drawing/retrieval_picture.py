"""What `retrieval` finds, as a picture: neighbours of some queries, or lines where nothing can be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.baselines.names import short
from untaught.evaluate.drawing.pictures import PAPER, Picture, colours, enlarged, mosaic
from untaught.evaluate.drawing.plots import COLOURS, apart, drawn_on_paper, rendered
from untaught.evaluate.quantity import Quantity

SIDE, FRAME = 56, 4
SAME, OTHER = (98, 190, 108), (214, 84, 76)
NAMES = {"raw_pixels": "the values themselves"}
"""Of baselines, where examples are no pictures."""


def neighbours(queries: Batch, searched: Batch, nearest: Mapping[str, Int[Tensor, "query neighbour"]]) -> Picture:
    """Queries and their neighbours, framed by whether the class is the query's.

    Args:
        queries: A row each.
        searched: The examples that neighbours are among.
        nearest: By what stands above it, the numbers of the nearest examples.
    """
    rows = [[_framed(tile, PAPER)] for tile in colours(queries.x)]
    names = ["query"]
    for name, order in nearest.items():
        for row, label, found in zip(rows, queries.label, order, strict=True):
            tiles = zip(colours(searched.x[found]), searched.label[found] == label, strict=True)
            row += [np.full_like(row[0], PAPER), *(_framed(tile, SAME if same else OTHER) for tile, same in tiles)]
        names += ["", *_centred(name, order.shape[1])]
    return mosaic(rows, (), names, "nearest first; green: of the query's class, red: of another")


def _framed(tile: Picture, colour: tuple[int, int, int]) -> Picture:
    framed = enlarged(tile, SIDE)
    around = np.empty((framed.shape[0] + 2 * FRAME, framed.shape[1] + 2 * FRAME, 3), np.uint8)
    around[:] = colour
    around[FRAME:-FRAME, FRAME:-FRAME] = framed
    return around


def _centred(name: str, columns: int) -> list[str]:
    return [name if column == columns // 2 else "" for column in range(columns)]


def precision_lines(precision: Quantity) -> Picture:
    """Precision against the number of examples retrieved, of the model and of what stands beside it."""
    lines = {NAMES.get(name, short(name)): [100 * y for y in one.value.values()] for name, one in precision.all.items()}
    counts = [int(k) for k in precision.value]
    top = max(max(line) for line in lines.values())
    with drawn_on_paper():
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot()
        places = apart({name: line[-1] for name, line in lines.items()}, 0.045 * top, top)
        for number, (name, line) in enumerate(lines.items()):
            _draw(axes, counts, line, COLOURS[-1 if name == "chance" else number % (len(COLOURS) - 1)], number == 0)
            where = (1.08 * counts[-1], places[name])
            axes.annotate(name, where, color=axes.lines[-1].get_color(), va="center", annotation_clip=False)
        axes.set_xscale("log")
        axes.set_xticks(counts, labels=[str(k) for k in counts])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(0, 1.04 * top)
        axes.set_xlabel("training examples retrieved")
        axes.set_ylabel("of them of the query's class, %")
        axes.grid(alpha=0.2)
        return rendered(figure)


def _draw(axes: Axes, counts: Sequence[int], line: Sequence[float], colour: str, strong: bool) -> None:
    dashed = colour == COLOURS[-1]
    axes.plot(
        counts,
        line,
        color=colour,
        linewidth=2.6 if strong else 1.5,
        linestyle="--" if dashed else "-",
        marker="" if dashed else "o",
        markersize=4,
        zorder=3 if strong else 2,
    )
