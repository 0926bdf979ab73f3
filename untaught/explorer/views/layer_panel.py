"""What a layer sees of an example, which examples drive a unit most, and weights as pictures."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from untaught.explorer.explored import Explored
from untaught.explorer.panel import Asked, Panel, Request
from untaught.explorer.wire import as_bytes, pack
from untaught.model import Activations, Filters

UNITS, SIDE = 256, 64
"""Units of a layer that are shown at most, and longer side of a unit's map."""
MAPS = 64
"""Units of a layer of maps that are shown at most."""
SEARCHED, STRONGEST = 300, 12
"""Examples among which those are sought that drive a unit most, and how many of them are shown."""


def applies(explored: Explored) -> bool:
    """For models with layers or weights to show."""
    model = explored.model
    return isinstance(model, Activations) and explored.is_pictures or isinstance(model, Filters)


def about(explored: Explored) -> dict[str, Any]:
    """Names of layers with their shapes, and of pictures of weights."""
    return {"layers": _shapes(explored), "filters": list(_filters(explored))}


def look(explored: Explored, asked: Asked) -> bytes:
    """Activations of one layer for one example: maps `(unit, height, width)`, or one number for each unit."""
    layer = asked.word("layer", list(_shapes(explored)))
    number = asked.whole("example", 0, len(explored.examples.x) - 1)
    seen = _activations(explored, layer, explored.examples.x[[number]])[0]
    shown = seen[:MAPS] if seen.ndim == 3 else seen.flatten()[:UNITS]
    if shown.ndim == 3 and max(shown.shape[-2:]) > SIDE:
        shown = torch.nn.functional.adaptive_avg_pool2d(shown, (min(SIDE, shown.shape[-2]), min(SIDE, shown.shape[-1])))
    return pack({"units": seen.shape[0] if seen.ndim == 3 else seen.numel()}, {"activations": shown})


def strongest(explored: Explored, asked: Asked) -> bytes:
    """The examples that drive a unit most; of a map, at any place."""
    layer = asked.word("layer", list(_shapes(explored)))
    driven = _driven(explored, layer)
    unit = driven[:, asked.whole("unit", 0, driven.shape[1] - 1)]
    found = unit.topk(min(STRONGEST, len(unit)))
    return pack(
        {"examples": (found.indices * _stride(explored)).tolist()},
        {"activation": found.values, "mean": unit.mean()[None]},
    )


def filters(explored: Explored, asked: Asked) -> bytes:
    """Weights as pictures, each by its own largest: grey is 0."""
    held = _filters(explored)
    kept = held[asked.word("name", list(held))]
    some = kept[:UNITS].detach().float().cpu()
    largest = some.abs().flatten(1).amax(1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return pack({"units": len(kept)}, {"pictures": as_bytes(0.5 + 0.5 * some / largest)})


def _shapes(explored: Explored) -> dict[str, list[int]]:
    """Every layer with the shape of what it gives for one example."""
    model = explored.model
    if not isinstance(model, Activations) or not explored.is_pictures:
        return {}
    with explored.draws, torch.no_grad():
        seen = model.activations(explored.subject.seen(explored.examples.x[:1]).to(explored.subject.device))
    return {name: list(_last(explored, x).shape[1:]) for name, x in seen.items()}


def _activations(explored: Explored, layer: str, x: Tensor) -> Tensor:
    model = explored.model
    assert isinstance(model, Activations)
    with explored.draws:
        return explored.subject.apply(lambda seen: _last(explored, model.activations(seen, [layer])[layer]), x)


def _last(explored: Explored, activations: Tensor) -> Tensor:
    """Of video, the activations at the last frame that the layer looks at."""
    return activations[:, -1] if explored.is_video else activations


def _driven(explored: Explored, layer: str) -> Tensor:
    """How strongly each unit is driven by each example, `(example, unit)`; kept for the layer that was asked last."""
    held = explored.seen_layer
    if held is not None and held[0] == layer:
        return held[1]
    some = explored.examples.x[:: _stride(explored)]
    each = [_activations(explored, layer, x) for x in some.split(32)]
    found = torch.cat([x.flatten(2).amax(2) if x.ndim > 2 else x for x in each])
    explored.seen_layer = layer, found
    return found


def _stride(explored: Explored) -> int:
    return -(-len(explored.examples.x) // SEARCHED)


def _filters(explored: Explored) -> dict[str, Tensor]:
    model = explored.model
    if not isinstance(model, Filters):
        return {}
    with torch.no_grad():
        return {name: x for name, x in model.filter_pictures().items() if x.ndim == 4 and x.numel()}


PANEL = Panel(
    "layers",
    applies,
    about,
    {"look": Request(look), "strongest": Request(strongest, slow=True), "filters": Request(filters)},
)
