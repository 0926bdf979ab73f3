"""A model beside a baseline, example by example, against sums by hand and scipy."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from untaught.evaluate.judgement.paired import beside_model


def test_the_error_is_that_of_the_mean_difference() -> None:
    generator = torch.Generator().manual_seed(0)
    own = 5 + 3 * torch.randn(50, generator=generator)
    other = own + 0.2 + 0.1 * torch.randn(50, generator=generator)
    found = beside_model(own, other, "lower")
    assert found.lead is not None and found.value == pytest.approx(float(other.mean()), rel=1e-6)
    assert found.lead.error == pytest.approx(stats.sem((other - own).numpy()), rel=1e-4)
    assert found.lead.error < 0.1 * stats.sem(own.numpy()), "examples differ more than the models on one of them"


def test_ties_count_half() -> None:
    own, other = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([2.0, 2.0, 2.0, 6.0])
    assert [beside_model(own, other, better).lead.share for better in ("lower", "higher")] == [0.625, 0.375]  # type: ignore[union-attr,arg-type]


def test_consecutive_values_that_are_alike_count_once() -> None:
    """Four values, each five times: the error is that of the four, and of one block none is known."""
    ahead = torch.tensor([1.0, 4.0, 2.0, 5.0])
    lead = beside_model(torch.zeros(20), ahead.repeat_interleave(5), "lower", 5).lead
    assert lead is not None and lead.error == pytest.approx(stats.sem(ahead.numpy()), rel=1e-6) and lead.examples == 20
    rest = beside_model(torch.zeros(3), torch.tensor([1.0, 3.0, 8.0]), "lower", 2).lead
    assert rest is not None and rest.error == math.inf
