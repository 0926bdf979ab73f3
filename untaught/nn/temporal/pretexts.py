"""Tasks that video poses without labels: its own time is changed, and how it was changed is to be told.

x is a clip of T frames, y what was done to it, as often one as another in each batch:

    direction   y = 0: x_1 ... x_T as it is                y = 1: x_T ... x_1                        (1)
    speed       y = 0: T/2 frames in a row                 y = 1: every other frame, T/2 in all      (2)
    order       three pieces of T/3 frames, in the y-th of their six orders                          (3)

References:
    Pickup, Pan, Wei, Shih, Zhang, Zisserman, Scholkopf, Freeman (2014). Seeing the arrow of time. CVPR (1).
    Misra, Zitnick, Hebert (2016). Shuffle and learn. arXiv:1603.08561; Xu, Xiao, Zhao, Shao, Xie, Zhuang (2019).
    Self-supervised spatiotemporal learning via video clip order prediction. CVPR (3).
    Epstein, Chen, Vondrick (2020), Benaim et al. (2020). SpeedNet. arXiv:2004.06130 (2).
"""

from __future__ import annotations

from itertools import permutations
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from untaught.errors import SizeError
from untaught.shapes import Labels, Video

Pretext: TypeAlias = Literal["direction", "speed", "order"]
Shown = Float[Tensor, "batch shown channel height width"]

PIECES = 3
ORDERS = tuple(permutations(range(PIECES)))
ANSWERS: dict[Pretext, tuple[str, ...]] = {
    "direction": ("forwards", "backwards"),
    "speed": ("as it is", "twice as fast"),
    "order": tuple("".join(str(piece + 1) for piece in order) for order in ORDERS),
}
"""What is to be told, of each task."""
LEAST: dict[Pretext, int] = {"direction": 2, "speed": 4, "order": PIECES}
"""Frames that a clip needs."""


def shown_frames(task: Pretext, frames: int) -> int:
    """Frames of a clip that the encoder is shown, of so many.

    Raises:
        SizeError: The clip is too short for the task.
    """
    if frames < LEAST[task]:
        raise SizeError(f"task {task} needs clips of {LEAST[task]} frames, and these have {frames}")
    return {"direction": frames, "speed": frames // 2, "order": frames // PIECES * PIECES}[task]


def posed(x: Video, task: Pretext) -> tuple[Shown, Labels]:
    """Clips whose time was changed, and how, equations (1) to (3); which is drawn from the ambient generator.

    Example:
        >>> shown, answer = posed(torch.arange(6.0).view(1, 6, 1, 1, 1).expand(4, -1, -1, -1, -1), "direction")
        >>> sorted(answer.tolist()), sorted(shown[:, 0].flatten().tolist())
        ([0, 0, 1, 1], [0.0, 0.0, 5.0, 5.0])
    """
    answer = _balanced(len(x), len(ANSWERS[task]), x.device)
    return changed(x, task, answer), answer


def changed(x: Video, task: Pretext, answer: Labels) -> Shown:
    """Clips whose time was changed so that these are the answers, equations (1) to (3)."""
    order = _frames(task, x.shape[1], x.device)[answer]
    if task == "speed":  # frames in a row begin anywhere
        room = x.shape[1] - order.shape[1] + 1
        order = order + (torch.rand(len(x), 1, device=x.device) * room).long() * (answer == 0)[:, None]
    return x[torch.arange(len(x), device=x.device)[:, None], order]


def _frames(task: Pretext, frames: int, device: torch.device) -> Int[Tensor, "answer shown"]:
    """Numbers of the frames that are shown, for each answer."""
    every = torch.arange(shown_frames(task, frames), device=device)
    match task:
        case "direction":
            return torch.stack([every, every.flip(0)])
        case "speed":
            return torch.stack([every, 2 * every])
        case "order":
            pieces = every.view(PIECES, -1)
            return torch.stack([pieces[list(order)].flatten() for order in ORDERS])


def _balanced(count: int, answers: int, device: torch.device) -> Tensor:
    """Each answer as often as any other, but for the rest of the division, which is drawn."""
    begin = torch.randint(answers, (1,), device=device)
    return ((torch.arange(count, device=device) + begin) % answers)[torch.randperm(count, device=device)]
