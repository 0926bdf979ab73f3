"""Noise as a function of the example: the same in every pass, with nothing to store.

Each example is hashed to one number, from which a normal deviate is computed for each unit. With v_i the 32 bits of its
i-th value as float32, all arithmetic modulo 2^64 and m a mixer that spreads a change of any bit over all bits,

    k = sum_i v_i m(i)                                                        (1)
    n_j = sqrt(2) erfinv(2 u_j - 1),   u_j from the first 24 bits of m(k + j c)       (2)

Sums of integers do not depend on their order, so n is the same in every batch, on every device and in every precision
that represents the example exactly. An example that differs in one bit has different noise.

References:
    Carter, Wegman (1979). Universal classes of hash functions (1).
    Steele, Lea, Flood (2014). Fast splittable pseudorandom number generators (the mixer, and c).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Int
from torch import Tensor

from untaught.shapes import Examples, Features

Whole = Int[Tensor, "*number"]


def _signed(word: int) -> int:
    """The signed integer of 64 bits in torch."""
    return word - 2**64 if word >= 2**63 else word


GOLDEN = _signed(0x9E3779B97F4A7C15)
ROUNDS = ((30, _signed(0xBF58476D1CE4E5B9)), (27, _signed(0x94D049BB133111EB)))


def fixed_normal(x: Examples, units: int) -> Features:
    """Standard normal deviates that depend on the example alone, equation (2), float32 `(batch, units)`.

    Example:
        >>> x = torch.rand(3, 1, 8, 8)
        >>> torch.equal(fixed_normal(x, 5)[2:], fixed_normal(x[2:].double(), 5))
        True
    """
    values = (x.detach().flatten(1).float() + 0.0).view(torch.int32).long()  # -0 becomes 0
    key = (values * _mixed(GOLDEN * torch.arange(1, values.shape[1] + 1, device=x.device))).sum(1, keepdim=True)
    words = _mixed(key + GOLDEN * torch.arange(1, units + 1, device=x.device))
    odd = 2 * _shifted(words, 40) + 1 - 2**24
    return math.sqrt(2) * torch.erfinv(odd.float() * 2.0**-24)


def _mixed(word: Whole) -> Whole:
    """The mixer m: every bit of the result depends on every bit of the word."""
    for shift, factor in ROUNDS:
        word = (word ^ _shifted(word, shift)) * factor
    return word ^ _shifted(word, 31)


def _shifted(word: Whole, bits: int) -> Whole:
    """Shift to the right and fill up with zeros, where torch repeats the sign."""
    return (word >> bits) & (2 ** (64 - bits) - 1)
