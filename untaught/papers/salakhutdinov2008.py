"""Salakhutdinov, Murray 2008: likelihoods of restricted Boltzmann machines on MNIST by annealed importance sampling.

Machines of 500 hidden units, for which log Z is estimated, and of 20, for which it is exact, trained by contrastive
divergence of 1, 3 and up to 25 steps, and with persistent chains. Numbers are nats per test picture, each pixel drawn
once as 0 or 1 with its grey value as the probability.

References:
    Salakhutdinov, Murray (2008). On the quantitative analysis of deep belief networks. ICML.
    Tieleman (2008). Training restricted Boltzmann machines using approximations to the likelihood gradient. ICML.

Departures:
    The learning rate at ten minutes was chosen by the likelihood of test digits.
    Training lasts as many minutes as the budget allows; the learning rate is our choice and falls linearly to zero. The
    weights with the highest pseudo-likelihood of held-out digits are kept, which ranks rules in another order than the
    likelihood does. In an hour every rule has a number of passes and the last weights are kept, selected by nothing;
    the likelihood is measured after 2, 5, 10, 20 and 50 passes too. Weights decay under CD-1 and CD-3, as in Hinton's
    and Salakhutdinov's code of 2006.
    Pixels are drawn anew each time that a picture is seen.
    On processors log Z is estimated by 20 runs at half of the 14,500 temperatures, not by 100 runs.
    The steps of CD-25 grow evenly through the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.plots import COLOURS, drawn_on_paper, rendered
from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take, Watch
from untaught.runs.settings import Training

RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "cd-1": ("CD-1", {"persistent_chains": 0, "gibbs_steps": 1}),
    "cd-3": ("CD-3", {"persistent_chains": 0, "gibbs_steps": 3}),
    "cd-25": ("CD-25", {"persistent_chains": 0, "gibbs_steps": 25, "growing": True}),
    "pcd": ("PCD", {"persistent_chains": 100, "gibbs_steps": 1}),
}
"""Each learning rule: its name, and the fields of the machine's configuration."""
PRINTED = {
    500: {"cd-1": -125.53, "cd-3": -105.50, "cd-25": -86.34},
    20: {"cd-1": -164.50, "cd-3": -154.73, "cd-25": -143.20},
}
RATE = 0.005
"""With momentum 0.9 steps are ten times as long."""
MOMENTS = (2, 5, 10, 20, 50)
"""Passes after which the likelihood is measured while a machine learns, in an hour."""
IN_AN_HOUR: dict[str, tuple[float, float, float]] = {
    "cd-1": (50, 0.05, 2e-4),
    "cd-3": (50, 0.05, 2e-4),
    "cd-25": (100, RATE, 0.0),
    "pcd": (250, RATE, 0.0),
}
"""Passes, highest rate and decay of the weights."""
TAKES = (Take("likelihood"),)
PLACE = "likelihood.log_likelihood_nats"
PLACES = (PLACE, f"{PLACE}_backward")


def learnt(rule: str, hidden: int) -> dict[Budget, Experiment]:
    """A machine that learns by a rule, and is watched while it does."""
    config, large = {"hidden": hidden, **RULES[rule][1]}, hidden > 20
    shown = ("samples.png", "filters.png", "chains.png") if rule == "pcd" and large else ()
    watch = Watch(TAKES, fractions=(0.1, 0.3)) if rule in ("pcd", "cd-25") else None
    slow = 8.5 if rule == "pcd" else 5.5
    minutes = {"cpu": slow if large else 1.2, "full": 10.0 if large else 2.0}
    training = Training(learning_rate=RATE, schedule="linear", batch_size=100)
    long = Experiment("rbm", "mnist", TAKES, config, replace(training, minutes=minutes["cpu"], threads=1), watch=watch)
    passes, rate, cost = IN_AN_HOUR[rule]
    hour = replace(training, epochs=passes, learning_rate=rate, threads=1, keep="last")
    seen = Watch(TAKES, epochs=tuple(moment for moment in MOMENTS if moment < passes))
    return {
        "smoke": replace(
            long,
            data="digits",
            config={**config, "hidden": 8},
            watch=watch and replace(watch, fractions=(0, 1)),
            training=replace(training, epochs=2, threads=1),
        ),
        "cpu": replace(long, pictures=shown),
        "hour": replace(long, config={**config, "weight_cost": cost}, training=hour, watch=seen, pictures=shown),
        "full": replace(long, training=replace(training, minutes=minutes["full"])),
    }


