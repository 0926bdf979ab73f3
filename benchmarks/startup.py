"""How long commands take that need no training: help, lists, errors in flags; beside `import torch` alone.

    python benchmarks/startup.py [--rounds 5] [--before COMMIT]

Each command runs in a process of its own. A round runs `import torch` and every command, in this tree and, if a commit
is given, in that commit's as well, by turns. The table shows medians: seconds of processor time (user and system), and
seconds that passed. Commands that an earlier commit does not have show how long its error takes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "--help",
    "models",
    "data",
    "tables --help",
    "train --help",
    "train pgn --help",
    "train pgn --nonsense",
    "train nosuch",
    "evaluate --help",
    "predict --help",
)
TORCH = ("-c", "import torch")
RUN = "import sys; from untaught.cli import main; sys.exit(main())"


def timed(words: Sequence[str], tree: Path) -> tuple[float, float]:
    """Seconds of processor time, and seconds that passed, of one Python process that imports from a tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=tree, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime, time.perf_counter() - began


def table(trees: dict[str, Path], rounds: int) -> list[str]:
    """One line for each command, with the times in each tree."""
    rows = {"import torch": TORCH, **{f"untaught {words}": ("-c", RUN, *words.split()) for words in COMMANDS}}
    taken: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for row, words in rows.items():
            for name, tree in trees.items():
                taken.setdefault((row, name), []).append(timed(words, tree))
    lines = ["| | " + " | ".join(f"{name}: processor | passed" for name in trees) + " |"]
    lines.append("|---|" + "---|---|" * len(trees))
    for row in rows:
        cells = [f"{median(column):.2f}" for name in trees for column in zip(*taken[row, name], strict=True)]
        lines.append(f"| `{row}` | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--before", help="a commit to compare with")
    asked = parser.parse_args()
    git = ["git", "-C", str(ROOT)]
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} at the beginning, {asked.rounds} rounds, medians in seconds\n")
    with tempfile.TemporaryDirectory() as folder:
        trees = {"now": ROOT}
        if asked.before:
            content = subprocess.run([*git, "archive", asked.before], capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x", "-C", folder], input=content, check=True)
            trees = {asked.before[:8]: Path(folder), **trees}
        print("\n".join(table(trees, asked.rounds)))


if __name__ == "__main__":
    main()
