"""Greedy training: each layer of a stack learns what those below it make of the data, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from torch import Tensor

from untaught.model import Learner, Recipe, Stage, Stream


def greedy_stages(
    learners: Iterable[Learner], up: Callable[[Tensor, int], Tensor], stream: Stream, recipe: Recipe | None = None
) -> list[Stage]:
    """One stage for each layer, from below: `layer-1`, ...

    Args:
        learners: The layers.
        up: What the first so many layers make of examples; of none, examples as the lowest layer is shown them.
        stream: What every layer learns from.
        recipe: How every layer is trained; none takes each one's own.
    """
    return [
        Stage(f"layer-{below + 1}", layer, recipe or layer.recipe, stream, sees=partial(_through, up, below))
        for below, layer in enumerate(learners)
    ]


def _through(up: Callable[[Tensor, int], Tensor], layers: int, x: Tensor) -> Tensor:
    return up(x, layers)
