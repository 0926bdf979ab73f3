"""Seeding torch's generators inside a `with` block; the caller's state is restored after it.

Models draw from torch's ambient generator, so that they can be compiled and captured in CUDA graphs. Nothing else in
the package sets seeds. That generator exists once in a process, so threads take turns: see `ambient.py`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor

from untaught.ambient import Turn, take_turn


def generator_state(device: torch.device) -> dict[str, Tensor]:
    """Read torch's ambient generators: the CPU's and, where there is one, the device's."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["device"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["device"] = torch.mps.get_rng_state()
    return state


def set_generator_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Restore what `generator_state` read."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "device" in state:
        torch.cuda.set_rng_state(state["device"], device)
    elif device.type == "mps" and "device" in state:
        torch.mps.set_rng_state(state["device"])


@contextmanager
def seeded(seed: int, device: torch.device | str = "cpu") -> Generator[None]:
    """Draw from `seed` inside the `with`; afterwards the caller's generators are as they were.

    Example:
        >>> before = torch.get_rng_state()
        >>> with seeded(1):
        ...     first = torch.rand(3)
        >>> with seeded(1):
        ...     again = torch.rand(3)
        >>> bool((first == again).all()), bool((torch.get_rng_state() == before).all())
        (True, True)
    """
    with Draws(seed, torch.device(device)):
        yield


class Draws:
    """A sequence of draws that can be left and entered again, while the caller keeps its own.

    Example:
        >>> draws = Draws(0, torch.device("cpu"))
        >>> with draws:
        ...     first = torch.rand(2)
        >>> with draws:
        ...     second = torch.rand(2)
        >>> bool((first == second).any())
        False
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self._outside: list[dict[str, Tensor]] = []
        self._turns: list[Turn] = []
        turn = take_turn()
        try:
            self.state = _first_state(seed, device)
        finally:
            turn.release()

    def __enter__(self) -> Draws:
        self._turns.append(take_turn())
        self._outside.append(generator_state(self.device))
        set_generator_state(self.state, self.device)
        return self

    def __exit__(self, *exception: object) -> None:
        self.state = generator_state(self.device)
        set_generator_state(self._outside.pop(), self.device)
        self._turns.pop().release()


def _first_state(seed: int, device: torch.device) -> dict[str, Tensor]:
    """The state from which a seed's draws begin; the generators are left as they were."""
    outside = generator_state(device)
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
    state = generator_state(device)
    set_generator_state(outside, device)
    return state
