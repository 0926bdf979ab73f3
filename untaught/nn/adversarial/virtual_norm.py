"""Virtual batch normalisation: an example is normalised by a fixed batch and itself, and by no other example.

With r_1, ..., r_n the units of a fixed reference batch and x those of an example,

    m = (x + sum_i r_i) / (n + 1)                                   (1)
    v = (x^2 + sum_i r_i^2) / (n + 1) - m^2                         (2)
    y = a (x - m) / sqrt(v + e) + b                                 (3)

for each unit; of maps, means over all places too. The reference batch itself is normalised by its own mean and
variance. It goes through the network before the examples, at every layer.

References:
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from untaught.shapes import Shape

SMALL = 1e-5
"""The e of (3)."""


class VirtualBatchNorm(nn.Module):
    """Normalises units of rows, the first of which are the reference batch.

    Example:
        >>> layer = VirtualBatchNorm(3, reference=4)
        >>> rows = torch.rand(6, 3)
        >>> torch.allclose(layer(rows)[4:5], layer(rows[:5])[4:], atol=1e-6)
        True
    """

    def __init__(self, units: int, reference: int) -> None:
        super().__init__()
        self.reference = reference
        self.weight, self.bias = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))

    def forward(self, rows: Tensor) -> Tensor:
        """Values `(row, unit, ...)` normalised over rows and places, equation (3)."""
        places = tuple(range(2, rows.ndim))
        mean, square = (part.mean(places) if places else part for part in (rows, rows.square()))
        mean, square = self._with_reference(mean), self._with_reference(square)
        spread = ((square - mean.square()).clamp_min(0) + SMALL).sqrt()
        everywhere = (..., *(None for _ in places))  # no view, which would fix the number of rows in an export
        gain = self.weight / spread
        return rows * gain[everywhere] + (self.bias - mean * gain)[everywhere]

    def _with_reference(self, each: Tensor) -> Tensor:
        """Means over the reference batch: its own for its rows, and with each other row for that row, equation (1)."""
        own = each[: self.reference].mean(0, keepdim=True)
        others = each[self.reference :]
        together = (others + self.reference * own) / (self.reference + 1)
        return torch.cat([own.expand(self.reference, -1), together])


class ReferenceBatch(nn.Module):
    """The fixed batch of a network's inputs: put before every batch, and taken off its outputs.

    Example:
        >>> reference = ReferenceBatch(4, (1, 8, 8), (10,))
        >>> x, label = reference.before(torch.rand(3, 1, 8, 8), torch.rand(3, 10))
        >>> x.shape, label.shape, reference.after(x).shape
        (torch.Size([7, 1, 8, 8]), torch.Size([7, 10]), torch.Size([3, 1, 8, 8]))
    """

    def __init__(self, count: int, *shapes: Shape) -> None:
        """Make room for as many rows of inputs of some shapes; they are normal draws until others are taken."""
        super().__init__()
        self.count, self.names = count, [f"input_{number}" for number in range(len(shapes))]
        for name, shape in zip(self.names, shapes, strict=True):
            self.register_buffer(name, torch.randn(count, *shape))

    def take(self, *inputs: Tensor) -> None:
        """Replace the fixed batch, repeating rows where there are too few."""
        with torch.no_grad():
            for name, rows in zip(self.names, inputs, strict=True):
                places = torch.arange(self.count, device=rows.device) % len(rows)
                self.get_buffer(name).copy_(rows[places])

    def before(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The fixed batch, then the given one."""
        pairs = zip(self.names, inputs, strict=True)
        return tuple(torch.cat([self.get_buffer(name).to(rows.dtype), rows]) for name, rows in pairs)

    def after(self, outputs: Tensor) -> Tensor:
        """Outputs for the given batch alone."""
        return outputs[self.count :]
