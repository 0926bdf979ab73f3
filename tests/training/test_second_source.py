"""The second source is read as the first one: what is white, how many channels, and what is said where they differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from untaught.cli.opening import open_source
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.view import as_float
from untaught.runs.run import Run
from untaught.training.plan import Asked, Plan, plan

SMALL = {"maps": 2, "blocks": 1}


def levels(path: Path, high: int, channels: int = 1, behind: str = "") -> str:
    """Pictures of whole numbers from 0 to some value, in a file."""
    x = np.random.default_rng(high).integers(0, high + 1, (12, 8, 8, channels)).astype(np.uint16)
    x[-1], x[0] = 0, high  # in the training part
    np.save(path, x)
    return f"{path}{behind}"


def planned(first: str, second: str) -> Plan:
    return plan(Asked("cycle-gan", SMALL), first, other=second)


def brightest(source: Source | None) -> float:
    assert source is not None
    parts: list[Part] = list(source.all_parts().values())
    return max(float(as_float(part.frames.read(torch.arange(part.frames.count))).max()) for part in parts)


@pytest.mark.parametrize(
    ("high", "behind", "other", "white"),
    [(200, "", 20, 255), (4000, "?scale=4095", 3000, 4095), (20, "", 9, 20)],
    ids=["bytes", "said", "few levels"],
)
def test_what_is_white_in_the_first_is_white_in_the_second(
    high: int, behind: str, other: int, white: int, tmp_path: Path
) -> None:
    """By its own values alone, the highest of the second would be white."""
    made = planned(levels(tmp_path / "a.npy", high, behind=behind), levels(tmp_path / "b.npy", other))
    assert brightest(made.source) == pytest.approx(high / white, abs=1e-3)
    assert brightest(made.other) == pytest.approx(other / white, abs=1e-3)
    assert (made.settings.scale, made.settings.other_scale) == (white, white)


@pytest.mark.parametrize(
    ("high", "other", "behind", "told"),
    [
        (20, 100, "", "b.npy: 255 is white, and in the first source 20"),
        (200, 20, "?scale=20", "20 is white, and in the first source 255"),
        (200, 20, "", "the highest value is 20, and 255 is white, which leaves 21 of 256 grey levels"),
    ],
    ids=["brighter than white", "said", "dark"],
)
def test_differences_are_told(high: int, other: int, behind: str, told: str, tmp_path: Path) -> None:
    made = planned(levels(tmp_path / "a.npy", high), levels(tmp_path / "b.npy", other, behind=behind))
    assert made.other is not None and told in "\n".join(made.other.notes)


def test_the_second_has_the_channels_of_the_first(tmp_path: Path) -> None:
    """Where a program plans, as where a person types."""
    made = planned(levels(tmp_path / "a.npy", 255), levels(tmp_path / "b.npy", 255, channels=3))
    assert made.other is not None and made.other.shape == (1, 8, 8)


def test_a_run_reads_its_second_source_again_as_it_was_read(tmp_path: Path) -> None:
    """For measures, and for translations back, of its own data and of others."""
    made = planned(levels(tmp_path / "a.npy", 200), levels(tmp_path / "b.npy", 20, behind="?scale=40"))
    run, new = Run(tmp_path, made.settings), levels(tmp_path / "c.npy", 10)
    assert brightest(run.other_source()) == pytest.approx(20 / 40, abs=1e-3)
    for data, second, expected in ((None, True, 20 / 40), (new, True, 10 / 40), (new, False, 10 / 255)):
        assert brightest(open_source(run, data, None, None, second=second)) == pytest.approx(expected, abs=1e-3)
