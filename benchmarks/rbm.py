"""Learning an RBM beside other libraries and a bare loop: samples a second in turns, and the likelihood reached.

    python benchmarks/rbm.py [--threads 2] [--rounds 3] [--passes 1]      whole trainings, and single steps
    python benchmarks/rbm.py --likelihood --passes 5                      log-likelihood of test digits afterwards

A 784-500 machine, batches of 100, MNIST: 54,000 digits, those of the others binarised once, ours anew in each pass. All
learn with CD-1, but scikit-learn, whose chains persist. The bare loop is the learning rule and nothing else: no
autograd, no optimiser object, no held-out data, no monitor, and no choice of anything. `learnergy` is measured where it
is installed (2.0.2).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import time
from collections.abc import Callable

import torch
from sklearn.neural_network import BernoulliRBM
from torch import Tensor
from torch.utils.data import TensorDataset

from untaught.data.source import Source, open_data
from untaught.evaluate.measures.likelihood import Effort, likelihood
from untaught.evaluate.subject import Subject, measuring
from untaught.model import Batch
from untaught.models.rbm import RBM
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded
from untaught.training.fit import Training, train
from untaught.training.optimisers import make_optimiser

ROWS, HIDDEN, RATE, MOMENTUM = 100, 500, 0.005, 0.9
STEPS = 50
Weights = tuple[Tensor, Tensor, Tensor]
"""W `(784, 500)`, visible and hidden biases."""


def binarised(source: Source) -> Tensor:
    """Training digits as 0 and 1, in rows; those that are held out are left out for all."""
    train = source.parts().train
    with seeded(0):
        return bernoulli(train.frames.read(train.first).float().flatten(1) / 255)


def bare_step() -> tuple[Callable[[Tensor], None], Weights]:
    """The learning rule and nothing else."""
    weight, b, c = torch.randn(784, HIDDEN) * 0.01, torch.zeros(784), torch.zeros(HIDDEN)
    speed = [torch.zeros_like(value) for value in (weight, b, c)]

    def step(x: Tensor) -> None:
        rows = len(x)
        plus = torch.addmm(c, x, weight).sigmoid_()
        v = torch.rand(rows, 784).lt_(torch.addmm(b, torch.rand(rows, HIDDEN).lt_(plus), weight.T).sigmoid_())
        minus = torch.addmm(c, v, weight).sigmoid_()
        slope = torch.addmm(x.T @ plus, v.T, minus, beta=1 / rows, alpha=-1 / rows)
        changes = (slope, (x - v).mean(0), (plus - minus).mean(0))
        for value, moving, change in zip((weight, b, c), speed, changes, strict=True):
            value.add_(moving.mul_(MOMENTUM).add_(change), alpha=RATE)

    return step, (weight, b, c)


def our_step() -> tuple[Callable[[Tensor], None], Weights]:
    """The model's loss, autograd, and the optimiser of its recipe."""
    machine = RBM(RBM.Config(persistent_chains=0, hidden=HIDDEN), (1, 28, 28))
    optimiser = make_optimiser(machine.parameters(), machine.recipe.optimiser, captured=False)
    progress = torch.zeros(())

    def step(x: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        machine.loss(Batch.of(x), "model", progress).total.backward()
        optimiser.step()

    return step, (machine.weight, machine.visible_bias, machine.hidden_bias)


def bare(source: Source, x: Tensor, passes: int) -> Weights:
    """Passes of the bare loop over shuffled rows."""
    step, weights = bare_step()
    for _ in range(passes):
        for some in x[torch.randperm(len(x))].split(ROWS):
            step(some)
    return weights


def ours(source: Source, x: Tensor, passes: int) -> Weights:
    """A whole training: draws, held-out data, schedule, selection."""
    machine = RBM(RBM.Config(persistent_chains=0, hidden=HIDDEN), (1, 28, 28))
    train(machine, source, Training(epochs=passes, threads=torch.get_num_threads()))
    return machine.weight, machine.visible_bias, machine.hidden_bias


def scikit_learn(source: Source, x: Tensor, passes: int) -> Weights:
    """Persistent chains, no momentum."""
    machine = BernoulliRBM(HIDDEN, learning_rate=RATE / (1 - MOMENTUM), batch_size=ROWS, n_iter=passes, random_state=0)
    machine.fit(x.numpy())
    own = machine.components_.T, machine.intercept_visible_, machine.intercept_hidden_
    return tuple(torch.from_numpy(value).float() for value in own)


def learnergy(source: Source, x: Tensor, passes: int) -> Weights:
    """CD-1 through autograd."""
    from learnergy.models.bernoulli import RBM as Peer

    logging.disable()
    with contextlib.redirect_stdout(io.StringIO()):
        peer = Peer(n_visible=784, n_hidden=HIDDEN, steps=1, learning_rate=RATE, momentum=MOMENTUM, use_gpu=False)
        peer.fit(TensorDataset(x, torch.zeros(len(x))), batch_size=ROWS, epochs=passes)
    return peer.W.detach(), peer.a.detach(), peer.b.detach()


WHOLE = {"bare loop": bare, "untaught": ours, "scikit-learn": scikit_learn, "learnergy": learnergy}


def timed(loops: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Shortest seconds of each, in turns."""
    best = dict.fromkeys(loops, float("inf"))
    for _ in range(rounds):
        for name, loop in loops.items():
            start = time.perf_counter()
            loop()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def reached(source: Source, weights: Weights) -> tuple[float, float]:
    """Log-likelihood of test digits in nats, by annealing forwards and backwards."""
    machine = RBM(RBM.Config(hidden=HIDDEN), (1, 28, 28)).eval()
    with torch.no_grad():
        for own, given in zip((machine.weight, machine.visible_bias, machine.hidden_bias), weights, strict=True):
            own.copy_(given)
        machine.base.copy_(torch.logit(binarised(source).mean(0), eps=1e-4))
    with measuring(machine), seeded(0):
        found = likelihood(Subject(machine, source.parts(), RBM.view), Effort())
    return found["log_likelihood_nats"], found["log_likelihood_nats_backward"]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--likelihood", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    source = open_data("mnist")
    x = binarised(source)
    found: dict[str, Callable[[Source, Tensor, int], Weights]] = dict(WHOLE)
    try:
        import learnergy as _  # noqa: F401
    except ImportError:
        print("learnergy is not installed and is left out")
        del found["learnergy"]
    if asked.likelihood:
        for name, learn in found.items():
            with seeded(0):
                low, high = sorted(reached(source, learn(source, x, asked.passes)))
            print(f"{name:14} {low:8.1f} to {high:8.1f} nats after {asked.passes} passes")
        return
    with seeded(0):
        steps = {"bare step": bare_step()[0], "our step": our_step()[0]}
        some = x[:ROWS]
        loops = {name: lambda step=step: [step(some) for _ in range(STEPS)] for name, step in steps.items()}
        taken = timed(loops, 10 * asked.rounds)
        whole = timed(
            {n: lambda learn=learn: learn(source, x, asked.passes) for n, learn in found.items()}, asked.rounds
        )
    speeds = {name: STEPS * ROWS / seconds for name, seconds in taken.items()}
    speeds |= {name: asked.passes * len(x) / seconds for name, seconds in whole.items()}
    for name, speed in speeds.items():
        beside = speeds["our step" if "step" in name else "untaught"]
        print(f"{name:14} {speed:8.0f} samples/s   ours is {beside / speed:5.2f} times as fast")


if __name__ == "__main__":
    main()
