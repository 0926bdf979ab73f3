"""What an estimator chooses by the number of its rows, where the user leaves it open.

Recipes are for tens of thousands of examples. Of a thousand rows, twenty passes in batches of a hundred are 200 steps.
These are too few for weights of deviation 0.01 to grow until hidden units tell examples apart.
So that few rows teach as well, of n rows

    batch size       the recipe's, or n / 20 if that is less, but at least 10           (1)
    passes           20, or more until a stage has 400 steps; without labels more until
                     it has 1,000, but at most 100                                       (2)
    initial weights  min(0.1, sqrt(6 / n)), or the model's own deviation if larger      (3)
    hidden units     of a classifier: the model's own of each layer, or max(300, n)     (4)
    optimiser        Adam in place of plain gradient descent, where labels are learnt

What learns without labels keeps its width, the length of what `transform` gives. From 2,000 rows on, or 5,000 without
labels, (1), (2) and (4) change nothing; (3) is 0.01 at 60,000.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from untaught.config import fields
from untaught.estimators.parameters import PASSES, defaults
from untaught.model import Model
from untaught.nn.targets import LABEL_LOSSES
from untaught.recipe import Optimiser
from untaught.training.plan import Plan, StagePlan

BATCHES, LEAST, STEPS = 20, 10, 400
"""Batches of a pass, rows of a batch and steps of a stage, at least."""
UNLABELLED_STEPS, MOST_PASSES = 1_000, 100
"""Steps of a stage without labels, at least, unless they are more passes than that."""
FEW = 2_000
"""Rows from which (1) and (4) change nothing."""
UNITS = 300
"""Hidden units of a layer, at least, unless the model has fewer: narrower layers learn less in so few steps."""
SCALE, LARGEST_SCALE = math.sqrt(6), 0.1
CHOSEN = {
    "initial_scale": "min(0.1, sqrt(6 / rows)), or the model's own if larger",
    "hidden": "the model's own number in each layer, or max(300, rows) if that is less",
}
"""Fields of a configuration that follow from the number of rows, with the rule."""
SWIFT = Optimiser(name="adam", learning_rate=3e-3)
"""Takes the place of plain gradient descent where labels are learnt."""
TUNED = "backpropagation"
"""Kind of fine-tuning that a classifier has by default, where its model offers the kind."""


def batch_size(rows: int, recipe: int) -> int:
    """Rows of a batch, equation (1).

    Example:
        >>> [batch_size(rows, 100) for rows in (50, 1000, 60_000)]
        [10, 50, 100]
    """
    return min(recipe, max(LEAST, rows // BATCHES))


def passes(rows: int, batch: int, labelled: bool) -> int:
    """Passes over the rows, equation (2).

    Example:
        >>> [passes(rows, batch_size(rows, 100), labelled=True) for rows in (50, 1000, 60_000)]
        [80, 20, 20]
        >>> [passes(rows, batch_size(rows, 100), labelled=False) for rows in (50, 1000, 60_000)]
        [100, 50, 20]
    """
    steps = STEPS if labelled else UNLABELLED_STEPS
    needed = math.ceil(steps / max(1, round(rows / batch)))
    return max(PASSES, needed if labelled else min(needed, MOST_PASSES))


def initial_scale(rows: int, own: float) -> float:
    """Standard deviation of initial weights, equation (3).

    Example:
        >>> [round(initial_scale(rows, 0.01), 3) for rows in (50, 1000, 60_000)]
        [0.1, 0.077, 0.01]
    """
    return max(own, min(LARGEST_SCALE, SCALE / math.sqrt(rows)))


def hidden(rows: int, own: Any) -> Any:
    """Hidden units of the only layer, or of each, equation (4); none where the model decides by the example.

    Example:
        >>> hidden(150, (500, 100)), hidden(2000, 500)
        ((300, 100), 500)
    """
    if own is None:
        return None
    most = max(UNITS, rows)
    return tuple(min(units, most) for units in own) if isinstance(own, tuple) else min(own, most)


def chosen(rows: int, model: type[Model], labelled: bool) -> dict[str, Any]:
    """Fields of a model's configuration by equations (3) and, with labels, (4)."""
    own, rule = defaults(model.Config), {"initial_scale": initial_scale, "hidden": hidden}
    return {name: rule[name](rows, own[name]) for name in open_fields(model, labelled)}


def with_adam(plan: Plan) -> Plan:
    """The plan with Adam in stages that learn labels by plain gradient descent.

    In 400 steps plain descent does not leave the plateau on which several logistic layers begin.
    """
    return replace(plan, stages=tuple(map(_with_adam, plan.stages)))


def _with_adam(own: StagePlan) -> StagePlan:
    if own.stage.learner.monitor not in LABEL_LOSSES:
        return own
    swift = {name: SWIFT if rule.name == "sgd" else rule for name, rule in own.optimisers.items()}
    return replace(own, optimisers=swift)


def open_fields(model: type[Model], labelled: bool) -> dict[str, str]:
    """Fields of a model's configuration that an estimator chooses by the number of rows, with the rule."""
    own = defaults(model.Config)
    return {name: rule for name, rule in CHOSEN.items() if name in own and (labelled or name != "hidden")}


def tuned_by_labels(model: type[Model]) -> dict[str, Any]:
    """Fields that a classifier sets otherwise than its model: fine-tuning by labels, where there is such a kind.

    A density of examples and labels names classes too, but needs many more steps.
    """
    kinds = {field.name: str(field.hint) for field in fields(model.Config)}
    return {"fine_tuning": TUNED} if TUNED in kinds.get("fine_tuning", "") else {}
