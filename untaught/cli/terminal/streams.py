r"""Standard input, output and error, as they must be for a command to end well.

A stream that was closed before the program began takes what is written to it and forgets it; else the next file that is
opened would take its place. If standard error fails while a command works, because its reader is gone or its disk full,
the work goes on without it. Text that the encoding of a stream cannot hold is written by numbers: `\u0416`.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from untaught.legible import legible, one_line

HANDLER = "untaught.legible"
PLAIN = str.maketrans({"−": "-", "–": "-", "×": "x", "…": "...", "’": "'", "→": "->", "≤": "<=", "≥": ">="})  # noqa: RUF001
"""What our own text has of signs that an old encoding lacks."""


@contextmanager
def standing_streams() -> Generator[None]:
    """Streams that take whatever is written."""
    _fill_the_first_descriptors()
    before = sys.stdout, sys.stderr
    with _any_text(sys.stdout), _any_text(sys.stderr):
        sys.stdout = sys.stdout or _nowhere()
        sys.stderr = cast(TextIO, _Enduring(sys.stderr or _nowhere()))
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def tell(text: object, file: TextIO | None = None) -> None:
    r"""Print one line, in which names of files may hold anything; to standard output unless told where.

    Example:
        >>> tell("red\x1b[31m.png")
        red\x1b[31m.png
    """
    print(one_line(str(text)), file=file, flush=True)


def _fill_the_first_descriptors() -> None:
    """Open what is closed of the descriptors 0, 1 and 2."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)


def _nowhere() -> Any:
    return open(os.devnull, "w", encoding="utf-8")


@contextmanager
def _any_text(stream: Any) -> Generator[None]:
    """Let a stream write by numbers what its encoding cannot hold."""
    if not isinstance(stream, io.TextIOWrapper):
        yield
        return
    before = stream.errors
    codecs.register_error(HANDLER, _by_numbers)
    stream.reconfigure(errors=HANDLER)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            stream.reconfigure(errors=before)


def _by_numbers(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = legible(error.object[error.start : error.end]).translate(PLAIN)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


class _Enduring:
    """Standard error whose failure stops nothing."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or from the first failure on nothing."""
        try:
            self._stream.write(text)
        except OSError:
            self._forget()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is held back."""
        try:
            self._stream.flush()
        except OSError:
            self._forget()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _forget(self) -> None:
        """Send the rest nowhere: Python would fail once more when it closes the stream."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