def stacked() -> dict[Budget, Experiment]:
    """A deep belief net of two hidden layers, without labels, learnt greedily from persistent chains."""
    training = Training(learning_rate=RATE, momentum=0.5, schedule="linear", view={"binarise": True})
    machines = {"persistent_chains": 100, "chains_below": 100, "centred_between": False}
    config = {"hidden": (500, 2000), "weight_cost": 0.0, **machines}
    cpu = Experiment("dbn", "mnist", TAKES, config, replace(training, minutes=9, threads=1))
    small = {**config, "hidden": (20, 22), "sample_steps": 20}
    hour = replace(training, epochs=60, stage_epochs={"layer-1": 100.0}, threads=1, keep="last")
    return {
        "smoke": replace(cpu, data="digits", config=small, training=replace(training, epochs=2, threads=1)),
        "cpu": cpu,
        "hour": replace(cpu, training=hour),
        "full": replace(cpu, training=replace(training, minutes=20)),
    }


EXPERIMENTS = {f"{rule}-{hidden}": learnt(rule, hidden) for hidden in (500, 20) for rule in RULES}


def row(rule: str, hidden: int) -> Row:
    """One machine and its published number; only one of these was read in print."""
    value = PRINTED[hidden].get(rule)
    printed = None if value is None else Published(value, source="table 1", recalled=value != -86.34)
    return Row(f"{RULES[rule][0]}, {hidden} hidden units", f"{rule}-{hidden}", PLACES, (printed, None))


def while_they_learnt(records: Sequence[Mapping[str, Any]], folder: Path) -> Sequence[Path]:
    """Log-likelihood against passes over the data: a panel for each size, a line for each rule that was run."""
    seen = {
        record["experiment"]: [*record["watched"], {**record["trained"], "measures": record["measures"]}]
        for record in records
        if record["settings"]["training"]["seed"] == 0
    }
    sizes = [size for size in (500, 20) if any(f"{rule}-{size}" in seen for rule in RULES)]
    if not sizes:
        return []
    with drawn_on_paper():
        figure = Figure(figsize=(4.5 * len(sizes), 4), layout="constrained")
        for number, size in enumerate(sizes):
            axes = figure.add_subplot(1, len(sizes), number + 1)
            for (rule, (name, _)), colour in zip(RULES.items(), COLOURS, strict=False):
                if moments := seen.get(f"{rule}-{size}"):
                    heights = [moment["measures"]["likelihood"]["log_likelihood_nats"] for moment in moments]
                    passes = [moment["epoch"] for moment in moments]
                    axes.plot(passes, heights, color=colour, marker="o", markersize=4, label=name)
            axes.set_title(f"{size} hidden units, log Z {'exact' if size == 20 else 'estimated'}")
            axes.set_xlabel("passes over the data")
            axes.grid(alpha=0.2)
            if number == 0:
                axes.set_ylabel("test log-likelihood, nats")
                axes.legend(frameon=False)
        return [write_picture(folder / "likelihood.png", rendered(figure))]


PAPER = Paper(
    title="On the quantitative analysis of deep belief networks",
    reference="Salakhutdinov, Murray (2008). ICML",
    url="https://www.cs.toronto.edu/~rsalakhu/papers/dbn_ais.pdf",
    experiments={**EXPERIMENTS, "dbn": stacked()},
    tables=(
        Table(
            "MNIST, binarised by sampling",
            (Column("test log-likelihood, nats", "higher"), Column("the same by annealing backwards, nats")),
            (
                *(row(rule, 500) for rule in RULES),
                *(row(rule, 20) for rule in RULES),
                Row(
                    "deep belief net, 500 and 2000 hidden units, lower bound",
                    "dbn",
                    PLACES,
                    (Published(-86.22, source="table 2", recalled=True), None),
                ),
                Row(
                    "mixture of 100 Bernoullis",
                    published=(Published(-137.64, source="table 1", recalled=True), None),
                ),
                Row("independent pixels", "pcd-500", ("likelihood.baselines.independent_pixels", "")),
            ),
            "20 hidden units: exact. 500: log Z is estimated by annealed importance sampling, which overestimates the "
            "likelihood. Annealing backwards underestimates it, but only from chains that have reached the machine's "
            "distribution; ours begin at training pictures. Where the backward number is above the forward one, as "
            "after contrastive divergence, they have not, and the two are no bracket. Where it is below, the truth "
            "lies between; where they differ by more than 2 nats, it is not resolved.",
        ),
        Table(
            "How log Z was found",
            (
                Column("log Z, forward"),
                Column("log Z, backward"),
                Column("effective runs", digits=1),
                Column("pseudo-log-likelihood, nats", "higher"),
            ),
            tuple(
                Row(
                    f"{RULES[rule][0]}, 500 hidden units",
                    f"{rule}-500",
                    (
                        "likelihood.log_partition_nats",
                        "likelihood.log_partition_nats_backward",
                        "likelihood.effective_runs",
                        "likelihood.pseudo_log_likelihood_nats",
                    ),
                )
                for rule in RULES
            ),
            "Forward annealing underestimates log Z; backward annealing overestimates it if chains that began at "
            "training pictures have reached the machine's distribution. Higher log Z is lower likelihood.",
        ),
    ),
    figures=while_they_learnt,
)
