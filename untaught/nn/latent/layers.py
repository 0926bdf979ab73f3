"""A stack of stochastic layers, each normal given the next, with fully connected layers between them.

    q(h_1, ..., h_L | x) = q(h_1|x) q(h_2|h_1) ... q(h_L|h_{L-1})                     (1)
    p(h_1, ..., h_L) = p(h_L) p(h_{L-1}|h_L) ... p(h_1|h_2),   p(h_L) = N(0, 1)       (2)

Each conditional density is normal with a mean and a variance for each unit, which a network with two hidden layers
gives. Draws pass the gradient on: h = m + s e with e normal.

References:
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders. Section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from untaught.nn import dense
from untaught.nn.convolution import Activation
from untaught.nn.latent.densities import normal, normal_log_density, standard_log_density
from untaught.nn.noise import wide
from untaught.shapes import Vectors

Layer = Float[Tensor, "row _"]
"""Units of one stochastic layer; each draw of each example is a row."""
PerRow = Float[Tensor, " row"]
DEPTH = 2
"""Hidden layers between two stochastic ones."""


class Stack(nn.Module):
    """Both directions of a stack, equations (1) and (2), without the network down to examples.

    Example:
        >>> import torch
        >>> stack = Stack(6, (3, 2), (8, 5), "tanh")
        >>> latents, density = stack.infer(torch.zeros(4, 6))
        >>> [layer.shape[1] for layer in latents], stack.log_prior(latents).shape
        ([3, 2], torch.Size([4]))
    """

    def __init__(self, values: int, latent: Sequence[int], hidden: Sequence[int], activation: Activation) -> None:
        """Build the networks.

        Args:
            values: Numbers in an example.
            latent: Units of each stochastic layer, the one above the data first.
            hidden: Units of the hidden layers below each stochastic layer.
            activation: Of the hidden layers.
        """
        super().__init__()
        self.latent = tuple(latent)
        widths = list(zip(pairwise((values, *latent)), hidden, strict=True))
        self.up = nn.ModuleList(
            dense.Encoder((below, *[width] * DEPTH, 2 * above), activation) for (below, above), width in widths
        )
        self.down = nn.ModuleList(
            dense.Encoder((above, *[width] * DEPTH, 2 * below), activation) for (below, above), width in widths[1:]
        )

    def infer(self, x: Vectors, draws: int = 1) -> tuple[list[Layer], PerRow]:
        """Draw every layer given examples, equation (1), with the log-density in nats.

        Rows are examples, each repeated `draws` times; the lowest network sees each example once.
        """
        latents: list[Layer] = []
        density = x.new_zeros(())
        for number, network in enumerate(self.up):
            mean, log_variance = _moments(network, latents[-1] if latents else x)
            if number == 0:
                mean, log_variance = (part.repeat_interleave(draws, 0) for part in (mean, log_variance))
            noise = normal(mean)
            latents.append(mean + (0.5 * log_variance).exp() * noise)
            density = density + standard_log_density(noise) - 0.5 * log_variance.sum(-1)
        return latents, density

    def means(self, x: Vectors) -> list[Layer]:
        """Mean of each layer given the mean of the one below."""
        means = [x]
        for network in self.up:
            means.append(_moments(network, means[-1])[0])
        return means[1:]

    def log_prior(self, latents: Sequence[Layer]) -> PerRow:
        """Log p(h_1, ..., h_L) in nats, equation (2)."""
        density = standard_log_density(latents[-1])
        for network, (below, above) in zip(self.down, pairwise(latents), strict=True):
            density = density + normal_log_density(below, *_moments(network, above))
        return density

    def prior_sample(self, top: Layer) -> Layer:
        """Draw the lowest layer given draws of the highest, equation (2)."""
        for network in reversed(self.down):
            mean, log_variance = _moments(network, top)
            top = mean + (0.5 * log_variance).exp() * normal(mean)
        return top


def _moments(network: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    mean, log_variance = wide(network(x)).tensor_split(2, 1)
    return mean, log_variance
