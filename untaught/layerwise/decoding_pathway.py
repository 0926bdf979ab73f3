"""Mirrored blocks learn to undo the blocks of an encoder that is held fixed: each by itself, or all as one chain.

    loss = sum_l C_l / mean h_l^2       each by itself                                        (1)
    loss = sum_l w_l C_l                all as one chain                                      (2)

h_l is what block l of the encoder gives, h_0 the example, C_l the mean squared error of what comes back; see
`untaught.nn.mirrors.pathways`. A stage gives it all that the frozen encoder computed, packed into one vector.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from untaught.config import NonNegative, configuration
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe
from untaught.nn.mirrors.pathways import Blocks, Mirrors, squared_errors
from untaught.shapes import Scalar


class DecodingPathway(Learner):
    """Mirrored blocks on a frozen encoder."""

    @configuration
    class Config:
        """How they learn."""

        weights: tuple[NonNegative, ...] = ()
        """Weights of the costs of one chain, from the example up; none: each block learns by itself."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    config: Config

    def __init__(self, config: Config, example: Example, blocks: Blocks, mirrors: Mirrors) -> None:
        super().__init__()
        self.config, self.example, self.blocks = config, example, blocks
        self.mirrors = mirrors

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (1) or (2)."""
        looked = self.blocks.unpacked(batch.x)
        if self.config.weights:
            errors = squared_errors(self.mirrors.chained(looked), looked)
            return Loss(weighted(errors, self.config.weights), named(errors))
        errors = squared_errors(self.mirrors.layerwise(looked), looked)
        sizes = [h.square().mean().clamp_min(1e-6) for h in looked.values[:-1]]
        total = sum((error / size for error, size in zip(errors, sizes, strict=True)), start=errors[0] * 0)
        return Loss(total, named(errors))


def weighted(errors: Sequence[Scalar], weights: Sequence[float]) -> Scalar:
    """Sum of costs with their weights; those of weight 0 are left out."""
    own = [weight * error for error, weight in zip(errors, weights, strict=True) if weight]
    return sum(own, start=errors[0] * 0)


def named(errors: Sequence[Tensor]) -> dict[str, Scalar]:
    """Costs by their layer, to be reported."""
    return {f"squared_error_{layer}": error.detach() for layer, error in enumerate(errors)}
