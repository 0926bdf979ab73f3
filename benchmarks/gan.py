"""A step of `gan` beside the same step of a bare hand-written torch loop, side by side in one run.

    python benchmarks/gan.py [--threads 2] [--network dense] [--rounds 5]

Both have the same networks, batches, precision and optimiser, on random pictures of MNIST's size: `fit`, with its
records and measurements on held-out pictures, and a loop of gather, loss, backward, step for each player, with a
running average of the weights as the model's recipe has. Rounds alternate; the table shows medians, and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.data.reading.arrays import from_array
from untaught.heap import keep_freed
from untaught.models.gan import GAN
from untaught.nn.adversarial.adversaries import Adversaries
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import fit

LATENT, BATCH, RATE, DECAY = 64, 64, 1e-3, 0.995
DENSE = Adversaries(latent=LATENT, network="dense")
"""512 and 256 hidden units, the defaults."""
CONVOLVED = Adversaries(latent=LATENT, network="convolution")


def data(examples: int) -> Tensor:
    """Random pictures."""
    return torch.rand(examples, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def ours(x: Tensor, networks: Adversaries, epochs: int, threads: int) -> float:
    """Steps a second of `fit`, its records and measurements included, its set-up not."""
    with seeded(0):
        model = GAN(GAN.Config(networks=networks), (1, 28, 28))
    training = Training(epochs=epochs, threads=threads, precision="float32", device="cpu", schedule="constant")
    began = steps = 0.0
    for record in fit(model, from_array(x), training):
        began = time.perf_counter() if record.step == 0 else began
        steps = record.step
    return steps / (time.perf_counter() - began)


def dense() -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator, dense."""
    generator = nn.Sequential(
        nn.Linear(LATENT, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784), nn.Sigmoid()
    )
    discriminator = nn.Sequential(
        nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)
    )
    return generator, discriminator


def convolved() -> tuple[nn.Module, nn.Module]:
    """The same, of the DCGAN: as many layers and maps as the model takes for pictures of 28 x 28."""
    generator = nn.Sequential(
        nn.Linear(LATENT, 64 * 7 * 7), nn.BatchNorm1d(64 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid(), nn.Flatten(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64 * 7 * 7, 1),
    )  # fmt: skip
    return generator, discriminator


def by_hand(x: Tensor, networks: Adversaries, epochs: int, threads: int) -> float:
    """Steps a second of the shortest loop that plays the same game on as many pictures."""
    torch.set_num_threads(threads)
    train = from_array(x).parts().train
    held = train.frames.read(train.first).flatten(1)
    generator, discriminator = dense() if networks is DENSE else convolved()
    both = nn.ModuleList([generator, discriminator])
    average = [value.detach().clone() for value in both.parameters()]
    movers = [torch.optim.Adam(own.parameters(), RATE, betas=(0.5, 0.99), fused=True) for own in both]
    began, steps = time.perf_counter(), 0
    for _ in range(epochs):
        for index in torch.randperm(len(held)).split(BATCH):
            play(held[index], generator, discriminator, movers)
            with torch.no_grad():
                torch._foreach_lerp_(average, [value.detach() for value in both.parameters()], 1 - DECAY)
            steps += 1
    return steps / (time.perf_counter() - began)


def play(x: Tensor, generator: nn.Module, discriminator: nn.Module, movers: list[torch.optim.Adam]) -> None:
    """One update of the discriminator, one of the generator."""
    of_generator, of_discriminator = movers
    with torch.no_grad():
        made = generator(torch.randn(len(x), LATENT))
    of_discriminator.zero_grad(set_to_none=True)
    (F.softplus(-discriminator(x)).mean() + F.softplus(discriminator(made)).mean()).backward()
    of_discriminator.step()
    of_generator.zero_grad(set_to_none=True)
    discriminator.requires_grad_(False)
    F.softplus(-discriminator(generator(torch.randn(len(x), LATENT)))).mean().backward()
    discriminator.requires_grad_(True)
    of_generator.step()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--network", choices=("dense", "convolution"), nargs="+", default=["dense", "convolution"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=8_000)
    parser.add_argument("--epochs", type=int, default=3)
    asked = parser.parse_args()
    x = data(asked.examples)
    keep_freed()  # as commands do; the other loop gains by it too
    print(f"{asked.threads} threads, torch {torch.__version__}, batches of {BATCH}")
    for name in asked.network:
        networks = DENSE if name == "dense" else CONVOLVED
        rates = [
            tuple(way(x, networks, asked.epochs, asked.threads) for way in (ours, by_hand)) for _ in range(asked.rounds)
        ]
        own, hand = (statistics.median(column) for column in zip(*rates, strict=True))
        ratio = statistics.median(first / second for first, second in rates)
        print(f"gan, {name:12} fit {own:7.1f} steps/s   by hand {hand:7.1f} steps/s   ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
