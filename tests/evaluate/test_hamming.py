"""Packed codes against bits that are counted one by one, and faiss where it is installed."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from untaught.errors import SizeError
from untaught.evaluate import hamming
from untaught.evaluate.hamming import FEW, MOST, Index, distances, faiss_installed, nearest, pack


def codes(count: int, bits: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 2, (count, bits), dtype=np.uint8)


def counted(queries: NDArray[np.uint8], among: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Distances, bit by bit."""
    return (queries[:, None] != among).sum(2)


def ranked(apart: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nearest by distance, then number."""
    order = np.argsort(apart, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(apart, order, 1)


@pytest.mark.parametrize("bits", [1, 7, 28, 64, 65, 256, 300])
def test_packed_bits_come_back(bits: int) -> None:
    original = codes(5, bits)
    packed = pack(torch.from_numpy(original).float())
    assert packed.dtype == np.uint64 and packed.shape == (5, -(-bits // 64))
    back = [[int(row[j // 64]) >> j % 64 & 1 for j in range(packed.shape[1] * 64)] for row in packed]
    assert np.array_equal(np.array(back)[:, :bits], original)
    assert not np.array(back)[:, bits:].any()


@pytest.mark.parametrize("bits", [1, 28, 256, 300])
@pytest.mark.parametrize("queries", [1, 3, FEW, MOST + 5])
def test_distances(bits: int, queries: int) -> None:
    first, second = codes(queries, bits), codes(130, bits, seed=1)
    assert np.array_equal(distances(pack(first), pack(second)), counted(first, second))


@pytest.mark.parametrize("bits", [3, 28, 256])
@pytest.mark.parametrize("queries", [1, FEW - 1, FEW, MOST + 5])
@pytest.mark.parametrize("count", [1, 10, 700])
def test_nearest_over_blocks(bits: int, queries: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks, the last cut off; with 3 bits nearly all are ties, which stand in order."""
    monkeypatch.setattr(hamming, "BLOCK", 64)
    first, second = codes(queries, bits), codes(1003, bits, seed=1)
    index, apart = Index(pack(second), with_faiss=False).nearest(pack(first), count)
    expected = ranked(counted(first, second), count)
    assert np.array_equal(index, expected[0]) and np.array_equal(apart, expected[1])


@pytest.mark.parametrize("queries", [1, FEW])
def test_all_bits_may_differ(queries: int) -> None:
    """256 does not fit into a byte."""
    nothing, everything = np.zeros((queries, 256)), np.ones((3, 256))
    index, apart = Index(pack(everything), with_faiss=False).nearest(pack(nothing), 2)
    assert np.array_equal(index, np.tile([0, 1], (queries, 1))) and (apart == 256).all()


def test_fewer_codes_than_asked_for() -> None:
    index, apart = nearest(pack(codes(2, 9)), pack(codes(3, 9, seed=1)), 10)
    assert index.shape == apart.shape == (2, 3)
    assert [sorted(row) for row in index.tolist()] == [[0, 1, 2]] * 2


def test_codes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SizeError, match="queries of 1 words cannot be compared with codes of 2"):
        nearest(pack(codes(2, 9)), pack(codes(3, 99)), 1)
    with pytest.raises(SizeError, match="nothing to search in"):
        Index(pack(codes(0, 9)))


@pytest.mark.skipif(not faiss_installed(), reason="faiss is not installed")
@pytest.mark.parametrize("bits", [3, 28, 256])
@pytest.mark.parametrize("queries", [1, 20])
def test_faiss_finds_the_same(bits: int, queries: int) -> None:
    first, second = codes(queries, bits), codes(20_000, bits, seed=1)
    theirs = Index(pack(second), with_faiss=True).nearest(pack(first), 100)
    ours = Index(pack(second), with_faiss=False).nearest(pack(first), 100)
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
