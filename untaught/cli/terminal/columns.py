"""Terminals in which a table has no room: they are taken to be wider than they are.

The width is the variable COLUMNS, or else the terminal's own. In a few columns a table of flags gets thousands of
lines, or, in tyro, one that never ends.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager

NARROWEST = 40
"""Columns at least."""
USUAL = 80
"""Columns where their number makes no sense."""


@contextmanager
def wide_enough() -> Generator[None]:
    """Give tables enough columns."""
    before, asked = os.environ.get("COLUMNS"), _asked()
    if asked is None:
        yield
        return
    os.environ["COLUMNS"] = str(asked)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _asked() -> int | None:
    """The columns that are taken instead of those that there are; None where these will do."""
    said = os.environ.get("COLUMNS")
    if said is None:
        return NARROWEST if shutil.get_terminal_size().columns < NARROWEST else None
    if not (said.isascii() and said.isdigit()) or not 0 < int(said) < 10_000:
        return USUAL
    return NARROWEST if int(said) < NARROWEST else None
