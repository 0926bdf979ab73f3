"""The commands, `untaught COMMAND ...`, and their exit statuses.

    0    done
    2    bad usage or bad input: at most three lines that name the culprit and what would be right
    130  interrupted
    1    anything else, a full disk included

flags        fields of configurations <-> arguments
asked        what `train` is asked for
place        where a run goes
training     `train`
opening      a run and data, opened for use
using        `encode`, `reconstruct`, `sample`, `predict`
translating  `translate`
output       files that commands write
measuring    `evaluate`
looking      `unusual`, `invert`
exporting    `export`
exploring    `explore`
comparing    `compare`
tabulating   `tables`
listing      `models`, `data`
doctor       `doctor`
terminal     what the commands print to
"""

from __future__ import annotations

import difflib
import errno
import gc
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TextIO

from untaught.cli.terminal.columns import wide_enough
from untaught.cli.terminal.streams import standing_streams
from untaught.errors import ConfigError, InputError, UntaughtError
from untaught.heap import keep_freed
from untaught.legible import legible, one_line

_NAMED_WRONGLY = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
"""Errors of the system that say that a path, which the user gave, cannot be one."""
MOST_LINES = 3
"""Lines of a message."""

COMMANDS = {
    "models": ("listing", "what systems there are, and what each can do"),
    "data": ("listing", "what sources there are; statistics and a contact sheet of one"),
    "train": ("training", "train a system on images or video"),
    "evaluate": ("measuring", "every measure that applies to a run, each with trivial baselines"),
    "encode": ("using", "features of every example"),
    "reconstruct": ("using", "the reconstruction of every example"),
    "translate": ("translating", "every example as one of the other kind that the run learnt"),
    "sample": ("using", "new examples"),
    "predict": ("using", "the frames that follow"),
    "unusual": ("looking.finding", "the examples, or moments of video, that a run finds most improbable"),
    "invert": ("looking.inverting", "pictures brought back from every layer of a network"),
    "export": ("exporting", "a run as ONNX files, as a folder for the model hub, or as a page for any browser"),
    "explore": ("exploring", "a page in the browser to see and steer what a run learnt"),
    "compare": ("comparing", "models trained on the same data for the same updates, by what their features contain"),
    "tables": ("tabulating", "published numbers of a paper beside ours"),
    "doctor": ("doctor", "versions, devices, known traps"),
}
"""Each command with the file that defines its function, and a summary. A file is imported when its command runs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the exit status."""
    keep_freed()
    with standing_streams(), wide_enough():
        return _status(list(sys.argv[1:] if arguments is None else arguments))


def _status(words: list[str]) -> int:
    """Run a command; gives the exit status."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        if not sys.warnoptions:
            # Deprecation warnings of other libraries do not concern the user of a command.
            for kind in (DeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", kind)
        try:
            _run(words)
            sys.stdout.flush()
        except SystemExit as exit:
            return int(exit.code or 0)
        except BrokenPipeError:
            # The reader of our output has exited; without this Python raises again when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except (UntaughtError, OSError, MemoryError, RuntimeError, KeyboardInterrupt) as error:
            return _said(error)
    return 0


def _said(error: BaseException) -> int:
    """Print what went wrong and give the exit status; an unexpected error is raised again, with its traceback."""
    match error:
        case InputError():
            return _refuse(error, 2)
        case KeyboardInterrupt():
            return _refuse("interrupted", 130)
        case OSError():
            place = f": {error.filename}" if error.filename else ""
            return _refuse(f"{error.strerror or error}{place}", 2 if error.errno in _NAMED_WRONGLY else 1)
        case UntaughtError():
            return _refuse(error, 1)
        case _ if _is_out_of_memory(error):
            return _refuse("out of memory; choose a smaller --size, --batch-size or model", 1)
        case _:
            raise error


def _run(words: list[str]) -> None:
    """Find the command and call it with its own arguments."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
    elif words[0] in ("-V", "--version"):
        print(f"untaught {importlib.import_module('untaught').__version__}")
    else:
        _command(words[0])(words[1:])


def _command(name: str) -> Callable[[Sequence[str]], None]:
    """The function of a command.

    Raises:
        ConfigError: There is no such command.
    """
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(COMMANDS)}"
        raise ConfigError(f"no command is called {name!r}; {hint}")
    place = f"untaught.cli.{COMMANDS[name][0]}"
    if place not in sys.modules:
        with _nothing_collected():
            importlib.import_module(place)
    return getattr(sys.modules[place], name)


@contextmanager
def _nothing_collected() -> Generator[None]:
    """Import without looking for garbage: what torch makes lives to the end, and is looked through again and again."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if before:
            gc.enable()


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python ran out of memory; torch has an exception class of its own only for devices."""
    named = {"MemoryError", "OutOfMemoryError"} & {kind.__name__ for kind in type(error).__mro__}
    return bool(named) or "allocate memory" in str(error)


def _overview() -> str:
    lines = [f"  {name:<12} {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: untaught COMMAND ...",
            "",
            *lines,
            "",
            "`untaught COMMAND --help` says more, `untaught train MODEL --help` names every setting of a system.",
        ]
    )


def _refuse(what: object, status: int) -> int:
    text = str(what)
    # A message has at most three lines; of more, some are in the name of a file.
    print(f"untaught: {legible(text) if text.count(chr(10)) < MOST_LINES else one_line(text)}", file=sys.stderr)
    return status


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning on one line, without its place in the source."""
    print(f"untaught: {legible(str(message))}", file=file or sys.stderr)
