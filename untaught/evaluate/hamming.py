r"""Binary codes packed into words, and exact search among them by Hamming distance.

Bit j of a code is stored in bit j mod 64 of word j // 64; the last word is padded with 0. With \|x\| the number of
ones,

    d(q, a) = |q xor a| = |q| + sum_j a_j (1 - 2 q_j).                                     (1)

Search reads the codes in blocks that stay in the processor's cache, and keeps only codes nearer than the k-th nearest
so far. A few queries are compared by the first form of (1), one instruction for 64 bits; many by the second, a product
of matrices of 8-bit integers, which is exact. Where `faiss` is installed (the extra `retrieval`) it searches instead.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import SizeError

Words: TypeAlias = NDArray[np.uint64]
"""Packed codes, `(code, word)`."""
Bytes: TypeAlias = NDArray[np.uint8]
Whole: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.int32] | NDArray[np.uint16]

WORD = 64
BLOCK = 8192
"""Codes in a block: four words and their copy are half a megabyte."""
LOWEST = np.uint64(0x0101010101010101)
"""The lowest bit of each byte."""
FEW, MOST = 16, 100
"""Queries from which a matrix product is faster, and how many share one: its result must fit into the cache too."""


def pack(bits: Tensor | NDArray[Any]) -> Words:
    """Pack codes `(code, bit)`, each value either 0 or not.

    Example:
        >>> pack(torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])).tolist()
        [[5], [0]]
    """
    packed = np.packbits(np.asarray(bits) != 0, axis=1, bitorder="little")
    words = -(-bits.shape[1] // WORD)
    return np.pad(packed, ((0, 0), (0, 8 * words - packed.shape[1]))).view("<u8").astype(np.uint64, copy=False)


def distances(queries: Words, codes: Words) -> NDArray[np.int32]:
    """Hamming distance of every query from every code, equation (1), `(query, code)`.

    Raises:
        SizeError: Queries and codes differ in length.
    """
    index = Index(codes, with_faiss=False)
    found = np.empty((len(queries), len(codes)), np.int32)
    for begin in range(0, len(queries), MOST):
        some = slice(begin, begin + MOST)
        for start, scores, least in index.compared(queries[some]):
            np.add(scores, least[:, None], out=found[some, start : start + scores.shape[1]], casting="unsafe")
    return found


def nearest(queries: Words, codes: Words, count: int) -> tuple[Whole, Whole]:
    """The nearest codes of every query; of codes equally near the first.

    Returns:
        Their numbers and distances, both `(query, count)`, nearest first; all codes, where there are fewer.

    Raises:
        SizeError: Queries and codes differ in length, or there are no codes.
    """
    return Index(codes).nearest(queries, count)


class Index:
    """Codes laid out for repeated searches.

    Example:
        >>> index = Index(pack(np.array([[0, 0], [1, 1], [0, 1]])))
        >>> [found.tolist() for found in index.nearest(pack(np.array([[1, 1]])), 2)]
        [[[1, 2]], [[0, 1]]]
    """

    def __init__(self, codes: Words, with_faiss: bool | None = None) -> None:
        """Keep the codes.

        Args:
            codes: At least one.
            with_faiss: Whether faiss searches; none asks whether it is installed.

        Raises:
            SizeError: There are no codes.
        """
        if not codes.size:
            raise SizeError(f"there is nothing to search in: codes have the shape {codes.shape}")
        self.count, self.words = codes.shape
        self.with_faiss = faiss_installed() if with_faiss is None else with_faiss
        self.rows: Bytes = np.ascontiguousarray(codes).view(np.uint8)

    @cached_property
    def columns(self) -> Words:
        """The codes' words, `(word, code)`."""
        return np.ascontiguousarray(self.rows.view(np.uint64).T)

    @cached_property
    def byte_columns(self) -> Words:
        """The codes' bytes, `(byte, code)`, eight codes in a word; the last are perhaps none."""
        columns = np.zeros((8 * self.words, -(-self.count // 8) * 8), np.uint8)
        columns[:, : self.count] = self.rows.T
        return columns.view(np.uint64)

    def nearest(self, queries: Words, count: int) -> tuple[Whole, Whole]:
        """The nearest codes of every query, as the function `nearest`."""
        self._check(queries)
        count = min(count, self.count)
        search = self._by_faiss if self.with_faiss else self._by_ourselves
        found = [search(queries[begin : begin + MOST], count) for begin in range(0, len(queries), MOST)]
        return np.concatenate([index for index, _ in found]), np.concatenate([apart for _, apart in found])

    def compared(self, queries: Words) -> Iterator[tuple[int, Scores, Whole]]:
        """Block by block, the first code's number, scores `(query, code)` and what they lack to be distances."""
        self._check(queries)
        if len(queries) < FEW:
            return self._counted(queries)
        return self._multiplied(queries)

    def _counted(self, queries: Words) -> Iterator[tuple[int, Scores, Whole]]:
        """Distances by the first form of (1)."""
        least = np.zeros(len(queries), np.int64)
        apart, ones = np.empty((self.words, BLOCK), np.uint64), np.empty((self.words, BLOCK), np.uint8)
        scores = np.empty((len(queries), BLOCK), np.uint16)
        for start in range(0, self.count, BLOCK):
            block = self.columns[:, start : start + BLOCK]
            size = block.shape[1]
            for query, score in zip(queries, scores, strict=True):
                np.bitwise_xor(block, query[:, None], out=apart[:, :size])
                np.bitwise_count(apart[:, :size], out=ones[:, :size])
                np.add.reduce(ones[:, :size], 0, dtype=np.uint16, out=score[:size])
            yield start, scores[:, :size], least

    def _multiplied(self, queries: Words) -> Iterator[tuple[int, Scores, Whole]]:
        """Distances by the second form of (1), but for |q|; the lowest bits of all bytes come first, and so on."""
        ones = np.unpackbits(queries.view(np.uint8), axis=1, bitorder="little").reshape(len(queries), -1, 8)
        signs = torch.from_numpy(1 - 2 * ones.transpose(0, 2, 1).reshape(len(queries), -1).astype(np.int8))
        least = ones.sum((1, 2), dtype=np.int64)
        room, product = (
            np.empty(8 * self.words * BLOCK, np.uint64),
            torch.empty(len(queries) * BLOCK, dtype=torch.int32),
        )
        for start in range(0, self.count, BLOCK):
            block = self.byte_columns[:, start // 8 : (start + BLOCK) // 8]
            bits = room[: 8 * block.size].reshape(8, *block.shape)
            np.right_shift(block, np.arange(8, dtype=np.uint64)[:, None, None], out=bits)
            np.bitwise_and(bits, LOWEST, out=bits)
            size = 8 * block.shape[1]
            scores = product[: len(queries) * size].view(len(queries), size)
            torch._int_mm(signs, torch.from_numpy(bits.view(np.int8)).view(-1, size), out=scores)  # type: ignore[reportPrivateImportUsage]
            yield start, scores.numpy()[:, : self.count - start], least

    def _by_ourselves(self, queries: Words, count: int) -> tuple[Whole, Whole]:
        """Numbers and distances of the nearest.

        A candidate is one number, (query, distance, index) as digits, so that sorting sorts by all three.
        """
        digits = (len(queries), WORD * self.words + 1, self.count)
        bound = np.full(len(queries), digits[1])
        kept, new, settled = np.empty(0, np.int64), list[Whole](), 0
        for number, (start, scores, least) in enumerate(self.compared(queries), 1):
            size = scores.shape[1]
            if start == 0 and count <= size:
                bound = np.partition(scores, count - 1, 1)[:, count - 1] + least + 1
            hits = np.flatnonzero(scores < (bound - least).astype(scores.dtype)[:, None])
            if len(hits):
                query, place = np.divmod(hits, size)
                new.append(np.ravel_multi_index((query, scores[query, place] + least[query], place + start), digits))
            seen = start + size
            if number < 2 * settled and seen < self.count:
                continue  # the k-th nearest hardly changes until the number of codes has doubled
            every = np.sort(np.concatenate([kept, *new]))
            first = np.searchsorted(every, np.arange(len(queries)) * digits[1] * digits[2])
            kept, new, settled = every[first[:, None] + np.arange(min(count, seen))].ravel(), [], number
            if seen >= count:
                bound = np.unravel_index(kept[count - 1 :: count], digits)[1]
        _, apart, index = np.unravel_index(kept.reshape(len(queries), count), digits)
        return index, apart

    def _by_faiss(self, queries: Words, count: int) -> tuple[Whole, Whole]:
        """The same; counting leaves codes that are equally near in order."""
        faiss: Any = importlib.import_module("faiss")
        rows = np.ascontiguousarray(queries).view(np.uint8)
        apart, index = faiss.knn_hamming(rows, self.rows, count, variant="mc")
        return index.astype(np.int64), apart.astype(np.int64)

    def _check(self, queries: Words) -> None:
        if queries.shape[1] != self.words:
            raise SizeError(f"queries of {queries.shape[1]} words cannot be compared with codes of {self.words}")


def faiss_installed() -> bool:
    """Whether faiss can be imported; it is imported only where it searches."""
    found = importlib.util.find_spec("faiss")
    return found is not None and found.origin is not None  # a folder that is merely called faiss has no origin
