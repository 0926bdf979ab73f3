"""Every model at its defaults beside the trivial answer, a few minutes each: the cells behind docs/tables/defaults.md.

    python benchmarks/defaults.py --data-dir DIR [--minutes 3] [--models a b] [--sources c d] [--jobs 1] [--again]

A cell is one model on one source. It is what `untaught train MODEL --data SOURCE --minutes 3` does with no other flag,
on one thread, and then what the model gives on the test part beside its baselines: reconstructions beside principal
components, as many as the model has features, and beside the mean; predicted frames beside the previous one; features,
where there are labels, beside pixels and principal components. Models are found by what they can do.

A recorded cell is skipped unless `--again` is given, so that a benchmark that was stopped goes on. Each cell is a
process of its own, which is ended seven minutes after its training should have been. Sets lie in DIR, in `DIR/mnist`,
`DIR/cifar10`, `DIR/olivetti/olivetti.npz`, `DIR/documents/20news_bow2000.npz` and `DIR/video/carphone_pristine.mp4`;
without DIR they are where `untaught train` finds them, and there is no clip. The photographs are those that come with
scikit-image and scikit-learn.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results/defaults"
SOURCES = {
    "digits": ("digits", "digits"),
    "mnist": ("mnist", "mnist:{}/mnist"),
    "cifar10": ("cifar10", "cifar10:{}/cifar10"),
    "olivetti": ("olivetti", "olivetti:{}/olivetti/olivetti.npz"),
    "documents": ("documents", "documents:{}/documents/20news_bow2000.npz"),
    "clip": (None, "{}/video/carphone_pristine.mp4"),
    "photographs": ("photographs", "photographs"),
}
"""Each source's spec without a folder of data, and with one."""
PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
    "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "motorcycle_right.png",
    "page.png", "retina.jpg", "rocket.jpg", "china.jpg", "flower.jpg",
)  # fmt: skip
"""Pictures of many sizes that scikit-image and scikit-learn bring."""
AFTER = 420
"""Seconds that a cell may take beyond its training: principal components of large sets take a while."""
TESTED, PROBED = 2_000, 5_000
"""Test examples of every measure, and training examples of the probe."""


@dataclass(frozen=True)
class Cell:
    """One model on one source."""

    model: str
    source: str

    @property
    def path(self) -> Path:
        """Its record."""
        return RESULTS / f"{self.model}-{self.source}.json"


# -------- one cell, in a process of its own


