"""The generator of a game: from latents, and perhaps a class, to examples.

    z ~ N(0, 1) or U(-1, 1),   x' = y(G(z, c))     (1)

y are output units: logistic, within the range of the data, or linear. c stands beside the latents.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn import convolution, dense
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.nn.adversarial.virtual_norm import ReferenceBatch, VirtualBatchNorm
from untaught.nn.latent.densities import normal
from untaught.nn.noise import wide
from untaught.nn.output_units import OutputUnits
from untaught.shapes import Examples, Features, Shape, Vectors

Beside = Float[Tensor, "batch beside"]
AT_ONCE = 512
"""Examples that are made at once for use."""
RARE = 1e-5
"""Least distance of outputs from the ends of their range where they begin at the mean: it keeps dark pixels dark."""


class Generator(nn.Module):
    """Makes examples, equation (1).

    Example:
        >>> generator = Generator(Adversaries(latent=3), (3, 30, 41))
        >>> generator(generator.prior(2)).shape
        torch.Size([2, 3, 30, 41])
    """

    def __init__(self, networks: Adversaries, shape: Shape, beside: int = 0) -> None:
        """Build the network.

        Args:
            networks: Its layers.
            shape: One example's.
            beside: Numbers beside the latents, such as a class.
        """
        super().__init__()
        self.networks, self.shape = networks, shape
        self.outputs = OutputUnits(networks.output)
        inputs = networks.latent + beside
        self.planes = networks.convolutional(shape)
        if self.planes and networks.start == "mean":
            raise ConfigError("start=mean is for dense layers, which have an output of their own for every value")
        self.norm, _ = networks.norms(shape)
        self.layers, self.maps = self._convolutional(inputs) if self.planes else (self._dense(inputs), None)
        self.reference = ReferenceBatch(networks.reference, (inputs,)) if self.norm == "virtual" else None

    def _dense(self, inputs: int) -> nn.ModuleList:
        widths = (*self.networks.widths(self.shape, self.networks.generator), inputs)[::-1]
        layers = nn.ModuleList()
        for number, (below, above) in enumerate(pairwise(widths)):
            last = number == len(widths) - 2
            layer = dense.Layer(below, above, "linear" if last else "relu", self.norm == "batch" and not last)
            if self.norm == "virtual" and not last:
                layer.norm = VirtualBatchNorm(above, self.networks.reference)
            layers.append(layer)
        return layers

    def _convolutional(self, inputs: int) -> tuple[nn.ModuleList, convolution.Decoder]:
        """A dense layer to the top maps, and the convolutions down to the example."""
        stack, batch = self.networks.stack(self.shape, self.networks.generator), self.norm == "batch"
        self.top = (stack[-1].filters, *convolution.sizes(stack, (self.shape[1], self.shape[2]))[-1])
        maps = convolution.Decoder(self.shape[0], stack, "relu", batch)
        first = dense.Layer(inputs, torch.Size(self.top).numel(), "relu", batch)
        if self.norm == "virtual":
            first.norm = VirtualBatchNorm(torch.Size(self.top).numel(), self.networks.reference)
            for layer, above in zip(maps.layers[1:], stack, strict=False):
                layer.norm = VirtualBatchNorm(above.filters, self.networks.reference)
        return nn.ModuleList([first]), maps

    def look(self, x: Vectors) -> None:
        """Find the range of the data, and begin at each value's mean where that is asked for."""
        self.outputs.look(x)
        if self.networks.start == "mean":
            with torch.no_grad():
                self.layers[-1].get_parameter("bias").copy_(self.outputs.inputs_for(x.mean(0), RARE))

    def prior(self, count: int) -> Features:
        """Draw latents, in float32 whatever the weights' type."""
        weight = self.layers[0].get_parameter("weight")
        like = weight.new_zeros(count, self.networks.latent)
        if self.networks.prior == "normal":
            return normal(like)
        return torch.rand(like.shape, device=like.device).mul(2).sub(1).to(like.dtype)

    def take(self, beside: Beside | None = None) -> None:
        """Draw the fixed batch of virtual normalisation, where it is used, and put beside it what stands there."""
        if self.reference is None:
            return
        latent = self.prior(self.networks.reference)
        if beside is not None:
            latent = torch.cat([latent, beside[torch.arange(len(latent), device=beside.device) % len(beside)]], 1)
        self.reference.take(latent)

    def drawn(self, count: int) -> Examples:
        """As many examples for use, of latents alone."""
        return self.made(self.prior(count))

    def made(self, inputs: Features) -> Examples:
        """Examples for use, without gradient and few at a time."""
        with torch.no_grad():
            return torch.cat([self(some) for some in inputs.split(AT_ONCE)])

    def forward(self, latent: Features, beside: Beside | None = None) -> Examples:
        """Examples, in full precision."""
        x: Tensor = latent if beside is None else torch.cat([latent, beside], 1)
        if self.reference is not None:
            (x,) = self.reference.before(x)
        for layer in self.layers:
            x = layer(x)
        if self.maps is not None:
            x = self.maps(x.unflatten(1, self.top), (self.shape[1], self.shape[2]))
        if self.reference is not None:
            x = self.reference.after(x)
        return self.outputs(wide(x).flatten(1)).unflatten(1, self.shape)
