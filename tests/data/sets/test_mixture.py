"""Mixtures: where centres lie, how far examples are from them, and how often each comes."""

import math

import pytest
import torch

from untaught.data.sets.mixture import Options, centres
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError


@pytest.mark.parametrize("layout", ["grid", "ring", "line"])
def test_neighbouring_centres_are_equally_far(layout: str) -> None:
    found = centres(Options(layout=layout, modes=9, spacing=1.5))  # type: ignore[arg-type]
    apart = torch.cdist(found, found) + 99 * torch.eye(9)
    torch.testing.assert_close(apart.min(1).values, torch.full((9,), 1.5))
    torch.testing.assert_close(found.mean(0), torch.zeros(found.shape[1]), atol=1e-6, rtol=0)


def test_examples_lie_around_their_centres_and_modes_come_equally_often() -> None:
    source = open_data("mixture?train=5000&deviation=0.1&modes=25")
    assert source.shape == (2,) and source.label_names[-1] == "24"
    part = source.train
    x, mode = part.frames.read(part.first), part.latents["mode"]
    assert part.label.bincount().tolist() == [200] * 25
    away = x - mode
    assert float(away.std()) == pytest.approx(0.1, abs=4 * 0.1 / math.sqrt(2 * away.numel()))
    assert float(away.mean()) == pytest.approx(0, abs=4 * 0.1 / math.sqrt(away.numel()))
    assert torch.equal(mode, centres(Options())[part.label])


def test_parts_do_not_depend_on_each_others_sizes() -> None:
    one, other = open_data("mixture?train=100"), open_data("mixture?train=200")
    assert one.test is not None and other.test is not None
    assert torch.equal(one.test.frames.read(one.test.first), other.test.frames.read(other.test.first))
    assert open_data("mixture?layout=line&modes=2&train=10").shape == (1,)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="a square number of them, 9 or 16"):
        open_data("mixture?modes=10")
    with pytest.raises(DataError, match="take no path"):
        open_data("mixture:.")
