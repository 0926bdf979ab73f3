"""Optical flow beside scikit-image's two estimators, on textures whose flow is known, in one run.

    python benchmarks/flow.py [--size 128] [--textures 3] [--threads 2] [--rounds 3] [--cpu-time]

A texture is a sum of plane waves, evaluated exactly where it has been moved, turned about its middle or enlarged, so
that nothing is interpolated. For each motion the tables have the mean endpoint error in pixels over all pixels, those
whose end left the frame included. Then the shortest time of one pair of frames. `--cpu-time` counts the seconds of
processors instead, where a machine is shared.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import skimage
import torch
from skimage.registration import optical_flow_ilk, optical_flow_tvl1
from torch import Tensor

from untaught.nn.optical_flow import optical_flow

Kind = Literal["translation", "rotation", "zoom"]
KINDS: tuple[Kind, ...] = ("translation", "rotation", "zoom")
PIXELS = (0.3, 1.0, 2.0, 4.0, 8.0)
"""Length of the flow: everywhere of a translation, in the corners of a rotation or zoom."""
WAVES, FINEST = 150, 0.23
"""Waves in a texture, and the most cycles that one has in a pixel."""
Estimate = Callable[[Tensor, Tensor], Tensor]


class Known(NamedTuple):
    """Two frames `(height, width)` and the flow `(2, height, width)` from the first to the second."""

    first: Tensor
    second: Tensor
    flow: Tensor


def known(kind: Kind, pixels: float, size: int, seed: int) -> Known:
    """A texture, and the same texture moved."""
    random = np.random.default_rng(seed)
    frequency, angle, phase = random.random((3, WAVES)) * [[FINEST], [2 * math.pi], [2 * math.pi]]
    waves = torch.from_numpy(2 * math.pi * frequency * np.stack([np.cos(angle), np.sin(angle)]))
    middle = (size - 1) / 2
    place = torch.arange(size, dtype=torch.float64) - middle
    at = torch.stack([place.expand(size, size), place[:, None].expand(size, size)], -1)
    turn, grow = pixels / (middle * math.sqrt(2)), torch.eye(2, dtype=torch.float64)
    if kind == "rotation":
        grow = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], dtype=torch.float64)
    elif kind == "zoom":
        grow = grow * (1 + turn)
    direction = 2 * math.pi * random.random()
    move = pixels * (kind == "translation") * torch.tensor([math.cos(direction), math.sin(direction)])

    def shown(where: Tensor) -> Tensor:
        strength = torch.from_numpy((frequency + 0.01) ** -0.5)  # natural pictures fall with frequency too
        grey = torch.cos(where @ waves + torch.from_numpy(phase)) @ strength
        return (0.5 + 0.15 * grey / (strength.square().sum() / 2).sqrt()).clamp(0, 1).float()

    back = torch.linalg.inv(grow)
    flow = at @ grow.T + move - at
    return Known(shown(at), shown((at - move) @ back.T), flow.movedim(-1, 0).float())


def endpoint_error(found: Tensor, right: Tensor) -> float:
    """Mean distance of flows in pixels."""
    return float((found - right).norm(dim=0).mean())


def ours(first: Tensor, second: Tensor) -> Tensor:
    """Flow by this package."""
    return optical_flow(first[None, None], second[None, None])[0]


def _by(estimator: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Estimate:
    """An estimator of scikit-image, which gives rows first."""

    def estimate(first: Tensor, second: Tensor) -> Tensor:
        rows, columns = estimator(first.numpy(), second.numpy())
        return torch.from_numpy(np.stack([columns, rows]))

    return estimate


ESTIMATORS: dict[str, Estimate] = {"ours": ours, "ilk": _by(optical_flow_ilk), "tvl1": _by(optical_flow_tvl1)}


def errors(kind: Kind, pixels: float, size: int, textures: int) -> dict[str, float]:
    """Error of every estimator on the same pairs, mean over textures."""
    pairs = [known(kind, pixels, size, seed) for seed in range(textures)]
    return {
        name: sum(endpoint_error(estimate(*pair[:2]), pair.flow) for pair in pairs) / textures
        for name, estimate in ESTIMATORS.items()
    }


def seconds(size: int, rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """The shortest time of every estimator for one pair, taken in turns after one that nobody times."""
    first, second, _ = known("rotation", 3.0, size, 0)
    taken: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    for _ in range(rounds + 1):
        for name, estimate in ESTIMATORS.items():
            began = clock()
            estimate(first, second)
            taken[name].append(clock() - began)
    return {name: min(times[1:]) for name, times in taken.items()}


def main() -> None:
    """Print errors and times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--textures", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu-time", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"{asked.size}x{asked.size}, {asked.textures} textures, scikit-image {skimage.__version__}; error in pixels")
    print(f"{'motion':12} {'pixels':>6}" + "".join(f"{name:>9}" for name in ESTIMATORS))
    every: list[dict[str, float]] = []
    for kind in KINDS:
        for pixels in PIXELS:
            every.append(errors(kind, pixels, asked.size, asked.textures))
            print(f"{kind:12} {pixels:6}" + "".join(f"{value:9.3f}" for value in every[-1].values()))
    means = {name: sum(row[name] for row in every) / len(every) for name in ESTIMATORS}
    print(f"{'mean':19}" + "".join(f"{value:9.3f}" for value in means.values()))
    times = seconds(asked.size, asked.rounds, time.process_time if asked.cpu_time else time.perf_counter)
    print(f"{'milliseconds':19}" + "".join(f"{1000 * value:9.1f}" for value in times.values()))
    print(
        f"ours is {times['tvl1'] / times['ours']:.1f} times as fast as tvl1, {times['ilk'] / times['ours']:.1f} as ilk"
    )


if __name__ == "__main__":
    main()
