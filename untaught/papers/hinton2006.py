"""Hinton, Osindero, Teh 2006: a deep belief net of digits and their classes, learnt greedily and then tuned.

Layers of 784, 500 and 500 units; at the top, 500 units and 10 classes joined to 2000 units. Numbers are the percentage
of misclassified digits among the 10,000 test digits: by the top machine's free energies, or after backpropagation by a
softmax layer.

References:
    Hinton, Osindero, Teh (2006). A fast learning algorithm for deep belief nets. Neural computation 18.
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks. Science 313.
    Hinton (2010). Talk: backpropagation from 500-500-2000 (1.15 %).
    The deep learning tutorials of the LISA laboratory: 3 x 1000 units, then backpropagation (1.34 %).

Departures:
    On processors trainings last minutes, where the paper has 30 passes for each layer and 300 of up-down. In an hour
    there are as many greedy passes as in the paper, of up-down as many as fit, and 200 of backpropagation, whose rate
    falls to zero: after 50 at a constant rate the error of training digits was still falling (1.69 % of test digits).
    Contrastive divergence in up-down grows from 3 to 6 and 10 steps in the paper; here it always has 5. Chains that
    begin at the data do not find what the top machine holds likely far from them, and most samples were nearly
    empty: in a row of its own up-down goes on with chains that persist, and the last weights are kept. Greedy layers
    have such a row too, at twice the rate: of held-out digits its top machine had 3.4 % wrong after 6 passes, that of
    contrastive divergence 4.0 % after 10, and at twice the rate units of the latter were never on.
    A tenth of the training digits is held out. The weights that give wrong classes the least probability there are
    kept; for the machines of the greedy stages, those of the lowest reconstruction error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

HIDDEN = {"smoke": (12, 12, 20), "cpu": (500, 500, 2000)}
PICTURES = ("classes.png", "samples.png", "filters.png")


def net(
    stage: str, minutes: float, epochs: float, rate: float, begin_from: str | None = None, greedy: float = 0
) -> dict[Budget, Experiment]:
    """The net after one stage, perhaps from another's weights, or after so many greedy passes over the data a layer."""
    begun: dict[str, Any] = {"pretraining": greedy > 0, "persistent_chains": 0, "centred_between": False}
    own = {"classes": 10, "fine_tuning": stage, **begun}
    training = Training(learning_rate=rate, momentum=0.5, batch_size=100, threads=1)
    takes = (Take("classification"),)
    cpu = Experiment(
        "dbn", "mnist", takes, {"hidden": HIDDEN["cpu"], **own}, replace(training, minutes=minutes),
        begin_from=begin_from, pictures=PICTURES if stage != "backpropagation" else (),
    )  # fmt: skip
    small = {"hidden": HIDDEN["smoke"], **own, "sample_steps": 20}
    return {
        "smoke": replace(cpu, data="digits", config=small, training=replace(training, epochs=2), pictures=()),
        "cpu": cpu,
        "hour": replace(cpu, training=in_an_hour(stage, training, epochs, greedy)),
        "full": replace(cpu, training=replace(training, threads=None, epochs=epochs)),
    }


def in_an_hour(stage: str, training: Training, epochs: float, greedy: float) -> Training:
    """The paper's passes of each layer; of up-down as many as fit, and 200 of backpropagation, at falling rates."""
    if stage == "up-down":
        return replace(training, minutes=85, schedule="linear")
    layers = ["layer-1", "layer-2", *(["layer-3"] if stage != "none" else [])]
    told = replace(training, stage_epochs=dict.fromkeys(layers, greedy) if greedy else {})
    tuned = {"epochs": 200, "schedule": "linear"} if stage == "backpropagation" else {"epochs": epochs}
    return replace(told, **tuned)


def persistent() -> dict[Budget, Experiment]:
    """Up-down goes on for a while, with chains of the top machine that do not begin at the data again."""
    made = net("up-down", minutes=5, epochs=30, rate=0.02, begin_from="up-down")
    made["hour"] = replace(made["hour"], training=replace(training_of(made["hour"]), minutes=20))
    return with_chains(made)


def with_chains(made: dict[Budget, Experiment]) -> dict[Budget, Experiment]:
    """The same, of which every machine that learns has chains that persist; the last weights are kept."""
    return {
        budget: replace(
            own,
            config={**own.config, "persistent_chains": 100, "chains_below": 100},
            training=replace(training_of(own), keep="last"),
        )
        for budget, own in made.items()
    }


def training_of(experiment: Experiment) -> Training:
    """How a net learns; all of these do."""
    assert experiment.training is not None
    return experiment.training


def row(label: str, experiment: str, published: tuple[Published, ...], departures: str = "") -> Row:
    """One way to train the net, with the published numbers first."""
    return Row(label, experiment, ("classification.error_rate",), published, departures)


PAPER = Paper(
    title="A fast learning algorithm for deep belief nets",
    reference="Hinton, Osindero, Teh (2006). Neural computation 18",
    url="https://www.cs.toronto.edu/~hinton/absps/fastnc.pdf",
    experiments={
        "greedy": net("none", minutes=7, epochs=30, rate=0.05, greedy=30),
        "greedy-persistent": with_chains(net("none", minutes=7, epochs=30, rate=0.1, greedy=30)),
        "up-down": net("up-down", minutes=7, epochs=300, rate=0.02, begin_from="greedy"),
        "persistent": persistent(),
        "backpropagation": net("backpropagation", minutes=9, epochs=50, rate=0.1, greedy=50),
        "alone": net("backpropagation", minutes=5, epochs=80, rate=0.1),
    },
    tables=(
        Table(
            "MNIST, error on test digits",
            (Column("error rate", "lower", 4),),
            (
                row("greedy layers", "greedy", (Published(0.0249, source="section 6", recalled=True),)),
                Row("greedy layers, chains that persist", "greedy-persistent", ("classification.error_rate",)),
                row("then up-down", "up-down", (Published(0.0125, source="section 6"),)),
                Row("then with chains that persist", "persistent", ("classification.error_rate",)),
                row(
                    "greedy without labels, then backpropagation",
                    "backpropagation",
                    (Published(0.0115, source="Hinton's talk"),),
                ),
                Row("3 x 1000 units, backpropagation", published=(Published(0.0134, source="tutorials"),)),
                row("backpropagation alone", "alone", (Published(0.0160, source="H. and S.", recalled=True),)),
                Row("500-500-2000, 10 passes a layer, no up-down", published=(Published(0.0323, source="rebuilt"),)),
                Row("support vector machine", published=(Published(0.014, source="section 6", recalled=True),)),
            ),
            "784-500-500-2000, no knowledge of geometry.",
        ),
    ),
)
