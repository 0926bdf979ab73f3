"""Who may ask, and how much: only pages of this server, from this machine, with bodies of limited size.

A page of another site that a person has open can send requests to any address, this machine's too, and a name of its
own can be made to lead here. So the host must be this machine's by name, and the origin, where a browser tells it, the
server's own. Nothing that is answered may load from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost")
LONGEST = 2000
"""Characters of an address at most."""
OWN = ("same-origin", "none")
"""What a browser says of requests that come from the page itself, or from a person."""
HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
SENT = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """Refuses what comes from elsewhere, and adds the headers that keep a page to this server."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == 80 else set[str]())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SENT]
            await send(message)

        refused = self.refused(Headers(scope=scope), scope["path"], len(scope.get("query_string", b"")))
        if refused is not None:
            await JSONResponse({"error": refused}, 403)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)

    def refused(self, headers: Headers, path: str, query: int) -> str | None:
        """Why a request is refused; None where it is not."""
        host, origin, site = headers.get("host", ""), headers.get("origin"), headers.get("sec-fetch-site", "none")
        if host not in self.hosts:
            return "this server answers to 127.0.0.1 and localhost alone"
        if origin is not None and origin not in {f"http://{name}" for name in self.hosts}:
            return "this server answers to its own page alone"
        if site not in OWN and path != "/":
            return "this server answers to its own page alone"
        return "the address is too long" if len(path) + query > LONGEST else None
