"""What `retrieval` finds, as a picture: neighbours of some queries, or lines where nothing can be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from untaught.evaluate.drawing.pictures import PAPER, Picture, colours, enlarged, mosaic
from untaught.evaluate.drawing.plots import COLOURS, apart, drawn_on_paper, rendered
from untaught.evaluate.measures.retrieval import ordered, search_of
from untaught.evaluate.representations import pixels
from untaught.evaluate.subject import Subject

ROWS, NEIGHBOURS, SIDE, FRAME = 10, 8, 56, 4
SAME, OTHER = (98, 190, 108), (214, 84, 76)


def picture(subject: Subject, found: Mapping[str, Any]) -> Picture:
    """Neighbours of some queries where examples are pictures; else precision against the number retrieved."""
    return neighbours(subject) if len(subject.parts.test.shape) == 3 and subject.view.frames is None else curve(found)


def neighbours(subject: Subject) -> Picture:
    """Some queries and their neighbours by features and by raw pixels, framed by whether the class is the query's."""
    search = search_of(subject)
    some = torch.linspace(0, len(search.queries.x) - 1, min(ROWS, len(search.queries.x))).long()
    both = [search.searched.x, search.queries.x]
    rows = [[_framed(tile, PAPER)] for tile in colours(search.queries.x[some])]
    for features in ([subject.features(x) for x in both], [pixels(subject, x) for x in both]):
        for row, query, found in zip(rows, some, ordered(features, search, some)[:, :NEIGHBOURS], strict=True):
            right = search.searched.label[found] == search.queries.label[query]
            tiles = colours(search.searched.x[found])
            row += [np.full_like(row[0], PAPER)]
            row += [_framed(tile, SAME if same else OTHER) for tile, same in zip(tiles, right, strict=True)]
    each = (len(rows[0]) - 3) // 2
    names = ["query", "", *_centred("by this model", each), "", *_centred("by raw pixels", each)]
    return mosaic(rows, (), names, "nearest first; green: of the query's class, red: of another")


def _framed(tile: Picture, colour: tuple[int, int, int]) -> Picture:
    framed = enlarged(tile, SIDE)
    around = np.empty((framed.shape[0] + 2 * FRAME, framed.shape[1] + 2 * FRAME, 3), np.uint8)
    around[:] = colour
    around[FRAME:-FRAME, FRAME:-FRAME] = framed
    return around


def _centred(name: str, columns: int) -> list[str]:
    return [name if column == columns // 2 else "" for column in range(columns)]


def curve(found: Mapping[str, Any]) -> Picture:
    """Precision against the number of examples retrieved, of the model and of what stands beside it."""
    beside = {
        name.replace("raw_pixels", "the values themselves")
        .replace("_", " ")
        .replace("lsa", "LSA")
        .replace("pca", "PCA"): one["precision"]
        for name, one in found["baselines"].items()
    }
    lines = {
        name: [100 * y for y in line.values()] for name, line in {"this model": found["precision"], **beside}.items()
    }
    counts = [int(k) for k in found["precision"]]
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
