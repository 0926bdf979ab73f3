"""The training loop beside a hand-written torch loop over the same model, data and arithmetic, in one run.

    python benchmarks/loop.py [--device cuda] [--rounds 5]

Both take the same number of steps on MNIST-sized random pictures, from the same model and optimiser; the
hand-written loop has nothing but gather, loss, backward, step (on a GPU: captured in one CUDA graph). Each round times
one, then the other; the table shows the median of the rounds and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

import untaught
from untaught.data.reading.arrays import from_array
from untaught.model import Batch, Learner
from untaught.runs.settings import Training
from untaught.training.devices import make_fabric
from untaught.training.fit import fit
from untaught.training.optimisers import make_optimiser

EXAMPLES, EPOCHS = 20_000, 3


def models(x: Tensor) -> dict[str, Callable[[], Learner]]:
    """The systems that are timed, at the sizes of their papers."""
    shape = tuple(x.shape[1:])
    return {
        "rbm 784-500, CD-1": lambda: untaught.RBM(untaught.RBM.Config(hidden=500, persistent_chains=0), shape),
        "autoencoder 784-500-30": lambda: untaught.Autoencoder(
            untaught.Autoencoder.Config(hidden=(500,), latent=30), shape
        ),
    }


def ours(learner: Learner, x: Tensor, training: Training) -> float:
    """Examples a second of `fit`, its records included, its set-up not."""
    source = from_array(x)
    began, seen = 0.0, 0
    for record in fit(learner, source, training):
        if record.step == 0:
            began = time.perf_counter()
        seen = record.step
    return seen * (training.batch_size or 1) / (time.perf_counter() - began)


def by_hand(learner: Learner, x: Tensor, training: Training) -> float:
    """Examples a second of the shortest loop that learns the same."""
    fabric = make_fabric(training, [learner])
    learner.to(fabric.device)
    size, view = training.batch_size or 1, learner.view
    train = from_array(x).parts().train
    data = train.frames.read(train.first).to(fabric.device)
    captured = fabric.device.type == "cuda"
    optimiser = make_optimiser(learner.parameters(), learner.recipe.optimiser, captured)
    progress = torch.zeros((), device=fabric.device)

    def step(index: Tensor) -> None:
        picked = data[index]
        picked = torch.rand_like(picked).lt_(picked) if view.binarise else picked
        optimiser.zero_grad(set_to_none=True)
        with fabric.autocast():
            loss = learner.loss(Batch.of(picked), "model", progress)
        loss.total.backward()
        optimiser.step()

    run = captured_step(step, data, size) if captured else step
    began = time.perf_counter()
    for _ in range(EPOCHS):
        for index in torch.randperm(len(data), device=fabric.device).split(size):
            run(index)
    if captured:
        torch.cuda.synchronize()
    return EPOCHS * len(data) / (time.perf_counter() - began)


def captured_step(step: Callable[[Tensor], None], data: Tensor, size: int) -> Callable[[Tensor], None]:
    """The step in a CUDA graph; the short last batch eager."""
    static = torch.arange(size, device=data.device)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step(static)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(static)

    def replay(index: Tensor) -> None:
        if len(index) < size:
            step(index)
        else:
            static.copy_(index)
            graph.replay()

    return replay


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="float32")
    asked = parser.parse_args()
    x = torch.rand(EXAMPLES, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    print(f"{asked.device}, {asked.precision}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for name, make in models(x).items():
        training = Training(
            epochs=EPOCHS, batch_size=100, device=asked.device, precision=asked.precision, schedule="constant"
        )
        rates = [(ours(make(), x, training), by_hand(make(), x, training)) for _ in range(asked.rounds)]
        fit_rate, hand_rate = (statistics.median(column) for column in zip(*rates, strict=True))
        ratio = statistics.median(first / second for first, second in rates)
        print(f"{name:26} fit {fit_rate:9,.0f} /s   by hand {hand_rate:9,.0f} /s   ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
