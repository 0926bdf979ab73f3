"""Sparse codes: those of examples that are sums of few atoms say which."""

from __future__ import annotations

import pytest
import torch

from untaught.evaluate.baselines.dictionary import MOST_ATOMS, sparse_codes


@pytest.mark.slow
def test_codes_are_sparse_and_tell_causes() -> None:
    generator = torch.Generator().manual_seed(0)
    causes = (torch.rand(600, 4, generator=generator) < 0.3).float()
    atoms = torch.linalg.qr(torch.randn(12, 4, generator=generator)).Q.T
    codes, again = sparse_codes([causes @ atoms * 5, causes[:20] @ atoms * 5], 4, seed=0)
    assert codes.shape == (600, 4) and torch.allclose(codes[:20], again, atol=1e-4)
    assert float((codes == 0).float().mean()) > 0.1
    known = torch.cat([codes, torch.ones(len(codes), 1)], 1)
    left = causes - known @ torch.linalg.lstsq(known, causes).solution
    assert float(left.var() / causes.var()) < 0.2, "the causes can be read from the codes"


def test_there_are_at_most_so_many_atoms() -> None:
    x = torch.rand(300, 6, generator=torch.Generator().manual_seed(0))
    assert sparse_codes([x[:30]], 5, 0)[0].shape == (30, 5) and MOST_ATOMS == 256
