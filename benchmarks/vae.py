"""Variational autoencoders beside pythae: images a second in training, and in the likelihood by importance sampling.

    python benchmarks/vae.py [--threads 2] [--steps 200] [--images 20] [--draws 500]

A network of 784-512-16, batches of 100, pixels that are 0 or 1; made digits serve, since only time is measured. pythae
(0.1.2) is measured where it is installed. The bare loop is the bound and nothing else, in a few lines of torch. The
likelihood is also taken as a loop over images, one at a time, which is how pythae takes it.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.evaluate.likelihood.importance import importance_bounds
from untaught.heap import keep_freed
from untaught.model import Batch
from untaught.models.vae import VAE
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded
from untaught.training.optimisers import make_optimiser

VALUES, HIDDEN, LATENT, ROWS = 784, 512, 16, 100
Step = Callable[[Tensor], None]


def data(rows: int) -> Tensor:
    """Pictures of 0 and 1, a fifth of which are 1."""
    return (torch.rand(rows, VALUES, generator=torch.Generator().manual_seed(0)) < 0.2).float()


def ours() -> VAE:
    """The same network in this package."""
    with seeded(0):
        return VAE(VAE.Config(networks=Networks(latent=LATENT, hidden=(HIDDEN,))), (1, 28, 28))


def our_step(model: VAE) -> Step:
    """The model's loss, autograd, and the optimiser of its recipe."""
    optimiser, progress = make_optimiser(model.parameters(), model.recipe.optimiser, captured=False), torch.ones(())

    def step(x: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        model.loss(Batch.of(x.view(-1, 1, 28, 28)), "model", progress).total.backward()
        optimiser.step()

    return step


def bare_step() -> Step:
    """The bound and nothing else."""
    below = nn.Sequential(nn.Linear(VALUES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))
    above = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, VALUES))
    optimiser = torch.optim.Adam([*below.parameters(), *above.parameters()], fused=True)

    def step(x: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        mean, log_variance = below(x).chunk(2, 1)
        z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
        ((F.binary_cross_entropy_with_logits(above(z), x, reduction="sum") + kl) / len(x)).backward()
        optimiser.step()

    return step


def pythae_model() -> nn.Module | None:
    """pythae's, at its defaults; None where it is not installed."""
    if importlib.util.find_spec("pythae") is None:
        return None
    from pythae.models import VAE as Theirs  # pyright: ignore[reportMissingImports]
    from pythae.models import VAEConfig  # pyright: ignore[reportMissingImports]

    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    return Theirs(config)


def pythae_step(model: nn.Module) -> Step:
    """One step as its trainer takes it, without its bookkeeping."""
    optimiser = torch.optim.Adam(model.parameters())

    def step(x: Tensor) -> None:
        optimiser.zero_grad()
        model({"data": x.view(-1, 1, 28, 28)}).loss.backward()
        optimiser.step()

    return step


def one_at_a_time(model: VAE, x: Tensor, draws: int) -> float:
    """The likelihood by a loop over images and over batches of 100 draws, each of which is encoded anew."""
    found: list[Tensor] = []
    for image in x:
        weights: list[Tensor] = []
        for _ in range(draws // ROWS):
            rows = image.expand(ROWS, -1)
            latent, density = model.posterior_sample(rows)
            weights.append((model.log_joint(rows, latent) - density).detach())
        found.append(torch.cat(weights).logsumexp(0) - math.log(draws))
    return float(torch.stack(found).mean())


def rate(step: Step, x: Tensor, steps: int) -> float:
    """Images a second, after a few steps to warm up."""
    batches = x.split(ROWS)
    for batch in batches[:5]:
        step(batch)
    begin = time.perf_counter()
    for number in range(steps):
        step(batches[number % len(batches)])
    return steps * ROWS / (time.perf_counter() - begin)


def train_rates(steps: int) -> None:
    """Images a second of each, in turns."""
    x, theirs = data(20 * ROWS), pythae_model()
    steppers = {"untaught": our_step(ours()), "bare loop": bare_step()}
    if theirs is None:
        print("pythae is not installed, so it is not measured: pip install pythae==0.1.2")
    else:
        steppers["pythae"] = pythae_step(theirs)
    rates: dict[str, list[float]] = {name: [] for name in steppers}
    for _ in range(3):
        for name, step in steppers.items():
            rates[name].append(rate(step, x, steps))
    for name, found in rates.items():
        print(f"{name:24} {max(found):9,.0f} images/s in training")


def likelihood_rates(images: int, draws: int) -> None:
    """Draws a second of the likelihood, many images at once and one at a time."""
    model, x, theirs = ours().eval(), data(images), pythae_model()

    def together() -> float:
        with torch.no_grad():
            return float(importance_bounds(model.log_weights, x.view(-1, 1, 28, 28), draws).nats.mean())

    ways: dict[str, Callable[[], float]] = {
        "untaught": together,
        "one image at a time": lambda: one_at_a_time(model, x, draws),
    }
    if theirs is not None:
        get_nll = theirs.get_nll
        ways["pythae"] = lambda: -get_nll(x.view(-1, 1, 28, 28), n_samples=draws, batch_size=ROWS)
    for name, way in ways.items():
        begin = time.perf_counter()
        with seeded(0):
            nats = way()
        seconds = time.perf_counter() - begin
        print(f"{name:24} {images * draws / seconds:9,.0f} draws/s in the likelihood ({nats:.2f} nats)")


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--draws", type=int, default=500)
    asked = parser.parse_args()
    keep_freed()  # as commands do; all that is measured gains by it
    torch.set_num_threads(asked.threads)
    train_rates(asked.steps)
    likelihood_rates(asked.images, asked.draws)


if __name__ == "__main__":
    main()
