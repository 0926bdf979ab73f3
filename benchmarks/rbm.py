"""The RBM's learning step beside a bare hand-written loop: samples a second, in turns, the best of each.

    python benchmarks/rbm.py [--threads 2] [--rounds 10]

Both do CD-1 with momentum on a 784-500 machine, batches of 100, binary data with 13 per cent ones. The bare loop has no
autograd, no optimiser object, no monitor and no choice of anything.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from untaught.model import Batch
from untaught.models.rbm import RBM
from untaught.randomness import seeded
from untaught.recipe import make_optimiser

ROWS, STEPS, RATE, MOMENTUM = 100, 50, 0.05, 0.9


def bare() -> Callable[[Tensor], None]:
    """The learning rule and nothing else."""
    weight, b, c = torch.randn(784, 500) * 0.01, torch.zeros(784), torch.zeros(500)
    speed = [torch.zeros_like(value) for value in (weight, b, c)]

    def step(x: Tensor) -> None:
        plus = torch.sigmoid(x @ weight + c)
        v = torch.sigmoid((torch.rand(ROWS, 500) < plus).float() @ weight.T + b)
        v = (torch.rand(ROWS, 784) < v).float()
        minus = torch.sigmoid(v @ weight + c)
        changes = ((x.T @ plus - v.T @ minus) / ROWS, (x - v).mean(0), (plus - minus).mean(0))
        for value, moving, change in zip((weight, b, c), speed, changes, strict=True):
            value.add_(moving.mul_(MOMENTUM).add_(change), alpha=RATE)

    return step


def ours() -> Callable[[Tensor], None]:
    """The model's loss, autograd, and the optimiser of its recipe."""
    machine = RBM(RBM.Config(persistent_chains=0), (1, 28, 28))
    optimiser = make_optimiser(machine.parameters(), machine.recipe.optimiser, captured=False)
    progress = torch.zeros(())

    def step(x: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        machine.loss(Batch.of(x), "model", progress).total.backward()
        optimiser.step()

    return step


def main() -> None:
    """Time both in turns and print the best of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=10)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    with seeded(0):
        x = (torch.rand(ROWS, 784) < 0.13).float()
        loops = {"bare": bare(), "untaught": ours()}
        best = dict.fromkeys(loops, float("inf"))
        for _ in range(asked.rounds):
            for name, step in loops.items():
                start = time.perf_counter()
                for _ in range(STEPS):
                    step(x)
                best[name] = min(best[name], (time.perf_counter() - start) / STEPS)
    for name, seconds in best.items():
        print(f"{name:10} {ROWS / seconds:8.0f} samples/s")
    print(f"{'ratio':10} {best['bare'] / best['untaught']:8.2f}")


if __name__ == "__main__":
    main()
