"""Figures of a paper, drawn from its records: lists as lines, what was watched while a network learnt, pictures kept.

Each function gives a picture, or None where the records lack the numbers to draw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from untaught.evaluate.drawing.pictures import Picture, mosaic
from untaught.evaluate.drawing.plots import COLOURS, Line, drawn_on_paper, line_chart, rendered
from untaught.evaluate.drawing.rollout_lines import rollouts
from untaught.evaluate.embeddings import embed
from untaught.evaluate.measure import inside, spread_keys

Record: TypeAlias = Mapping[str, Any]
"""What is recorded of one experiment and seed."""


def lists_as_lines(
    records: Sequence[Record], named: Mapping[str, tuple[str, str]], across: str, up: str, top: float
) -> Picture | None:
    """Lists in records as lines over 1, 2, 3, ...

    Args:
        records: Of all experiments; the first seed of each is drawn.
        named: By the line's name, an experiment and the place of the list in its measures; its standard errors are
            drawn where there are any.
        across: What the numbers 1, 2, 3 count.
        up: The quantity.
        top: Its largest value that is shown.
    """
    lines: dict[str, Line] = {}
    for name, (experiment, place) in named.items():
        record = _first(records, experiment)
        heights = None if record is None else inside(record["measures"], place.split("."))
        if record is not None and isinstance(heights, list):
            errors_at, _ = spread_keys(place.split("."), "std_error")
            errors = inside(record["measures"], errors_at) or [0.0] * len(heights)
            lines[name] = Line([min(top, height) for height in heights], errors)
    return line_chart(lines, across, up, top) if lines else None


def rollouts_of(
    records: Sequence[Record], own: Mapping[str, tuple[str, str]], beside: Collection[str]
) -> Picture | None:
    """Errors of frames ahead: by the line's name, an experiment and the place of a list; those of `beside` dashed."""
    lines: dict[str, list[float]] = {}
    for name, (experiment, place) in own.items():
        record = _first(records, experiment)
        errors = None if record is None else inside(record["measures"], place.split("."))
        if isinstance(errors, list):
            lines[name] = errors
    trivial = {name: errors for name, errors in lines.items() if name in beside}
    return rollouts({n: e for n, e in lines.items() if n not in beside}, trivial) if len(lines) > len(trivial) else None


def while_it_learnt(
    records: Sequence[Record], experiment: str, panels: Mapping[str, Mapping[str, str]], up: str
) -> Picture | None:
    """What was watched of an experiment against passes over the data, one panel for each quantity.

    Args:
        records: Of all experiments.
        experiment: The one that is drawn, its first seed.
        panels: By the panel's title, the name of each line and its place in the measures that were watched.
        up: The quantity.
    """
    record = _first(records, experiment)
    if record is None or not record["watched"]:
        return None
    epochs = [seen["epoch"] for seen in record["watched"]]
    with drawn_on_paper():
        figure = Figure(figsize=(2.3 * len(panels), 3), layout="constrained")
        for number, (title, lines) in enumerate(panels.items()):
            axes = figure.add_subplot(1, len(panels), number + 1)
            heights = {
                name: [inside(seen["measures"], place.split(".")) for seen in record["watched"]]
                for name, place in lines.items()
            }
            _panel(axes, title, epochs, heights)
            if number == 0:
                axes.set_ylabel(up)
                axes.legend(fontsize=8, frameon=False)
        figure.supxlabel("passes over the data", fontsize=10)
        return rendered(figure)


def _panel(axes: Axes, title: str, epochs: Sequence[float], heights: Mapping[str, Sequence[float]]) -> None:
    for (name, values), colour in zip(heights.items(), COLOURS, strict=False):
        axes.plot(epochs, values, color=colour, marker="o", markersize=4, label=name.replace("_", " "))
    axes.set_title(title)
    axes.grid(alpha=0.2)


def one_above_another(folder: Path, records: Sequence[Record], named: Mapping[str, str], ending: str) -> Picture | None:
    """Pictures that were kept of several experiments, one above another under their names.

    Args:
        folder: Of the records.
        records: Of all experiments; the first seed of each is drawn.
        named: An experiment by the name that stands above its picture.
        ending: Which picture, "prediction.png".
    """
    rows: list[Picture] = []
    for name, experiment in named.items():
        record = _first(records, experiment)
        kept = [] if record is None else [path for path in record["pictures"] if path.endswith(ending)]
        if kept:
            with Image.open(folder / kept[0]) as image:
                rows.append(mosaic([[np.asarray(image.convert("RGB"))]], (), (name,)))
    if not rows:
        return None
    widest = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0)), "edge") for row in rows])


