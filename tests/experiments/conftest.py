"""The paper of the tests stands where papers are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

import untaught.papers


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> str:
    """Look for papers in `tests/papers/`, and give the name of the one that is there."""
    folder = Path(__file__).parents[1] / "papers"
    monkeypatch.setattr(untaught.papers, "__path__", [str(folder)])
    return "tiny2001"
