"""How parameters are updated: optimiser, batch size, schedule of the learning rate. Only settings; nothing is built."""

from __future__ import annotations

from typing import Literal, TypeAlias

from untaught.config import Count, Fraction, NonNegative, Positive, configuration

Rule: TypeAlias = Literal["adam", "adamw", "sgd", "rmsprop", "adagrad", "lbfgs", "cg"]
"""How a gradient becomes a step; `lbfgs` and `cg`, conjugate gradients, use line searches and need large batches."""


@configuration
class Optimiser:
    """How one player's parameters are updated."""

    name: Rule = "adam"
    """The rule."""
    learning_rate: Positive = 1e-3
    """Highest learning rate of the schedule."""
    momentum: Fraction = 0.0
    """Momentum of SGD and RMSprop."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of Adam's two averages."""
    decay: Fraction = 0.99
    """Decay of RMSprop's average of squares."""
    weight_decay: NonNegative = 0.0
    """Weight decay: decoupled for AdamW, added to the gradient otherwise."""
    history: Count = 10
    """Past steps that L-BFGS remembers."""
    searches: Count = 3
    """Line searches of conjugate gradients on each batch."""


@configuration
class Recipe:
    """Practical defaults of a training. A paper's own settings are in `papers/`."""

    optimiser: Optimiser = Optimiser()
    """Used for every player that has none of its own."""
    batch_size: Count = 128
    """Examples in one step."""
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """How the learning rate falls to zero over the stage."""
    warm_up: Fraction = 0.0
    """Fraction of the stage over which the learning rate rises."""
    clip: Positive | None = None
    """Largest norm of a player's gradient; None: no clipping."""
    average: Fraction | None = None
    """Decay of a running average of the weights, which becomes the result; None: no average is kept."""
    epochs: Count | None = None
    """Passes over the data unless the caller sets them; None: as long as the last stage."""
    keeps: bool = False
    """Whether the stage keeps its own optimiser, rate and batch size when the caller sets others, because it is
    pretraining of another kind. `--learning-rate.STAGE` still applies."""


SEARCHING = ("lbfgs", "cg")
"""Optimisers that evaluate the loss several times in one step."""
WITH_MOMENTUM = ("sgd", "rmsprop")
"""Optimisers whose momentum is a setting."""
USUAL_RATES: dict[Rule, float] = {"sgd": 0.1, "adagrad": 0.01, "lbfgs": 1.0, "cg": 1.0}
"""Learning rate of an optimiser that is chosen only by name; 0.001 for those not listed."""
