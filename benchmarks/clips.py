"""What `untaught train pgn --data CLIP --minutes 3` learns, with no other flag, beside copying the last frame.

    python benchmarks/clips.py [--minutes 3] [--data-dir DIR] [--only NAME ...] [--pictures DIR] [--threads N]

Clips are those of DIR/video, and clips made of photographs (`made_clips.py`). The last fifth of each is held out. Of
each held-out frame t, predicted as p_t from the at most 10 frames before it, the error is divided by that of copying:

    r_t = |x_t - p_t|^2 / |x_t - x_{t-1}|^2

Prints and records in results/clips.json the ratio of the sums (mean), the median of r_t, and how many r_t are above 1.
Where nothing changed and nothing was predicted to, r_t is 1.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from made_clips import MADE, frames_of, webcam, write
from record import RESULTS

from untaught.data.source import open_data
from untaught.evaluate.drawing.illustrate import illustrate
from untaught.evaluate.footage import footage
from untaught.evaluate.measures.prediction import CONTEXT, FRAMES, continued, frame_view
from untaught.evaluate.subject import Subject, measuring
from untaught.runs.checkpoint import write_json
from untaught.runs.run import environment
from untaught.runs.settings import Training
from untaught.training.fit import fit
from untaught.training.plan import Asked, plan


def clips(data_dir: Path | None, folder: Path) -> dict[str, Path]:
    """Clips by name: those that are found, and those that are made."""
    found = {} if data_dir is None else {path.stem: path for path in sorted((data_dir / "video").glob("*.mp4"))}
    made = dict(MADE)
    if "carphone_pristine" in found:
        moving = frames_of(found["carphone_pristine"])
        made |= {"webcam": webcam(moving, 1.0), "webcam-without-noise": webcam(moving, 0.0)}
    for name, make in made.items():
        found[name] = write(folder / f"{name}.mp4", make(np.random.default_rng(3)))
    return found


def ratios(subject: Subject) -> dict[str, Any]:
    """Error over that of copying, of every held-out frame."""
    test = footage(subject.parts.test, frame_view(subject), FRAMES, subject.seed)
    own, copying = [], []
    with measuring(subject.model):
        for row in test.rows(1):
            count = int(test.given(row[None], CONTEXT))
            predicted = continued(subject, None, test.before(row[None], count), 1)[0, 0]
            own.append(float((predicted - test.frames[row]).square().sum()))
            copying.append(float((test.frames[row - 1] - test.frames[row]).square().sum()))
    each = [a / b if b > 0 else 1.0 + (a > 0) for a, b in zip(own, copying, strict=True)]
    above = sum(ratio > 1 for ratio in each)
    mean = sum(own) / sum(copying)
    return {"mean": mean, "median": float(np.median(each)), "above_1": above, "frames": len(each)}


def judged(path: Path, minutes: float, threads: int | None, pictures: Path | None) -> dict[str, Any]:
    """Train on one clip at the defaults, and measure."""
    decided = plan(Asked("pgn", training=Training(minutes=minutes, threads=threads)), open_data(path))
    steps = 0
    for record in fit(decided):
        steps = record.step
    subject = decided.subject()
    if pictures is not None:
        illustrate(subject, pictures / path.stem)
    weights = sum(weight.numel() for weight in decided.model.parameters())
    return {**ratios(subject), "steps": steps, "weights": weights, "shape": list(subject.parts.test.shape)}


def main() -> None:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    place = RESULTS / "clips.json"
    record = json.loads(place.read_text("utf-8")) if place.exists() else {"clips": {}}
    told = "benchmarks/clips.py " + ("--data-dir DIR" if asked.data_dir else "")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in clips(asked.data_dir, Path(folder)).items():
            if asked.only and name not in asked.only:
                continue
            torch.manual_seed(0)
            found = judged(path, asked.minutes, asked.threads, asked.pictures)
            record["clips"][name] = {**found, "minutes": asked.minutes, "environment": environment(told)}
            print(
                f"{name:<22} mean {found['mean']:.3f}  median {found['median']:.3f}  {found['steps']} steps", flush=True
            )
            write_json(place, record)


if __name__ == "__main__":
    main()
