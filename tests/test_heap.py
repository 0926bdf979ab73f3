"""Freed memory: a process of ours does not ask the system for the same pages in every step."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from untaught import cli, heap

STEPS = """
import ctypes, resource, sys
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages, of which a step would need few
from untaught.heap import keep_freed
assert keep_freed() if sys.argv[1] == "kept" else True
def step():
    return [letter * (16 << 20) for letter in (b"a", b"b", b"c", b"d")]
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(way: str) -> int:
    """Pages that five steps of 64 MiB ask the system for, after three."""
    return int(subprocess.run([sys.executable, "-c", STEPS, way], check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only GNU's C library is told what to keep")
def test_steps_use_the_same_memory_again() -> None:
    assert faults("kept") < 100 < 1000 < faults("given back")


@pytest.mark.parametrize("refused", [False, True])
def test_both_parameters_are_set_or_neither(monkeypatch: pytest.MonkeyPatch, refused: bool) -> None:
    """A library that refuses the first is left to adapt by itself."""
    told: list[tuple[int, int]] = []

    class Library:
        def __init__(self, name: None) -> None:
            assert name is None

        @staticmethod
        def mallopt(parameter: int, value: int) -> int:
            told.append((parameter, value >> 20))
            return int(not refused)

    monkeypatch.setattr(ctypes, "CDLL", Library)
    monkeypatch.setattr(sys, "platform", "linux")
    assert heap.keep_freed() is not refused
    assert told == [(-3, 32), (-1, 512)][: 2 - refused]


def test_other_libraries_and_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def __init__(self, name: None) -> None:
            assert name is None

    monkeypatch.setattr(ctypes, "CDLL", Library)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not heap.keep_freed()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", None)
    assert not heap.keep_freed()


def test_commands_keep_freed_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(cli, "keep_freed", lambda: asked.append(True))
    assert cli.main(["--version"]) == 0 and asked == [True]
