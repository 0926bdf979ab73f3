"""A case for the command line: a folder with what it reads, and the words of a command."""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import numpy as np

from fuzz.damage import OPTIONS, WORDS, odd_options, spoil_files, spoil_words
from fuzz.inputs import MAKERS, noise
from untaught import cli
from untaught.model import model_names

QUICK = ("--epochs", "1", "--threads", "1", "--device", "cpu", "--precision", "float32")
RUN = "run"
VIDEO = ("pgn", "predictive-encoder", "rtrbm")
TRAINED = ("autoencoder", "rbm", "softmax", "vae", "gan", "conditional-gan", "pgn", "dbn", "predictive-encoder")
"""Models whose runs are damaged."""
FLAGS = [
    "--data",
    "--out",
    "--size",
    "--on-bad",
    "--frames",
    "--patch",
    "--binarise",
    "--standardise",
    "--augment",
    "--epochs",
    "--minutes",
    "--seed",
    "--batch-size",
    "--labels-per-class",
    "--optimiser",
    "--learning-rate",
    "--schedule",
    "--hidden",
    "--latent",
    "--classes",
    "--step",
    "--count",
    "--label",
    "--by",
    "--measure",
    "--context",
    "--device",
    "--threads",
    "--json",
    "--replace",
    "--resume",
    "--config",
    "--other",
    "--encoder",
    "--updates",
    "--seeds",
    "--set",
    "--models",
    "--momentum",
    "--weight-decay",
    "--dropout",
    "--noise",
    "--help",
    "--version",
]
OUTS = (
    "out.npz",
    "out.png",
    "out.gif",
    "out.mp4",
    "out.csv",
    "out.json",
    "new/out.npz",
    "out.txt",
    "out",
    "in",
    "in/x.npz",
)


@dataclass(frozen=True)
class Case:
    """A command, and the folder in which it is given."""

    folder: Path
    words: tuple[str, ...]
    writes: tuple[str, ...] = field(default=())
    """Paths in the folder below which a command that is not refused may change what is there."""


Kinds = Mapping[str, int]
"""How often each kind of command is drawn."""
EVERYTHING: Kinds = {"data": 40, "train": 25, "use": 25, "compare": 2, "list": 4, "words": 4}
READING: Kinds = {"data": 20, "list": 1, "words": 4}
"""What needs no training."""


def case(number: int, folder: Path, kinds: Kinds = EVERYTHING) -> Case:
    """Draw a case into an empty folder; the same number gives the same case."""
    draw = Random(number)
    kind = draw.choices(list(kinds), list(kinds.values()))[0]
    words, writes = _DRAWERS[kind](folder, draw)
    if draw.random() < 0.2:
        words = spoil_words(words, draw)
    return Case(folder, tuple(_limited(words)), writes)


def _limited(words: list[str]) -> list[str]:
    """Training that lost its limit, `--epochs 1`, would take its usual minutes, which is no fault: it takes seconds."""
    epochs = [after for word, after in pairwise(words) if word == "--epochs"]
    return [*words, "--minutes", "0.05"] if words[0] == "train" and epochs != ["1"] else words


Drawn = tuple[list[str], tuple[str, ...]]


def _spec(folder: Path, draw: Random) -> str:
    """Input below `in`, damaged or not; gives its spec as seen from the case's folder."""
    (folder / "in").mkdir(exist_ok=True)
    spec = draw.choice(MAKERS)(folder / "in", draw)
    if draw.random() < 0.6:
        spoil_files(folder / "in", draw, draw.choice([1, 1, 2, 4]))
    name, colon, path = spec.partition(":")
    if colon:
        spec = f"{name}:in/{path}"
    elif not _is_generated(folder, spec):
        spec = f"in/{spec}"
    return odd_options(spec, draw) if draw.random() < 0.25 else spec


def _is_generated(folder: Path, spec: str) -> bool:
    from untaught.data.source import source_names

    return spec.partition("?")[0] in source_names()


def _reading(draw: Random) -> list[str]:
    """Flags of every command that reads data."""
    words: list[str] = []
    if draw.random() < 0.3:
        words += ["--on-bad", "skip"]
    if draw.random() < 0.3:
        words += ["--size", draw.choice(["8", "8x12", "1", "16"])]
    return words


