"""A model's state after it has seen an example: its features, and its hidden and cell state where it exposes them.

The activations of a model may include `hidden` and `cell`: states `(batch, time, ...)` for video, `(batch, ...)`
otherwise. They are read after the last frame and flattened, each by itself and both concatenated. `features` are what
`encode` gives; where they are one of the states, the model looks at the examples once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.representations import Several
from untaught.evaluate.subject import Subject
from untaught.model import Activations
from untaught.shapes import Examples

STATES = ("hidden", "cell")
BOTH = "hidden_and_cell"
FEATURES = "features"


def states(subject: Subject, batches: list[Batch]) -> dict[str, Several]:
    """Features and states of every batch by name; a state that is the features is the same object."""
    few = batches[0].x[:2]
    names = _names(subject, few)
    shown = [_states(subject, batch.x, names) for batch in batches] if names else []
    found = {name: [held[name] for held in shown] for name in names}
    features = subject.features(few)
    same = [name for name, (first, *_) in found.items() if _equal(first[: len(few)], features)]
    whole = found[same[0]] if same else [subject.features(batch.x) for batch in batches]
    if len(found) == len(STATES):
        found[BOTH] = [torch.cat([held[name] for name in STATES], 1) for held in shown]
    return {FEATURES: whole, **found}


def _names(subject: Subject, x: Examples) -> list[str]:
    """The states that the model shows of examples."""
    if not isinstance(subject.model, Activations):
        return []
    with torch.no_grad():
        shown = subject.model.activations(subject.seen(x.to(subject.device)))
    return [name for name in STATES if name in shown]


def _states(subject: Subject, x: Examples, names: Sequence[str]) -> dict[str, Tensor]:
    """States after the last frame, as vectors."""
    model = subject.model
    assert isinstance(model, Activations)
    widths: list[int] = []

    def joined(seen: Tensor) -> Tensor:
        shown = model.activations(seen, names)
        last = [shown[name][:, -1] if subject.view.frames is not None else shown[name] for name in names]
        vectors = [state.flatten(1) for state in last]
        widths[:] = [vector.shape[1] for vector in vectors]
        return torch.cat(vectors, 1)

    together = subject.apply(joined, x)
    return dict(zip(names, together.split(widths, 1), strict=True))


def _equal(state: Tensor, features: Tensor) -> bool:
    """Whether two descriptions are one, but for the rounding of batches of different size."""
    return state.shape == features.shape and bool(torch.allclose(state, features, rtol=1e-3, atol=1e-5))
