"""A copy of the package with more files in `models/`, as a contributor would add them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def skeleton(name: str = "skeleton") -> str:
    """A model that docs/add-a-model.md shows: the skeleton, or the game."""
    found = re.search(rf"^```python {name}\n(.*?)^```", (ROOT / "docs/add-a-model.md").read_text(), re.S | re.M)
    assert found is not None, f"docs/add-a-model.md has no {name}"
    return found[1]


def copy_with(models: Mapping[str, str], folder: Path) -> Path:
    """Copy the package and its tests, and write each text as `models/NAME.py`."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("untaught", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in models.items():
        (folder / "untaught/models" / f"{name}.py").write_text(text)
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the copy: `-m pytest ...` or `-m untaught ...`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment = kept | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def failures(pytest_output: str) -> dict[str, set[str]]:
    """From pytest's summary: the checks that failed, by model."""
    failed: dict[str, set[str]] = {}
    for check, case in re.findall(r"^(?:FAILED|ERROR) \S+::test_(\w+)\[([^\]]+)\]", pytest_output, re.M):
        failed.setdefault(case.removesuffix("-References").removesuffix("-Departures"), set()).add(check)
    return failed
