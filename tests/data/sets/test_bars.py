"""Bars: the distribution against sums over what could have been drawn, the pictures against the distribution."""

import itertools
import math
from pathlib import Path

import pytest
import torch

from untaught.data.part import Part
from untaught.data.sets.bars import Options, distribution, load
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError


def by_hand(size: int, bar: float, vertical: float) -> dict[tuple[float, ...], float]:
    """Probability of each picture, pixel by pixel, from every orientation and every choice of bars."""
    found: dict[tuple[float, ...], float] = {}
    for upright, *on in itertools.product((False, True), repeat=size + 1):
        chance = vertical if upright else 1 - vertical
        for one in on:
            chance *= bar if one else 1 - bar
        picture = tuple(float(on[column if upright else row]) for row in range(size) for column in range(size))
        found[picture] = found.get(picture, 0.0) + chance
    return found


@pytest.mark.parametrize(("size", "bar", "vertical"), [(4, 0.2, 2 / 3), (2, 0.5, 0.5), (3, 0.9, 0.1)])
def test_distribution_is_that_of_both_steps(size: int, bar: float, vertical: float) -> None:
    known = distribution(Options(size=size, bar=bar, vertical=vertical))
    expected = by_hand(size, bar, vertical)
    assert len(known.examples) == len(expected) == 2 * (2**size - 1)
    for picture, chance in zip(known.examples.flatten(1).tolist(), known.probability.tolist(), strict=True):
        assert chance == pytest.approx(expected[tuple(picture)], rel=1e-12)


def test_bars_of_the_paper() -> None:
    known = distribution(Options())
    assert known.examples.shape == (30, 1, 4, 4)
    assert float(known.probability.sum()) == pytest.approx(1)
    assert float(known.probability.max()) == pytest.approx(0.8**4)
    entropy = -(known.probability * known.probability.log2()).sum()
    # Of the steps 0.918 + 4 * 0.722 bits, less what the empty and the full picture do not tell of the first.
    steps = sum(-p * math.log2(p) for p in (2 / 3, 1 / 3)) * (1 - 0.8**4 - 0.2**4)
    steps += 4 * sum(-p * math.log2(p) for p in (0.2, 0.8))
    assert float(entropy) == pytest.approx(steps)


def test_pictures_follow_the_distribution() -> None:
    part = open_data("bars?examples=50000").train
    known = part.distribution
    assert known is not None
    same = (part.frames.read(torch.arange(50_000))[:, None] == known.examples).flatten(2).all(2)
    assert same.any(1).all()
    rate = same.double().mean(0)
    far = (rate - known.probability) / (known.probability * (1 - known.probability) / 50_000).sqrt()
    assert far.square().mean() < 2.2  # chi-squared with 30 degrees of freedom over 30: once in 5,000 seeds


def test_parts_differ_and_come_from_the_seed() -> None:
    def pictures(part: Part | None) -> list[float]:
        assert part is not None
        return part.frames.read(torch.arange(40)).flatten().tolist()

    source, again = open_data("bars?examples=100"), open_data("bars?examples=50")
    assert pictures(source.train) == pictures(again.train)[: 40 * 16]
    assert pictures(source.train) != pictures(source.validation) != pictures(source.test)
    assert pictures(source.train) != pictures(open_data("bars?seed=1").train)
    assert source.shape == (1, 4, 4) and not source.is_video
    assert open_data("bars", size=6).shape == (1, 6, 6)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="size"):
        open_data("bars?size=40")
    with pytest.raises(ConfigError, match="bar"):
        open_data("bars?bar=1")
    with pytest.raises(DataError, match="take no path"):
        load(Path("somewhere"), Options())
