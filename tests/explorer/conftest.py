"""Applications of small runs, each made once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.importorskip("starlette", reason="the extra `explorer` is not installed")

from small_runs import PORT, small_run  # noqa: E402


@pytest.fixture(scope="session")
def application_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """The application of a small run of a model, by the model's name."""
    from untaught.explorer.application import application

    made: dict[str, Any] = {}

    def of(model: str) -> Any:
        if model not in made:
            made[model] = application(small_run(tmp_path_factory.mktemp(model), model), PORT)
        return made[model]

    return of
