"""The number whose gradient is a learning rule."""

from __future__ import annotations

import torch

from untaught.nn.energy.contrastive import contrast


def test_derivatives_are_kept_in_full_precision() -> None:
    """In bf16 1.001 and 1 are the same; under autocast their difference is learnt from none the less."""
    weight = torch.ones(2, requires_grad=True)
    slope = torch.tensor([1.001, -1.0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total = contrast([(weight, slope)])
    (found,) = torch.autograd.grad(total, weight)
    assert torch.equal(found, slope) and total.dtype == torch.float32
    torch.testing.assert_close(total.detach(), torch.tensor(0.001), rtol=1e-3, atol=0)


def test_every_parameter_has_its_own_derivative_where_gradients_are_off() -> None:
    weight, bias = torch.rand(2, 3, requires_grad=True), torch.rand(3, requires_grad=True)
    slopes = torch.rand(2, 3), torch.rand(3)
    with torch.no_grad():
        total = contrast(zip((weight, bias), slopes, strict=True))
    for found, slope in zip(torch.autograd.grad(total, (weight, bias)), slopes, strict=True):
        assert torch.equal(found, slope)
