"""Classes beside latents."""

from __future__ import annotations

import torch

from untaught.nn.latent.stochastic import with_classes
from untaught.randomness import seeded


def test_classes_that_nobody_gives_are_drawn_evenly() -> None:
    """Of 9,000 draws each of three classes has a third, within four standard errors; latents stay as they are."""
    latent = torch.randn(9000, 2)
    with seeded(0):
        found = with_classes(latent, 3, None)
    assert torch.equal(found[:, :2], latent)
    assert set(found[:, 2:].sum(1).tolist()) == {1.0}
    assert bool(((found[:, 2:].mean(0) - 1 / 3).abs() < 4 * (2 / 9 / 9000) ** 0.5).all())
