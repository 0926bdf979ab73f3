"""What all tests share."""

import gc
import importlib.metadata
import os
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest
from checked import FIRST, Left

ROOT = Path(__file__).parents[1]
# What is imported while tests are collected stays to the end; looking through it for garbage is in vain.
gc.disable()
# Each training asks every installed package for callbacks, which takes as long as a small training does.
importlib.metadata.entry_points = cache(importlib.metadata.entry_points)


def pytest_collection_finish() -> None:
    """Look for garbage in what comes from now on."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data, beside the repository or where UNTAUGHT_TEST_DATA says; its README lists them."""
    folder = Path(os.environ.get("UNTAUGHT_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs real data, and there is no folder {folder}")
    return folder


@pytest.fixture(autouse=True)
def checks() -> Generator[None]:
    """The first calls of a test are checked; what is set up for several tests, and examples in docstrings, wholly."""
    Left.begin(FIRST)
    yield
    Left.begin(sys.maxsize)
