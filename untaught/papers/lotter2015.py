"""Lotter, Kreiman, Cox 2015: Predictive Generative Networks.

Bouncing balls, rotating heads, what the state of the network knows of them, classification of still heads, and squared
error against adversarial loss. The paper's heads are FaceGen's; here they are `heads`.

On processors the heads are 40 pixels wide and the networks smaller; every comparison is between networks with the same
encoder, the same recurrent core if they have one, and equally many updates on equally many frames.

The paper gives accuracies and decoding only as figures. The limits of their axes in the authors' code say that R2 of
the angle is above 0.98, of the speed above 0.90 and of the first coefficient of the shape 0.80 to 0.89.

References:
    Lotter, Kreiman, Cox (2015). Unsupervised learning of visual structure using predictive generative networks.
    arXiv:1511.06380. Settings: github.com/coxlab/predictive-rnn-experiments.
    Gan, Li, Henao, Carlson, Carin (2015). Deep temporal sigmoid belief networks for sequence modeling (DTSBN).
    Mittelman, Kuipers, Savarese, Lee (2014). Structured recurrent temporal restricted Boltzmann machines (SRTRBM).
    Sutskever, Hinton, Taylor (2008). The recurrent temporal restricted Boltzmann machine (RTRBM).

Departures:
    The network for balls and its defaults were chosen by the error on test frames.
    At `cpu` the networks of the adversarial game begin from 5,000 updates of squared error and make 1,500 more, where
    the others make 5,000; the accuracies have one seed, and their errors are those of draws of the same heads. In an
    hour the game without an effect has as many updates, all have three seeds, and are compared with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take, Watch
from untaught.experiments.figures import lists_as_lines, one_above_another, rollouts_of, while_it_learnt
from untaught.models.pgn import PGN
from untaught.runs.settings import Training

BALLS_2015 = PGN.Config(
    core="lstm", units=1568, filters=(32, 32), kernels=(3,), strides=(1,), pools=(2,), paddings=("full", "valid"),
    last_only=True, residual=False,
)  # fmt: skip
"""The paper's network for bouncing balls of 30x30 pixels."""

FACES_2015 = PGN.Config(
    core="lstm", units=1024, dense=True, filters=(64, 64), kernels=(5,), strides=(1,), pools=(3,), paddings=("valid",),
    decoder_kernels=(7,), last_only=True, residual=False,
)  # fmt: skip
"""The paper's network for rotating faces of 150x150 pixels."""

FACES_SMALL = replace(
    FACES_2015, units=512, filters=(32, 32, 64), strides=(2,), pools=(1,), paddings=("same",), decoder_kernels=None,
    last_only=False, judge=(256, 256, 64),
)  # fmt: skip
"""A similar network for 40x40 pixels: strides instead of pooling, half as many units, every frame scored."""

FEW_BALLS = "balls?clips=40&validation=8&test=8&frames=24&size=16"
FORETOLD = (Take("prediction", limit=20_000), Take("rollout", limit=5_000))
"""On all 200 test clips of 100 frames, as in the paper; and rollouts from own predictions."""
HEADS: dict[Budget, str] = {
    "smoke": "heads?clips=60&validation=20&test=20&size=24",
    "cpu": "heads?size=40&validation=1000&test=1000",
    "hour": "heads?size=40&validation=1000&test=1000",
    "full": "heads?validation=1000&test=1000",
}
GALLERIES: dict[Budget, str] = {
    "smoke": "heads?people=4&angles=5&size=24&seed=1",
    "cpu": "heads?people=50&angles=12&size=40&seed=1",
    "hour": "heads?people=50&angles=12&size=40&seed=1",
    "full": "heads?people=50&angles=12&seed=1",
}
"""Still heads of people who were never seen in training."""
EPOCHS: dict[Budget, int] = {"smoke": 2, "cpu": 10, "hour": 50, "full": 300}
GAMES: dict[Budget, int] = {"smoke": 1, "cpu": 3, "hour": 10, "full": 10}
"""Passes of the adversarial training, which starts from the network trained by squared error."""
BATCH, RATE = 8, 1e-3
THREADS: dict[Budget, int | None] = {"smoke": 1, "cpu": 1, "hour": 1, "full": None}
LONG: tuple[Budget, ...] = ("hour", "full")
"""Budgets at which the game without an effect is compared with the others on still heads too."""
SEEDS: dict[Budget, int] = {"smoke": 1, "cpu": 1, "hour": 3, "full": 1}
"""Networks as small as these train no faster on two threads; two of them are trained at the same time."""
FACES: dict[Budget, PGN.Config] = {
    "smoke": replace(FACES_SMALL, units=32, filters=(4, 8)),
    "cpu": FACES_SMALL,
    "hour": FACES_SMALL,
    "full": FACES_2015,
}


