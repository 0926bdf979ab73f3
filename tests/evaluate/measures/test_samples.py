"""A generator that gives its training set back, one that knows one class, and one that draws anew."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.evaluate.samples.test_judging import bars
from untaught.capability import Decodes, Encodes, Samples
from untaught.data.batches import collect
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import View
from untaught.evaluate.measures.samples import MEASURE, _like
from untaught.evaluate.subject import Subject
from untaught.model import Example, Model, Stage
from untaught.randomness import seeded
from untaught.shapes import Examples, Features


class Draws(Model, Samples):
    """Samples by a function."""

    def __init__(self, draw: Callable[[int], Examples]) -> None:
        super().__init__()
        self.draw, self.example = draw, Example((1, 8, 8))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """By the function."""
        return self.draw(count)

    def stages(self) -> tuple[Stage, ...]:
        """None: it learns nothing."""
        return ()


def part(count: int, labelled: bool = True) -> Part:
    x, label = bars(count)
    return Part.of(x, label if labelled else None)


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, object]]:
    monkeypatch.setattr("untaught.evaluate.samples.judge.cache_folder", lambda: tmp_path)

    def measured(draw: Callable[[Part], Callable[[int], Examples]], labelled: bool = True) -> dict[str, object]:
        with seeded(1):
            train, test = part(300, labelled), part(100, labelled)
            subject = Subject(Draws(draw(train)), Parts(train, test, test), View(), name="bars")
            return MEASURE.take(subject)

    return measured


def one_class(count: int) -> Examples:
    x, label = bars(8 * count)
    return x[label == 0][:count]


def test_each_measure_sees_what_it_is_for(judged: Callable[..., dict[str, object]]) -> None:
    fresh = judged(lambda train: lambda count: bars(count)[0])
    copies = judged(lambda train: lambda count: collect(train, View(), None, limit=None).x[:count])
    single = judged(lambda train: one_class)
    name = "bars_v1"
    assert copies["classifier_score"][name] > 0.95 * fresh["classifier_score"][name], "a copy has a perfect score"
    assert copies["copying"] == 1 and copies["copied"] == 1, "and is exposed"
    assert 0.3 < fresh["copying"] < 0.7 and fresh["copied"] < 0.2
    assert single["precision"] > 0.8 and single["recall"] < 0.5 < fresh["recall"]
    assert single["frechet"][name] > 10 * fresh["frechet"][name]
    assert fresh["frechet"][name] < 3 * fresh["baselines"]["training_examples"][name]
    assert single["classifier_score"][name] < 1.2
    assert fresh["samples"] == 100 and fresh["judge"].startswith(f"{name} ")


def test_without_labels_there_is_no_judge(judged: Callable[..., dict[str, object]]) -> None:
    found = judged(lambda train: lambda count: bars(count)[0], labelled=False)
    assert "frechet" not in found and "judge" not in found
    assert 0 <= found["precision"] <= 1 and found["precision_baselines"]["training_examples"] > 0.5


class Codes(Model, Encodes, Decodes):
    """Four brightnesses as a code of twice their size, which is scaled and moved."""

    def __init__(self) -> None:
        super().__init__()
        self.example = Example((1, 8, 8))

    def encode(self, x: Examples) -> Features:
        """Mean of every second row, off-centre."""
        return 10 + 5 * x[:, 0, ::2].mean(2)

    def decode(self, features: Features) -> Examples:
        """Rows of that brightness."""
        x = torch.zeros(len(features), 1, 8, 8)
        x[:, 0, ::2] = ((features - 10) / 5)[:, :, None]
        return x

    def stages(self) -> tuple[Stage, ...]:
        """None: it learns nothing."""
        return ()


def test_random_codes_of_an_autoencoder_are_its_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a fitted Gaussian are near the data; those of unit variance are where no code lies."""
    monkeypatch.setattr("untaught.evaluate.samples.judge.cache_folder", lambda: tmp_path)
    with seeded(2):
        train, test = part(300), part(100)
        found = MEASURE.take(Subject(Codes(), Parts(train, test, test), View(), name="bars"))
    beside = found["baselines"]
    assert set(beside) == {"codes_of_unit_variance", "training_examples"}
    own, unit = found["frechet"]["bars_v1"], beside["codes_of_unit_variance"]["bars_v1"]
    assert beside["training_examples"]["bars_v1"] < own < 0.5 * unit


def test_draws_are_like_the_codes() -> None:
    with seeded(3):
        codes = torch.randn(50, 3, dtype=torch.float64) @ torch.randn(3, 3, dtype=torch.float64) + 4
        found = _like(codes, 40_000)
    torch.testing.assert_close(found.mean(0), codes.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(found.T.cov(), codes.T.cov(), atol=0.15, rtol=0.05)
