"""How parameters are moved: optimisers and their settings, batch size, schedule of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import field
from typing import Any, Literal

import torch
from torch import nn

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


CAPTURABLE = frozenset({"adam", "adamw", "sgd", "rmsprop"})
"""Optimisers that a CUDA graph can hold."""


FUSED_FROM = 100_000
"""Weights from which the fused form pays on a processor."""


def make_optimiser(parameters: Iterable[nn.Parameter], chosen: Optimiser, captured: bool) -> torch.optim.Optimizer:
    """Build torch's optimiser; the fused or capturable form where there is one."""
    own = list(parameters)
    rate: Any = torch.tensor(chosen.learning_rate, device=own[0].device) if captured else chosen.learning_rate
    decay = chosen.weight_decay
    # On processors the fused form starts all threads at every step, which small weights do not earn back.
    fused = own[0].device.type != "cpu" or sum(weight.numel() for weight in own) > FUSED_FROM
    match chosen.name:
        case "adam":
            return torch.optim.Adam(own, rate, chosen.betas, weight_decay=decay, fused=fused, capturable=captured)
        case "adamw":
            return torch.optim.AdamW(own, rate, chosen.betas, weight_decay=decay, fused=fused, capturable=captured)
        case "sgd":
            return torch.optim.SGD(own, rate, momentum=chosen.momentum, weight_decay=decay, fused=fused)
        case "rmsprop":
            return torch.optim.RMSprop(
                own, rate, chosen.decay, momentum=chosen.momentum, weight_decay=decay, capturable=captured
            )
        case "adagrad":
            return torch.optim.Adagrad(own, rate, weight_decay=decay)
        case "lbfgs":
            return torch.optim.LBFGS(own, rate, history_size=chosen.history, line_search_fn="strong_wolfe")


def rate_factor(schedule: Literal["constant", "linear", "cosine"], warm_up: float, progress: float) -> float:
    """Fraction of the highest learning rate at `progress` from 0 to 1.

    Example:
        >>> [rate_factor("cosine", 0.0, p) for p in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
    """
    if progress < warm_up:
        return max(progress / warm_up, 1e-3)
    after = min((progress - warm_up) / (1 - warm_up), 1.0)
    return {"constant": 1.0, "linear": 1 - after, "cosine": round((1 + math.cos(math.pi * after)) / 2, 12)}[schedule]
