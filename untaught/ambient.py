"""What torch keeps for the whole process or thread: generators, default type and device, whether gradients are kept.

Models draw from torch's own generators, and these exist once in a process. While ours are swapped in, a lock is held:
threads that train, apply or measure models take turns, each gets what it gets alone, and the caller's generator is as
it was. Another thread that draws from torch's generator in the meantime, by code that is not ours, draws from ours; let
such code have a `torch.Generator` of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Protocol, runtime_checkable

import torch


@runtime_checkable
class Turn(Protocol):
    """A lock that is held."""

    def release(self) -> None:
        """Let the next thread go on."""
        ...


class _Turns:
    """The lock; after a fork the child has a new one, for the thread that held it does not exist there."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def renew(self) -> None:
        self.lock = threading.RLock()


_TURNS = _Turns()
if os.name == "posix":
    os.register_at_fork(after_in_child=_TURNS.renew)


def take_turn() -> Turn:
    """Wait until no other thread has swapped torch's state, and keep others waiting; gives the lock, to be released."""
    lock = _TURNS.lock
    lock.acquire()
    return lock


@contextmanager
def as_torch_begins() -> Generator[None]:
    """Compute as in a fresh process, whatever the caller has set; other threads wait meanwhile.

    Gradients are recorded, floats are float32, tensors are made on the CPU, and nothing is cast automatically. Can
    decorate a function.

    Example:
        >>> with torch.no_grad(), as_torch_begins():
        ...     torch.is_grad_enabled()
        True
    """
    lock = take_turn()
    try:
        with ExitStack() as stack:
            if torch.is_inference_mode_enabled():
                stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))
            stack.enter_context(_nothing_cast())
            stack.enter_context(_float32())
            yield
    finally:
        lock.release()


@contextmanager
def _nothing_cast() -> Generator[None]:
    """Leave the caller's autocast.

    Weights that are cast inside are kept until the outermost autocast ends. Inside the caller's, ours would compute
    with those from before the last step; so for the time being ours is the outermost.
    """
    around = torch.autocast_increment_nesting() - 1
    torch.autocast_decrement_nesting()
    cast = [kind for kind in ("cpu", "cuda") if around and torch.is_autocast_enabled(kind)]
    _nest(-around)
    for kind in cast:
        torch.set_autocast_enabled(kind, False)
    try:
        yield
    finally:
        for kind in cast:
            torch.set_autocast_enabled(kind, True)
        _nest(around)


def _nest(times: int) -> None:
    """Count autocasts that are entered, or where negative left; what they kept goes with the outermost."""
    for _ in range(abs(times)):
        inside = torch.autocast_increment_nesting() if times > 0 else torch.autocast_decrement_nesting()
        if inside == 0:
            torch.clear_autocast_cache()


@contextmanager
def _float32() -> Generator[None]:
    before = torch.get_default_dtype()
    if before == torch.float32:
        yield
        return
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