def _data(folder: Path, draw: Random) -> Drawn:
    words = ["data", _spec(folder, draw), *_reading(draw)]
    if draw.random() < 0.4:
        words += ["--out", draw.choice(["sheet.png", "new/sheet.png", "sheet.txt", "in"])]
    return words + (["--json"] if draw.random() < 0.4 else []), ()


def _train(folder: Path, draw: Random) -> Drawn:
    words = ["train", draw.choice(model_names()), "--data", _spec(folder, draw), *QUICK, *_reading(draw)]
    words += ["--out", draw.choice(["out", "out", "new/out", "in", "in/nothing"])]
    for _ in range(draw.choice([0, 0, 1, 2])):
        words += [draw.choice(FLAGS), draw.choice(WORDS)]
    return words, ()


def _use(folder: Path, draw: Random) -> Drawn:
    """A command on a run, damaged or not."""
    shutil.copytree(trained(draw.choice(TRAINED)), folder / RUN)
    if draw.random() < 0.7:
        spoil_files(folder / RUN, draw, draw.choice([1, 1, 3]))
    command = draw.choice(["evaluate", "encode", "reconstruct", "sample", "predict", "unusual", "resume", "again"])
    if command == "resume":
        words = ["train", "--resume", "--out", RUN]
    elif command == "again":
        words = ["train", "--config", f"{RUN}/config.json", "--out", "out"]
    else:
        words = [command, RUN] + (["--out", draw.choice(OUTS)] if command != "evaluate" else [])
        if draw.random() < 0.4 and command != "sample":
            words += ["--data", _spec(folder, draw), *_reading(draw)]
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        words += [draw.choice(FLAGS), draw.choice(WORDS)]
    return words, (RUN,) if command in ("resume", "evaluate") else ()


def _compare(folder: Path, draw: Random) -> Drawn:
    models = ",".join(draw.sample(model_names(), 2))
    words = ["compare", "--models", models, "--data", _spec(folder, draw), "--out", "out", "--updates", "2"]
    return [*words, "--seeds", "1", "--batch-size", "4", "--threads", "1", "--device", "cpu"], ()


def _list(folder: Path, draw: Random) -> Drawn:
    words = [draw.choice(["models", "doctor", "tables", "data", "help", "--version", "evaluate", "train"])]
    return [*words, *draw.choices([*WORDS, *FLAGS], k=draw.choice([0, 1, 2]))], ()


def _words(folder: Path, draw: Random) -> Drawn:
    """Words without sense."""
    commands = [*cli.COMMANDS, draw.choice(WORDS)]
    return [draw.choice(commands), *draw.choices([*WORDS, *FLAGS, *OPTIONS, "digits"], k=draw.randint(0, 5))], ()


_DRAWERS: Mapping[str, Callable[[Path, Random], Drawn]] = {
    "data": _data,
    "train": _train,
    "use": _use,
    "compare": _compare,
    "list": _list,
    "words": _words,
}


@cache
def trained(model: str) -> Path:
    """A run of a model on data of our own, made once in a process."""
    folder = removed_at_the_end("runs")
    draw = Random(0)
    if model in VIDEO:
        np.save(folder / "x.npy", noise(draw, 6, 6, 1, 12, 12))
    else:
        np.savez(folder / "x.npz", x=noise(draw, 30, 8, 8), y=np.arange(30) % 3)
    data = folder / ("x.npy" if model in VIDEO else "x.npz")
    small = ("--hidden", "6") if model in ("rbm", "dbn") else ()  # whose likelihood takes minutes with more
    with _quiet():
        status = cli.main(["train", model, "--data", str(data), *QUICK, *small, "--out", str(folder / RUN)])
    if status:
        raise RuntimeError(f"the run of {model} to be damaged could not be made")
    return folder / RUN


def removed_at_the_end(name: str) -> Path:
    """A folder that lives as long as the process."""
    folder = Path(mkdtemp(prefix=f"untaught-fuzz-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def _quiet() -> Iterator[None]:
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        yield
