"""A wheel, built and installed into an environment that has nothing else, works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from bounds import oldest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> str:
    """Run a command outside the repository; its output, where it succeeds."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left in the repository."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "untaught", folder / "untaught", ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", "dist", ".", folder=folder)
    return next((folder / "dist").glob("untaught-*.whl"))


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "untaught").rglob("*.py")}
    files |= {str(path.relative_to(ROOT)) for path in (ROOT / "untaught/export/page").iterdir()}
    files |= {str(path.relative_to(ROOT)) for path in (ROOT / "untaught/explorer/page").iterdir()}
    assert files | {"untaught/py.typed"} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"untaught"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_wheel_works_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "env", folder=tmp_path)
    binaries = tmp_path / "env/bin"
    run(binaries / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, folder=tmp_path)
    assert "torch" in run(binaries / "untaught", "doctor", folder=tmp_path)
    words = "train autoencoder --data digits --latent 5 --epochs 1 --out run"
    run(binaries / "untaught", *words.split(), folder=tmp_path)
    assert (tmp_path / "run/report.html").exists()


def test_every_oldest_version_is_known() -> None:
    """`make bounds` installs them; PyAV 16 decodes the colours of HD video wrongly."""
    found = oldest()
    assert len(found) == 16 and all(found.values())
    assert int(found["av"].split(".")[0]) >= 17
