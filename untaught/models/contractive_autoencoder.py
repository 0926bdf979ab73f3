"""The contractive autoencoder: features that change only where a reconstruction needs them to.

    h = f(W x + b)                                                   (1)
    y = g(V h + c),   tied: V = Wᵀ                                   (2)
    |dh / dx|^2 = sum_j f'(a_j)^2 sum_i W_ji^2,   a = W x + b        (3)
    loss = mean L(x, y) + k mean |dh / dx|^2                         (4)

x is an example, h its features, y the reconstruction; L is half the squared error, or a cross-entropy that takes pixels
in [0, 1] as probabilities of ones. (3) is the squared Frobenius norm of the Jacobian of one layer: f' is h (1 - h) for
logistic units, 1 - h^2 for hyperbolic tangents, 1 or 0 for rectified ones. For a stack trained as one, (4) has the
penalty (3) of every layer, each with respect to its own input. Directions in which the data do not vary need no
reconstruction, and features become constant along them.

References:
    Rifai, Vincent, Muller, Glorot, Bengio (2011). Contractive auto-encoders: explicit invariance during feature
    extraction.

Departures:
    Trained by Adam. Where a stack is tuned as one, each layer's Jacobian is penalised, not that of the whole stack.
"""

from __future__ import annotations

from typing import Literal

from untaught.config import Count, NonNegative, configuration
from untaught.layerwise import Added, Layerwise, Units
from untaught.model import Optimiser, Recipe, Smoke
from untaught.shapes import PerExample, Vectors


class ContractiveAutoencoder(Layerwise):
    """An autoencoder with a penalty on its Jacobian, or a stack of them.

    Example:
        >>> import torch
        >>> model = ContractiveAutoencoder(ContractiveAutoencoder.Config(hidden=(20,)), (1, 8, 8))
        >>> hidden = model.encode(torch.zeros(3, 1, 8, 8))
        >>> model.contraction(hidden).shape
        torch.Size([3])
    """

    @configuration
    class Config:
        """Layers, and the weight of their penalty."""

        hidden: tuple[Count, ...] = (1000,)
        """Units of each hidden layer, from below."""
        contraction: NonNegative = 0.1
        """Cost of the penalty: the k of equation (4)."""
        activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
        """Hidden units."""
        output: Literal["linear", "sigmoid", "bernoulli", "tanh", "relu"] = "bernoulli"
        """Output units of the lowest layer: logistic under cross-entropy, or of any kind under squared error. In the
        layers above, output units are of the kind that they reconstruct."""
        tied: bool = True
        """V is the transpose of W. If untied, a small W and a large V escape the penalty."""
        fine_tuning: bool = False
        """Train all layers of a stack together afterwards, as one deep autoencoder."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=128)
    smoke = Smoke(config=Config(hidden=(5, 4), output="sigmoid", fine_tuning=True), shape=(1, 4, 4))
    config: Config

    def contraction(self, hidden: Units) -> PerExample:
        """Squared norm of one layer's Jacobian, equation (3), from the values of its hidden units."""
        match self.config.activation:
            case "sigmoid":
                slope = hidden * (1 - hidden)
            case "tanh":
                slope = 1 - hidden.square()
            case "relu":
                slope = (hidden > 0).to(hidden.dtype)
        return slope.square() @ self.weight.square().sum(1)

    def added(self, inputs: Units, hidden: Units) -> Added:
        """The penalty of equation (4)."""
        squared = self.contraction(hidden).mean()
        return Added(self.config.contraction * squared, {"squared_jacobian": squared.detach()})

    @property
    def constrained(self) -> bool:
        """The penalty keeps a layer from copying."""
        return self.config.contraction > 0

    def corrupted(self, x: Vectors) -> Vectors:
        """Examples as they are."""
        return x
