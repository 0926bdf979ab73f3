"""Where a request is computed: in a thread, after those that came before it, or at once where that takes less time.

A thread that computes and the loop that reads and writes want the same interpreter, so that handing a request over and
back costs more than a small network's answer does. What a request takes is known from the last one of its kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio.to_thread
import torch
from anyio import CapacityLimiter

from untaught.errors import UntaughtError
from untaught.explorer.panel import Answer

WAITING = 8
"""Requests that may wait for a thread, the one that is computed among them."""
BRIEF = 0.003
"""Seconds that a request may keep the loop from others."""


class Busy(UntaughtError):
    """As many requests wait as may."""


@dataclass
class Lane:
    """One thread, and how many requests wait for it."""

    limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    waiting: int = 0

    async def run(self, compute: Callable[[], Answer]) -> Answer:
        """Compute in the thread.

        Raises:
            Busy: Too many wait already.
        """
        if self.waiting >= WAITING:
            raise Busy("busy: as many requests wait as may; ask again")
        self.waiting += 1
        try:
            return await anyio.to_thread.run_sync(compute, limiter=self.limiter)
        finally:
            self.waiting -= 1


class Lanes:
    """A thread for quick requests, one for slow ones, and the loop itself for brief ones."""

    def __init__(self) -> None:
        self.lanes = {slow: Lane() for slow in (False, True)}
        self.took: dict[str, float] = {}
        """Seconds of computing that the last quick request of each kind took."""
        self.long = 0
        """Requests in the threads that are not brief: they may hold what another needs."""

    async def run(self, compute: Callable[[], Answer], kind: str, slow: bool = False) -> Answer:
        """Compute: at once if the last request of the kind was brief and no long one is in a thread.

        Raises:
            Busy: Too many wait already.
        """
        brief = not slow and self.took.get(kind, BRIEF) < BRIEF
        if brief and not self.long:
            return self._timed(compute, kind)
        self.long += not brief
        try:
            return await self.lanes[slow].run(lambda: self._timed(compute, kind))
        finally:
            self.long -= not brief

    def _timed(self, compute: Callable[[], Answer], kind: str) -> Answer:
        begun = time.thread_time()  # not the clock: other programs slow a request down
        try:
            return _without_gradient(compute)
        finally:
            self.took[kind] = time.thread_time() - begun


def _without_gradient(compute: Callable[[], Answer]) -> Answer:
    """Compute without recording gradients, which torch decides for each thread."""
    with torch.no_grad():
        return compute()
