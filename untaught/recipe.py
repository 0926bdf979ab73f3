"""How parameters are moved: optimisers and their settings, batch size, schedule."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from untaught.config import Count, Fraction, NonNegative, Positive, configuration


@configuration
class Optimiser:
    """How one player's parameters are moved."""

    name: Literal["adam", "adamw", "sgd", "rmsprop", "adagrad", "lbfgs"] = "adam"
    """The rule."""
    learning_rate: Positive = 1e-3
    """Step size at its highest."""
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


@configuration
class Recipe:
    """Practical defaults of a training. A paper's own settings stand in `papers/`."""

    optimiser: Optimiser = Optimiser()
    """For every player that `players` does not name."""
    players: dict[str, Optimiser] = field(default_factory=lambda: {})
    """A player's own optimiser, by name."""
    batch_size: Count = 128
    """Examples in one step."""
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """How the learning rate falls to zero over the stage."""
    warm_up: Fraction = 0.0
    """Fraction of the stage over which the learning rate rises."""
    clip: Positive | None = None
    """Largest norm of a player's gradient; none leaves it."""
    average: Fraction | None = None
    """Decay of the running average of the weights that is kept as the result; none keeps the last weights."""
    epochs: Count | None = None
    """Passes over the data where the caller does not say; none trains as long as the last stage."""
