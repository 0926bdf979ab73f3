"""Noise of examples: fixed, normal, independent; the mixer against its definition in whole numbers of any length."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from untaught.nn.fixed_noise import fixed_normal
from untaught.randomness import seeded

WORD = 2**64 - 1


def pictures(count: int = 4000) -> Tensor:
    with seeded(0):
        return torch.randint(0, 256, (count, 3, 4, 4)).float() / 255


def test_it_is_what_its_equations_say() -> None:
    """By Python's own whole numbers and scipy's normal distribution."""

    def mixed(word: int) -> int:
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
        word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
        return word ^ word >> 31

    golden, x = 0x9E3779B97F4A7C15, torch.tensor([[0.25, -3.0, 1e-3]])
    values = [int(value) for value in x[0].numpy().view(np.int32)]
    key = sum(value * mixed(golden * (i + 1) & WORD) for i, value in enumerate(values))
    uniform = [((mixed(key + golden * (j + 1) & WORD) >> 40) + 0.5) / 2**24 for j in range(6)]
    torch.testing.assert_close(fixed_normal(x, 6)[0], torch.tensor(stats.norm.ppf(uniform)).float())


def test_an_example_has_its_noise_wherever_it_stands() -> None:
    x = pictures(50)
    noise, order = fixed_normal(x, 7), torch.randperm(50)
    with seeded(99):
        assert torch.equal(fixed_normal(x[order], 7), noise[order])
    assert torch.equal(fixed_normal(x[3:4], 7), noise[3:4])
    assert torch.equal(fixed_normal(x.double(), 7), noise)
    assert torch.equal(fixed_normal(x, 3), noise[:, :3])
    assert torch.equal(fixed_normal(-torch.zeros(1, 4), 3), fixed_normal(torch.zeros(1, 4), 3))


def test_it_is_standard_normal() -> None:
    noise = fixed_normal(pictures(), 16)
    assert stats.kstest(noise.flatten().numpy(), "norm").pvalue > 0.01
    assert noise.mean().abs() < 4 / noise.numel() ** 0.5
    assert (noise.var() - 1).abs() < 4 * (2 / noise.numel()) ** 0.5


@pytest.mark.parametrize("like", ["random", "one value apart", "one bit apart"])
def test_units_and_examples_are_independent(like: str) -> None:
    """No correlation between units, nor between examples that are nearly the same."""
    x = pictures()
    if like != "random":
        x = x[:1].repeat(4000, 1, 1, 1)
        step = 1 / 255 if like == "one value apart" else 2.0**-20
        x.flatten(1)[:, 5] = 1 + step * torch.arange(4000)
    noise = fixed_normal(x, 16).double()
    units = torch.corrcoef(noise.T) - torch.eye(16)
    assert units.abs().max() < 5 / 4000**0.5
    beside = (noise[:-1] * noise[1:]).mean(0)
    assert beside.abs().max() < 5 / 4000**0.5
    assert stats.kstest(noise[:, 0].numpy(), "norm").pvalue > 0.001
