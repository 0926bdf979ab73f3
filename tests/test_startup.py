"""Help, lists and errors in flags come before anything heavy is imported."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from untaught import cli

HEAVY = (
    "lightning_fabric",
    "torch._dynamo",
    "sklearn",
    "scipy",
    "matplotlib",
    "av",
    "untaught.report",
    "untaught.training.fit",
)
"""What takes seconds to import, and the parts of the package that need it."""

PROGRAM = """
import sys
from untaught.cli import main
status = main(sys.argv[1:])
print("imported:", *sys.modules)
sys.exit(status)
"""


def started(words: str) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run a command in a process of its own; what it said, and the names of all modules that it imported."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words.split()], capture_output=True, text=True, check=False)
    return done, set(done.stdout.rpartition("imported:")[2].split())


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("models", 0, "pgn"),
        pytest.param("data", 0, "balls", marks=pytest.mark.slow),
        pytest.param("tables --help", 0, "--budget", marks=pytest.mark.slow),
        pytest.param("train --help", 0, "--minutes", marks=pytest.mark.slow),
        ("train pgn --help", 0, "--units"),
        pytest.param("train pgn --nonsense", 2, "unknown flag --nonsense", marks=pytest.mark.slow),
        pytest.param("train pgn --epochs", 2, "--epochs needs", marks=pytest.mark.slow),
        pytest.param("train pgn --data balls --epochs 0", 2, "--epochs 0", marks=pytest.mark.slow),
        pytest.param("train nosuch", 2, "nosuch", marks=pytest.mark.slow),
        pytest.param("evaluate --help", 0, "--measure", marks=pytest.mark.slow),
        pytest.param("predict --help", 0, "--context", marks=pytest.mark.slow),
        pytest.param("compare --help", 0, "--models", marks=pytest.mark.slow),
    ],
)
def test_nothing_heavy_is_imported(words: str, status: int, told: str) -> None:
    done, imported = started(words)
    assert done.returncode == status and told in done.stdout + done.stderr
    assert "torch" in imported, "the list of modules is missing"
    assert not imported & set(HEAVY)


@pytest.mark.parametrize("words", ["", "--help", "--version", "nosuch", "doctor --help"])
def test_what_needs_no_torch_imports_none(words: str) -> None:
    done, imported = started(words)
    assert done.returncode == (2 if words == "nosuch" else 0)
    assert "untaught.cli" in imported and not imported & {"torch", "numpy", *HEAVY}


def test_the_garbage_collector_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert gc.isenabled()
    cli.main(["models", "--help"])
    assert gc.isenabled() and "usage" in capsys.readouterr().out
