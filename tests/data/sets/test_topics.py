"""Documents drawn from topics, against their distributions."""

from pathlib import Path

import pytest
import torch

from untaught.data.source import open_data
from untaught.errors import DataError


def test_examples_are_word_probabilities_of_whole_counts() -> None:
    source = open_data("topics?train=50&test=20&words=40&length=10")
    x = source.train.frames.read(torch.arange(50))
    torch.testing.assert_close(x.sum(1), torch.ones(50))
    lengths = torch.stack([(x * n - (x * n).round()).abs().amax(1) < 1e-4 for n in range(5, 16)])
    assert lengths.any(0).all()
    assert source.test is not None and len(source.test) == 20 and source.label_names[0] == "topic 1"


def test_words_are_drawn_from_the_mixture_of_topics() -> None:
    """One topic for nearly all of a document: the mean document of a class is that topic's distribution."""
    source = open_data("topics?train=4000&test=1&topics=3&words=20&main=1000&mixed=0.001&spread=1")
    x, label, shares = source.train.frames.read(torch.arange(4000)), source.train.label, source.train.latents["topics"]
    assert bool((shares.argmax(1) == label).all())
    again = open_data("topics?train=4000&test=1&topics=3&words=20&main=1000&mixed=0.001&spread=1&length=400")
    y = again.train.frames.read(torch.arange(4000))
    for k in range(3):
        torch.testing.assert_close(x[label == k].mean(0), y[again.train.label == k].mean(0), atol=0.01, rtol=0)


def test_the_seed_decides() -> None:
    first, same, other = (open_data(f"topics?train=9&test=3&seed={seed}") for seed in (0, 0, 1))
    every = torch.arange(9)
    assert torch.equal(first.train.frames.read(every), same.train.frames.read(every))
    assert not torch.equal(first.train.frames.read(every), other.train.frames.read(every))
    test = first.parts().test
    assert not torch.equal(first.train.frames.read(every)[:3], test.frames.read(torch.arange(3)))


def test_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="drawn, not read"):
        open_data(f"topics:{tmp_path}")
