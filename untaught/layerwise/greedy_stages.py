"""Greedy training of a stack: each layer learns alone, on the features of the layers below.

References:
    Hinton, Osindero, Teh (2006). A fast learning algorithm for deep belief nets.
    Bengio, Lamblin, Popovici, Larochelle (2007). Greedy layer-wise training of deep networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor

from untaught.model import Learner, Recipe, Stage, Stream, View


def greedy_stages(
    learners: Sequence[Learner], up: Callable[..., Tensor], view: View, recipe: Recipe | None = None
) -> list[Stage]:
    """Stages `layer-1`, `layer-2` and so on, from below.

    Args:
        learners: The layers.
        up: `up(x, layers=k)` gives the features of the lowest k layers.
        view: The view of the data.
        recipe: How each layer is trained; by its own recipe if none is given.
    """
    return [
        Stage(f"layer-{k + 1}", learner, recipe or learner.recipe, Stream(view), sees=partial(up, layers=k))
        for k, learner in enumerate(learners)
    ]
