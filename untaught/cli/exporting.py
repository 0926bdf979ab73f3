"""`untaught export`: a run as ONNX files, as a folder for the model hub, or as a page for any browser."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from untaught.cli.flags import read
from untaught.cli.terminal.streams import tell
from untaught.config import Count, Whole, configuration
from untaught.errors import RunError
from untaught.runs.run import Run, open_run


@configuration
class Export:
    """Take a run elsewhere: to other programs, to the model hub, or to a browser.

    onnx: its encoder, decoder, generator, predictor, classifier and translators, as it has them. A file each, for any
    number of examples, compared with torch before it is written.

    hub: weights in safetensors, settings, and a card with what was measured, as the Hugging Face hub lays them out.

    browser: one page that needs no server and no network. The latent space under the mouse, decoded in the browser.
    """

    run: str
    """Folder of the run."""
    to: Literal["onnx", "browser", "hub"]
    """What to make of it."""
    out: str
    """Folder to write."""
    replace: bool = False
    """Write over an earlier export in that folder."""
    frames: Count = 1
    """Frames that the file of a predictor predicts (onnx)."""
    data: str | None = None
    """Examples whose features say how far the page goes in each direction (browser); by default the run's own."""
    runtime: str | None = None
    """Folder with the files of npm's onnxruntime-web (browser); by default they are fetched once and kept."""
    step: Whole | None = None
    """Take the checkpoint of this step; by default the best."""


def export(words: Sequence[str]) -> None:
    """Write the folder and say what is in it."""
    asked = read(Export, words, "untaught export", positional=["run"])
    run = open_run(asked.run)
    out = _free(Path(asked.out), asked.replace)
    {"onnx": _to_onnx, "hub": _to_hub, "browser": _to_browser}[asked.to](asked, run, out)


def _free(out: Path, replace: bool) -> Path:
    """The folder, if it can be written.

    Raises:
        RunError: It is a file, or holds something that is not to be replaced.
    """
    if out.exists() and not out.is_dir():
        raise RunError(f"--out {out} is a file; name a folder")
    if (out / "metrics.jsonl").exists() or (out / "checkpoints").exists():
        raise RunError(f"--out {out} is the folder of a run; name another one")
    if out.is_dir() and any(out.iterdir()) and not replace:
        raise RunError(f"--out {out} holds other files; name another folder, or give --replace to write over them")
    return out


def _to_onnx(asked: Export, run: Run, out: Path) -> None:
    from untaught.export.networks import networks
    from untaught.export.onnx_files import write_onnx
    from untaught.export.what_it_saw import told_of

    found = networks(run.load(asked.step), run.statistics(), asked.frames)
    for written in write_onnx(found, out, told_of(run)):
        tell(f"{written.path}  differs from torch by {written.difference:.1g}")


def _to_hub(asked: Export, run: Run, out: Path) -> None:
    from untaught.export.hub_folder import write_hub_folder

    write_hub_folder(run, out, asked.step)
    tell(out)
    tell(f'untaught.load("{out}") opens it; hf upload USER/NAME {out} publishes it', file=sys.stderr)


def _to_browser(asked: Export, run: Run, out: Path) -> None:
    import torch

    from untaught.cli.opening import open_source, subject_of
    from untaught.export.browser_folder import write_browser_folder

    source = open_source(run, asked.data, None, None)
    page = write_browser_folder(run, subject_of(run, source, asked.step, torch.device("cpu")), out, asked.runtime)
    tell(out / "index.html")
    print(f"{page.size / 1e6:.1f} MB; open it in a browser", file=sys.stderr)
    if page.without:
        print(f"it mixes pictures of a grid: {page.without}", file=sys.stderr)
