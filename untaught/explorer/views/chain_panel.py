r"""Markov chains that go on while pixels are held, at a temperature.

One step of each chain leaves exp(-F_t) invariant, t = 1 / temperature. A pixel that is held is put back after every
step, so that the others follow their distribution given it. Of a model that completes without a chain, the pixels that
are not held are filled in instead.

States travel to the page and back: the server keeps none.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from untaught.errors import ConfigError
from untaught.explorer.explored import Explored
from untaught.explorer.panel import Asked, Panel, Request
from untaught.explorer.views.draws_panel import asked_class, classes_on_demand, drawn
from untaught.explorer.wire import floats, pack
from untaught.model import Completes, Energy, Reconstructs
from untaught.nn.noise import bernoulli
from untaught.shapes import Examples

CHAINS, STEPS = 16, 50
"""Chains of one request and steps of each at most."""
PIXELS = 2**16
"""Pixels of a chain at most."""
HOTTEST = 100.0


def applies(explored: Explored) -> bool:
    """For machines whose visible units are the pixels, and models that complete pictures."""
    model = explored.model
    if not explored.is_pictures or explored.is_video or math.prod(explored.shape) > PIXELS:
        return False
    return _runs_on_pixels(explored) or isinstance(model, Completes)


def about(explored: Explored) -> dict[str, Any]:
    """Whether chains run, in which values a pixel is drawn, and which classes may be asked for."""
    return {
        "chains": _runs_on_pixels(explored),
        "mean": isinstance(explored.model, Reconstructs),
        "classes": classes_on_demand(explored),
    }


def start(explored: Explored, asked: Asked) -> bytes:
    """States from which chains begin: independent units, test examples, or samples of a class."""
    count, kind = asked.whole("count", 1, CHAINS, 4), asked.word("from", ("noise", "examples", "class"))
    if kind == "class":
        states = drawn(explored, count, asked_class(explored, asked))
    elif kind == "examples":
        states = _some_examples(explored, count)
    else:
        states = _noise(explored, count)
    return _told(explored, states, states)


def step(explored: Explored, asked: Asked) -> bytes:
    """Some steps of each chain. The body has states, then a number for each pixel: held at it, or free where NaN."""
    count, pixels = asked.whole("count", 1, CHAINS), math.prod(explored.shape)
    sent = floats(asked.body, (count + 1) * pixels)
    states, held = sent[: count * pixels].view(count, *explored.shape), sent[count * pixels :].view(explored.shape)
    if bool(states.isnan().any()):
        raise ConfigError("a state that was sent has a number missing")
    free = held.isnan()
    values = explored.subject.seen(held.nan_to_num(0).clamp(0, 1)[None])[0]
    states = torch.where(free, states, values)
    temper = 1 / asked.number("temperature", 1, HOTTEST, 1)
    with explored.draws:
        for _ in range(asked.whole("steps", 1, STEPS, 1)):
            states = torch.where(free, _moved(explored, states, free, temper), values)
        shown = _mean(explored, states) if asked.word("show", ("states", "mean")) == "mean" else states
    return _told(explored, states, torch.where(free, shown, values))


def _runs_on_pixels(explored: Explored) -> bool:
    model = explored.model
    return isinstance(model, Energy) and model.base_rate().numel() == math.prod(explored.shape)


def _moved(explored: Explored, states: Examples, free: Tensor, temper: float) -> Examples:
    """One step of each chain, or the pixels that are free filled in."""
    model, device = explored.model, explored.subject.device
    with torch.no_grad():
        if _runs_on_pixels(explored):
            assert isinstance(model, Energy)
            flat = states.reshape(len(states), *model.base_rate().shape).to(device)
            return model.gibbs_step(flat, temper).float().cpu().reshape(states.shape)
        assert isinstance(model, Completes)
        return model.complete(states.to(device), ~free.to(device)).float().cpu()


def _mean(explored: Explored, states: Examples) -> Examples:
    """What the model expects of each pixel where its hidden units are as the state tells."""
    model = explored.model
    if not isinstance(model, Reconstructs):
        return states
    with torch.no_grad():
        return model.reconstruct(states.to(explored.subject.device)).float().cpu()


def _some_examples(explored: Explored, count: int) -> Examples:
    with explored.draws:
        pixels = explored.examples.x[torch.randint(len(explored.examples.x), (count,))]
        return explored.subject.seen(bernoulli(pixels) if explored.subject.view.binarise else pixels)


def _noise(explored: Explored, count: int) -> Examples:
    """States of independent units at their base rates."""
    model = explored.model
    with explored.draws, torch.no_grad():
        if not _runs_on_pixels(explored):
            return torch.rand(count, *explored.shape).round()
        assert isinstance(model, Energy)
        empty = torch.zeros(count, *model.base_rate().shape, device=explored.subject.device)
        return model.gibbs_step(empty, 0.0).float().cpu().reshape(count, *explored.shape)


def _told(explored: Explored, states: Examples, shown: Examples) -> bytes:
    model = explored.model
    arrays = {"states": states, "pictures": explored.as_bytes(explored.subject.shown(shown))}
    if _runs_on_pixels(explored):
        assert isinstance(model, Energy)
        with torch.no_grad():
            flat = states.reshape(len(states), *model.base_rate().shape).to(explored.subject.device)
            arrays["energy"] = model.free_energy(flat)
    return pack({}, arrays)


PANEL = Panel("chains", applies, about, {"start": Request(start, slow=True), "step": Request(step)})
