"""The loss on held-out data: fixed examples and fixed draws, so that it changes only with the weights."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from untaught.data.batches import Feed, drawn_batches, fixed_batches
from untaught.data.view import Batch
from untaught.model import Learner
from untaught.randomness import seeded
from untaught.training.feeds import Feeds
from untaught.training.step import Stepper

FRAMES = 2_000
"""Frames on which it is measured: enough for a standard error of a few per cent, yet quick."""

PASSES = 32
"""Random positions of windows and patches at most, where frames are few."""


@contextmanager
def buffers_kept(learner: Learner) -> Generator[None, None, None]:
    """Restore Markov chains and running means afterwards: measuring the loss must not affect the training."""
    before = {name: value.clone() for name, value in learner.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in learner.named_buffers():
                value.copy_(before[name])


def limit(feed: Feed) -> int:
    """Number of examples that are measured."""
    return min(max(1, FRAMES // (feed.view.frames or 1)), feed.examples * (PASSES if feed.drawn else 1))


def held_out_losses(stepper: Stepper, feeds: Feeds) -> tuple[dict[str, float], float]:
    """Mean of the total and of every part over held-out examples, and the time taken in seconds."""
    begin = time.perf_counter()
    learner, fabric, device = stepper.learner, stepper.fabric, stepper.device
    sums: dict[str, Tensor] = {}
    rows = 0
    learner.eval()
    with stepper.averaged(), buffers_kept(learner), seeded(feeds.main.seed, device), fabric.autocast():
        for batch in _batches(feeds):
            rows += len(batch.x)
            for player in learner.players:
                loss = learner.held_out(batch, player)
                for name, value in {"total": loss.total, **loss.parts}.items():
                    held = sums.get(name, torch.zeros((), device=device))
                    sums[name] = held + value.detach().float() * len(batch.x)
    learner.train()
    means = {name: float(value) / rows for name, value in sums.items()}
    return means, time.perf_counter() - begin


def _batches(feeds: Feeds) -> Iterator[Batch]:
    """Fixed batches of the main stream, each with one of every further stream; these start again at their ends."""
    beside = {name: _endless(feed) for name, feed in feeds.beside.items()}
    for batch in drawn_batches(feeds.main, limit(feeds.main), PASSES):
        yield replace(batch, beside={name: next(batches) for name, batches in beside.items()})


def _endless(feed: Feed) -> Iterator[Batch]:
    """Fixed batches of a feed, repeated endlessly."""
    while True:
        yield from fixed_batches(feed, limit(feed))
