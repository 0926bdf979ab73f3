"""`untaught explore`: a local server, and a page that shows what a run learnt and lets a person steer it."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Annotated

import pydantic

from untaught.cli.flags import read
from untaught.cli.terminal.streams import tell
from untaught.config import configuration
from untaught.errors import ConfigError

PORT = 8765
NEEDED = ("starlette", "uvicorn")


@configuration
class Explore:
    """Open a page in the browser that shows what a run learnt, and lets you steer it. Ctrl-C ends it.

    Which panels there are depends on what the model can do: a map of the latent space under the mouse, Markov chains
    that fill in what you hold, clips with what is predicted, a map of the test examples, what each layer sees. Of a
    run that is still training, curves and pictures appear as they come. The server answers to this machine alone.
    """

    run: str
    """Folder of the run."""
    port: Annotated[int, pydantic.Field(ge=1, le=65535)] = PORT
    """Port to listen on; where it is taken, the next that is free."""
    open: bool = True
    """Open the browser; --no-open prints the address alone."""


def explore(words: Sequence[str]) -> None:
    """Serve until interrupted; an interrupt while the run is opened ends it in the same way."""
    asked = read(Explore, words, "untaught explore", positional=["run"])
    with suppress(KeyboardInterrupt):
        _serve(asked)


def _serve(asked: Explore) -> None:
    """Open the run, say where its page is, and answer."""
    from untaught.runs.run import open_run  # it imports torch, which takes seconds: an interrupt may come before

    run = open_run(asked.run)
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"the explorer needs {' and '.join(missing)}: pip install 'untaught[explorer]'")
    from untaught.explorer.application import application
    from untaught.explorer.serving import free_socket, serve

    with free_socket(asked.port) as held:
        port: int = held.getsockname()[1]
        app = application(run, port)
        if port != asked.port:
            print(f"port {asked.port} is taken, {port} is free", file=sys.stderr)
        address = f"http://127.0.0.1:{port}/"
        tell(f"{run.path} is at {address} until Ctrl-C")
        if asked.open and _has_a_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        serve(app, held)


def _has_a_screen() -> bool:
    """Whether a browser has somewhere to appear; else one that draws on the terminal would take it over."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
