"""The true variables of generated data, as columns of numbers under names that people read.

A variable of one number keeps its name, `angle`; the components of one with several are counted from 1, `identity_1`.
Of a window of video, the variables are those of its last frame. What does not vary cannot be read off anything and is
left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.data.view import Batch

Column = Float[Tensor, " column"]
"""A number for each column, in the order of the columns."""


@dataclass(frozen=True)
class Variables:
    """Columns of true variables of several batches, and which variable each belongs to."""

    columns: list[Float[Tensor, "_ column"]]
    """Values, one tensor for each batch."""
    sizes: dict[str, int]
    """How many columns each variable has, in their order."""

    def means(self, values: Column) -> dict[str, float]:
        """One number for each variable: the mean over its columns."""
        return {name: float(some.mean()) for name, some in self._split(values).items()}

    def components(self, values: Column, most: int) -> dict[str, list[float]]:
        """The first `most` numbers of each variable that has several columns."""
        return {name: some[:most].tolist() for name, some in self._split(values).items() if len(some) > 1}

    def places(self, most: int) -> dict[str, int]:
        """Where the first `most` columns of each variable are, by name.

        Example:
            >>> Variables([], {"angle": 1, "identity": 24}).places(2)
            {'angle': 0, 'identity_1': 1, 'identity_2': 2}
        """
        found: dict[str, int] = {}
        start = 0
        for name, size in self.sizes.items():
            found |= {name if size == 1 else f"{name}_{n + 1}": start + n for n in range(min(most, size))}
            start += size
        return found

    def _split(self, values: Column) -> dict[str, Tensor]:
        return dict(zip(self.sizes, values.split(list(self.sizes.values())), strict=True))


def variables(batches: list[Batch]) -> Variables:
    """Gather the columns that vary in the first batch and in the last."""
    at_last = [{name: _last(value) for name, value in batch.latents.items()} for batch in batches]
    varying = {name: (at_last[0][name].std(0) > 0) & (at_last[-1][name].std(0) > 0) for name in at_last[0]}
    sizes = {name: int(kept.sum()) for name, kept in varying.items() if bool(kept.any())}
    columns = [torch.cat([batch[name][:, varying[name]] for name in sizes], 1) for batch in at_last] if sizes else []
    return Variables(columns, sizes)


def _last(latent: Tensor) -> Tensor:
    """The variable at the last frame of each window."""
    return latent[:, -1] if latent.ndim == 3 else latent
