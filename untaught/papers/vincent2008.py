"""Vincent et al. 2008: stacked denoising autoencoders against plain ones, Boltzmann machines and no pretraining.

Three layers of logistic units learn MNIST's digits without labels, one after another: as denoising autoencoders with a
tenth of the pixels masked, as plain autoencoders, or as restricted Boltzmann machines. Then a softmax layer on top, and
after it all layers, learn from 10,000 labels, or from all. Numbers are test errors.

References:
    Vincent, Larochelle, Bengio, Manzagol (2008). Extracting and composing robust features with denoising autoencoders.
    Larochelle, Erhan, Courville, Bergstra, Bengio (2007). An empirical evaluation of deep architectures on problems
    with many factors of variation (the benchmark `basic`, and what others reach on it).
    The deep learning tutorials of the LISA laboratory: stacked denoising autoencoders, 3 x 1000 units (1.30 %).

Departures:
    `basic` has 10,000 training digits, 2,000 to select by and 50,000 to test on. In an hour we have as many of the
    first two, from MNIST's training part; in ten minutes 12,500 digits have labels, a fifth of them for validation, and
    layers are also trained on the other digits, without labels. The test part is MNIST's.
    Weights are tied, as in the paper; training is by Adam. In ten minutes there are 500 units a layer, and each layer
    has minutes and not passes; in an hour 1000 units, 50 passes a layer over the benchmark's digits or 15 over all.
    The paper chooses width, corruption and rates for each system by validation; here they are the same for all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from untaught.experiments import BUDGETS, Budget, Column, Experiment, Paper, Published, Row, Table, Take
from untaught.runs.settings import Training

WIDTH = {"smoke": 16, "cpu": 500, "hour": 1000, "full": 1000}
BASIC = "mnist?train=10000&validation=2000"
"""As many digits as the benchmark has."""
FEW: dict[Budget, str] = {"smoke": "digits", "cpu": "mnist", "hour": BASIC, "full": BASIC}
MANY: dict[Budget, str] = {"smoke": "digits", "cpu": "mnist", "hour": "mnist", "full": "mnist"}
LABELS: dict[Budget, int | None] = {"smoke": 50, "cpu": 1250, "hour": None, "full": None}
"""Labels of each class, a fifth of them for validation; none takes all, and the source's own validation part."""
SEEDS = {"smoke": 1, "cpu": 1, "hour": 3, "full": 3}


def experiments(
    model: str, take: str, data: dict[Budget, str], configs: dict[Budget, dict[str, Any]],
    trainings: dict[Budget, Training], **more: Any,
) -> dict[Budget, Experiment]:  # fmt: skip
    """One experiment at every budget."""
    return {
        budget: Experiment(
            model, data[budget], (Take(take),), configs[budget], trainings[budget], seeds=SEEDS[budget], **more
        )
        for budget in BUDGETS
    }


def widths(**config: Any) -> dict[Budget, dict[str, Any]]:
    """Three layers as wide as each budget allows."""
    return {budget: {"hidden": (WIDTH[budget],) * 3, **config} for budget in BUDGETS}


def stack(model: str, data: dict[Budget, str] = FEW, passes: float = 50, **config: Any) -> dict[Budget, Experiment]:
    """Three layers trained without labels; beyond ten minutes, in equally many passes whatever they are."""
    training = Training(momentum=0.5 if model == "dbn" else None)
    equal = replace(training, epochs=passes, stage_epochs={"layer-1": passes, "layer-2": passes})
    trainings: dict[Budget, Training] = {
        "smoke": replace(training, epochs=2, threads=1),
        "cpu": replace(training, minutes=4, threads=1),
        "hour": replace(equal, threads=1),
        "full": equal,
    }
    pictures = ("filters.png", "reconstruction.png")
    return experiments(model, "reconstruction", data, widths(**config), trainings, pictures=pictures)


def classifier(encoder: str | None, few: bool = True) -> dict[Budget, Experiment]:
    """A softmax layer on a stack, then all layers; or all from random weights."""

    def training(budget: Budget, frozen: float, joint: float) -> Training:
        return Training(
            epochs=joint,
            stage_epochs={"frozen": frozen} if encoder else {},
            threads=None if budget == "full" else 1,
            labels_per_class=LABELS[budget] if few else None,
        )

    trainings: dict[Budget, Training] = {
        "smoke": training("smoke", 2, 2),
        "cpu": training("cpu", 10, 30) if few else training("cpu", 3, 25),
        "hour": training("hour", 20, 100) if few else training("hour", 5, 40),
        "full": training("full", 20, 100),
    }
    configs = widths(activation="sigmoid") if encoder is None else dict[Budget, dict[str, Any]].fromkeys(BUDGETS, {})
    data = FEW if few else MANY
    return experiments("finetuned-classifier", "classification", data, configs, trainings, encoder=encoder)


def of_all_digits() -> dict[str, dict[Budget, Experiment]]:
    """A stack that learns from all digits and the network on it; up to ten minutes the stack is that of few labels."""
    many = stack("denoising-autoencoder", MANY, 15, level=0.1)
    tuned, own = classifier("denoising", few=False), classifier("denoising-all-digits", few=False)
    long: tuple[Budget, ...] = ("hour", "full")
    return {
        "denoising-all-digits": {budget: many[budget] for budget in long},
        "denoising-all-labels": {budget: (own if budget in long else tuned)[budget] for budget in BUDGETS},
    }


def row(label: str, experiment: str, *published: Published) -> Row:
    """One way to begin."""
    return Row(label, experiment, ("classification.error_rate",), published)


def printed(percent: float, source: str) -> Published:
    """A test error, written down from memory."""
    return Published(percent / 100, source=source, recalled=True)


ERROR = (Column("error rate", "lower", 4),)
PAPER = Paper(
    title="Extracting and composing robust features with denoising autoencoders",
    reference="Vincent, Larochelle, Bengio, Manzagol (2008). ICML",
    url="https://dl.acm.org/doi/10.1145/1390156.1390294",
    experiments={
        "denoising": stack("denoising-autoencoder", level=0.1),
        "plain": stack("denoising-autoencoder", level=0.0),
        "machines": stack("dbn", persistent_chains=0, centred_between=False),
        "denoising-tuned": classifier("denoising"),
        "plain-tuned": classifier("plain"),
        "machines-tuned": classifier("machines"),
        "random": classifier(None),
        **of_all_digits(),
        "random-all-labels": classifier(None, few=False),
    },
    tables=(
        Table(
            "MNIST with 10,000 labels, error on test digits",
            ERROR,
            (
                row("SdA-3: denoising autoencoders", "denoising-tuned", printed(2.80, "table 1")),
                row("SAA-3: plain autoencoders", "plain-tuned", printed(3.46, "table 1")),
                row("DBN-3: Boltzmann machines", "machines-tuned", printed(3.11, "table 1")),
                row("no pretraining", "random"),
                Row("support vector machine", published=(printed(3.03, "table 1"),)),
            ),
            "Published: the benchmark `basic`, other digits of the same source. Here Boltzmann machines err less than "
            "denoising autoencoders, which is the reverse of the paper's order, with equal passes as well.",
        ),
        Table(
            "MNIST with all labels, error on test digits",
            ERROR,
            (
                row("SdA-3: denoising autoencoders", "denoising-all-labels", Published(0.0130, source="tutorials")),
                row("no pretraining", "random-all-labels"),
            ),
        ),
    ),
)
