"""The number whose gradient is a learning rule."""

from __future__ import annotations

import torch

from untaught.nn.energy.contrastive import contrast


def test_every_parameter_has_its_own_derivative_where_gradients_are_off() -> None:
    weight, bias = torch.rand(2, 3, requires_grad=True), torch.rand(3, requires_grad=True)
    slopes = torch.rand(2, 3), torch.rand(3)
    with torch.no_grad():
        total = contrast(zip((weight, bias), slopes, strict=True))
    for found, slope in zip(torch.autograd.grad(total, (weight, bias)), slopes, strict=True):
        assert torch.equal(found, slope)
