"""Srivastava, Mansimov, Salakhutdinov 2015: Moving MNIST, their benchmark of predicting ten frames from ten.

Squared errors are sums over 64 x 64 pixels in [0, 1], mean over the ten predicted frames and the clips. Published SSIM
is scikit-image's default in flat 7 x 7 windows (`untaught.evaluate.measures.rollout`, `ssim_7x7`).

References:
    Srivastava, Mansimov, Salakhutdinov (2015). Unsupervised learning of video representations using LSTMs.
    arXiv:1502.04681.
    Shi, Chen, Wang, Yeung, Wong, Woo (2015). Convolutional LSTM network. arXiv:1506.04214.
    Lotter, Kreiman, Cox (2016). Deep predictive coding networks (PredNet). arXiv:1605.08104.
    Tan, Li, Gao et al. (2023). OpenSTL. arXiv:2306.11249 (both networks after 200 passes over the data).

Departures:
    Our test clips are 200 of our own, made of MNIST's test digits by the benchmark's rules, and not its 10,000.
    Our training clips are a fixed set; the benchmark draws new ones for every pass.
    The network was chosen by trainings of three minutes on validation clips, its size by one of five.
"""

from __future__ import annotations

from dataclasses import replace

from untaught.experiments import Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

PLACES = ("rollout.squared_error_per_frame", "rollout.ssim_7x7")
BASELINES = ("rollout.baselines.{}", "rollout.ssim_7x7_baselines.{}")
FUTURE = {
    "filters": (64,), "kernels": (4,), "strides": (4,), "units": 64, "scheduled_sampling": 1.0, "always_true": 10,
}  # fmt: skip
"""The state has maps of 16 x 16; ten frames are true, and the others are increasingly its own predictions, as in the
test."""

SHORT = Training(minutes=8, batch_size=4, learning_rate=2e-3, view={"frames": 20})
LONG = Experiment(
    "pgn",
    "moving-digits?clips=8000",
    (Take("rollout", limit=4_000),),
    FUTURE,
    SHORT,
    pictures=("prediction.png",),
)
SMALL = replace(
    LONG,
    data="moving-digits?digits=sklearn&clips=40&validation=8&test=8&size=32",
    config={**FUTURE, "filters": (8,), "units": 8},
    training=Training(epochs=1, batch_size=8, view={"frames": 20}),
)


def printed(label: str, error: float, similarity: float) -> Row:
    """A network that others trained."""
    numbers = (Published(value, source="OpenSTL's table", recalled=True) for value in (error, similarity))
    return Row(label, published=tuple(numbers))


PAPER = Paper(
    title="Unsupervised learning of video representations using LSTMs: Moving MNIST",
    reference="Srivastava, Mansimov, Salakhutdinov (2015). arXiv:1502.04681",
    url="https://arxiv.org/abs/1502.04681",
    experiments={
        "pgn": {
            "smoke": SMALL,
            "cpu": LONG,
            "hour": replace(
                LONG,
                data="moving-digits?clips=20000",
                config={**FUTURE, "units": 128},
                training=replace(SHORT, minutes=85, threads=1),
            ),
            "full": replace(
                LONG,
                data="moving-digits?clips=40000",
                config={**FUTURE, "units": 128, "core_kernel": 5},
                training=Training(minutes=10, batch_size=64, learning_rate=1e-3, view={"frames": 20}),
            ),
        }
    },
    tables=(
        Table(
            "Moving MNIST, ten frames from ten",
            (Column("squared error per frame", "lower"), Column("SSIM", "higher", 4)),
            (
                printed("ConvLSTM, 200 passes", 29.80, 0.9288),
                printed("PredNet, 200 passes", 161.38, 0.7783),
                Row("PGN, convolutional core", "pgn", PLACES),
                *(
                    Row(name.replace("_", " "), "pgn", tuple(place.format(name) for place in BASELINES))
                    for name in ("previous_frame", "linear_extrapolation", "mean_frame")
                ),
            ),
            "On the clips' last ten frames, all from the network's own predictions.",
        ),
    ),
)
