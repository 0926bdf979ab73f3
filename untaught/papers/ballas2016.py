"""Ballas, Yao, Pal, Courville 2016: GRU-RCN, recurrences on several levels of a convolutional network.

The claim is tested on generated clips, `actions`: frames alone see looks, convolutions over time motion within their
extent, a recurrence on top what lies far back, and recurrences on several levels all of it. Every encoder has as many
weights and updates. Published numbers are UCF101's, with a network that begins from ImageNet.

References:
    Ballas, Yao, Pal, Courville (2016). Delving deeper into convolutional networks for learning video representations.
    arXiv:1511.06432.

Departures:
    Small networks from random weights, on generated clips.
    One softmax layer sees all levels; the paper averages the probabilities of one for each.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from matplotlib.figure import Figure

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.plots import COLOURS, drawn_on_paper, rendered
from untaught.evaluate.measure import inside
from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.nn.temporal.video_encoders import Conv3d, Kind
from untaught.runs.settings import Training

KINDS: tuple[Kind, ...] = get_args(Kind)
GAPS = (2, 4, 8, 16)
TASKS = ("appearance", "local", "mixed")
ERROR, EXTENT = "classification.error_rate", "temporal_extent.temporal_extent_frames"
HALF = "temporal_extent.half_of_the_gradient_frames"
CLIPS: dict[Budget, str] = {  # seed: other clips than those on which the recurrences were chosen
    "smoke": "clips=40&validation=20&test=20&size=12&frames=19",
    "cpu": "clips=1000&validation=100&test=500&size=12&frames=32&seed=1",
    "hour": "clips=2000&frames=32",
    "full": "clips=10000&test=2000&frames=32&size=48&cell=4",
}
WEIGHTS: dict[Budget, int] = {"smoke": 1000, "cpu": 8000, "hour": 50_000, "full": 500_000}
EPOCHS: dict[Budget, int] = {"smoke": 1, "cpu": 30, "hour": 30, "full": 30}
ORDER_EPOCHS: dict[Budget, int] = {**EPOCHS, "cpu": 10}
"""The order of events is learnt within a few hundred updates, or not at all."""
THREADS: dict[Budget, int | None] = {"smoke": 1, "cpu": 1, "hour": 1, "full": None}


def learnt(task: str, extent: bool = False, **config: Any) -> dict[Budget, Experiment]:
    """A classifier of generated clips; events of `mixed` lie beyond what convolutions over time see at once."""
    epochs = ORDER_EPOCHS if task.startswith("global") else EPOCHS
    task = f"mixed&gap={GAPS[-1]}" if task == "mixed" else task
    takes = (Take("classification"), Take("temporal_extent")) if extent else (Take("classification"),)
    return {
        budget: Experiment(
            "video-classifier",
            f"actions?task={task}&{clips}",
            takes,
            {"weights": WEIGHTS[budget], **config},
            Training(epochs=epochs[budget], threads=THREADS[budget]),
            seeds=1 if budget == "smoke" else 3,
        )
        for budget, clips in CLIPS.items()
    }


OWN = {"ucf101": "UCF101", "kth": "KTH"}
"""Sets that readers may have, by the name of their folder."""
OWN_SIZES: dict[Budget, int] = {"smoke": 12, "cpu": 32, "hour": 48, "full": 112}
OWN_MINUTES: dict[Budget, float] = {"smoke": 0.02, "cpu": 8, "hour": 80, "full": 300}
KEPT_OUT = 1000
"""Windows of the test part at most."""


def own(name: str, **config: Any) -> dict[Budget, Experiment]:
    """A classifier of the reader's own clips, of 32 frames each."""
    return {
        budget: Experiment(
            "video-classifier",
            name,
            (Take("classification", limit=KEPT_OUT),),
            {"weights": WEIGHTS[budget], **config},
            Training(minutes=OWN_MINUTES[budget], threads=THREADS[budget]),
            size=size,
            folder=name,
        )
        for budget, size in OWN_SIZES.items()
    }


def own_clips(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[Budget, Experiment]]:
    """Experiments on every set that readers may have, `SET-NAME` for each named configuration."""
    return {f"{folder}-{name}": own(folder, **config) for folder in OWN for name, config in configs.items()}


def own_table(names: Iterable[str]) -> Table:
    """The table of these experiments: a row for each set and each name."""
    return Table(
        "your own UCF101 and KTH",
        (Column("error rate", "lower", 3),),
        tuple(Row(f"{shown}, {name}", f"{folder}-{name}", (ERROR,)) for folder, shown in OWN.items() for name in names),
        "Of single windows of up to 32 frames, where papers average over a clip; small networks from random weights. "
        "Chance is 0.99 and 0.83. `not run` until the folder of classes is put or linked as `ucf101` or `kth` in the "
        "cache folder, which `untaught doctor` names; the same command then runs these rows too.",
    )


