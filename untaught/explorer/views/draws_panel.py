"""Samples: new examples, of one class where the model draws classes on demand."""

from __future__ import annotations

from typing import Any

from untaught.errors import ConfigError
from untaught.explorer.explored import Explored
from untaught.explorer.panel import Asked, Panel, Request
from untaught.explorer.wire import pack
from untaught.model import Samples
from untaught.shapes import Examples

COUNT = 64


def applies(explored: Explored) -> bool:
    """For models that sample pictures."""
    return isinstance(explored.model, Samples) and explored.is_pictures


def about(explored: Explored) -> dict[str, Any]:
    """Classes that may be asked for."""
    return {"classes": classes_on_demand(explored)}


def classes_on_demand(explored: Explored) -> list[str]:
    """Names of the classes that the model draws on demand; empty where it draws none, or has learnt none."""
    model = explored.model
    able = isinstance(model, Samples) and model.of_classes and bool(explored.classes)
    return explored.classes if able and explored.once("classes", lambda: _has_learnt(explored)) else []


def _has_learnt(explored: Explored) -> bool:
    """Whether the model draws the last of the classes: a model of that kind need not have been shown any."""
    try:
        drawn(explored, 1, len(explored.classes) - 1)
    except ConfigError:
        return False
    return True


def drawn(explored: Explored, count: int, label: int | None) -> Examples:
    """Samples as the model gives them."""
    model = explored.model
    assert isinstance(model, Samples)
    with explored.draws:
        return model.sample(count, label).float().cpu()


def asked_class(explored: Explored, asked: Asked) -> int | None:
    """The class of a request; none where it names none."""
    names = classes_on_demand(explored)
    return asked.whole("label", 0, len(names) - 1) if names and asked.query.get("label", "") else None


def draw(explored: Explored, asked: Asked) -> bytes:
    """Draw; of video, the last frame."""
    made = drawn(explored, asked.whole("count", 1, COUNT, 16), asked_class(explored, asked))
    shown = explored.subject.shown(made)
    return pack({}, {"pictures": explored.as_bytes(shown[:, -1] if shown.ndim == 5 else shown)})


PANEL = Panel("draws", applies, about, {"draw": Request(draw, slow=True)})
