"""The loss on held-out data: fixed examples and fixed draws, so that it differs only where the weights do."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor

from untaught.data.batches import Feed, drawn_batches
from untaught.model import Learner
from untaught.randomness import seeded
from untaught.training.step import Stepper

FRAMES = 2_000
"""Frames on which it is measured: enough for a standard error of a few per cent, and quick."""

PASSES = 32
"""Draws of a window's place and a patch's, at most, where frames are few."""


@contextmanager
def buffers_kept(learner: Learner) -> Generator[None, None, None]:
    """Leave Markov chains and running means as they were: a look at the loss must not move the training."""
    before = {name: value.clone() for name, value in learner.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in learner.named_buffers():
                value.copy_(before[name])


def limit(feed: Feed) -> int:
    """Examples that are measured."""
    return min(max(1, FRAMES // (feed.view.frames or 1)), feed.examples * (PASSES if feed.drawn else 1))


def held_out_losses(stepper: Stepper, feed: Feed) -> tuple[dict[str, float], float]:
    """Mean of the total and every part over held-out examples, and the seconds it took."""
    begin = time.perf_counter()
    learner, fabric = stepper.learner, stepper.fabric
    sums: dict[str, Tensor] = {}
    rows = 0
    learner.eval()
    with (
        stepper.averaged(),
        buffers_kept(learner),
        seeded(feed.seed, fabric.device),
        torch.no_grad(),
        fabric.autocast(),
    ):
        for batch in drawn_batches(feed, limit(feed), PASSES):
            rows += len(batch.x)
            for player in learner.players:
                loss = learner.loss(batch, player, stepper.progress)
                for name, value in {"total": loss.total, **loss.parts}.items():
                    sums[name] = sums.get(name, torch.zeros((), device=fabric.device)) + value.float() * len(batch.x)
    learner.train()
    means = {name: float(value) / rows for name, value in sums.items()}
    return means, time.perf_counter() - begin
