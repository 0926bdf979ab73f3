"""What a model's Markov chain does: states after 0, 1, 10, 100 and 1000 steps, from noise and from test examples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from untaught.evaluate.drawing.pictures import Picture, colours, enlarged, mosaic
from untaught.evaluate.subject import Subject
from untaught.model import Energy
from untaught.nn.noise import bernoulli

STEPS = (0, 1, 10, 100, 1000)
"""When a chain is looked at: columns of the picture."""
CHAINS = 4
"""Chains of each kind."""
SIDE = 84
"""Pixels of a state, enough for the words above."""


def picture(subject: Subject) -> Picture | None:
    """One row for each chain; None where the model has none, or its visible units are not a picture's pixels.

    Half of the chains begin at draws of independent units with the base rate, half at test examples.
    """
    model, shape = subject.model, subject.parts.test.shape
    if not isinstance(model, Energy) or len(shape) != 3 or model.base_rate().numel() != math.prod(shape):
        return None
    pixels = subject.pixels(subject.parts.test, CHAINS).x
    seen = subject.seen(bernoulli(pixels) if subject.view.binarise else pixels).to(model.base_rate())
    seen = seen.reshape(len(seen), *model.base_rate().shape)
    looked = over_time(model, torch.cat([model.gibbs_step(torch.zeros_like(seen), 0.0), seen]))
    columns = [colours(subject.shown(states.cpu().reshape(-1, *shape))) for states in looked]
    rows = [[enlarged(tile, SIDE) for tile in row] for row in zip(*columns, strict=True)]
    names = [*["from noise"] * len(seen), *["from a test picture"] * len(seen)]
    return mosaic(rows, names, [f"step {step}" for step in STEPS])


def over_time(energy: Energy, visible: Tensor) -> list[Tensor]:
    """Where chains stand after each number of `STEPS`."""
    looked: list[Tensor] = []
    for step in range(STEPS[-1] + 1):
        if step in STEPS:
            looked.append(visible)
        visible = energy.gibbs_step(visible)
    return looked