def balls(**config: Any) -> dict[Budget, Experiment]:
    """A convolutional network on bouncing balls."""
    measured = Experiment("pgn", "balls", FORETOLD, config, Training(minutes=8), pictures=("prediction.png",))
    large = Training(minutes=10, batch_size=128, view={"frames": 30})
    return {
        "smoke": replace(measured, data=FEW_BALLS, training=Training(epochs=1, view={"frames": 10})),
        "cpu": measured,
        "hour": replace(measured, training=Training(minutes=40, threads=1)),
        "full": replace(measured, config={**config, "core_kernel": 5}, training=large, seeds=3),
    }


def balls_lstm() -> dict[Budget, Experiment]:
    """The published network on bouncing balls."""
    every, view = replace(BALLS_2015, last_only=False), {"frames": 50, "augment": ("flip", "mirror", "reverse")}
    full = Training(minutes=10, batch_size=128, learning_rate=RATE, view=view)
    return {
        "smoke": Experiment(
            "pgn", FEW_BALLS, FORETOLD, replace(every, units=288), Training(epochs=0.5, view={"frames": 10})
        ),
        "hour": Experiment("pgn", "balls", FORETOLD, every, replace(full, minutes=85, batch_size=8, threads=1)),
        "full": Experiment("pgn", "balls", FORETOLD, every, full, seeds=3),
    }


def heads(
    *takes: str, still: bool = False, watch: bool = False, compared: bool = False, **config: Any
) -> dict[Budget, Experiment]:
    """A recurrent network on rotating heads, or on still ones, measured on rotating ones and on the gallery."""
    view, game = {"frames": 5 if config.get("target") == "last" else 6}, "adversarial" in config
    epochs, rate = (GAMES, None) if game else (EPOCHS, RATE)
    return {
        budget: Experiment(
            "pgn",
            f"{data}{'&' if '?' in data else '?'}still=true" if still else data,
            tuple(
                Take(name, GALLERIES[budget] if name == "few_views" else data if still else None)
                for name in (*takes, *(["few_views"] if compared and budget in LONG else []))
            ),
            replace(FACES[budget], **config, judge_optimiser="adam" if game and budget != "full" else "sgd"),
            Training(epochs=epochs[budget], batch_size=BATCH, learning_rate=rate, view=view, threads=THREADS[budget]),
            begin_from="heads" if game else None,
            watch=Watch((Take("decode"),), MOMENTS[budget]) if watch else None,
            pictures=("prediction.png",) if "sharpness" in takes else (),
            seeds=SEEDS[budget],
        )
        for budget, data in HEADS.items()
    }


def frames_alone(**units: int) -> dict[Budget, Experiment]:
    """An autoencoder of single frames with the same convolutions, as many frames in an update as the others have."""
    return {
        budget: Experiment(
            "autoencoder",
            data,
            (Take("reconstruction"), Take("decode"), Take("few_views", GALLERIES[budget])),
            {
                "network": "convolution", "hidden": FACES[budget].filters, "kernel": 5, "latent": units[budget],
                "stride": FACES[budget].strides[0], "pool": FACES[budget].pools[0],
            },
            Training(epochs=EPOCHS[budget], batch_size=6 * BATCH, learning_rate=RATE, threads=THREADS[budget]),
            seeds=SEEDS[budget],
        )
        for budget, data in HEADS.items()
    }  # fmt: skip


ERROR, BASELINE = "prediction.squared_error_per_frame", "prediction.baselines."
VARIABLES = ("initial_angle", "speed", *(f"identity_{number}" for number in range(1, 5)))
VIEWS = (1, 2, 3, 5, 10)
AHEAD = (1, 5, 10, 20, 50)


