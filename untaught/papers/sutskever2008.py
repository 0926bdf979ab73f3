"""Sutskever, Hinton, Taylor 2008: the recurrent temporal restricted Boltzmann machine, on bouncing balls.

The paper shows films that its machine generates, and no number. Numbers here are those of later papers on such
machines: the squared error of a frame that is predicted from those before it. Linear predictors, which no paper
reports, are baselines: a machine that learns how balls move must be better.

References:
    Sutskever, Hinton, Taylor (2008). The recurrent temporal restricted Boltzmann machine (the clips' generator).
    Mittelman, Kuipers, Savarese, Lee (2014). Structured recurrent temporal restricted Boltzmann machines (SRTRBM, and
    RTRBM of 3750 hidden units).
    Gan, Li, Henao, Carlson, Carin (2015). Deep temporal sigmoid belief networks for sequence modeling (DTSBN).

Departures:
    Of the published training we know only that it is contrastive divergence; ours is by Adam. In the first row
    fantasies are predictions from the frame before (`untaught.models.rtrbm`), in the second Gibbs chains.
    Predictions are visible means after mean-field steps from the frame before, not averages over draws.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

PREDICTED = (Take("prediction", limit=20_000), Take("rollout", limit=5_000))
"""On all 200 test clips of 100 frames."""
FEW_BALLS = "balls?clips=40&validation=8&test=8&frames=24&size=16"


def balls(**config: Any) -> dict[Budget, Experiment]:
    """A machine on bouncing balls: 300 hidden units on a processor, in an hour 1000, as many as published on a GPU."""
    short = Training(minutes=6, threads=1)
    measured = Experiment("rtrbm", "balls", PREDICTED, config, short, pictures=("prediction.png", "filters.png"))
    large = Training(minutes=10, batch_size=100, learning_rate=1e-3, view={"frames": 30})
    return {
        "smoke": replace(
            measured, data=FEW_BALLS, config={**config, "hidden": 30}, training=Training(epochs=1, view={"frames": 10})
        ),
        "cpu": measured,
        "hour": replace(measured, config={**config, "hidden": 1000}, training=replace(short, minutes=85)),
        "full": replace(measured, config={**config, "hidden": 3750}, training=large),
    }


ERROR, BASELINE = "prediction.squared_error_per_frame", "prediction.baselines."
AHEAD = (1, 5, 10, 20)


def printed(label: str, value: float, spread: float, experiment: str = "", departures: str = "") -> Row:
    """A machine whose error others printed; it is recalled."""
    published = Published(value, spread, "table of bouncing balls", recalled=True)
    return Row(label, experiment, (ERROR,) if experiment else (), (published,), departures)


def copied() -> Row:
    """The error of a copy, which was printed too."""
    published = Published(11.86, 0.27, "table of bouncing balls", recalled=True)
    return Row("previous frame", "rtrbm", (f"{BASELINE}previous_frame",), (published,))


PAPER = Paper(
    title="The recurrent temporal restricted Boltzmann machine",
    reference="Sutskever, Hinton, Taylor (2008). NIPS",
    url="https://papers.nips.cc/paper/3567-the-recurrent-temporal-restricted-boltzmann-machine",
    experiments={
        "rtrbm": balls(),
        "rtrbm-divergence": balls(fantasies="gibbs", prediction_steps=1),
    },
    tables=(
        Table(
            "bouncing balls, one frame ahead",
            (Column("squared error per frame", "lower"),),
            (
                Row("RTRBM whose fantasies are predictions", "rtrbm", (ERROR,)),
                printed(
                    "RTRBM, contrastive divergence",
                    3.88,
                    0.33,
                    "rtrbm-divergence",
                    "on a processor 300 of 3750 units, in an hour 1000",
                ),
                printed("SRTRBM", 3.31, 0.33),
                printed("DTSBN-S", 2.79, 0.39),
                copied(),
                Row("ridge on 1 frame", "rtrbm", (f"{BASELINE}ridge_1_frame",)),
                *(
                    Row(f"ridge on {count} frames", "rtrbm", (f"{BASELINE}ridge_{count}_frames",))
                    for count in (2, 3, 4)
                ),
                Row("mean frame", "rtrbm", (f"{BASELINE}mean_frame",)),
            ),
            "Each frame from the second on is predicted from the last at most 10 true ones; a sum over 900 pixels in "
            "[0, 1], mean over frames and 200 clips, ± the deviation over clips.",
        ),
        Table(
            "bouncing balls, on its own predictions after 10 true frames",
            tuple(Column(f"{ahead} ahead", "lower") for ahead in AHEAD),
            tuple(
                Row(label, name, tuple(f"rollout.squared_error_ahead{where}.context_10.{n - 1}" for n in AHEAD))
                for label, name, where in (
                    ("RTRBM", "rtrbm", ""),
                    ("RTRBM, contrastive divergence", "rtrbm-divergence", ""),
                    ("previous frame", "rtrbm", "_baselines.previous_frame"),
                    ("ridge on 4 frames", "rtrbm", "_baselines.ridge_4_frames"),
                    ("mean frame", "rtrbm", "_baselines.mean_frame"),
                )
            ),
            "Squared error of the frame that is so many frames ahead, on 50 clips.",
        ),
    ),
)
