"""The commands of the guides run in the order in which they are written, on small data and for seconds."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numbered_video
import numpy as np
import own_clips
import pytest
from PIL import Image

from untaught import cli
from untaught.errors import RunError
from untaught.export.web_runtime import runtime_files

GUIDES = sorted((Path(__file__).resolve().parents[1] / "docs/guides").glob("*.md"))
SMALL = (
    (r"--minutes \S+", "--minutes 0.02"),
    (r"--data mnist", "--data digits"),
    (r"--updates \d+", "--updates 3 --seeds 1"),
    (r"heads\?size=32", "heads?size=16&clips=20"),
)
"""What is cut down, so that a guide takes seconds."""
LONG = ("--budget cpu", "untaught explore")
"""Commands that cannot be cut down, and one that goes on until it is interrupted."""


def commands(page: Path) -> list[str]:
    """The commands of a page, each on one line."""
    blocks = re.findall(r"^```\n(.*?)^```", page.read_text(), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.partition(" #")[0] for line in lines if line.startswith("untaught ")]


def some_data(folder: Path) -> None:
    """A video, clips of classes, pictures with and without labels, faces, and texts."""
    numbered_video.write(folder / "clip.mp4", "libx264", "yuv420p", 60)
    for name in ("one", "other"):
        (folder / "clips" / name).mkdir(parents=True)
        for number in range(20):
            numbered_video.write(folder / "clips" / name / f"{number:02}.mp4", "libx264", "yuv420p", 20 + number % 3)
    own_clips.made_ucf101(folder)
    draw = np.random.default_rng(0)
    for name in ("photos", "faces", "labelled/one", "labelled/other"):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            picture = draw.integers(0, 255, (64, 64), dtype=np.uint8)
            Image.fromarray(picture).save(folder / name / f"{number:02}.png")
    for group in ("left", "right"):
        (folder / "posts" / group).mkdir(parents=True)
        for number in range(20):
            words = draw.choice([f"{group}{letter}" for letter in "abcdefgh"], 30)
            (folder / "posts" / group / f"{number:02}.txt").write_text(" ".join(words))


def has_web_runtime() -> bool:
    """Whether onnxruntime-web is in the cache or can be fetched."""
    try:
        return bool(runtime_files())
    except RunError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_commands_of_a_guide_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        if any(part in command for part in LONG) or ("--to browser" in command and not has_web_runtime()):
            continue
        for pattern, less in SMALL:
            command = re.sub(pattern, less, command)
        assert cli.main(shlex.split(command)[1:]) == 0, command