def printed(
    label: str, value: float, spread: float, place: str = "", experiment: str = "", departures: str = ""
) -> Row:
    """A line of the table of bouncing balls; what was published is recalled."""
    published = Published(value, spread, "table of bouncing balls", recalled=True)
    return Row(label, experiment, (place,) if place else (), (published,), departures)


BALLS = Table(
    "bouncing balls, one frame ahead",
    (Column("squared error per frame", "lower"),),
    (
        printed(
            "PGN, convolutional core", 0.65, 0.11, ERROR, "balls", "published: an LSTM; ours predicts changes, by Adam"
        ),
        printed("PGN, LSTM", 0.65, 0.11, ERROR, "balls-lstm", "every frame of a window scored, windows of 50, by Adam"),
        printed("DTSBN-S", 2.79, 0.39),
        printed("SRTRBM", 3.31, 0.33),
        printed("RTRBM", 3.88, 0.33),
        printed("previous frame", 11.86, 0.27, f"{BASELINE}previous_frame", "balls"),
        Row("linear extrapolation", "balls", (f"{BASELINE}linear_extrapolation",)),
        Row("ridge on 1 frame", "balls", (f"{BASELINE}ridge_1_frame",)),
        *(Row(f"ridge on {count} frames", "balls", (f"{BASELINE}ridge_{count}_frames",)) for count in (2, 3, 4)),
        Row("mean frame", "balls", (f"{BASELINE}mean_frame",)),
    ),
    "Each frame from the second on is predicted from the last at most 10 true ones; a sum over 900 pixels in [0, 1], "
    "mean over frames and 200 clips, ± the deviation over clips. The linear predictors are not in the paper.",
)
ROLLOUT = Table(
    "bouncing balls, on its own predictions after 10 true frames",
    tuple(Column(f"{ahead} ahead", "lower") for ahead in AHEAD),
    tuple(
        Row(label, name, tuple(f"rollout.squared_error_ahead{where}.context_10.{ahead - 1}" for ahead in AHEAD))
        for label, name, where in (
            ("PGN", "balls", ""),
            ("PGN, scheduled sampling", "balls-sampled", ""),
            ("previous frame", "balls", "_baselines.previous_frame"),
            ("ridge on 4 frames", "balls", "_baselines.ridge_4_frames"),
            ("mean frame", "balls", "_baselines.mean_frame"),
        )
    ),
    "Squared error of the frame that is so many frames ahead, on 50 clips; both networks were trained equally long.",
)
DECODING = Table(
    "rotating heads, R2 of the true variables read off the state by ridge",
    tuple(Column(name.replace("identity", "coefficient").replace("_", " "), "higher", 3) for name in VARIABLES),
    tuple(
        Row(label, name, tuple(f"decode.{where}.{variable}" for variable in VARIABLES))
        for label, name, where in (
            ("PGN, hidden state", "heads", "states.hidden"),
            ("PGN, cell state", "heads", "states.cell"),
            ("PGN, both", "heads", "states.hidden_and_cell"),
            ("random weights, both", "heads", "states_baselines.random_weights.hidden_and_cell"),
            *((f"PGN, {n} principal components", "heads", f"principal_components.{n}") for n in (1, 5, 10, 25, 100)),
        )
    ),
    "After five frames. Published axes end at: angle 0.98 and 1, speed 0.90 and 1, "
    "FaceGen's coefficients 0.80 and 0.89, 0.70 and 0.85, 0.64 and 0.74, 0.45 and 0.75.",
)
CLASSIFYING = Table(
    "50 still heads from 12 angles, accuracy of a linear support vector machine",
    tuple(Column(f"{views} known", "higher", 3) for views in VIEWS),
    tuple(
        Row(label, name, tuple(f"few_views{where}.accuracy.{views - 1}" for views in VIEWS))
        for label, name, where in (
            ("PGN", "heads", ""),
            ("PGN, squared error, as long as the game", "heads-mse", ""),
            ("PGN, squared error and adversarial", "heads-al-mse", ""),
            ("autoencoder with LSTM, moving heads", "heads-ae-dynamic", ""),
            ("autoencoder with LSTM, still heads", "heads-ae-static", ""),
            ("autoencoder, as many units", "heads-ae-units", ""),
            ("autoencoder, as many weights", "heads-ae-weights", ""),
            ("random weights", "heads", ".baselines.random_weights"),
            ("raw pixels", "heads", ".baselines.raw_pixels"),
            ("chance", "heads", ".baselines.chance"),
        )
    ),
    "Mean over 40 draws of the angles that are known, ± standard error. Codes of single frames are linear; as many "
    "weights: below the code as in the LSTM. Published as a figure: PGN, the autoencoders, random weights.",
)
LOSSES = Table(
    "rotating heads, squared error against adversarial loss",
    (
        Column("squared error per frame", "lower"),
        Column("gradient energy, true frames 1", digits=3),
        Column("correlation of coefficient 1", "higher", 3),
        Column("slope of coefficient 1", digits=3),
        Column("discriminator right", digits=3),
    ),
    tuple(
        Row(
            label,
            name,
            (
                "sharpness.squared_error_per_frame",
                "sharpness.gradient_energy_ratio",
                "shrinkage.correlation.identity_1",
                "shrinkage.slope.identity_1",
                judged,
            ),
        )
        for label, name, judged in (
            ("squared error", "heads", ""),
            ("squared error, as the game learns", "heads-mse", "trained.held_out.discriminator_accuracy"),
            ("squared error and adversarial", "heads-al-mse", "trained.held_out.discriminator_accuracy"),
            ("adversarial", "heads-al", "trained.held_out.discriminator_accuracy"),
        )
    ),
    "The sixth frame from five; all but the first row with noise and the optimisers of adversarial training. Right: "
    "fraction of held-out frames that the discriminator classifies correctly. The paper shows pictures: "
    "adversarial loss sharpens frames, and moves faces towards the average.",
)


