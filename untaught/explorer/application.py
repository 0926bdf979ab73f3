"""Every request and its answer.

GET  /               the page
GET  /page/NAME      its scripts and style
GET  /api/about      what the run is, and its panels
GET  /api/training   records and names of pictures of the training; /api/training/picture one of the pictures
POST /api/renew      take the newest checkpoint
POST /api/PANEL/NAME a request of a panel

Quick requests are computed one after another, slow ones in a thread of their own, and a few may wait; what comes on top
is refused at once, so that however much is asked, little is held.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

import torch
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from untaught.errors import InputError, RunError, UntaughtError
from untaught.explorer import following
from untaught.explorer.explored import Explored, explored
from untaught.explorer.guard import Guard
from untaught.explorer.lanes import Busy, Lanes
from untaught.explorer.panel import Answer, Asked, Panel
from untaught.explorer.panels import panels_of
from untaught.legible import one_line
from untaught.model import capabilities, in_words, model_class
from untaught.runs.run import Run

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
Answers = Callable[[Request], Awaitable[Response]]


class TooLarge(InputError):
    """A request has more bytes than it may."""


class Studio:
    """A run and what is open of it; all that the server holds."""

    def __init__(self, run: Run) -> None:
        """Open the run's best checkpoint, where there is one.

        Raises:
            RunError: There is nothing to show: no checkpoint and no record.
        """
        self.run = run
        self.explored: Explored | None = None
        self.panels: dict[str, Panel] = {}
        self.lanes = Lanes()
        self.take_newest()
        if not self.panels and not run.count_records():
            raise RunError(f"{run.path} has nothing to show: no checkpoint of a model that can be explored, no records")

    def take_newest(self) -> dict[str, Any]:
        """Open the best checkpoint that there is now."""
        with torch.no_grad():
            found = explored(self.run)
            if found is not None:
                self.panels = {panel.name: panel for panel in panels_of(found)}
                for panel in self.panels.values():
                    panel.about(found)  # some of it takes a second, and is kept
            self.explored = found
        return {"checkpoint": None if found is None else found.checkpoint}

    def about(self) -> dict[str, Any]:
        """What the run is, and what its panels must know."""
        run, seen = self.run, self.explored
        return {
            "run": run.path.name,
            "model": run.settings.model,
            "data": run.settings.data,
            "capabilities": [in_words(name) for name in capabilities(model_class(run.settings.model))],
            "checkpoint": None if seen is None else seen.checkpoint,
            "shape": [] if seen is None else list(seen.shape),
            "examples": 0 if seen is None else len(seen.examples.x),
            "panels": {} if seen is None else {name: panel.about(seen) for name, panel in self.panels.items()},
        }


def application(run: Run, port: int) -> ASGIApp:
    """The server of one run, for requests to this port.

    Raises:
        DataError: The run's data are no longer there.
        RunError: There is nothing to show, or every checkpoint is torn or was changed.
    """
    studio = Studio(run)
    page = {entry.name: entry.read_bytes() for entry in files("untaught.explorer").joinpath("page").iterdir()}
    routes = [
        Route("/", _page(page), methods=["GET"]),
        Route("/page/{name}", _page(page), methods=["GET"]),
        Route("/api/about", _told(studio, lambda _: studio.about()), methods=["GET"]),
        Route("/api/training", _told(studio, lambda asked: following.records(run, asked)), methods=["GET"]),
        Route("/api/training/picture", _told(studio, lambda asked: following.picture(run, asked)), methods=["GET"]),
        Route("/api/renew", _told(studio, lambda _: studio.take_newest(), slow=True), methods=["POST"]),
        Route("/api/{panel}/{name}", _panel(studio), methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), port)


def _page(held: dict[str, bytes]) -> Answers:
    """Files of the page, read once: no path is opened that a request names."""

    async def answer(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in held:
            return _refusal("there is no such page", 404)
        return Response(held[name], media_type=KINDS.get(name[name.rfind(".") :], "text/plain"))

    return answer


def _told(studio: Studio, make: Callable[[Asked], Answer], slow: bool = False) -> Answers:
    """A request that belongs to no panel."""

    async def answer(request: Request) -> Response:
        asked = Asked(dict(request.query_params))
        return await _answered(studio.lanes.run(lambda: make(asked), request.url.path, slow))

    return answer


def _panel(studio: Studio) -> Answers:
    """A request of a panel."""

    async def answer(request: Request) -> Response:
        panel = studio.panels.get(request.path_params["panel"])
        wanted = None if panel is None else panel.requests.get(request.path_params["name"])
        seen = studio.explored
        if panel is None or wanted is None or seen is None:
            return _refusal("this run has no such panel", 404)
        try:
            body = await _body(request, wanted.most)
        except TooLarge as error:
            return _refusal(error, 413)
        except ClientDisconnect:
            return _refusal("gone", 400)
        asked, kind = Asked(dict(request.query_params), body), f"{panel.name}/{request.path_params['name']}"
        return await _answered(studio.lanes.run(lambda: wanted.answer(seen, asked), kind, wanted.slow))

    return answer


async def _body(request: Request, most: int) -> bytes:
    """The body, as far as it is not too large.

    Raises:
        TooLarge: It is; the rest is not read.
    """
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > most:
        raise TooLarge(f"{int(told):,} bytes; at most {most:,} are taken")
    parts, count = list[bytes](), 0
    async for part in request.stream():
        count += len(part)
        if count > most:
            raise TooLarge(f"more than {most:,} bytes; no more are taken")
        parts.append(part)
    return b"".join(parts)


async def _answered(computed: Awaitable[Answer]) -> Response:
    """The answer, or one line that says what was wrong with the question."""
    begun = time.perf_counter()
    try:
        found = await computed
    except Busy as error:
        return _refusal(error, 503)
    except UntaughtError as error:
        return _refusal(error, 400)
    spent = {"server-timing": f"compute;dur={1000 * (time.perf_counter() - begun):.2f}"}
    if isinstance(found, bytes):
        kind = "image/png" if found.startswith(b"\x89PNG") else "application/octet-stream"
        return Response(found, media_type=kind, headers=spent)
    return Response(json.dumps(found), media_type="application/json", headers=spent)


def _refusal(what: object, status: int) -> Response:
    return JSONResponse({"error": one_line(str(what))}, status)
