"""How well models find what is unusual, at their defaults, beside what looks at pixels alone.

    python benchmarks/unusual.py [--minutes 0.5] [--data FOLDER]

Pictures: one class after another is left out of the training part and told from the others in the test part, of
scikit-learn's digits, of every tenth of MNIST, and of the people of the Olivetti faces. In a clip, of a man in a car,
ten frames of the last third are of another film, at one size; the frames at both cuts do not count. Prints the area
under the ROC curve, mean over what was left out, and its standard error over these (of the clip its own), and writes
results/unusual.json.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from record import RESULTS

from untaught.data.part import Part
from untaught.data.source import Source, open_data
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.subject import Subject
from untaught.model import model_class
from untaught.runs.checkpoint import write_json
from untaught.runs.settings import Training
from untaught.training.fit import fit
from untaught.training.plan import Asked, plan_of

SIZE = (72, 88)
LEARNT, FROM, TO = 84, 98, 108
"""Frames that are learnt, and which of those after them are foreign."""
MNIST_EVERY = 10


def without(data: str, classes: int) -> Source:
    """A source without a class; of a large one every tenth example of each part."""
    source = open_data(f"without?of={data}&classes={classes}")
    if len(source.train) < 20_000:
        return source
    assert source.validation is not None and source.test is not None
    return replace(source, train=thin(source.train), validation=thin(source.validation), test=thin(source.test))


def thin(part: Part) -> Part:
    """Every tenth example."""
    return part.clips(torch.arange(0, len(part), MNIST_EVERY))


def spliced(folder: Path) -> Source:
    """The clip with a foreign stretch in its test part; the frames at both cuts have no label, so they do not count."""
    own, foreign = (open_data(folder / name, size=SIZE).train for name in ("carphone_pristine.mp4", "realshort.mp4"))
    x = own.frames.read(torch.arange(int(own.length[0]))).clone()
    x[FROM:TO] = foreign.frames.read(torch.arange(5, 5 + TO - FROM))
    label = torch.zeros(len(x), dtype=torch.int64)
    label[FROM:TO] = 1
    label[[FROM, TO]] = -1
    whole = replace(Part.of(x[None]), label=label)
    train, validation, test = (
        replace(whole, first=torch.tensor([first]), length=torch.tensor([last - first]))
        for first, last in ((0, LEARNT - 10), (LEARNT - 10, LEARNT), (LEARNT, len(x)))
    )
    return Source("clip", train, validation, test)


def judged(model: str, source: Source, minutes: float) -> dict[str, Any]:
    """Train a model at its defaults, and measure."""
    asked = Asked(model, {}, Training(minutes=minutes, threads=1, device="cpu"))
    plan = plan_of(model_class(model), asked, source, torch.device("cpu"))
    for _ in fit(plan):
        pass
    subject: Subject = plan.subject()
    return evaluate(subject, ["unusual"])["unusual"]


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over what was left out, and their standard errors."""
    rows = [
        {"model": one["area_under_roc"], **{f"by {k}": v for k, v in one["area_by_score"].items()}, **one["baselines"]}
        for one in found
    ]
    told = {name: [row[name] for row in rows] for name in rows[0]}
    errors = {name: statistics.stdev(each) / math.sqrt(len(each)) for name, each in told.items() if len(each) > 1}
    errors = errors or {"model": found[0]["area_under_roc_std_error"], **found[0]["baselines_std_error"]}
    means = {name: statistics.fmean(each) for name, each in told.items()}
    return {
        "area": means,
        "std_error": errors,
        "each": told,
        "score": found[0]["score"],
        "odd": [f["odd"] for f in found],
    }


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--clip-minutes", type=float, default=3.0)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", default=["digits", "mnist", "faces", "clip"])
    parser.add_argument("--left-out", type=int, default=5, help="classes that are left out in turn")
    asked = parser.parse_args()
    specs = {
        "digits": "digits",
        "mnist": f"mnist:{asked.data / 'mnist'}",
        "faces": f"olivetti:{asked.data / 'olivetti'}",
    }
    place = RESULTS / "unusual.json"
    table: dict[str, Any] = json.loads(place.read_text()) if place.exists() else {}
    for name in asked.only:
        pictures = name in specs
        for model in ("autoencoder", "rbm") if pictures else ("pgn",):
            sources = (
                [without(specs[name], number) for number in range(asked.left_out)]
                if pictures
                else [spliced(asked.data / "video")]
            )
            minutes = asked.minutes if pictures else asked.clip_minutes
            one = summary([judged(model, source, minutes) for source in sources])
            table[f"{name}, {model}"] = {"minutes": minutes, **one}
            told = "  ".join(
                f"{key} {value:.3f} ± {one['std_error'].get(key, math.nan):.3f}" for key, value in one["area"].items()
            )
            print(f"{name:8} {model:12} {told}", flush=True)
            write_json(place, table)


if __name__ == "__main__":
    main()
