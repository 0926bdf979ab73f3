"""An address of this machine, and the server on it."""

from __future__ import annotations

import errno
import socket

import uvicorn
from starlette.types import ASGIApp

from untaught.errors import ConfigError

HERE = "127.0.0.1"
TRIED = 20
"""Ports that are tried, one after another."""
CONNECTIONS = 200
"""Connections at once; more are refused."""


def free_socket(port: int) -> socket.socket:
    """Listen on the first free port from this one on.

    Raises:
        ConfigError: None of twenty is free.
    """
    for number in range(port, min(port + TRIED, 2**16)):
        # With the protocol named, asyncio sends what it has at once; else a body waits 40 ms for the head's receipt.
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((HERE, number))
            held.listen()
        except OSError as error:
            held.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return held
    raise ConfigError(f"no port from {port} to {min(port + TRIED, 2**16) - 1} is free; choose another, --port N")


def serve(app: ASGIApp, held: socket.socket) -> None:
    """Answer what comes to a socket, until a KeyboardInterrupt, which is raised once the server has stopped."""
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        server_header=False,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[held])
