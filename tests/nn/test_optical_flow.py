"""Optical flow of textures whose motion is known, beside scikit-image's, swapped, in colour, of any size."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from untaught.errors import SizeError
from untaught.nn.optical_flow import optical_flow
from untaught.nn.temporal.motion import moved
from untaught.randomness import seeded

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks/flow.py"
SIZE = 96


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    """The benchmark's textures and the other estimators."""
    pytest.importorskip("skimage.registration", reason="the estimators to compare with are scikit-image's")
    return runpy.run_path(str(SCRIPT), run_name="benchmarks_flow")


@pytest.mark.parametrize("kind", ["translation", "rotation", "zoom"])
@pytest.mark.parametrize(("pixels", "allowed"), [(0.3, 0.1), (2.0, 0.1), (5.0, 0.3), (8.0, 0.3)])
def test_known_motion_is_found(bench: dict[str, Any], kind: str, pixels: float, allowed: float) -> None:
    pair = bench["known"](kind, pixels, SIZE, 5)
    assert float(pair.flow.norm(dim=0).max()) == pytest.approx(pixels, rel=0.03)
    assert bench["endpoint_error"](bench["ours"](pair.first, pair.second), pair.flow) <= allowed


@pytest.mark.parametrize(("size", "kind", "allowed"), [(4, "translation", 0.4), (12, "rotation", 0.25)])
def test_little_frames_are_seen_up_to_their_edges(bench: dict[str, Any], size: int, kind: str, allowed: float) -> None:
    """No flow at all would err by 1 and 0.59 pixels; of the rotation, what is two pixels from the edge by 0.38."""
    pairs = [bench["known"](kind, 1.0, size, seed) for seed in range(20)]
    found = [bench["endpoint_error"](bench["ours"](pair.first, pair.second), pair.flow) for pair in pairs]
    assert sum(found) / len(found) <= allowed


def test_it_is_at_least_as_exact_as_scikit_image(bench: dict[str, Any]) -> None:
    motions = (("translation", 1.0), ("translation", 2.0), ("rotation", 2.0), ("zoom", 6.0))
    found = [bench["errors"](kind, pixels, SIZE, 1) for kind, pixels in motions]
    for row in found:
        assert row["ours"] <= row["ilk"]
        assert row["ours"] <= 1.5 * row["tvl1"]


@pytest.mark.slow
@pytest.mark.usefixtures("bench")
def test_it_is_ten_times_as_fast_as_total_variation() -> None:
    """In a process of its own: the tests check the type of every argument, which takes time."""
    words = ("--textures", "1", "--rounds", "10", "--threads", "1", "--cpu-time")
    told = subprocess.run([sys.executable, str(SCRIPT), *words], check=True, capture_output=True, text=True).stdout
    times = re.search(r"ours is (\S+) times as fast as tvl1", told)
    assert times is not None and float(times[1]) >= 10


@pytest.mark.parametrize("kind", ["translation", "rotation"])
def test_a_pair_swapped_flows_back(bench: dict[str, Any], kind: str) -> None:
    """The flow back, at the place that a pixel went to, is minus the flow."""
    first, second, _ = bench["known"](kind, 3.0, SIZE, 1)
    there, back = (optical_flow(*(x[None, None] for x in pair)) for pair in ((first, second), (second, first)))
    left = there + moved(back, there)
    assert float(left[..., 4:-4, 4:-4].norm(dim=1).mean()) < 0.05


def test_what_stands_still_has_no_flow() -> None:
    with seeded(0):
        x = torch.rand(2, 3, 20, 33)
    assert float(optical_flow(x, x).abs().max()) < 1e-4
    flat = torch.full((1, 1, 40, 40), 0.4)
    assert float(optical_flow(flat, flat + 0.1).abs().max()) < 1e-2


def test_a_pair_does_not_depend_on_its_batch_and_grey_is_equal_channels(bench: dict[str, Any]) -> None:
    pairs = [bench["known"]("translation", pixels, 48, seed) for seed, pixels in enumerate((1.0, 3.0))]
    first, second = (torch.stack([pair[number] for pair in pairs])[:, None] for number in (0, 1))
    both = optical_flow(first, second)
    torch.testing.assert_close(both[1:], optical_flow(first[1:], second[1:]))
    # Three equal channels are three times the evidence, so that r, which is no multiple of it, counts less.
    coloured = optical_flow(*(x.expand(-1, 3, -1, -1) for x in (first, second)))
    torch.testing.assert_close(coloured, both, atol=1e-2, rtol=0)


def test_a_flat_square_of_a_texture_moves_with_it(bench: dict[str, Any]) -> None:
    first, second, flow = bench["known"]("translation", 1.5, 64, 2)
    for x in (first, second):
        x[28:36, 28:36] = 0.5
    found = optical_flow(first[None, None], second[None, None])[0]
    assert float((found - flow)[:, 30:34, 30:34].norm(dim=0).mean()) < 0.7


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 9), (33, 70)])
def test_any_size(size: tuple[int, int]) -> None:
    with seeded(1):
        first, second = torch.rand(2, 1, 2, *size)
    found = optical_flow(first, second)
    assert found.shape == (1, 2, *size) and bool(found.isfinite().all())


def test_frames_get_a_gradient() -> None:
    with seeded(2):
        first, second = (torch.rand(1, 1, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda x, y: optical_flow(x, y, rounds=1), (first, second), atol=1e-4)


def test_frames_of_two_shapes_are_refused() -> None:
    with pytest.raises(SizeError, match="two batches of frames of one shape"):
        optical_flow(torch.zeros(1, 1, 8, 8), torch.zeros(2, 1, 8, 8))
