"""Where requests are computed."""

from __future__ import annotations

import threading
import time

import anyio
import torch

from untaught.explorer.lanes import BRIEF, Lanes


def test_brief_requests_are_computed_at_once_and_long_ones_in_a_thread() -> None:
    lanes, here = Lanes(), threading.get_ident()
    where: list[bool] = []

    def compute(seconds: float = 0.0) -> bytes:
        where.append(threading.get_ident() == here)
        assert not torch.is_grad_enabled()
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
        return b""

    async def some() -> None:
        for seconds in (0.0, 0.0, 2 * BRIEF, 0.0, 0.0):
            await lanes.run(lambda s=seconds: compute(s), "latent/decode")
        await lanes.run(compute, "examples/map", slow=True)

    anyio.run(some)
    # Unknown, brief, brief until it was not, long the last time, brief again; and slow.
    assert where == [False, True, True, False, True, False]
    assert torch.is_grad_enabled()


def test_nothing_is_computed_at_once_beside_a_long_request() -> None:
    lanes, go, here = Lanes(), threading.Event(), threading.get_ident()
    lanes.took["brief"] = 0.0

    async def both() -> tuple[int, int]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: lanes.run(lambda: {"went": go.wait(10)}, "long", slow=True))
            await anyio.sleep(0.01)
            beside = await lanes.run(lambda: {"thread": threading.get_ident()}, "brief")
            go.set()
        after = await lanes.run(lambda: {"thread": threading.get_ident()}, "brief")
        assert isinstance(beside, dict) and isinstance(after, dict)
        return beside["thread"], after["thread"]

    beside, after = anyio.run(both)
    assert beside != here and after == here