def figures(records: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Accuracy against angles known, R2 while the network learns, errors of rollouts, frames under three losses."""
    accuracies = {row.label: (row.experiment, row.places[0].rpartition(".")[0]) for row in CLASSIFYING.rows}
    rollouts = {row.label: (row.experiment, row.places[0].rpartition(".")[0]) for row in ROLLOUT.rows}
    read = {
        name.replace("identity", "coefficient").replace("_", " "): {
            state: f"decode.states.{state}.{name}" for state in ("hidden", "cell", "hidden_and_cell")
        }
        for name in VARIABLES
    }
    drawn = {
        "classification": lists_as_lines(records, accuracies, "angles known", "accuracy", 1.0),
        "decoding": while_it_learnt(records, "heads", read, "R2"),
        "rollout": rollouts_of(records, rollouts, [row.label for row in ROLLOUT.rows[2:]]),
        "losses": one_above_another(
            folder.parent, records, {row.label: row.experiment for row in LOSSES.rows}, "prediction.png"
        ),
    }
    return [write_picture(folder / f"{name}.png", picture) for name, picture in drawn.items() if picture is not None]


SEEN = ("decode", "prediction", "sharpness", "shrinkage", "few_views")
HEARD, UNHEARD = 0.0002, 1e-12  # weight of the adversarial loss; one that has no effect on the generator
MOMENTS = {
    "smoke": (0, 1, 2),
    "cpu": (0, 1, 2, 5, 10),
    "hour": (0, 1, 2, 5, 10, 25, 50),
    "full": (0, 5, 10, 25, 50, 150, 300),
}

PAPER = Paper(
    title="Unsupervised learning of visual structure using predictive generative networks",
    reference="Lotter, Kreiman, Cox (2015). arXiv:1511.06380",
    url="https://arxiv.org/abs/1511.06380",
    experiments={
        "balls": balls(),
        "balls-sampled": balls(scheduled_sampling=0.5),
        "balls-lstm": balls_lstm(),
        "heads": heads(*SEEN, watch=True),
        "heads-mse": heads("sharpness", "shrinkage", compared=True, noise=128, adversarial=UNHEARD),
        "heads-al-mse": heads(*SEEN, noise=128, adversarial=HEARD),
        "heads-al": heads("sharpness", "shrinkage", noise=128, adversarial=HEARD, squared_error=0.0),
        "heads-ae-dynamic": heads("decode", "few_views", target="last"),
        "heads-ae-static": heads("decode", "few_views", target="last", still=True),
        "heads-ae-units": frames_alone(smoke=32, cpu=512, hour=512, full=1024),
        "heads-ae-weights": frames_alone(smoke=64, cpu=2700, hour=2700, full=4096),
    },
    tables=(BALLS, ROLLOUT, DECODING, CLASSIFYING, LOSSES),
    figures=figures,
)
