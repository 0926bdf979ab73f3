"""Pictures decoded live from a plane of the latent space.

The page holds the code and the directions, and sends codes; the server keeps nothing of what it is asked.
"""

from __future__ import annotations

from typing import Any

import torch

from untaught.errors import ConfigError
from untaught.explorer.explored import Explored
from untaught.explorer.latent_axes import latent_axes, usual_axes
from untaught.explorer.panel import Asked, Panel, Request
from untaught.explorer.wire import floats, pack
from untaught.model import Decodes, Encodes
from untaught.shapes import Features

CODES, NUMBERS = 400, 2**22
"""Codes of one request, and numbers in their pictures, at most."""


def applies(explored: Explored) -> bool:
    """For models of single pictures that encode and decode."""
    model = explored.model
    return isinstance(model, Encodes) and isinstance(model, Decodes) and explored.is_pictures and not explored.is_video


def about(explored: Explored) -> dict[str, Any]:
    """How many numbers a code has, and how many codes a request may have."""
    return {"features": explored.features.shape[1], "most": _most(explored)}


def space(explored: Explored, asked: Asked) -> bytes:
    """The mean code, and every direction with the coordinates of the examples."""
    axes = explored.once("axes", lambda: latent_axes(explored))
    listed = [{"kind": axis.kind, "name": axis.name} for axis in axes]
    return pack(
        {"axes": listed, "usual": usual_axes(explored, axes)},
        {
            "mean": explored.features.mean(0),
            "directions": torch.stack([axis.direction for axis in axes]),
            "coordinates": torch.stack([axis.coordinates for axis in axes]),
        },
    )


def code(explored: Explored, asked: Asked) -> bytes:
    """The code of one test example, and its picture."""
    number = asked.whole("example", 0, len(explored.features) - 1)
    return pack({}, {"code": explored.features[number], "original": explored.as_bytes(explored.examples.x[[number]])})


def decode(explored: Explored, asked: Asked) -> bytes:
    """Pictures of codes, as bytes alone: nothing to read before they are drawn."""
    count = asked.whole("count", 1, _most(explored), 1)
    codes = finite_codes(asked.body, count, explored)
    return explored.as_bytes(explored.decoded(codes)).numpy().tobytes()


def finite_codes(body: bytes, count: int, explored: Explored) -> Features:
    """Codes of a request.

    Raises:
        ConfigError: There are not as many numbers as there must be, or some are no numbers.
    """
    width = explored.features.shape[1]
    codes = floats(body, count * width).view(count, width)
    if bool(codes.isnan().any()):
        raise ConfigError("a code that was sent has a number missing")
    return codes


def _most(explored: Explored) -> int:
    numbers = torch.Size(explored.shape).numel() + explored.features.shape[1]
    return max(1, min(CODES, NUMBERS // numbers, 2**20 // explored.features.shape[1]))


PANEL = Panel(
    "latent",
    applies,
    about,
    {"space": Request(space, slow=True), "code": Request(code), "decode": Request(decode)},
)
