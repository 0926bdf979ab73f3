"""A pool of pictures that were made before, so that a discriminator does not forget what a generator used to make.

While the pool fills, pictures go in and pass through. Then each that comes is, with probability 1/2, exchanged for one
that was kept, and kept in its place; otherwise it passes through. All is done by tensors, and waits for no value.

References:
    Shrivastava, Pfister, Tuzel, Susskind, Wang, Webb (2017). Learning from simulated and unsupervised images through
    adversarial training. CVPR.
"""

from __future__ import annotations

import torch
from torch import nn

from untaught.nn.noise import bernoulli
from untaught.shapes import Images, Shape


class PicturePool(nn.Module):
    """Keeps pictures and gives old ones for new ones.

    Example:
        >>> pool = PicturePool(2, (1, 4, 4))
        >>> first = torch.rand(2, 1, 4, 4)
        >>> torch.equal(pool(first), first), torch.equal(pool.kept, first)
        (True, True)
    """

    def __init__(self, size: int, shape: Shape) -> None:
        """Make an empty pool.

        Args:
            size: Pictures that are kept; with 0 all pass through.
            shape: One picture's.
        """
        super().__init__()
        self.kept = nn.Buffer(torch.zeros(size, *shape))
        self.count = nn.Buffer(torch.zeros((), dtype=torch.int64))

    def forward(self, made: Images) -> Images:
        """The same number of pictures, some of which were made before; of more than fit the rest pass through."""
        size = len(self.kept)
        through, made = made[size:], made[:size]
        if not len(made):
            return through
        places = self._places(len(made))
        old, fresh = self.kept[places], places >= self.count
        swapped = bernoulli(torch.full((len(made),), 0.5, device=made.device)).bool()
        given = torch.where(_wide(swapped & ~fresh), old, made)
        self.kept[places] = torch.where(_wide(swapped | fresh), made, old).to(self.kept.dtype)
        self.count.copy_((self.count + len(made)).clamp_max(size))
        return torch.cat([given, through])

    def _places(self, count: int) -> torch.Tensor:
        """Places that differ: those that follow the last one while the pool fills, then random ones."""
        size, device = len(self.kept), self.kept.device
        following = (self.count + torch.arange(count, device=device)) % size
        drawn = torch.rand(size, device=device).argsort()[:count]
        return torch.where(self.count >= size, drawn, following)


def _wide(which: torch.Tensor) -> torch.Tensor:
    return which.view(-1, 1, 1, 1)
