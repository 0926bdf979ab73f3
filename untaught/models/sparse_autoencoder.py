"""The sparse autoencoder: many features, few of which are active in an example.

    h = s(W x + b)                                                                     (1)
    y = g(V h + c)                                                                     (2)
    J = mean |y - x|^2 / 2 + l (|W|^2 + |V|^2) / 2 + k sum_j KL(r, q_j)                (3)
    KL(r, q) = r log(r / q) + (1 - r) log((1 - r) / (1 - q))                           (4)
    d KL(r, q_j) / d a_j = (-r / q_j + (1 - r) / (1 - q_j)) s'(a_j) / n                (5)

x is an example, h its features, y the reconstruction; s is the logistic function, g linear or logistic. In the loss (3)
q_j is the mean activation of unit j over the n examples of a batch, which (4) drives towards r; means are over
examples, l is the weight cost and k the sparsity cost. (5) is the gradient at the input a of unit j in one example.
Where a unit is off in all examples, q and s' vanish together but (5) does not; log q is therefore computed from inputs.
The activation of a hyperbolic tangent is (1 + h) / 2. On patches of natural pictures the filters W become edges.

References:
    Ng (2011). CS294A lecture notes: sparse autoencoder.
    Olshausen, Field (1996). Emergence of simple-cell receptive field properties by learning a sparse code.
    Lee, Ekanadham, Ng (2008). Sparse deep belief net model for visual area V2.

Departures:
    Trained by Adam on batches, where the notes take L-BFGS and all examples at once. KL is of means over a batch, so
    batches should be large. Output units begin at the mean of the data, hidden units at r.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.config import Count, Fraction, NonNegative, configuration
from untaught.layerwise import Added, Layerwise, Units
from untaught.model import Batch, Optimiser, Recipe, Smoke
from untaught.shapes import Scalar, Vectors


class SparseAutoencoder(Layerwise):
    """An autoencoder with few active units, or a stack of them.

    Example:
        >>> model = SparseAutoencoder(SparseAutoencoder.Config(hidden=(25,)), (1, 8, 8))
        >>> model.encode(torch.zeros(3, 1, 8, 8)).shape, model.filters().shape
        (torch.Size([3, 25]), torch.Size([25, 1, 8, 8]))
    """

    @configuration
    class Config:
        """Layers, and what keeps them sparse."""

        hidden: tuple[Count, ...] = (196,)
        """Units of each hidden layer, from below."""
        sparsity: Fraction = 0.1
        """Target r for the mean activation of each unit."""
        sparsity_cost: NonNegative = 3.0
        """Weight of the sparsity target: the k of equation (3)."""
        weight_cost: NonNegative = 3e-3
        """Decay of the weights, biases apart: the l of equation (3)."""
        activation: Literal["sigmoid", "tanh"] = "sigmoid"
        """Hidden units."""
        output: Literal["linear", "sigmoid", "bernoulli", "tanh"] = "sigmoid"
        """Output units of the lowest layer: linear, logistic or hyperbolic tangents under squared error, or logistic
        under cross-entropy, which takes the place of the first term of (3). In upper layers they are of the kind that
        they reconstruct."""
        tied: bool = False
        """V is the transpose of W, whose squares then count once."""
        fine_tuning: bool = False
        """Train all layers of a stack together afterwards, as one deep autoencoder."""

    recipe = Recipe(optimiser=Optimiser(learning_rate=3e-3), batch_size=500)
    smoke = Smoke(config=Config(hidden=(5, 4), sparsity=0.2, fine_tuning=True), shape=(1, 4, 4))
    config: Config

    def added(self, inputs: Units, hidden: Units) -> Added:
        """Weight decay and sparsity, the second and third term of equation (3)."""
        own = self.config
        squares = self.weight.square().sum()
        if self.untied is not None:
            squares = squares + self.untied.square().sum()
        logits = inputs if own.activation == "sigmoid" else 2 * inputs
        nats = divergence(logits, own.sparsity)
        active = torch.sigmoid(logits).mean()
        parts = {"sparsity_nats": nats, "squared_weights": squares, "mean_activation": active}
        total = own.sparsity_cost * nats + own.weight_cost / 2 * squares
        return Added(total, {name: value.detach() for name, value in parts.items()})

    @property
    def constrained(self) -> bool:
        """Sparsity and weight decay keep a layer from copying."""
        return self.config.sparsity_cost > 0 or self.config.weight_cost > 0

    def corrupted(self, x: Vectors) -> Vectors:
        """Examples as they are."""
        return x

    def prepare(self, sample: Batch) -> None:
        """Set initial biases: output units give the mean of the data, hidden units their target activation."""
        super().prepare(sample)
        if not len(self.layers):
            begin = torch.logit(torch.tensor(self.config.sparsity), eps=1e-3)
            self.hidden_bias.data.fill_(begin if self.config.activation == "sigmoid" else begin / 2)


def divergence(logits: Tensor, target: float) -> Scalar:
    """Sum over units of equation (4), from the inputs `(batch, unit)` of logistic units; nats.

    Example:
        >>> divergence(torch.zeros(3, 2), 0.5).item()
        0.0
    """
    log_on, log_off = (torch.logsumexp(F.logsigmoid(a), 0) - math.log(len(a)) for a in (logits, -logits))
    entropy = -sum(share * math.log(share) for share in (target, 1 - target) if share)
    return (-target * log_on - (1 - target) * log_off - entropy).sum()