def run(cell: Cell, asked: argparse.Namespace) -> None:
    """Train and measure; the record is written after each measure, so that what was measured is kept."""
    import torch

    from untaught.errors import UntaughtError
    from untaught.randomness import seeded
    from untaught.runs.run import environment

    torch.set_num_threads(1)
    told = " ".join(["benchmarks/defaults.py", "--models", cell.model, "--sources", cell.source])
    record: dict[str, Any] = {
        "model": cell.model, "source": cell.source, "seed": asked.seed, "minutes": asked.minutes, "jobs": asked.jobs,
        "environment": environment(told), "measures": {},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, seeded(asked.seed):
        try:
            subject = trained(spec_of(cell.source, asked.data_dir, Path(folder)), record, asked)
            for name, found in measured(subject):
                record["measures"][name] = found
                write(cell.path, record)
        except UntaughtError as error:
            record["skipped"] = str(error).replace(folder, cell.source)
    record["whole"] = True
    write(cell.path, record)


def spec_of(source: str, data_dir: Path | None, folder: Path) -> str:
    """What `--data` would be given."""
    if source == "photographs":
        return str(photographs(folder))
    alone, within = SOURCES[source]
    return str(alone) if data_dir is None else within.format(data_dir)


def photographs(folder: Path) -> Path:
    """A folder with the photographs of the installed packages."""
    homes = [Path(str(importlib.import_module(name).__file__)).parent for name in ("skimage.data", "sklearn.datasets")]
    for name in PHOTOGRAPHS:
        home = next(path for path in (homes[0] / name, homes[1] / "images" / name) if path.exists())
        shutil.copy(home, folder / name)
    return folder


def trained(spec: str, record: dict[str, Any], asked: argparse.Namespace) -> Any:
    """Train one model at its defaults; the record learns what was chosen and how long it took."""
    from untaught.data.source import open_data
    from untaught.runs.settings import Training
    from untaught.training.fit import fit
    from untaught.training.plan import Asked, plan

    training = Training(minutes=asked.minutes, seed=asked.seed, threads=1, device="cpu")
    decided = plan(Asked(record["model"], training=training), open_data(spec))
    record |= {"config": decided.settings.config, "chosen": decided.settings.chosen}
    record |= {"because": decided.settings.because, "shape": list(decided.settings.shape)}
    began, steps = time.perf_counter(), 0
    for one in fit(decided):
        steps = max(steps, one.step)
    record |= {"seconds": round(time.perf_counter() - began, 1), "steps": steps}
    return replace(decided.subject("cpu"), limit=TESTED)


def measured(subject: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """What comes back, what is predicted, and what the features know, where the model and the data allow it."""
    from untaught.evaluate.evaluate import evaluate, reasons

    allowed = reasons(subject)
    for name in ("prediction", "reconstruction"):
        if allowed[name] is None:
            yield name, evaluate(subject, [name])[name]
    if allowed["probe"] is None:
        yield "features", accuracies(subject)


def accuracies(subject: Any) -> dict[str, Any]:
    """Accuracy of a ridge classifier on features, and on pixels and principal components."""
    from untaught.evaluate.measures.probe import CLASSIFIERS, accuracy
    from untaught.evaluate.representations import representations, scaled
    from untaught.evaluate.subject import measuring

    with measuring(subject.model):
        train, test = subject.pixels(subject.parts.train, PROBED).labelled, subject.tested().labelled
        found: dict[str, float] = {}
        for name, several in representations(subject, [train, test]).items():
            fit, judged = scaled(several)
            classifier = CLASSIFIERS["ridge"](0, len(fit))
            found[name] = accuracy(classifier, (fit, train.label), (judged, test.label))
    return {"ridge_accuracy": found.pop("model"), "baselines": found}


def write(path: Path, record: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    from untaught.runs.checkpoint import write_json

    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, record)


# -------- all cells


def cells(models: Sequence[str], sources: Sequence[str], data_dir: Path | None) -> list[Cell]:
    """Every model that reconstructs, predicts or encodes, or those named, on every source that can be found."""
    there = [name for name in sources or SOURCES if data_dir is not None or SOURCES[name][0] is not None]
    return [Cell(model, source) for source in there for model in models or able()]


def able() -> list[str]:
    """Models that reconstruct, predict or encode."""
    from untaught.model import Encodes, Predicts, Reconstructs, model_class, model_names

    return [name for name in model_names() if issubclass(model_class(name), (Reconstructs, Predicts, Encodes))]


def is_recorded(cell: Cell) -> bool:
    """Whether a cell needs no run."""
    return cell.path.exists() and "whole" in json.loads(cell.path.read_text("utf-8"))


def start(cell: Cell, asked: argparse.Namespace) -> None:
    """Run a cell in a process of its own, for its minutes and seven more."""
    words = [sys.executable, __file__, "--cell", cell.model, cell.source]
    words += ["--minutes", str(asked.minutes), "--seed", str(asked.seed), "--jobs", str(asked.jobs)]
    words += [] if asked.data_dir is None else ["--data-dir", str(asked.data_dir)]
    try:
        ended = subprocess.run(words, capture_output=True, text=True, timeout=60 * asked.minutes + AFTER)
        failed = (ended.stderr.strip().splitlines() or [f"it ended with status {ended.returncode}"])[-1:]
        failed = failed if ended.returncode else []
    except subprocess.TimeoutExpired:
        failed = ["it took more than seven minutes beside its training"]
    if failed:
        held = json.loads(cell.path.read_text("utf-8")) if cell.path.exists() else {}
        write(cell.path, {"model": cell.model, "source": cell.source, "measures": {}, **held, "failed": failed[0]})
    print(f"{cell.model} on {cell.source}: {told(json.loads(cell.path.read_text('utf-8')))}", flush=True)


def told(record: dict[str, Any]) -> str:
    """One cell in one line."""
    if "skipped" in record:
        return f"skipped: {record['skipped'].splitlines()[0]}"
    return "; ".join(" ".join(filter(None, row[2:])) for row in rows(record)) or record.get("failed", "nothing to say")


# -------- the page


@dataclass(frozen=True)
class Judged:
    """How one measure is judged: its main quantity, and the trivial answer, the first that was measured."""

    quantity: str
    title: str
    trivial: tuple[str, ...]
    others: tuple[str, ...] = ()
    higher: bool = False

    def verdict(self, own: float, other: float) -> str:
        """Better, as good (within two per cent), or worse."""
        ratio = other / own if self.higher and own else own / other if other else float("inf")
        return "better" if ratio < 0.98 else "as good" if ratio <= 1.02 else "worse"


JUDGED = {
    "prediction": Judged("squared_error_per_frame", "predicted frame", ("previous_frame",)),
    "reconstruction": Judged("squared_error_per_image", "reconstruction", ("pca",), ("mean_image",)),
    "features": Judged("ridge_accuracy", "accuracy", ("pca_bits", "pca", "raw_pixels"), ("raw_pixels",), higher=True),
}


def rows(record: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The lines of a cell: model, source, quantity, the model's figure, the trivial answers', verdict, and reason."""
    from untaught.evaluate.quantity import plain, significant
    from untaught.model import model_class

    known = model_class(record["model"]).known_shortfalls
    for name, found in record["measures"].items():
        judged = JUDGED[name]
        others = found.get("baselines", {})
        trivial = next((one for one in judged.trivial if one in others), "mean_image")
        if name == "reconstruction" and copies(found, record):
            trivial = "mean_image"
        told = [one for one in dict.fromkeys((trivial, *judged.others)) if one in others]
        beside = ", ".join(f"{significant(others[one])} {plain(one)}" for one in told)
        verdict = judged.verdict(found[judged.quantity], others[trivial])
        reason = known.get(name, "") if verdict == "worse" else ""
        own = significant(found[judged.quantity])
        yield record["model"], record["source"], judged.title, own, beside, verdict, reason


def copies(found: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether as many principal components as the model has features are all there are, so that they only copy."""
    return "shape" in record and found.get("features", 0) >= math.prod(record["shape"])


def records() -> list[dict[str, Any]]:
    """Every cell that is recorded, by source and model."""
    order = {name: place for place, name in enumerate(SOURCES)}
    found = [json.loads(path.read_text("utf-8")) for path in RESULTS.glob("*.json")]
    return sorted(found, key=lambda record: (order[record["source"]], record["model"]))


def markdown() -> str:
    """The page, from what is recorded."""
    there = records()
    head = ("model", "source", "what", "model's", "trivial answer's", "", "why")
    parts = [ABOUT, grid(head, (row for record in there for row in rows(record)))]
    left = [(one["model"], one["source"], " ".join(one["skipped"].split())) for one in there if "skipped" in one]
    left += [(one["model"], one["source"], one["failed"]) for one in there if "failed" in one]
    if left:
        parts += ["## Not measured", grid(("model", "source", "why"), left)]
    how = sorted({trained_how(one) for one in there if "environment" in one})
    return "\n\n".join([*parts, *(["; ".join(how) + "."] if how else [])])


def trained_how(record: dict[str, Any]) -> str:
    """How long a cell was trained, on what, and beside how many others."""
    where, at_once = record["environment"], record.get("jobs", 1)
    beside = f"{at_once} at a time" if at_once > 1 else "alone"
    return f"{record['minutes']:g} minutes, one thread, {beside} on {where['cores']} cores, {where['processor']}"


def grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    cells = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells)


ABOUT = """# Every model at its defaults

Each model was trained for a few minutes on each source with no flag but `--minutes`, and measured on the test part
beside the trivial answer. *Reconstruction* is the squared error per picture, beside as many principal components as the
model has features, and beside the training mean; beside the mean alone where the model has as many features as the
picture has values, since all the components there are copy it.
*Predicted frame* is the squared error of the next frame, beside a copy of the previous one. *Accuracy* is that of a
ridge classifier on the features, beside as many principal components, and beside pixels; where the features are bits,
beside the signs of as many components, which are bits too. A figure is *as good* within
two per cent. Where a model is worse, its file says why.

`python benchmarks/defaults.py` measures what is missing here."""


def main() -> None:
    """Run what is missing, and say how to write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--models", nargs="+", default=[])
    parser.add_argument("--sources", nargs="+", default=[], choices=SOURCES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="run recorded cells too")
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.data_dir = None if asked.data_dir is None else asked.data_dir.absolute()
    if asked.cell:
        run(Cell(*asked.cell), asked)
        return
    missing = [
        cell for cell in cells(asked.models, asked.sources, asked.data_dir) if asked.again or not is_recorded(cell)
    ]
    with ThreadPoolExecutor(asked.jobs) as workers:
        list(workers.map(lambda cell: start(cell, asked), missing))
    print("make docs writes docs/tables/defaults.md", file=sys.stderr)


if __name__ == "__main__":
    main()
