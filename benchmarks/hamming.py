"""Exact search among binary codes beside faiss's exact binary index, in one run.

    python benchmarks/hamming.py [--codes 1000000] [--bits 256] [--threads 1] [--rounds 5]

Random codes, the 10 and the 100 nearest of batches of queries. Each round times one after the other; the table has the
shortest time of each in milliseconds, and the median over rounds of ours against faiss's. Wherever faiss is installed
the library itself searches by it (`by faiss`); `ours` is what it does elsewhere. `--cpu-time` counts the seconds of
processors instead, where a machine is shared.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from untaught.evaluate.hamming import Index, faiss_installed

BATCHES, COUNTS = (1, 10, 100), (10, 100)


def timed(searches: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of every search in every round, in turns, after one that nobody times."""
    taken: dict[str, list[float]] = {name: [] for name in searches}
    for number in range(rounds + 1):
        for name, search in searches.items():
            began = clock()
            search()
            if number:
                taken[name].append(clock() - began)
    return taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--codes", type=int, default=1_000_000)
    parser.add_argument("--bits", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    random, words = np.random.default_rng(0), asked.bits // 64
    codes = random.integers(0, 2**64, (asked.codes, words), dtype=np.uint64)
    queries = random.integers(0, 2**64, (max(BATCHES), words), dtype=np.uint64)
    ours, clock = Index(codes, with_faiss=False), time.process_time if asked.cpu_time else time.perf_counter
    print(f"{asked.codes:,} codes of {64 * words} bits, {asked.threads} threads, numpy {np.__version__}")
    if faiss_installed():
        faiss = importlib.import_module("faiss")
        faiss.omp_set_num_threads(asked.threads)
        theirs, through = faiss.IndexBinaryFlat(64 * words), Index(codes, with_faiss=True)
        theirs.add(codes.view(np.uint8))
    for batch in BATCHES:
        for count in COUNTS:
            some = queries[:batch]
            searches: dict[str, Callable[[], object]] = {"ours": lambda: ours.nearest(some, count)}  # noqa: B023
            if faiss_installed():
                searches["faiss"] = lambda: theirs.search(some.view(np.uint8), count)  # noqa: B023
                searches["by faiss"] = lambda: through.nearest(some, count)  # noqa: B023
            taken = timed(searches, asked.rounds, clock)
            told = [f"{name} {1000 * min(seconds):7.1f} ms" for name, seconds in taken.items()]
            for name in ("ours", "by faiss") if "faiss" in taken else ():
                ratios = [own / other for own, other in zip(taken[name], taken["faiss"], strict=True)]
                told.append(f"{name} / faiss {statistics.median(ratios):.2f}")
            print(f"{batch:4} queries, {count:3} nearest:  " + "   ".join(told))


if __name__ == "__main__":
    main()