OWN_NETWORKS: Mapping[str, Mapping[str, Any]] = {
    **{kind: {"network": kind} for kind in KINDS},
    "gru-rcn-stacked": {"network": "gru-rcn", "stacked": True},
    "gru-rcn-bidirectional": {"network": "gru-rcn", "bidirectional": True},
}
EXPERIMENTS = {
    **{
        f"{kind}-gap-{gap}": learnt(f"global&gap={gap}", extent=gap == GAPS[0], network=kind)
        for kind in KINDS
        for gap in GAPS
    },
    **{f"{kind}-{task}": learnt(task, network=kind) for kind in KINDS for task in TASKS},
    "stacked-mixed": learnt("mixed", network="gru-rcn", stacked=True),
    "bidirectional-mixed": learnt("mixed", network="gru-rcn", bidirectional=True),
    **own_clips(OWN_NETWORKS),
}


def printed(value: float, recalled: bool = False) -> Published:
    """An accuracy on UCF101."""
    return Published(value, source="table of results on UCF101", recalled=recalled)


def of_gap(records: Sequence[Mapping[str, Any]]) -> Picture | None:
    """Accuracy against the gap, mean and deviation over seeds; None where nothing was measured."""
    found = {kind: {gap: _accuracies(records, f"{kind}-gap-{gap}") for gap in GAPS} for kind in KINDS}
    if not any(values for of in found.values() for values in of.values()):
        return None
    with drawn_on_paper():
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot()
        for number, ((kind, of_gaps), colour) in enumerate(zip(found.items(), COLOURS, strict=False)):
            known = {gap: values for gap, values in of_gaps.items() if values}
            if not known:
                continue
            means = [statistics.fmean(values) for values in known.values()]
            spreads = [statistics.stdev(values) if len(values) > 1 else 0.0 for values in known.values()]
            places = [gap * 2 ** (0.06 * (number - 1.5)) for gap in known]  # side by side: several are at 0.5 or 1
            axes.errorbar(places, means, spreads, color=colour, marker="o", capsize=3, label=kind)
        axes.axhline(0.5, color=COLOURS[-1], linestyle="--", label="chance")
        axes.axvline((Conv3d.extent or 0) - 0.5, color=COLOURS[-1], linestyle=":", label="extent of conv3d")
        axes.set_xscale("log", base=2)
        axes.set_xticks(GAPS, [str(gap) for gap in GAPS])
        axes.set_xlabel("frames from the first event to the second")
        axes.set_ylabel("test clips whose order is named correctly")
        axes.set_ylim(-0.02, 1.02)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return rendered(figure)


def _accuracies(records: Sequence[Mapping[str, Any]], experiment: str) -> list[float]:
    """Of every seed."""
    errors = [inside(record["measures"], ERROR.split(".")) for record in records if record["experiment"] == experiment]
    return [1 - error for error in errors if error is not None]


def figures(records: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Accuracy against the gap."""
    drawn = of_gap(records)
    if drawn is None:
        return []
    write_picture(folder / "gap.png", drawn)
    return [folder / "gap.png"]


PAPER = Paper(
    title="Delving deeper into convolutional networks for learning video representations",
    reference="Ballas, Yao, Pal, Courville (2016). ICLR",
    url="https://arxiv.org/abs/1511.06432",
    experiments=EXPERIMENTS,
    tables=(
        Table(
            "which of two events came first, by how many frames they lie apart",
            (Column("error rate", "lower", 3),),
            tuple(Row(f"{kind}, {gap} apart", f"{kind}-gap-{gap}", (ERROR,)) for kind in KINDS for gap in GAPS),
            "Chance is 0.5. Every encoder has as many weights and updates.",
        ),
        Table(
            "how far back the last output looks",
            (Column("frames that it depends on", digits=0), Column("frames with half of the gradient", digits=0)),
            tuple(Row(kind, f"{kind}-gap-{GAPS[0]}", (EXTENT, HALF)) for kind in KINDS),
            "Measured on clips of 32 frames.",
        ),
        Table(
            "what tells the classes apart",
            (Column("error rate", "lower", 3),),
            (
                *(Row(f"{task}, {kind}", f"{kind}-{task}", (ERROR,)) for task in TASKS for kind in KINDS),
                Row("mixed, gru-rcn, stacked", "stacked-mixed", (ERROR,)),
                Row("mixed, gru-rcn, bidirectional", "bidirectional-mixed", (ERROR,)),
            ),
            f"Chance is 0.75, 0.75 and 0.9. In mixed clips events lie {GAPS[-1]} frames apart. Against the claim, "
            "recurrences on several levels are no better there than convolutions over time; what a second stream of "
            "flow adds to them is in `simonyan2014`. The log says what was tried.",
        ),
        own_table(OWN_NETWORKS),
        Table(
            "UCF101",
            (Column("accuracy, %", "higher", 1),),
            (
                Row("VGG-16", published=(printed(78.0),)),
                Row("VGG-16, recurrence on top", published=(printed(78.1),)),
                Row("GRU-RCN", published=(printed(79.9, True),)),
                Row("stacked GRU-RCN", published=(printed(78.3, True),)),
                Row("bidirectional GRU-RCN", published=(printed(80.7),)),
                Row("VGG-16, flow", published=(printed(85.4),)),
                Row("GRU-RCN, flow", published=(printed(85.7),)),
                Row("VGG-16, frames and flow", published=(printed(89.1),)),
                Row("GRU-RCN, frames and flow", published=(printed(90.8),)),
            ),
            "Networks that begin from ImageNet; split 1.",
        ),
    ),
    figures=figures,
)