def over_seeds(
    records: Sequence[Record],
    panels: Mapping[str, Mapping[str, Mapping[int, str]]],
    place: str,
    across: str,
    up: str,
    counted: bool = False,
) -> Picture | None:
    """One number of many experiments: a dot for each seed, a line through the means.

    Args:
        records: Of all experiments and seeds.
        panels: By the panel's title, the name of each line, and the experiment at each value of what changes.
        place: Of the number in the measures.
        across: What changes: in steps where it is `counted`, else by factors.
        up: The number.
        counted: See `across`.
    """
    found = {
        title: {name: _dots(records, experiments, place) for name, experiments in lines.items()}
        for title, lines in panels.items()
    }
    if not any(dots for lines in found.values() for dots in lines.values()):
        return None
    with drawn_on_paper():
        figure = Figure(figsize=(1 + 4.5 * len(found), 4), layout="constrained")
        axes = figure.subplots(1, len(found), squeeze=False, sharey=True)[0]
        for own, (title, lines) in zip(axes, found.items(), strict=True):
            for (name, dots), colour in zip(lines.items(), COLOURS, strict=False):
                own.plot(list(dots), [np.mean(values) for values in dots.values()], color=colour, label=name)
                for value, heights in dots.items():
                    own.plot([value] * len(heights), heights, "o", color=colour, markersize=4, alpha=0.7)
            values = sorted({value for dots in lines.values() for value in dots})
            own.set_xscale("linear" if counted else "log")
            own.set_xticks(values, [str(value) for value in values])
            own.minorticks_off()
            own.set_title(title)
            own.set_xlabel(across)
            own.grid(alpha=0.2)
        axes[0].set_ylim(bottom=0)
        axes[0].set_ylabel(up)
        axes[0].legend(frameon=False)
        return rendered(figure)


def _dots(records: Sequence[Record], experiments: Mapping[int, str], place: str) -> dict[int, list[float]]:
    """The number of every seed, by what changes; without experiments that have none."""
    every = {
        value: [inside(record["measures"], place.split(".")) for record in records if record["experiment"] == name]
        for value, name in experiments.items()
    }
    return {value: [height for height in heights if height is not None] for value, heights in every.items() if heights}


def beside_the_first(
    records: Sequence[Record], panels: Mapping[str, Mapping[str, str]], place: str, across: str
) -> Picture | None:
    """A number of each experiment less that of the first, seed by seed: a dot for each seed, a bar at their mean.

    Args:
        records: Of all experiments and seeds.
        panels: By the panel's title, experiments by what they are called; the first is what the others stand beside.
        place: Of the number in the measures.
        across: The number, less the first's.
    """
    every = {title: seed_by_seed(records, named, place) for title, named in panels.items()}
    found = {title: rows for title, rows in every.items() if rows}
    if not found:
        return None
    with drawn_on_paper():
        figure = Figure(figsize=(1.5 + 4.5 * len(found), 3.5), layout="constrained")
        axes = figure.subplots(1, len(found), squeeze=False, sharex=True)[0]
        for own, (title, rows) in zip(axes, found.items(), strict=True):
            for height, values in enumerate(rows.values()):
                own.plot(values, [height] * len(values), "o", color=COLOURS[0], markersize=5, alpha=0.7)
                own.plot([np.mean(values)], [height], "|", color=COLOURS[1], markersize=18, markeredgewidth=3)
            own.axvline(0, color="0.5", linewidth=1)
            own.set_yticks(range(len(rows)), list(rows))
            own.set_ylim(len(rows) - 0.5, -0.5)
            own.set_title(title)
            own.set_xlabel(across)
            own.grid(axis="x", alpha=0.2)
        return rendered(figure)


def seed_by_seed(records: Sequence[Record], named: Mapping[str, str], place: str) -> dict[str, list[float]]:
    """The number of every experiment less that of the first with the same seed, where both have one."""
    values = {
        (record["experiment"], record["seed"]): inside(record["measures"], place.split(".")) for record in records
    }
    first, *others = named.items()
    seeds = sorted({seed for _, seed in values})
    pairs = {
        label: [(values.get((name, seed)), values.get((first[1], seed))) for seed in seeds] for label, name in others
    }
    found = {
        label: [own - beside for own, beside in both if own is not None and beside is not None]
        for label, both in pairs.items()
    }
    return {label: differences for label, differences in found.items() if differences}


def trajectories(records: Sequence[Record], named: Mapping[str, str], place: str) -> Picture | None:
    """Trajectories of networks' outputs while they learn: a line for each seed, larger dots later.

    Args:
        records: Of all experiments and seeds.
        named: Experiments by what stands beside their colour.
        place: Of a list of numbers in what was watched; equally long everywhere.
    """
    ways = [
        (number, [inside(seen["measures"], place.split(".")) for seen in record["watched"]])
        for number, experiment in enumerate(named.values())
        for record in records
        if record["experiment"] == experiment and record["watched"]
    ]
    if not ways:
        return None
    points = embed("tsne", torch.tensor([point for _, way in ways for point in way], dtype=torch.float64)).numpy()
    with drawn_on_paper():
        figure = Figure(figsize=(6.5, 5), layout="constrained")
        axes, begin = figure.add_subplot(), 0
        for number, way in ways:
            own, begin = points[begin : begin + len(way)], begin + len(way)
            axes.plot(own[:, 0], own[:, 1], color=COLOURS[number], alpha=0.5)
            axes.scatter(own[:, 0], own[:, 1], 12 + 10 * np.arange(len(way)), color=COLOURS[number], zorder=3)
        for name, colour in zip(named, COLOURS, strict=False):
            axes.plot([], [], "o-", color=colour, label=name)
        axes.set_title("outputs on the same test examples, larger dots later (t-SNE)")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.legend(frameon=False)
        return rendered(figure)


def _first(records: Sequence[Record], experiment: str) -> Record | None:
    """The record of an experiment's first seed."""
    own = [record for record in records if record["experiment"] == experiment]
    return min(own, key=lambda record: record["seed"]) if own else None
