"""Zhu, Park, Isola, Efros 2017: translation between two kinds of pictures without pairs.

The paper's maps and photographs are not available; digits and altered digits take their place, no digit in both.
Numbers are how many translations have the class of what they were made from, as a classifier says that was trained on
real examples of the other kind, and the squared error of what comes back. Inverting is done pixel by pixel; a quarter
turn is not, and nothing in the game tells a turned 3 from another digit that looks like a turned one.

References:
    Zhu, Park, Isola, Efros (2017). Unpaired image-to-image translation using cycle-consistent adversarial networks.
    ICCV.

Departures:
    Digits in place of maps and photographs, so that no number of the paper can stand beside ours. Smaller networks,
    larger batches and another learning rate, as the model's defaults; `full` has the paper's width, blocks and learning
    rate. The weights that are kept are running averages. One row has the shortcut of the model's default, by which
    translators begin at what they are given or at its negative; the paper's translators have none.
"""

from __future__ import annotations

from typing import Any

from untaught.experiments import Budget, Column, Experiment, Paper, Row, Table, Take
from untaught.runs.settings import Training

TAKES = (Take("translation"),)
KEPT, CYCLE = "translation.labels_kept", "translation.squared_error_of_cycle"
SMALL: dict[str, Any] = {"maps": 4, "blocks": 1}
PAPERS: dict[str, Any] = {"maps": 64, "blocks": 6}
"""For pictures of 128 x 128."""
BUDGETS: dict[Budget, tuple[str, Training, dict[str, Any]]] = {
    "smoke": ("digits", Training(epochs=1, threads=1), SMALL),
    "cpu": ("digits", Training(epochs=40), {}),
    "hour": ("mnist", Training(minutes=85.0), {}),
    "full": ("mnist", Training(minutes=30.0, learning_rate=2e-4), PAPERS),
}
"""Of each budget the digits, how long and how it learns, and the networks."""


def learnt(changed: str, *, shortcut: bool = False, **config: Any) -> dict[Budget, Experiment]:
    """Digits, and other digits that are changed."""
    return {
        budget: Experiment(
            "cycle-gan",
            f"altered?of={digits}&half=first",
            TAKES,
            {**own, "shortcut": shortcut, **config},
            training,
            other=f"altered?of={digits}&half=second&{changed}",
            pictures=("translation.png",) if budget != "smoke" else (),
        )
        for budget, (digits, training, own) in BUDGETS.items()
    }


def both(label: str, experiment: str, baseline: str = "") -> Row:
    """One row: labels kept both ways, and errors of what comes back."""
    place = KEPT + (f"_baselines.{baseline}" if baseline else "")
    cycles = ("", "") if baseline else (f"{CYCLE}.there", f"{CYCLE}.back")
    return Row(label, experiment, (f"{place}.there", f"{place}.back", *cycles))


PAPER = Paper(
    title="Unpaired image-to-image translation using cycle-consistent adversarial networks",
    reference="Zhu, Park, Isola, Efros (2017). ICCV",
    url="https://arxiv.org/abs/1703.10593",
    experiments={
        "inverted": learnt("invert=true"),
        "shortcut": learnt("invert=true", shortcut=True),
        "turned": learnt("turn=90"),
        "identity": learnt("invert=true", identity=0.5),
    },
    tables=(
        Table(
            "Digits and altered digits",
            (
                Column("labels kept, there", "higher", 3),
                Column("labels kept, back", "higher", 3),
                Column("squared error of what comes back, first", "lower"),
                Column("squared error of what comes back, second", "lower"),
            ),
            (
                both("inverted digits", "inverted"),
                both("the same, with a shortcut from what is translated", "shortcut"),
                both("the same without it, kept alone where already of the kind", "identity"),
                both("real inverted digits and digits in place of translations", "inverted", "real_examples"),
                both("not translated", "inverted", "untranslated"),
                both("digits turned by a quarter", "turned"),
                both("real turned digits and digits in place of translations", "turned", "real_examples"),
                both("not translated", "turned", "untranslated"),
            ),
            "Fractions of test digits. A cycle without error is no proof: a 3 may become the same 5 each time.",
        ),
    ),
)
