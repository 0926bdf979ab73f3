"""Directions of greatest change, against Jacobians that are known."""

from __future__ import annotations

import torch

from untaught.nn.latent.greatest_change import PLACES, greatest_change
from untaught.randomness import seeded


def test_of_a_quadratic_map_it_is_the_mean_product_of_jacobians() -> None:
    """Central differences of a quadratic are exact, so the two agree to rounding."""
    with seeded(0):
        a, b = torch.randn(4, 7), torch.randn(4, 4, 7)
        codes = torch.randn(40, 4) * torch.tensor([1.0, 2.0, 0.5, 3.0])

    def make(z: torch.Tensor) -> torch.Tensor:
        return z @ a + torch.einsum("bi,bj,ijp->bp", z, z, b)

    found = greatest_change(make, codes)
    spread = codes.std(0, correction=0)
    jacobians = [a.T + torch.einsum("i,ijp->pj", z, b + b.transpose(0, 1)) for z in codes[:PLACES]]
    jacobians = [j * spread for j in jacobians]
    product = torch.stack([j.T @ j for j in jacobians]).mean(0)
    torch.testing.assert_close(found.of_units, product.diagonal(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.size, torch.linalg.eigvalsh(product).flip(0), rtol=1e-3, atol=1e-2)
    rows = found.rotated.T
    torch.testing.assert_close(rows @ product @ rows.T, torch.diag(found.size), rtol=1e-3, atol=0.05)
    torch.testing.assert_close(found.directions, rows * spread)


def test_a_unit_that_never_differs_is_in_no_direction_of_change() -> None:
    with seeded(0):
        codes = torch.cat([torch.randn(20, 2), torch.ones(20, 1)], 1)
    found = greatest_change(lambda z: z @ torch.eye(3), codes)
    assert found.of_units[2] == 0 and (found.directions[:, 2] == 0).all()
    assert found.size[-1] == 0
