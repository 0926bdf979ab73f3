"""Pictures of the model: drawn where they are missing or of another checkpoint, and embedded in the page."""

from __future__ import annotations

import base64
import json
from html import escape
from pathlib import Path

from PIL import Image

from untaught.errors import UntaughtError
from untaught.evaluate.drawing.illustrate import illustrate
from untaught.evaluate.evaluate import measures
from untaught.evaluate.quantity import plain
from untaught.evaluate.subject import Subject, subject_of_run
from untaught.report.words import sentence
from untaught.runs.checkpoint import write_json
from untaught.runs.run import Run

KINDS = {".gif": "gif", ".png": "png", ".jpg": "jpeg"}
FIRST = (
    "prediction.gif",
    "prediction.png",
    "reconstruction.png",
    "translation.png",
    "samples.png",
    "samples.gif",
    "filters.png",
)
"""Pictures in the order in which a reader wants them; others follow by name."""
STILL = ("prediction.png", "reconstruction.png", "translation.png", "samples.png", "filters.png")
"""Pictures of which the first that exists is shown over the course of training."""
CAPTIONS = {
    "prediction.gif": (
        "Test clips that the model never saw. It is given the first frames, then goes on by itself, each frame from "
        "its own predictions. What came, what it predicted, the difference (dark is none), and perhaps the motion."
    ),
    "prediction.png": "The first of these clips, frame by frame; +1 is the first frame that the model did not see.",
    "reconstruction.png": "Test pictures above, what comes back through the model below.",
    "translation.png": (
        "Test pictures of the first source, what the model makes of them, and what comes back; below the same of the "
        "second source. Nothing told it which pictures belong together."
    ),
    "samples.png": "New pictures drawn from the model.",
    "samples.gif": "New clips drawn from the model.",
    "filters-2.png": "What units of the second layer add up to in pixels, scaled and coloured like the first layer's.",
    "chains.png": "States of the model's chain, from noise and from test pictures, after more and more steps.",
    "filters.png": (
        "Weights of the first layer, one square for each unit, each scaled by its own largest: grey is zero, white "
        "positive, black negative. Frames that a unit looks at stand side by side, the oldest on the left."
    ),
}
"""Of pictures that go with no measure."""
HIGHEST = 640
"""Height of a picture on the page at most, in pixels of the screen."""
LARGEST = 12_000_000
"""Most bytes of a picture that is embedded in the page."""


def draw_pictures(run: Run, subject: Subject | None = None) -> str | None:
    """Draw what the best checkpoint shows, unless it is there; the reason where that is impossible."""
    note = run.pictures / "drawn.json"
    try:
        name = run.best_name()
        if note.exists() and json.loads(note.read_text("utf-8")) == {"checkpoint": name}:
            return None
        illustrate(subject or subject_of_run(run), run.pictures)
        run.pictures.mkdir(exist_ok=True)
        write_json(note, {"checkpoint": name})
    except (UntaughtError, OSError, ValueError) as error:
        return str(error)
    return None


def ordered_pictures(folder: Path) -> list[Path]:
    """The folder's pictures, the ones that a reader wants first at the front."""
    found = {
        path.name: path
        for path in sorted(folder.glob("*"))
        if path.suffix in KINDS and path.name[0] != "." and path.is_file()
    }
    return [found.pop(name) for name in FIRST if name in found] + list(found.values())


def progress(folder: Path) -> str:
    """The same picture at the beginning, in the middle and at the end of training, where it was drawn."""
    drawn = {path: _step(path.name) for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else {}
    found = [(path, step) for path, step in drawn.items() if step is not None]
    for name in STILL:
        steps = sorted((step, path / name) for path, step in found if (path / name).is_file())
        if len(steps) > 1:
            chosen = sorted({0, len(steps) // 2, len(steps) - 1})
            several = len({stage for (stage, _), _ in steps}) > 1
            told = [f"After {step:,} steps" + (f" of stage {stage}" if several else "") for (stage, step), _ in steps]
            return "<h2>While it learnt</h2>" + "".join(figure(steps[n][1], f"{told[n]}.") for n in chosen)
    return ""


def _step(name: str) -> tuple[str, int] | None:
    """Stage and step of a folder of pictures."""
    stage, _, step = name.rpartition("-")
    return (stage, int(step)) if stage and step.isdigit() else None


def figure(path: Path, told: str = "") -> str:
    """One picture with its caption, inside the page."""
    if path.stat().st_size > LARGEST:
        return f'<p class="note">{escape(path.name)} is large and stays beside this page.</p>'
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    caption = told or _captions().get(path.name, sentence(plain(path.stem)))
    shown = f'alt="{escape(caption)}" style="max-width:{_width(path)}px"'
    image = f'<img {shown} src="data:image/{KINDS[path.suffix]};base64,{data}">'
    kind = ' class="film"' if path.suffix == ".gif" else ""
    return f"<figure{kind}>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def _width(path: Path) -> int:
    """The width at which a picture is no higher than a screen."""
    try:
        with Image.open(path) as picture:
            return round(HIGHEST * picture.width / picture.height)
    except Exception:  # Pillow's readers raise a dozen kinds for a damaged file, which is shown as such
        return HIGHEST


def pictures_of(measure: str) -> list[str]:
    """File names of the pictures that go with a measure."""
    known = measures()
    return list(known[measure].pictures) if measure in known else []


def _captions() -> dict[str, str]:
    of_measures = [measure.pictures for measure in measures().values()]
    return CAPTIONS | {name: drawing.caption for own in of_measures for name, drawing in own.items()}
