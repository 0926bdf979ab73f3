"""Learning the hashing autoencoder of 2011 beside a plain compiled loop over the same network, in one run.

    python benchmarks/hashing.py [--rounds 3] [--batch 16384] [--steps 300]      on a GPU
    python benchmarks/hashing.py --device cpu --small                           a little version anywhere

3072-8192-4096-2048-1024-512-256 and back, 139.8 million weights, bf16. The plain loop is what one would write by hand:
fully connected layers, ReLU, squared error, a compiled forward pass, fused Adam, random pictures that lie on the
device; no noise, no rounding, no gather, no record. Ours is `fit` with everything that it does, from its first record
after compilation to its last. Images a second, median over rounds, and the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import pairwise

import torch
from torch import Tensor, nn

from untaught.data.reading.arrays import from_array
from untaught.models.hashing_autoencoder import HashingAutoencoder
from untaught.runs.settings import Training
from untaught.training.fit import fit

WIDTHS = {False: (3072, 8192, 4096, 2048, 1024, 512, 256), True: (3072, 256, 64)}


def ours(x: Tensor, asked: argparse.Namespace, precision: str, noise: float) -> float:
    """Images a second of `fit`, between its first record that is not of the beginning and its last."""
    widths = WIDTHS[asked.small]
    config = HashingAutoencoder.Config(hidden=widths[1:-1], latent=widths[-1], output="linear", noise=noise)
    model = HashingAutoencoder(config, (3, 32, 32))
    source = from_array(x)
    batches = len(source.parts().train) // asked.batch
    training = Training(
        epochs=max(3, asked.steps / batches), batch_size=asked.batch, device=asked.device,
        precision="bf16" if precision == "bf16" else "float32", schedule="constant",
    )  # fmt: skip
    began, first, last, ended = 0.0, 0, 0, 0.0
    for record in fit(model, source, training):
        if record.step > 0 and not first:
            began, first = time.perf_counter(), record.step
        last, ended = record.step, time.perf_counter()
    return (last - first) * asked.batch / (ended - began) if last > first else 0.0


def by_hand(x: Tensor, asked: argparse.Namespace, precision: str) -> float:
    """Images a second of the plain loop."""
    device = torch.device(asked.device)
    widths = WIDTHS[asked.small]
    order = [*widths, *reversed(widths[:-1])]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(order):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).to(device)
    network = torch.compile(model) if device.type == "cuda" else model
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    batch = x[: asked.batch].flatten(1).to(device)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            made = network(batch)
        (made.float() - batch).square().sum().div(len(batch)).backward()
        optimiser.step()

    for _ in range(3):
        step()
    wait(device)
    began = time.perf_counter()
    for _ in range(asked.steps):
        step()
    wait(device)
    return asked.steps * len(batch) / (time.perf_counter() - began)


def wait(device: torch.device) -> None:
    """Until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=16_384)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    if asked.small:
        asked.batch = min(asked.batch, 512)
    precision = "float32" if asked.small else "bf16"
    x = torch.rand(7 * asked.batch, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    print(f"{asked.device}, {precision}, batch {asked.batch}, {'-'.join(map(str, WIDTHS[asked.small]))}")
    loops = {
        "plain loop": lambda: by_hand(x, asked, precision),
        "fit, rounding": lambda: ours(x, asked, precision, 0.0),
        "fit, rounding and noise": lambda: ours(x, asked, precision, 4.0),
    }
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(asked.rounds):
        for name, loop in loops.items():
            rates[name].append(loop())
    for name, found in rates.items():
        ratio = statistics.median(own / plain for own, plain in zip(found, rates["plain loop"], strict=True))
        print(f"{name:24} {statistics.median(found):11,.0f} images/s   {ratio:.3f} of the plain loop")


if __name__ == "__main__":
    main()
