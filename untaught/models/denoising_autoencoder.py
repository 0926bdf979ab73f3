"""The denoising autoencoder: features from which a corrupted example can be restored.

    h = f(W x + b)                                                          (1)
    y = g(V h + c),   tied: V = Wᵀ                                          (2)
    loss = mean L(x, y of h of x~)                                          (3)
    masking           x~_i = 0 with probability p, else x_i                 (4)
    gaussian          x~_i = x_i + p e_i,   e_i normal                      (5)
    salt-and-pepper   x~_i = low or high, each with probability p / 2       (6)

x is an example, x~ its corrupted version, drawn anew each time, h the features, and y the reconstruction, which is
compared with the uncorrupted example (3). L is half the squared error, or a cross-entropy that takes pixels in [0, 1]
as probabilities of ones. p is the level of the corruption; low and high in (6) are the ends of the data's range. Only
the loss corrupts examples, also on held-out data; `encode` does not. In a stack each layer learns to restore the
uncorrupted features of the layer below. With level 0 this is a plain autoencoder, stacked.

References:
    Vincent, Larochelle, Bengio, Manzagol (2008). Extracting and composing robust features with denoising autoencoders.
    Vincent, Larochelle, Lajoie, Bengio, Manzagol (2010). Stacked denoising autoencoders.
    Bengio, Lamblin, Popovici, Larochelle (2007). Greedy layer-wise training of deep networks (no corruption).
    Chen, Xu, Weinberger, Sha (2012). Marginalized denoising autoencoders for domain adaptation (linear units).

Departures:
    Each value is masked independently; the first paper masks a fixed number of them. Trained by Adam.
"""

from __future__ import annotations

from typing import Literal

import torch

from untaught.config import Count, NonNegative, configuration
from untaught.errors import ConfigError
from untaught.layerwise import Added, Layerwise, Units
from untaught.model import Example, Optimiser, Recipe, Smoke
from untaught.nn.noise import bernoulli
from untaught.shapes import Shape, Vectors


class DenoisingAutoencoder(Layerwise):
    """An autoencoder that restores corrupted examples, or a stack of them.

    Example:
        >>> model = DenoisingAutoencoder(DenoisingAutoencoder.Config(hidden=(20, 10)), (1, 8, 8))
        >>> model.encode(torch.zeros(3, 1, 8, 8)).shape, [stage.name for stage in model.stages()]
        (torch.Size([3, 10]), ['layer-1', 'layer-2'])
    """

    @configuration
    class Config:
        """Layers, and the corruption."""

        hidden: tuple[Count, ...] = (1000,)
        """Units of each hidden layer, from below."""
        corruption: Literal["masking", "gaussian", "salt-and-pepper"] = "masking"
        """Kind of corruption: equation (4), (5) or (6)."""
        level: NonNegative = 0.25
        """Probability that a value is corrupted, or the standard deviation of the noise; 0 corrupts nothing."""
        activation: Literal["sigmoid", "tanh", "relu", "linear"] = "sigmoid"
        """Hidden units."""
        output: Literal["linear", "sigmoid", "bernoulli", "tanh", "relu"] = "bernoulli"
        """Output units of the lowest layer: logistic under cross-entropy, or of any kind under squared error. In the
        layers above, output units are of the kind that they reconstruct."""
        tied: bool = True
        """V is the transpose of W."""
        fine_tuning: bool = False
        """Train all layers of a stack together afterwards, as one deep autoencoder of corrupted examples."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    smoke = Smoke(config=Config(hidden=(5, 4), output="sigmoid", fine_tuning=True), shape=(1, 4, 4))
    config: Config

    def corrupted(self, x: Vectors) -> Vectors:
        """Examples corrupted anew at each call, equation (4), (5) or (6)."""
        level = self.config.level
        if not level:
            return x
        if self.config.corruption == "gaussian":
            noise = torch.randn(x.shape, device=x.device, dtype=torch.float32)
            return x + level * noise.to(x.dtype)
        lost = bernoulli(torch.full_like(x, level))
        if self.config.corruption == "masking":
            return x * (1 - lost)
        ends = self.outputs.low + (self.outputs.high - self.outputs.low) * bernoulli(torch.full_like(x, 0.5))
        return torch.where(lost > 0, ends, x)

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the layers, or raise ConfigError where there are none or the level is not a probability."""
        if config.corruption != "gaussian" and config.level > 1:
            raise ConfigError(f"level = {config.level}: under {config.corruption} it is a probability, from 0 to 1")
        super().__init__(config, example)

    @property
    def constrained(self) -> bool:
        """Corruption keeps a layer from copying its input."""
        return self.config.level > 0

    def added(self, inputs: Units, hidden: Units) -> Added:
        """Nothing: corruption is the only constraint."""
        return Added(inputs.new_zeros(()))
