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
from untaught.explorer.views.draws_panel import asked_class, classes_on_demand
from untaught.explorer.wire import floats, pack
from untaught.model import Decodes, Encodes
from untaught.shapes import Features

CODES, NUMBERS = 400, 2**22
"""Codes of one request, and numbers in their pictures, at most."""


def applies(explored: Explored) -> bool:
    """For models of single pictures that encode and decode, or make pictures of codes that are drawn."""
    model = explored.model
    able = isinstance(model, Encodes) and isinstance(model, Decodes) or explored.generates
    return able and explored.is_pictures and not explored.is_video


def about(explored: Explored) -> dict[str, Any]:
    """How many numbers a code has, how many codes a request may have, and whether codes are drawn, of which classes."""
    drawn = explored.generates
    classes = classes_on_demand(explored) if drawn else []
    return {"features": explored.code_width, "most": _most(explored), "drawn": drawn, "classes": classes}


def space(explored: Explored, asked: Asked) -> bytes:
    """The mean code, and every direction with the coordinates of the examples, or of the draws."""
    axes = explored.once("axes", lambda: latent_axes(explored))
    listed = [{"kind": axis.kind, "name": axis.name} for axis in axes]
    return pack(
        {"axes": listed, "usual": usual_axes(explored, axes)},
        {
            "mean": explored.codes.mean(0),
            "directions": torch.stack([axis.direction for axis in axes]),
            "coordinates": torch.stack([axis.coordinates for axis in axes]),
        },
    )


def code(explored: Explored, asked: Asked) -> bytes:
    """The code of a test example, or of a draw, where codes are drawn; of a class, where one is asked for."""
    if explored.generates:
        return pack({}, {"code": explored.drawn_codes(1, asked_class(explored, asked))[0]})
    x = explored.examples.x[[asked.whole("example", 0, len(explored.examples.x) - 1)]]
    return pack({}, {"code": explored.subject.features(x)[0]})


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
    width = explored.code_width
    codes = floats(body, count * width).view(count, width)
    if bool(codes.isnan().any()):
        raise ConfigError("a code that was sent has a number missing")
    return codes


def _most(explored: Explored) -> int:
    numbers = torch.Size(explored.shape).numel() + explored.code_width
    return max(1, min(CODES, NUMBERS // numbers, 2**20 // explored.code_width))


PANEL = Panel(
    "latent",
    applies,
    about,
    {"space": Request(space, slow=True), "code": Request(code), "decode": Request(decode)},
)
