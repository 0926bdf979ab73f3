"""Ackley, Hinton and Sejnowski 1985: the encoder problems, learnt by a Boltzmann machine.

Two groups of n visible units show the same one of n patterns, and are connected only through a few hidden units. An
encoder is solved when each pattern has a code of its own and each group is completed from the other.

References:
    Ackley, Hinton, Sejnowski (1985). A learning algorithm for Boltzmann machines. Cognitive Science 9, 147-169.

Departures:
    A sweep visits units in a fixed order.
    For 8-3-8 and 40-10-40 the clamping noise is lower, so that more patterns are clamped uncorrupted.
    The learning rate falls to zero over the training, and the weights with the lowest held-out loss are kept. In an
    hour it is constant for 4-2-4 and 8-3-8, and the last weights are kept; a weight loses 0.002 of itself in an update,
    where the paper's, as recalled, lose 0.0005, and nothing at `cpu`, in 40-10-40 and with the exact gradient.
    The paper, as far as it is known, counts trainings that reach the codes at any time. In an hour codes are counted at
    forty moments (8-3-8: at a hundred) and at the end, elsewhere at the end alone; those that come and go in between
    are missed.
    In an hour 8-3-8 shows every pattern eight times in an update, others twice. That and the decay were chosen by how
    many of 20 machines of 8-3-8 found eight codes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Column, Experiment, Paper, Published, Row, Table, Take, Watch
from untaught.runs.settings import Training

QUOTED = "as quoted by cybertronai's hinton-problems"
PLACES = ("ever.completion.own_codes", "completion.own_codes", "completion.solved", "completion.accuracy")
DECAY = 0.01
"""A weight loses 0.002 of itself in each update: 0.01 times a step of 0.2."""
LOOKS = 40
"""Moments of an hour's training at which codes are counted."""
FIRST = {"groups": 2, "fixed_steps": True, "turned_off": 0.15, "turned_on": 0.05}
"""The paper's learning rule: fixed steps, noise on the clamped patterns, and the default temperatures."""


def encoder(units: int, hidden: int, updates: int, seeds: int, repeats: int = 2, **config: Any) -> Experiment:
    """One encoder; in each update every pattern is shown twice, or so many times."""
    data, learnt = f"one-hot?units={units}&copies=2&repeats={repeats}", {**FIRST, "hidden": hidden, **config}
    # Steps of 0.2 are the paper's steps of 2 at temperature 10.
    training = Training(
        epochs=updates, batch_size=repeats * units, learning_rate=0.2, schedule="linear", threads=1, compile="off"
    )
    return Experiment("boltzmann", data, (Take("completion"),), learnt, training, seeds=seeds)


def exact(updates: int, seeds: int) -> Experiment:
    """4-2-4 by the gradient of the likelihood itself, summed over all states."""
    made = encoder(4, 2, updates, seeds, clamped="exact", free="exact", fixed_steps=False)
    assert made.training is not None
    return replace(made, training=replace(made.training, learning_rate=2.0))


def in_an_hour(made: Experiment, updates: int, decay: float = DECAY, looks: int = LOOKS) -> Experiment:
    """20 of the same machines at a constant rate, looked at while they learn."""
    assert made.training is not None
    training = replace(made.training, epochs=updates, schedule="constant", keep="last")
    watch = Watch(made.takes, fractions=tuple(moment / looks for moment in range(1, looks + 1)))
    return replace(made, config={**made.config, "weight_cost": decay}, training=training, seeds=20, watch=watch)


SMALL: dict[str, Any] = {"recall": (1.0,), "recall_sweeps": 2}

PAPER = Paper(
    title="A learning algorithm for Boltzmann machines: the encoder problems",
    reference="Ackley, Hinton, Sejnowski (1985). Cognitive Science 9, 147-169",
    url="https://doi.org/10.1207/s15516709cog0901_7",
    experiments={
        "4-2-4": {
            "smoke": encoder(4, 2, 4, 1, **SMALL),
            "cpu": encoder(4, 2, 1500, 10),
            "hour": in_an_hour(encoder(4, 2, 1, 1), 4000),
        },
        "4-2-4-exact": {
            "smoke": exact(4, 1),
            "cpu": exact(1000, 10),
            "hour": in_an_hour(exact(1, 1), 4000, decay=0),
        },
        "8-3-8": {
            "smoke": encoder(8, 3, 4, 1, **SMALL),
            "cpu": encoder(8, 3, 2000, 6, turned_off=0.1, turned_on=0.02),
            "hour": in_an_hour(encoder(8, 3, 1, 1, repeats=8, turned_off=0.1, turned_on=0.02), 4000, looks=100),
        },
        "40-10-40": {
            "smoke": encoder(40, 10, 1, 1, **SMALL),
            "cpu": encoder(40, 10, 6000, 1, turned_off=0.1, turned_on=0.005),
            "hour": encoder(40, 10, 20000, 1, turned_off=0.1, turned_on=0.005),
            "full": encoder(40, 10, 40000, 3, turned_off=0.1, turned_on=0.005),
        },
    },
    tables=(
        Table(
            "encoders",
            (
                Column("trainings that ever had a code for each pattern, fraction", "higher"),
                Column("trainings that end with a code for each pattern, fraction", "higher"),
                Column("trainings that fill in every pattern too, fraction", "higher"),
                Column("answers right in every unit, fraction", "higher", 3),
            ),
            (
                Row("4-2-4", "4-2-4", PLACES),
                Row("4-2-4, exact gradient", "4-2-4-exact", PLACES, departures="the likelihood's gradient, no chains"),
                Row("8-3-8", "8-3-8", PLACES, (Published(0.8, source=QUOTED), None, None, None)),
                Row("40-10-40", "40-10-40", PLACES, (None, None, None, Published(0.986, source=QUOTED))),
            ),
            "One half of the visible units is given, the other completed by Gibbs sampling at falling temperatures. "
            "A majority vote over 20 answers for each half of a pattern decides whether it is completed correctly.",
        ),
    ),
)
